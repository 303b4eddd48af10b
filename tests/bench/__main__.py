"""`make bench`: Markdown tables on the screen and in docs/benchmark.md; QUICK=1 measures less, and writes no page."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.bench import delivery, diff, large, ledger, match, rate, scale

PAGE = Path("docs/benchmark.md")
BEGIN, END = "<!-- measured -->", "<!-- /measured -->"
Section = Callable[[bool], Iterator[str]]


def of_delivery(quick: bool) -> Iterator[str]:
    contacts = 100_000 if quick else 1_000_000
    yield f"## Delivery of {contacts:,} contacts"
    measured = []
    for one in delivery.measure(contacts, (0.0,) if quick else (0.0, 0.05), tries=1 if quick else 2):
        print(one.source, one.scenario, one.latency, one.contender, one.cost, one.problem, file=sys.stderr, flush=True)
        measured.append(one)
    yield from delivery.tables(measured)
    if any(one.problem for one in measured):
        raise SystemExit("a contestant failed, or its final set is wrong")


def of_large_audiences(quick: bool) -> Iterator[str]:
    yield "## Large audiences\n"
    measured = large.measure((100_000, 300_000) if quick else (1_000_000, 10_000_000))
    yield from large.table(list(measured))


def of_the_diff(quick: bool) -> Iterator[str]:
    yield "## Diff, 1 % churn\n"
    yield from diff.table(list(diff.measure((1_000_000,) if quick else (1_000_000, 10_000_000, 50_000_000))))


def of_the_ledger(quick: bool) -> Iterator[str]:
    yield "## What the ledger writes\n"
    yield from ledger.table(list(ledger.measure(100_000 if quick else 1_000_000, (0.00005, 0.001, 0.01))))


def of_the_rate(quick: bool) -> Iterator[str]:
    yield "## Rate: three activations on one connection, contact by contact\n"
    yield from rate.table(rate.measure(quick))


def of_matching(quick: bool) -> Iterator[str]:
    yield "## Matching by e-mail\n"
    yield from match.table(match.measure(quick))


def of_scale(quick: bool) -> Iterator[str]:
    yield "## Many activations"
    yield from scale.tables(scale.measure(quick))


SECTIONS: tuple[Section, ...] = (
    of_delivery,
    of_large_audiences,
    of_the_rate,
    of_matching,
    of_scale,
    of_the_ledger,
    of_the_diff,
)


def main() -> None:
    quick = bool(os.environ.get("QUICK"))
    measured = [f"{os.cpu_count()} cores."]
    for section in SECTIONS:
        measured.append("\n" + "\n".join(section(quick)))
        print(measured[-1], flush=True)
        if not quick:  # after each section, so that a run that is cut short leaves what it has
            before, _, rest = PAGE.read_text().partition(BEGIN)
            PAGE.write_text("\n".join([f"{before}{BEGIN}", *measured, f"{END}{rest.partition(END)[2]}"]))


if __name__ == "__main__":
    main()
