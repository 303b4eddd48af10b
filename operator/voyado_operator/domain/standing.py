"""Who is on a target, or may be, as a ledger has it."""

from dataclasses import dataclass

from voyado_operator.arrow import ArrowStream


@dataclass(frozen=True, slots=True)
class Standing:
    """`base` has contact_id, each once, and op, null of a member.

    `changes`, where there are many, has contact_id, op (an Entry) and seq: of a contact the highest counts, and not
    what the base says.
    """

    base: ArrowStream
    changes: ArrowStream | None = None
