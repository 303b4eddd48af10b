"""Every ```sh block of the README is run as it stands there, or is a promise that a test named here keeps.

A block is found by the heading above it and by its commands, never by its number:

* under the heading FIRST_PLAN all blocks are run, in order, in one shell environment: $ENGAGE_API_KEY and
  $WAREHOUSE_URI are set, the tenant's URL is the simulator's, and the table `vip` is there;
* a line `make TARGET` is a promise, see PROMISES;
* `kubectl exec … -- COMMAND`, anywhere else, is run after that: COMMAND beside the operator, as there is no kubelet;
* any other block fails: nobody runs it.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.controlplane.build import BIN as CONTROL_PLANE
from tests.controlplane.postgres import Postgres
from tests.controlplane.processes import ControlPlane
from tests.engage import EngageAdmin
from tests.installed import grant, log_in
from tests.running import running_operator
from tests.tools.build import BIN as TOOLS
from tests.tools.chart import NAME, rendered

ROOT = Path(__file__).parents[2]
FIRST_PLAN = "From nothing to a first plan"
TENANT = "https://acme.voyado.com"
PROMISES = {
    "make demo": "cluster/test_demo.py",
    "make test": "cluster/test_readme.py",  # which is a part of it
}
STAND_IN = """\
#!/bin/sh
# What a kubelet would do with `exec`, and kubectl for everything else.
if [ "$1" = exec ]; then
  while [ "$1" != -- ]; do shift; done
  shift
  exec "$@"
fi
exec {kubectl} "$@"
"""


class Block(NamedTuple):
    heading: str
    text: str

    @property
    def commands(self) -> list[str]:
        """The lines without comments; of a here-document its first line alone."""
        text = re.sub(r"<<'(\w+)'\n.*?^\1$", "", self.text, flags=re.DOTALL | re.MULTILINE)
        return [line.split("  #")[0].strip() for line in text.splitlines() if line.strip() and line[0] != "#"]


def blocks(text: str) -> list[Block]:
    """The ```sh blocks, each with the latest heading above it."""
    found, heading = [], ""
    for language, block, title in re.findall(r"^```(\w*)\n(.*?)^```$|^#+ ([^\n]+)$", text, re.DOTALL | re.MULTILINE):
        heading = title or heading
        if language == "sh":
            found.append(Block(heading, block))
    return found


README = blocks((ROOT / "README.md").read_text())


def is_promise(block: Block) -> bool:
    return all(command in PROMISES for command in block.commands)


def is_in_the_pod(block: Block) -> bool:
    return all(re.match(r"kubectl exec .* -- ", command) for command in block.commands)


def kept_by(block: Block) -> list[str]:
    """Who runs the block; empty: nobody."""
    if block.heading == FIRST_PLAN or is_in_the_pod(block):
        return ["cluster/test_readme.py"]
    return [PROMISES[command] for command in block.commands] if is_promise(block) else []


def test_somebody_runs_every_block() -> None:
    assert README
    orphans = [block.text for block in README if not kept_by(block)]
    assert not orphans, "nobody runs these: give them to a test here"
    for file in {file for block in README for file in kept_by(block)}:
        assert (ROOT / "tests" / file).exists()


def test_every_promise_is_a_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for command in PROMISES:
        assert re.search(rf"^{command.removeprefix('make ')}:", makefile, re.MULTILINE)


@pytest.mark.parametrize(
    ("text", "is_kept"),
    [
        ("# Any\n```sh\nmake demo    # a year\nmake test\n```\n", True),
        ("# Any\n```sh\nmake demo\nrm -r data\n```\n", False),
        ("# Any\n```sh\nkubectl exec deploy/x -- voyado-operator contact 1\n```\n", True),
        ("# Any\n```sh\nkubectl get segact\n```\n", False),
        (f"## {FIRST_PLAN}\n```sh\nkubectl apply -f - <<'EOF'\nkind: x\nEOF\n```\n", True),
        (f"## {FIRST_PLAN}\n## Later\n```sh\nkubectl apply -f x\n```\n", False),
    ],
)
def test_a_block_that_nobody_runs_is_seen(text: str, is_kept: bool) -> None:
    [block] = blocks(text)
    assert bool(kept_by(block)) == is_kept


class Shell:
    """One environment for all blocks; raises with what a block said when it fails."""

    def __init__(self, cluster: ControlPlane, folder: Path, **variables: str) -> None:
        stand_in = folder / "bin" / "kubectl"
        stand_in.parent.mkdir()
        stand_in.write_text(STAND_IN.format(kubectl=CONTROL_PLANE / "kubectl"))
        stand_in.chmod(0o755)
        path = [stand_in.parent, TOOLS, Path(sys.executable).parent, os.environ["PATH"]]
        places = {"PATH": ":".join(map(str, path)), "HOME": str(folder), "KUBECONFIG": str(cluster.kubeconfig)}
        self._environment = os.environ | places | variables

    def run(self, block: Block, **replaced: str) -> str:
        text = block.text
        for shown, real in replaced.items():
            text = text.replace(shown, real)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text],
            env=self._environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=180,
        )
        assert done.returncode == 0, f"{block.text}\n{done.stdout}\n{done.stderr}"
        return done.stdout


def test_from_nothing_to_a_first_plan(
    bare_cluster: ControlPlane, postgres: Postgres, engage: EngageAdmin, tmp_path: Path
) -> None:
    """The operator runs beside the API server, with the chart's rights in the namespace `default`, as no pod runs."""
    people = [f"2f6b8a0e-0000-4000-8000-{number:012}" for number in range(1, 8)]
    engage.configure(attributes={"label_vip-customers": "boolean"})
    engage.seed([{"id": one} for one in people])
    postgres.execute("create table vip (contact_id text, email text)")
    for one in people:
        postgres.execute(f"insert into vip values ('{one}', null)")
    ledger = {"VOYADO_OPERATOR_LEDGER_URL": f"file://{tmp_path / 'ledger'}"}
    shell = Shell(bare_cluster, tmp_path, ENGAGE_API_KEY=engage.api_key, WAREHOUSE_URI=postgres.uri, **ledger)
    install, *rest = [block for block in README if block.heading == FIRST_PLAN]

    shell.run(install)
    assert bare_cluster.kubectl("get", "deploy", NAME, f"--namespace={NAME}", "-o=name")
    grant(bare_cluster, rendered())
    with running_operator(log_in(bare_cluster, NAME), tmp_path):
        said = [shell.run(block, **{TENANT: engage.url}) for block in rest]
        for block in README:
            if block.heading != FIRST_PLAN and is_in_the_pod(block):
                shell.run(block)

    assert re.search(r"vip-customers +vip-customers +0? *7 +0 +True +Planned", said[-1])
    assert engage.requests()["writes"] == 0
