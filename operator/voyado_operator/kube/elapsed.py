"""A clock for what must not outlast the machine's sleep."""

import time


def elapsed() -> float:
    """Return the seconds since the machine started, those of its suspension included where the system counts them.

    `time.monotonic` stands still while a virtual machine or a laptop is suspended; what it has measured before is as
    fresh after that as if no time had passed.
    """
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
