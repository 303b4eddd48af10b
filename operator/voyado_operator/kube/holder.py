"""Who holds a Lease: a name of this process that no other has, and that tells on its own machine whether it still runs.

A container that is killed and started again at once need not wait out its own Lease, where that can be proven.
"""

import os
import socket
from pathlib import Path

PROC = Path("/proc")


def this_process() -> str:
    """`host/boot/pid namespace/pid/start time`; on a system without /proc the parts in the middle are empty."""
    pid = os.getpid()
    return "/".join([socket.gethostname(), _boot(), _namespace(), str(pid), _started(pid)])


def has_ended(holder: str) -> bool:
    """Whether the process of that name ran here and runs no more; False where nobody can tell."""
    parts = holder.split("/")
    if len(parts) != 5 or parts[:3] != this_process().split("/")[:3] or not parts[1] or not parts[3].isdigit():
        return False
    return _started(int(parts[3])) != parts[4]


def _boot() -> str:
    try:
        return (PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _namespace() -> str:
    try:
        return str((PROC / "self/ns/pid").stat().st_ino)
    except OSError:
        return ""


def _started(pid: int) -> str:
    """In clock ticks since boot; empty when there is no such process, or only what is left of it until it is reaped."""
    try:
        fields = (PROC / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return ""
    return "" if fields[0] in "ZX" else fields[19]
