"""Who drives which target. 5,000 activations that each look for a rival among all others take minutes; here, none."""

from collections import defaultdict

from voyado_operator.api.common import ObjectKey
from voyado_operator.domain.target import TargetIdentity


class Drivers:
    """The target of each activation, indexed by what two targets in conflict have in common."""

    def __init__(self) -> None:
        self._targets: dict[ObjectKey, TargetIdentity] = {}
        self._by_trait: defaultdict[tuple[str, ...], set[ObjectKey]] = defaultdict(set)

    def drives(self, key: ObjectKey, target: TargetIdentity) -> bool:
        """Whether the activation `key` drives this target, or one that conflicts with it."""
        theirs = self._targets.get(key)
        return theirs is not None and theirs.conflicts_with(target)

    def rivals(self, key: ObjectKey) -> list[ObjectKey]:
        """The other activations of the same target."""
        target = self._targets.get(key)
        if target is None:
            return []
        others = set[ObjectKey]().union(*(self._by_trait[trait] for trait in target.traits)) - {key}
        return [other for other in others if self.drives(other, target)]

    def put(self, key: ObjectKey, target: TargetIdentity | None) -> None:
        """`key` drives this target now, and no other; None: none that is known."""
        if former := self._targets.pop(key, None):
            for trait in former.traits:
                self._by_trait[trait].discard(key)
                if not self._by_trait[trait]:
                    del self._by_trait[trait]
        if target is not None:
            self._targets[key] = target
            for trait in target.traits:
                self._by_trait[trait].add(key)
