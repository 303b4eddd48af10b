"""What the documents and examples tell people to write is taken by a real API server, and by `voyado-operator check`.

A YAML block of a page, or what a shell block feeds to kubectl, is a whole manifest; or a part of one, which is
completed with the smallest object of the kind that has these fields; or the chart's values, when its first line is
`# values.yaml`. What begins with `# refused` is refused, with what the next block says.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from voyado_operator.cli.check.command import examined
from voyado_operator.cli.check.findings import Finding, Severity
from voyado_operator.cli.check.manifests import collected

from tests.checking import TODAY, findings
from tests.crd_rules import ACTIVATION, CONNECTION
from tests.installed import Cluster
from tests.tools.chart import rendered

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
EXAMPLES = sorted(
    file for file in (ROOT / "examples").rglob("*.yaml") if "resource_customizations" not in file.parts
)  # those are Argo CD's test data
TENANT = ROOT / "examples" / "connection"
APART = ("quickstart", "argocd", "flux")  # with a tenant of its own, or none
BLOCK = re.compile(r"^( *)```yaml\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
FED = re.compile(r"^( *)kubectl apply .*<<'?EOF'?\n(.*?)^ *EOF$", re.MULTILINE | re.DOTALL)
VALUES, REFUSED = "# values.yaml", "# refused\n"
ANSWER = re.compile(r"\s*```\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NOT_SERVED = re.compile(r"(^|\.)(argoproj\.io|toolkit\.fluxcd\.io)/")
HOOKS = "repos"  # of a .pre-commit-config.yaml
Manifest = dict[str, Any]
SMALLEST: dict[str, Manifest] = {"SegmentActivation": ACTIVATION, "VoyadoConnection": CONNECTION}


@dataclass(frozen=True)
class Block:
    """A YAML block of a page, where it begins, and the plain block right after it, if any."""

    page: Path
    line: int
    text: str
    answer: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks() -> Iterator[Block]:
    for page in PAGES:
        text = page.read_text()
        for found in (*BLOCK.finditer(text), *FED.finditer(text)):
            line = text.count("\n", 0, found.start()) + 1
            unindented = re.sub(rf"^{found[1]}", "", found[2], flags=re.MULTILINE)
            answer = ANSWER.match(text, found.end())
            yield Block(page, line, unindented, answer[1] if answer else "")


def fields(kind: str, part: str) -> set[str]:
    """The names that `spec` or `status` of a kind has."""
    [crd] = (yaml.safe_load(file.read_text()) for file in (ROOT / "crds").glob(f"*_{kind.lower()}s.yaml"))
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return set(schema["properties"][part]["properties"])


def completed(fragment: Manifest) -> Manifest:
    """A fragment as a whole manifest; raises AssertionError for fields that no kind has."""
    if "apiVersion" in fragment:
        return fragment
    parts = fragment if fragment.keys() <= {"metadata", "spec", "status"} else {"spec": fragment}
    kinds = [
        kind
        for kind in SMALLEST
        if all(parts[part].keys() <= fields(kind, part) for part in ("spec", "status") if part in parts)
    ]
    assert kinds, f"no kind has all of these fields: {fragment}"
    whole = SMALLEST[kinds[0]]
    metadata = whole["metadata"] | parts.get("metadata", {})
    status = {"status": parts["status"]} if "status" in parts else {}
    return whole | {"metadata": metadata, "spec": whole["spec"] | parts.get("spec", {})} | status


def read(text: str) -> list[Manifest]:
    return [completed(found) for found in yaml.safe_load_all(text) if found]


def here(manifest: Manifest) -> Manifest:
    """The manifest without a namespace, as the server has no other than `default`."""
    metadata = {name: value for name, value in manifest["metadata"].items() if name != "namespace"}
    return manifest | {"metadata": metadata}


def assert_taken(cluster: Cluster, manifest: Manifest) -> None:
    text = yaml.safe_dump(here(manifest))
    answer = cluster.try_kubectl("apply", "--dry-run=server", "-n", "default", "-f", "-", stdin=text)
    assert not answer.returncode, answer.stderr


def assert_status_taken(cluster: Cluster, manifest: Manifest) -> None:
    """The status goes to an object that exists, which it is made for by a first, real apply."""
    name = f"documented-{manifest['kind'].lower()}"
    named = here(manifest) | {"metadata": {"name": name}}
    asleep = named | {"spec": named["spec"] | {"suspend": True}}
    asleep.pop("status")
    cluster.kubectl("apply", "-n", "default", "-f", "-", stdin=yaml.safe_dump(asleep))
    how = ("--server-side", "--subresource=status", "--dry-run=server", "--field-manager=documents")
    only_status = {part: value for part, value in named.items() if part != "spec"}
    answer = cluster.try_kubectl(
        "apply", *how, "--force-conflicts", "-n", "default", "-f", "-", stdin=yaml.safe_dump(only_status)
    )
    cluster.kubectl("delete", "-n", "default", manifest["kind"], name, "--wait=false")
    assert not answer.returncode, answer.stderr


def assert_refused(cluster: Cluster, block: Block) -> None:
    reasons = {line for line in block.answer.splitlines() if line.startswith("* ")}  # the server's order is any
    answer = cluster.try_kubectl("apply", "--dry-run=server", "-n", "default", "-f", "-", stdin=block.text)
    assert answer.returncode
    assert reasons == {line.strip() for line in answer.stderr.splitlines() if line.startswith("* ")}
    assert len(errors(findings(yaml.safe_dump(CONNECTION), block.text))) == len(reasons)


def errors(found: list[Finding]) -> list[Finding]:
    return [one for one in found if one.severity is Severity.ERROR]


@pytest.mark.parametrize("block", list(blocks()), ids=str)
def test_a_block_of_a_page(cluster: Cluster, block: Block) -> None:
    if block.text.startswith(VALUES):
        assert rendered(yaml.safe_load(block.text))
        return
    if block.text.startswith(REFUSED):
        assert_refused(cluster, block)
        return
    if HOOKS in yaml.safe_load(block.text.partition("\n---\n")[0]):
        assert_hooks_exist(yaml.safe_load(block.text)[HOOKS])
        return
    for manifest in read(block.text):
        if "status" in manifest:
            assert_status_taken(cluster, manifest)
            continue
        assert_taken(cluster, manifest)
        assert not errors(findings(yaml.safe_dump(CONNECTION), yaml.safe_dump(here(manifest))))


def assert_hooks_exist(repos: list[Manifest]) -> None:
    ours = {hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
    assert {hook["id"] for repo in repos for hook in repo["hooks"]} <= ours


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: str(file.relative_to(ROOT)))
def test_an_example(cluster: Cluster, file: Path) -> None:
    manifests = [found for found in yaml.safe_load_all(file.read_text()) if found]
    assert manifests
    for manifest in manifests:
        if not NOT_SERVED.search(manifest["apiVersion"]):
            assert_taken(cluster, manifest)


@pytest.mark.parametrize("folder", sorted({file.parent for file in EXAMPLES}), ids=lambda folder: folder.name)
def test_an_example_is_sound(folder: Path) -> None:
    beside = [] if folder.name in APART else [TENANT]
    found = examined(collected(map(str, {TENANT, folder} if beside else {folder})), TODAY)
    told = [one for one in found if not one.file.endswith("01-secrets.yaml")]  # of the demo, and says so
    assert not (errors(told) if folder.name in APART else told)


def test_the_examples_go_together() -> None:
    """Of one tenant: no two drive the same target, and none has another's name."""
    folders = {str(file.parent) for file in EXAMPLES if not set(APART) & set(file.parts)}
    assert not examined(collected(folders), TODAY)


def test_the_index_names_every_example() -> None:
    page = ROOT / "examples" / "README.md"
    listed = {(page.parent / link).resolve() for link in re.findall(r"\]\(([^)#]+)\)", page.read_text())}
    missing = [file for file in EXAMPLES if file not in listed and file.parent not in listed]
    assert not missing


def test_a_fragment_of_no_kind_is_told() -> None:
    with pytest.raises(AssertionError, match="no kind has"):
        completed({"shedule": {"every": "1h"}})


def test_a_status_that_is_none_is_told(cluster: Cluster) -> None:
    lastly = {"status": {"lastSuccessfulRun": {"id": "20261126T012818-9d748a"}}}
    with pytest.raises(AssertionError, match="finishedAt"):
        assert_status_taken(cluster, completed(lastly))
    assert_status_taken(cluster, completed({"status": {"members": 43}}))
