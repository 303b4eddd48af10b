"""As much of an API server as the campaign needs: objects by key, generations, finalizers, status, Secrets."""

from collections.abc import Callable
from copy import deepcopy
from datetime import datetime
from typing import Any

GROUP = "voyado-operator.io"
Key = tuple[str, str, str]
"""Kind, namespace and name."""


class Objects:
    """Every change is shown to whoever watches, later, when they ask for news."""

    def __init__(self, clock: Callable[[], datetime], gone: Callable[[Key], None]) -> None:
        """`gone` is told of each object that has left."""
        self._clock, self._gone = clock, gone
        self._versions = self._uids = 0
        self.held: dict[Key, dict[str, Any]] = {}
        self.news: list[tuple[Key, dict[str, Any] | None]] = []
        self.secrets: dict[str, str] = {}
        self.is_alive = dict[str, Callable[[], bool]]()
        """Each operator by its name: who holds their Lease."""

    def create(self, key: Key, spec: dict[str, Any]) -> None:
        self._uids += 1
        metadata = {
            "namespace": key[1],
            "name": key[2],
            "uid": f"uid-{self._uids}",
            "generation": 1,
            "creationTimestamp": self._clock(),
            "annotations": {},
            "finalizers": [],
        }
        self.held[key] = {"metadata": metadata, "spec": deepcopy(spec), "status": {}}
        self._changed(key)

    def edit(self, key: Key, spec: dict[str, Any]) -> None:
        """A new generation, where it says something new."""
        found = self.held[key]
        if found["spec"] != spec:
            found["spec"] = deepcopy(spec)
            found["metadata"]["generation"] += 1
            self._changed(key)

    def annotate(self, key: Key, name: str, value: str) -> None:
        self.held[key]["metadata"]["annotations"][f"{GROUP}/{name}"] = value
        self._changed(key)

    def set_status(self, key: Key, status: dict[str, Any]) -> None:
        if key in self.held:
            self.held[key]["status"] = deepcopy(status)
            self._changed(key)

    def finalize(self, key: Key, finalizer: str, *, is_held: bool) -> None:
        if key not in self.held:
            return
        metadata = self.held[key]["metadata"]
        metadata["finalizers"] = sorted({*metadata["finalizers"], finalizer} - (set() if is_held else {finalizer}))
        self._changed(key)
        self._drop_if_released(key)

    def delete(self, key: Key) -> None:
        self.held[key]["metadata"].setdefault("deletionTimestamp", self._clock())
        self._changed(key)
        self._drop_if_released(key)

    def is_deleted(self, key: Key) -> bool:
        return key not in self.held or "deletionTimestamp" in self.held[key]["metadata"]

    def _drop_if_released(self, key: Key) -> None:
        metadata = self.held[key]["metadata"]
        if "deletionTimestamp" in metadata and not metadata["finalizers"]:
            del self.held[key]
            self.news.append((key, None))
            self._gone(key)

    def _changed(self, key: Key) -> None:
        self._versions += 1
        self.held[key]["metadata"]["resourceVersion"] = str(self._versions)
        self.news.append((key, deepcopy(self.held[key])))
