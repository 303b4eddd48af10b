"""Who is on a target, or may be, as a ledger has it."""

from dataclasses import dataclass

from voyado_operator.arrow import ArrowStream


@dataclass(frozen=True, slots=True)
class Standing:
    """`base` has contact_id, each once, and op (an Entry), null of a member; some are not on the target.

    `changes`, where there are many, has contact_id, op and seq: of a contact the highest counts, and not what the base
    says.
    """

    base: ArrowStream
    changes: ArrowStream | None = None
