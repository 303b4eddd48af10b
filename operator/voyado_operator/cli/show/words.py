"""Numbers, times and names as people read them."""

from datetime import datetime, timedelta

from voyado_operator.api.activation import SegmentActivation

NOTHING = "–"  # noqa: RUF001
MINUS = "−"  # noqa: RUF001
UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def count(number: int | None) -> str:
    return NOTHING if number is None else f"{number:,}"


def change(entering: int, leaving: int) -> str:
    """`+120 -14`, with a real minus."""
    parts = ([f"+{entering:,}"] if entering else []) + ([f"{MINUS}{leaving:,}"] if leaving else [])
    return " ".join(parts) or NOTHING


def span(duration: timedelta) -> str:
    """The largest unit that fits, as kubectl's AGE."""
    seconds = max(0, int(duration.total_seconds()))
    for unit, length in UNITS:
        if seconds >= 2 * length or (seconds >= length and unit in "sh"):
            return f"{seconds // length}{unit}"
    return f"{seconds}s"


def ago(moment: datetime | None, now: datetime) -> str:
    return "never" if moment is None else f"{span(now - moment)} ago"


def ahead(moment: datetime | None, now: datetime) -> str:
    if moment is None:
        return NOTHING
    return f"in {span(moment - now)}" if moment > now else "now"


def target(activation: SegmentActivation) -> str:
    """`label vip`, `Email: Decline`, `consent memberTerms: Accept`."""
    wanted = activation.spec.target
    if wanted.preference:
        return f"{wanted.preference.channel}: {wanted.preference.on_enter}"
    if wanted.consent:
        return f"consent {wanted.consent.id}: {wanted.consent.on_enter}"
    return f"label {wanted.label.name}" if wanted.label else NOTHING


def command(verb: str, activation: SegmentActivation) -> str:
    """The whole command, to be pasted."""
    return f"kubectl voyado {verb} {activation.metadata.name} -n {activation.metadata.namespace}"
