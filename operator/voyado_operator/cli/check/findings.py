"""What is wrong with a manifest, where, and what to write instead."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum

Path = tuple[str | int, ...]


class Severity(StrEnum):
    """An error fails the check; a warning only speaks."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """`line` counts from 1; `resource` is `Kind name`, or empty where the file as a whole is meant; `field` a path."""

    file: str
    line: int
    severity: Severity
    resource: str
    field: str
    message: str

    def __str__(self) -> str:
        """As compilers write it, so that editors and CI jump to the line."""
        where = ": ".join(part for part in (self.resource, self.field) if part)
        return f"{self.file}:{self.line}: {self.severity}: {where + ': ' if where else ''}{self.message}"

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def dotted(path: Path) -> str:
    """`spec.audience.contactIds[2]`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def sorted_by_place(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda one: (one.file, one.line, one.severity, one.field))


def are_fine(findings: Iterable[Finding]) -> bool:
    return all(one.severity is Severity.WARNING for one in findings)
