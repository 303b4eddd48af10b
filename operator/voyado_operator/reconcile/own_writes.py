"""What the runs of this operator may be writing, in memory: to each other's first changes that is no harm."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

from voyado_operator.domain.contact import Facet

READ_LATE = 3.0  # seconds; what Engage shows may be older than a change that it has acknowledged
DONE_LATE = 900.0  # seconds; an unfinished batch is given up after 600, and Engage may go on working on it


@dataclass(slots=True)
class _Written:
    """How many runs are writing a facet, and until when the changes of those that are over may show."""

    runs: int = 0
    shows_until: float = float("-inf")


class OwnWrites:
    """Of all runs and withdrawals: each facet that was ever written, by the tenant's host."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self.clock = clock
        self._of_tenant: defaultdict[str, defaultdict[Facet, _Written]] = defaultdict(lambda: defaultdict(_Written))

    def of(self, host: str) -> "Writing":
        """Return the writing of one run, which has not begun."""
        return Writing(self.clock, self._of_tenant[host])


@dataclass(slots=True)
class Writing:
    """The facets, with their values, that one run writes; and those that the others in its tenant write."""

    now: Callable[[], float]
    _tenant: defaultdict[Facet, _Written]
    _facets: set[Facet] = field(default_factory=set)

    def begins(self, facet: Facet | None) -> None:
        """Tell that contacts are about to be made so; to be called before the first request leaves."""
        if facet is not None and facet not in self._facets:
            self._facets.add(facet)
            self._tenant[facet].runs += 1

    @contextmanager
    def under_way(self, is_settled: Callable[[], bool]) -> Iterator[None]:
        """End what was begun within; it may show for READ_LATE, and for DONE_LATE unless Engage answered for all."""
        late = DONE_LATE
        try:
            yield
            late = READ_LATE if is_settled() else DONE_LATE
        finally:
            for facet in self._facets:
                written = self._tenant[facet]
                written.runs -= 1
                written.shows_until = max(written.shows_until, self.now() + late)
            self._facets.clear()

    def of_others(self, since: float) -> set[Facet]:
        """Return what other runs in the tenant may have written at the time `since` or later.

        What is another run's and this one's too is this one's.
        """
        own = {(facet.kind, facet.key) for facet in self._facets}
        written = (facet for facet, one in self._tenant.items() if one.runs or one.shows_until >= since)
        return {facet for facet in written if (facet.kind, facet.key) not in own}
