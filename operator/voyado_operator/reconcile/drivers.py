"""Who drives which target. 5,000 activations that each look for a rival among all others take minutes; here, none."""

from collections import defaultdict

from voyado_operator.api.common import ObjectKey
from voyado_operator.domain.target import TargetIdentity


class Drivers:
    """The target of each activation, and the activations of each target."""

    def __init__(self) -> None:
        self._targets: dict[ObjectKey, TargetIdentity] = {}
        self._by_target: defaultdict[TargetIdentity, set[ObjectKey]] = defaultdict(set)

    def drives(self, key: ObjectKey, target: TargetIdentity) -> bool:
        """Whether the activation `key` drives this target, or one that conflicts with it."""
        theirs = self._targets.get(key)
        return theirs is not None and theirs.conflicts_with(target)

    def target_of(self, key: ObjectKey) -> TargetIdentity | None:
        return self._targets.get(key)

    def rivals(self, key: ObjectKey) -> list[ObjectKey]:
        """The other activations of the same target."""
        target = self._targets.get(key)
        if target is None or target not in self._by_target:
            return []
        return [other for other in self._by_target[target] - {key} if self.drives(other, target)]

    def of(self, target: TargetIdentity) -> set[ObjectKey]:
        """The activations that drive this target, by their specs."""
        return set(self._by_target.get(target, ()))

    def put(self, key: ObjectKey, target: TargetIdentity | None) -> None:
        """`key` drives this target now, and no other; None: none that is known."""
        if former := self._targets.pop(key, None):
            self._by_target[former].discard(key)
            if not self._by_target[former]:
                del self._by_target[former]
        if target is not None:
            self._targets[key] = target
            self._by_target[target].add(key)
