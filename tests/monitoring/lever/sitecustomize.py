"""Python imports this at its start where this folder is on PYTHONPATH: defects that can be had from outside.

SIGUSR1 holds the event loop: a signal handler runs in the main thread, the loop's, and the thread that serves the
metrics goes on. SIGUSR2 makes the operator deaf to what its watch brings, and a second one cures it.
"""

import signal
import time

HOLD_SECONDS = 5.0


def deafen(*_: object) -> None:
    from voyado_operator.app import App

    heard = App.activation_seen
    App.activation_seen = lambda *_: None
    signal.signal(signal.SIGUSR2, lambda *_: setattr(App, "activation_seen", heard))


signal.signal(signal.SIGUSR2, deafen)
signal.signal(signal.SIGUSR1, lambda *_: time.sleep(HOLD_SECONDS))
