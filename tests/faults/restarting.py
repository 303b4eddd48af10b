"""An operator that is killed and started again, with the same ledger and the same cluster."""

from contextlib import ExitStack
from pathlib import Path

from tests.running import Operator, running_operator


class Restarting:
    """At most one operator process at a time, unless somebody asks for `another`."""

    def __init__(self, kubeconfig: Path, folder: Path, **settings: str) -> None:
        self._kubeconfig, self._folder, self._settings = kubeconfig, folder, settings
        self._exits = ExitStack()
        self.running = self.start()

    def start(self) -> Operator:
        self.running = self.another()
        return self.running

    def another(self) -> Operator:
        """A second one beside the first, as after a node was lost."""
        return self._exits.enter_context(running_operator(self._kubeconfig, self._folder, **self._settings))

    def kill(self) -> None:
        """SIGKILL: nothing is finished, flushed or given back."""
        self.running.process.kill()
        self.running.process.wait()

    def close(self) -> None:
        self._exits.close()
