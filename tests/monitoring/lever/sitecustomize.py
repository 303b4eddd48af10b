"""Python imports this at its start where this folder is on PYTHONPATH: a way to hold an event loop from outside.

A signal handler runs in the main thread, the event loop's; the thread that serves the metrics goes on, as it would
beside any defect that does not come back.
"""

import signal
import time

HOLD_SECONDS = 5.0

signal.signal(signal.SIGUSR1, lambda *_: time.sleep(HOLD_SECONDS))
