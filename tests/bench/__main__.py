"""`make bench`: a Markdown table on the screen and in docs/benchmark.md; QUICK=1 takes a tenth of the contacts."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.bench.delivery import Result, deliver
from tests.bench.diff import Compared, compare

PAGE = Path("docs/benchmark.md")
BEGIN, END = "<!-- measured -->", "<!-- /measured -->"


def main() -> int:
    quick = bool(os.environ.get("QUICK"))
    contacts = 100_000 if quick else 1_000_000
    results = []
    for result in deliver(contacts, (0.0, 0.05)):
        results.append(result)
        print(_row(result), file=sys.stderr, flush=True)
        if result.problem:
            print(result.problem, file=sys.stderr)
    compared = [one for many in (contacts, 10 * contacts) for one in compare(many, ("512MB", "2GB"))]
    parts = [f"{os.cpu_count()} cores.", f"\n## Delivery of {contacts:,} contacts", *_tables(results)]
    table = "\n".join([*parts, "\n## Diff, 1 % churn", *_comparison(compared)])
    print(table)
    if not quick:
        before, _, rest = PAGE.read_text().partition(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n{table}\n{END}{rest.partition(END)[2]}")
    return 0 if all(result.cost for result in results) else 1


def _tables(results: list[Result]) -> Iterable[str]:
    for latency, scenario in dict.fromkeys((one.latency, one.scenario) for one in results):
        rows = [one for one in results if (one.latency, one.scenario) == (latency, scenario)]
        yield f"\n### {scenario}, {latency * 1000:.0f} ms\n"
        yield "| | wall | times the floor | CPU | peak | requests | rows |"
        yield "|---|---|---|---|---|---|---|"
        floor = min(one.cost.wall for one in rows if one.cost and one.contender.startswith("floor"))
        yield from (_row(one, floor) for one in rows)


def _comparison(compared: list[Compared]) -> Iterable[str]:
    yield "\n| contacts | memory limit | | comparison | times the full join | whole process | peak |"
    yield "|---|---|---|---|---|---|---|"
    joins = {(one.contacts, one.memory): one.seconds for one in compared if one.way == "full join"}
    for one in compared:
        join = joins[one.contacts, one.memory]
        if one.seconds is None or one.cost is None or join is None:
            yield f"| {one.contacts:,} | {one.memory} | {one.way} | failed | | | |"
            continue
        yield (
            f"| {one.contacts:,} | {one.memory} | {one.way} | {one.seconds:.2f} s | {one.seconds / join:.1f}"
            f" | {one.cost.wall:.2f} s | {one.cost.peak} MiB |"
        )


def _row(one: Result, floor: float | None = None) -> str:
    if one.cost is None:
        return f"| {one.contender} | failed | | | | {one.requests} | {one.rows} |"
    ratio = f"{one.cost.wall / floor:.1f}" if floor else f"{one.scenario}, {one.latency * 1000:.0f} ms"
    cost = one.cost
    return (
        f"| {one.contender} | {cost.wall:.2f} s | {ratio} | {cost.cpu:.2f} s | {cost.peak} MiB"
        f" | {one.requests} | {one.rows} |"
    )


if __name__ == "__main__":
    sys.exit(main())
