"""What the runs of this operator may be writing, in memory: to each other's first changes that is no harm."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

from voyado_operator.domain.contact import Facet

READ_LATE = 3.0  # seconds; what Engage shows may be older than a change that it has acknowledged
DONE_LATE = 900.0  # seconds; an unfinished batch is given up after 600, and Engage may go on working on it
LONGEST_LOOK = 900.0  # seconds; no first change is looked at for longer, with all that is tried again


class OwnWrites:
    """Of all runs and withdrawals, by the tenant's host."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self.clock = clock
        self._of_tenant: defaultdict[str, set[Writing]] = defaultdict(set)

    def of(self, host: str) -> "Writing":
        """Return the writing of one run, which has not begun."""
        return Writing(host, self)

    def enlist(self, writing: "Writing") -> None:
        self._of_tenant[writing.host].add(writing)

    def besides(self, writing: "Writing", since: float) -> set[Facet]:
        """Return what any other run in the tenant may have written at the time `since` or later."""
        tenant = self._of_tenant[writing.host]
        long_ago = self.clock() - LONGEST_LOOK
        tenant -= {one for one in tenant if not one.may_show(long_ago)}
        return {facet for one in tenant if one is not writing and one.may_show(since) for facet in one.facets}


@dataclass(slots=True, eq=False)
class Writing:
    """The facets, with their values, that one run writes."""

    host: str
    _all: OwnWrites = field(repr=False)
    facets: set[Facet] = field(default_factory=set)
    _shows_until: float | None = None

    def begins(self, facet: Facet | None) -> None:
        """Tell that contacts are about to be made so; to be called before the first request leaves."""
        if facet is not None:
            self.facets.add(facet)
            self._all.enlist(self)

    @contextmanager
    def under_way(self, is_settled: Callable[[], bool]) -> Iterator[None]:
        """What was begun within goes on for READ_LATE, and for DONE_LATE unless Engage has answered for all of it."""
        late = DONE_LATE
        try:
            yield
            late = READ_LATE if is_settled() else DONE_LATE
        finally:
            self._shows_until = self._all.clock() + late

    def may_show(self, at: float) -> bool:
        return self._shows_until is None or self._shows_until >= at

    def now(self) -> float:
        return self._all.clock()

    def of_others(self, since: float) -> set[Facet]:
        """Return what other runs in the tenant may have written at the time `since` or later."""
        return self._all.besides(self, since)
