"""Whether the watch still brings what happens: every status write of ours must come back by it."""

from collections.abc import Callable
from time import monotonic


class Echoes:
    """Status writes that the watch has not shown yet, of each object the first.

    Kopf closes a watch that has been silent for 70 s, and ends with one that cannot be opened again (operators.md 1.4);
    this tells whether that holds. Resource versions of one resource can be compared as numbers (Kubernetes 1.35).
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._shown: dict[str, int] = {}
        self._awaited: dict[str, tuple[int, float]] = {}

    def written(self, uid: str, version: str) -> None:
        """We wrote this version; the watch may have shown it, or that the object is gone, before the answer came."""
        if self._shown.get(uid, int(version)) < int(version):
            self._awaited.setdefault(uid, (int(version), self._clock()))

    def shown(self, uid: str, version: str) -> None:
        self._shown[uid] = int(version)
        awaited, _ = self._awaited.get(uid, (0, 0.0))
        if awaited <= int(version):
            self._awaited.pop(uid, None)

    def gone(self, uid: str) -> None:
        self._shown.pop(uid, None)
        self._awaited.pop(uid, None)

    def delay(self) -> float:
        """For how many seconds the longest awaited write has not come back; 0 when all have."""
        return max((self._clock() - since for _, since in list(self._awaited.values())), default=0.0)
