"""Whether this node's clock and Engage's agree well enough to tell which of two decisions is the newer."""

from datetime import timedelta

MOST_APART = timedelta(minutes=1)


def are_apart(ahead: timedelta) -> bool:
    """`ahead` is by how much Engage's clock is ahead of this node's."""
    return abs(ahead) > MOST_APART


def told(ahead: timedelta, opt_ins: int) -> str:
    """In words, with the cure; so many opt-ins wait for it."""
    minutes, seconds = divmod(round(abs(ahead).total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    apart = f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"
    waits = f"so {opt_ins} opt-ins wait; " if opt_ins else ""
    return (
        f"this node's clock is {apart} {'behind' if ahead > timedelta() else 'ahead of'} Engage's, {waits}"
        "set up time synchronisation (NTP) on the node"
    )
