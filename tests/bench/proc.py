"""What the kernel says of a running process, all its threads included."""

import os
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")  # per second


def resident(pid: int) -> int:
    """MiB in memory now."""
    return _mebibytes(pid, "VmRSS:")


def peak(pid: int) -> int:
    """The most MiB it ever had in memory. The kernel's ru_maxrss counts that of the process it was forked from."""
    return _mebibytes(pid, "VmHWM:")


def cpu_seconds(pid: int) -> float:
    """User and system, since it was started."""
    return sum(map(int, _stat(pid)[11:13])) / TICKS


def age() -> float:
    """Seconds since this process was started, to a hundredth."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) - int(_stat(os.getpid())[19]) / TICKS


def _stat(pid: int) -> list[str]:
    """What comes after the name, which may have spaces."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _mebibytes(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith(name)), 0)  # none once it has ended
