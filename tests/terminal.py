"""A program on a terminal, as a person sees it: colours, live lines, questions."""

import fcntl
import os
import pty
import signal
import struct
import subprocess
import termios
from pathlib import Path
from typing import NamedTuple

LINES, COLUMNS = 40, 120
CTRL_C = "\x03"


class Seen(NamedTuple):
    """Everything that came to the screen, control sequences included."""

    text: str
    returncode: int


def on_a_terminal(
    command: list[str], kubeconfig: Path, *, question: str = "", answer: str = "", **variables: str
) -> Seen:
    """Run to the end; once `question` is on the screen, type `answer`."""
    environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "CI")}
    environment |= {"TERM": "xterm-256color", "KUBECONFIG": str(kubeconfig), **variables}
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # as in a shell's background, which programs inherit
        signal.signal(signal.SIGINT, signal.default_int_handler)
    screen, keyboard = pty.openpty()
    fcntl.ioctl(keyboard, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    with subprocess.Popen(
        command, stdin=keyboard, stdout=keyboard, stderr=keyboard, env=environment, start_new_session=True
    ) as program:
        os.close(keyboard)
        text, asked = "", bool(question)
        while piece := _read(screen):
            text += piece
            if asked and question in text:
                asked = False
                if answer == CTRL_C:
                    program.send_signal(signal.SIGINT)
                else:
                    os.write(screen, f"{answer}\n".encode())
        os.close(screen)
    return Seen(text, program.returncode)


def _read(screen: int) -> str:
    """Empty when the program has ended, which Linux tells as an error."""
    try:
        return os.read(screen, 4096).decode(errors="replace")
    except OSError:
        return ""
