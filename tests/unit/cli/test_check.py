"""What `voyado-operator check` finds beyond the API server's rules, where it says it is, and what it leaves alone."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from voyado_operator.cli.check.findings import Severity

from tests.checking import findings
from tests.crd_rules import CONNECTION, GOVERNANCE, OPT_OUT, SQL, TEXTS

ROOT = Path(__file__).parents[3]
LABELS = {"attribute": {"idTemplate": "label_{label}"}}


def activation(name: str = "vip", namespace: str = "default", **spec: object) -> str:
    """With a target of its own."""
    given = {
        "connectionRef": {"name": "engage"},
        "audience": {"contactIds": ["2f6b8a0e-0000-4000-8000-000000000001"]},
        "target": {"label": {"name": name}},
    }
    metadata = {"name": name, "namespace": namespace}
    head = {"apiVersion": "voyado-operator.io/v1alpha1", "kind": "SegmentActivation", "metadata": metadata}
    return yaml.safe_dump(head | {"spec": given | spec}, sort_keys=False)


def connection(name: str = "engage", **spec: object) -> str:
    changed = {"metadata": {"name": name, "namespace": "default"}, "spec": CONNECTION["spec"] | spec}
    return yaml.safe_dump(CONNECTION | changed)


TENANT = connection(labels=LABELS)


def queried(query: str, **identifiers: str) -> str:
    audience = {"sql": SQL | {"query": query}, "identifiers": identifiers or {"contactId": "contact_id"}}
    return activation(audience=audience)


def said(*texts: str) -> list[str]:
    """The findings of these files, beside a connection."""
    return [f"{one.severity}: {one.field}: {one.message}" for one in findings(TENANT, *texts)]


def test_a_sound_manifest_has_nothing_to_tell():
    assert not said(activation())


def test_file_line_field_and_what_to_write():
    text = "# the VIPs\n\n" + activation(schedule={"evry": "1h"})
    [found] = findings(TENANT, text)
    assert (found.file, text.splitlines()[found.line - 1]) == ("2.yaml", "    evry: 1h")
    assert (found.resource, found.field) == ("SegmentActivation vip", "spec.schedule.evry")
    assert "did you mean every?" in found.message


def test_lines_count_through_all_documents_of_a_file():
    text = f"{activation()}---\n{activation('gold', historyLimit=0)}"
    [found] = findings(TENANT, text)
    assert text.splitlines()[found.line - 1] == "  historyLimit: 0"


def test_a_document_that_is_no_yaml_does_not_hide_the_next():
    broken = "apiVersion: v1\nkind: ConfigMap\ndata: {a: [1\n"
    told = findings(TENANT, f"{broken}---\n{activation(mode='Dry')}")
    assert [one.field for one in told] == ["", "spec.mode"]
    assert "no valid YAML" in told[0].message


def test_a_field_written_twice():
    [found] = findings(TENANT, TEXTS["as small as can be"] + "  mode: Plan\n  mode: Enforce\n")
    assert (found.line, found.severity) == (9, Severity.ERROR)
    assert "written twice, first in line 8" in found.message


def test_the_items_of_a_list_are_manifests():
    items = {"apiVersion": "v1", "kind": "List", "items": [yaml.safe_load(activation(mode="Dry"))]}
    text = yaml.safe_dump(items, sort_keys=False)
    [found] = findings(TENANT, text)
    assert text.splitlines()[found.line - 1].strip() == "mode: Dry"


@pytest.mark.parametrize(
    ("schedule", "problem"),
    [
        ({"cron": "0 6 * * *", "timeZone": "Europe/Stockholm"}, None),
        ({"cron": "61 6 * * *"}, "spec.schedule.cron"),
        ({"cron": "0 6 * * *", "timeZone": "Europe/Stokholm"}, "spec.schedule.timeZone"),
    ],
)
def test_cron_and_zone(schedule, problem):
    told = said(activation(schedule=schedule))
    assert [line.split(": ")[1] for line in told] == ([problem] if problem else [])


@pytest.mark.parametrize(("day", "told"), [("2026-11-25", 1), ("2026-11-26", 0)])
def test_a_review_that_is_past(day, told):
    """Today is 2026-11-26, and a warning is all."""
    found = findings(TENANT, activation(target=OPT_OUT, governance={**GOVERNANCE, "reviewBy": day}))
    assert [one.severity for one in found] == [Severity.WARNING] * told


@pytest.mark.parametrize(
    "query",
    [
        "select contact_id from vip",
        "SELECT c.CONTACT_ID, x FROM vip c",
        "select id as contact_id from vip",
        "select * from vip",
        "select v.* from vip v",
        "with v as (select 1) select contact_id from v union select id from w",
        "select id::uuid from vip",  # each database calls it something else
        "select contact_id from vip qualify row_number() over (partition by a order by b) = 1",
        "select `contact_id` from `project.dataset.vip`",  # no PostgreSQL, no DuckDB
        "this is no sql",
    ],
)
def test_a_query_that_may_return_the_column_is_left_alone(query):
    assert not said(queried(query))


@pytest.mark.parametrize(
    "query",
    [
        "select id from vip",
        "select email, id from vip where contact_id is not null",
        "select contact_id as id from vip",
        "with v as (select contact_id from vip) select id from v",
        "select id from v union all select contact_id from w",
        "select lower(contact_id) as id from vip -- contact_id",
    ],
)
def test_a_query_that_plainly_lacks_the_column(query):
    [told] = said(queried(query))
    assert told.startswith("error: spec.audience.identifiers.contactId: the query returns no column contact_id, only ")


def test_every_mapped_column_is_looked_for():
    audience = {"sql": SQL, "identifiers": {"contactId": "contact_id", "email": "mail"}, "decidedAt": "at"}
    fields = {one.field for one in findings(TENANT, activation(audience=audience))}
    assert fields == {"spec.audience.identifiers.email", "spec.audience.decidedAt"}


def test_two_activations_of_one_target():
    [told] = said(activation("gold"), activation("vip", target={"label": {"name": "gold"}}))
    assert "SegmentActivation gold (2.yaml:1) drives the same target" in told
    assert not said(activation("gold"), activation("vip"))
    elsewhere = activation("vip", "sales", target={"label": {"name": "gold"}})
    assert not [one for one in findings(TENANT, activation("gold"), elsewhere) if one.field == "spec.target"]


@pytest.mark.parametrize(
    ("other", "rivals"),
    [
        ({"labels": {"attribute": {"idTemplate": "label_{label}"}}}, True),  # the same attribute of the same tenant
        ({"labels": {"attribute": {"idTemplate": "badge_{label}"}}}, False),
        ({"url": "https://other.voyado.com", "labels": {"attribute": {"idTemplate": "label_{label}"}}}, False),
    ],
)
def test_two_connections_to_one_tenant(other, rivals):
    """As the operator judges it: two label names may come to one attribute."""
    mine = connection("engage", labels={"attribute": {"idTemplate": "label_x{label}"}})
    activations = (
        activation("vip", target={"label": {"name": "a"}}),
        activation("gold", connectionRef={"name": "second"}, target={"label": {"name": "xa"}}),
    )
    told = findings(mine, connection("second", **other), *activations)
    assert [one.field for one in told] == ["spec.target"] * rivals


def test_a_connection_that_no_file_has():
    [alone] = findings(activation())
    assert (alone.severity, alone.field) == (Severity.WARNING, "spec.connectionRef.name")
    [beside] = findings(TENANT, activation(connectionRef={"name": "engaged"}))
    assert (beside.severity, beside.field) == (Severity.ERROR, "spec.connectionRef.name")
    assert "write engage" in beside.message
    [faulty] = findings(connection(requestsPerSecond=0), activation())
    assert faulty.field == "spec.requestsPerSecond"  # what is wrong with the connection, not that there is none


def test_a_label_over_a_connection_that_knows_no_labels():
    [told] = findings(connection(), activation())
    assert (told.severity, told.field) == (Severity.ERROR, "spec.target.label")
    assert "VoyadoConnection engage (1.yaml:1) does not say how it represents labels" in told.message
    assert not findings(connection(), activation(target=OPT_OUT, governance=GOVERNANCE))


def test_the_same_object_in_two_files_is_a_warning():
    """Overlays of two environments are no rivals."""
    [told] = findings(TENANT, activation(), activation())
    assert told.severity is Severity.WARNING
    assert "also in 3.yaml:1" in told.message


@pytest.mark.parametrize(("extra", "told"), [({}, 1), ({"sops": {"mac": "ENC[…]"}}, 0)])
def test_a_secret_in_clear_text_is_a_warning(extra, told):
    metadata = {"name": "engage", "namespace": "default"}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"apiKey": "s3cr3t"}, **extra}
    found = findings(TENANT, yaml.safe_dump(secret))
    assert [one.severity for one in found] == [Severity.WARNING] * told
    assert "s3cr3t" not in str(found)


def test_other_kinds_are_left_alone():
    other = yaml.safe_dump({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "X"}, "spec": 5})
    secret = yaml.safe_dump({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "data": {"a": "Yg=="}})
    assert not findings(TENANT, other, secret, "", "just text\n", "- a\n- list\n")


def test_a_template_is_skipped_with_a_word():
    [told] = findings(TENANT, activation().replace("name: vip", "name: {{ .Values.name }}", 1))
    assert told.severity is Severity.WARNING
    assert "template" in told.message


def test_aliases_without_end_do_not_hang_it():
    laughs = "apiVersion: voyado-operator.io/v1alpha1\na: &a [1,1,1,1,1,1,1,1,1]\n"
    laughs += "".join(f"{n}: &{n} [{', '.join([f'*{p}'] * 9)}]\n" for p, n in zip("abcdefg", "bcdefgh", strict=True))
    [bomb] = findings(laughs)
    [endless] = findings("apiVersion: voyado-operator.io/v1alpha1\nkind: &a {b: *a}\n")
    assert "aliases" in bomb.message
    assert "aliases" in endless.message


def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "voyado_operator", "check", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, cwd=ROOT)


def test_folders_files_and_stdin(tmp_path: Path):
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "engage.yaml").write_text(TENANT)
    (tmp_path / "deep" / "er" / "vip.yml").write_text(activation())
    (tmp_path / "notes.txt").write_text("mode: [")
    fine = run("-f", str(tmp_path))
    assert (fine.returncode, fine.stdout) == (0, "")
    assert "2 manifests in 2 files: all is well" in fine.stderr
    faulty = run("-f", str(tmp_path), "-f", "-", stdin=activation("gold", mode="Dry"))
    assert faulty.returncode == 1
    assert faulty.stdout.startswith("stdin:")
    assert "2 manifests in 2 files" in run("-f", *map(str, tmp_path.rglob("*.y*ml"))).stderr


def test_charts_and_patches_in_a_folder_are_left_to_their_tools(tmp_path: Path):
    for folder in ("chart/templates", "overlay"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "chart" / "Chart.yaml").write_text("name: x\n")
    (tmp_path / "chart" / "templates" / "vip.yaml").write_text("{{- range .Values.all }}\nkind: SegmentActivation\n")
    (tmp_path / "overlay" / "kustomization.yaml").write_text("patches: [{path: more.yaml}]\n")
    (tmp_path / "overlay" / "more.yaml").write_text(
        "apiVersion: voyado-operator.io/v1alpha1\nkind: SegmentActivation\nmetadata: {name: vip}\nspec: {mode: Plan}\n"
    )
    told = run("-f", str(tmp_path))
    assert told.returncode == 0, told.stdout
    assert "helm template" in told.stdout


def test_findings_as_json(tmp_path: Path):
    (tmp_path / "vip.yaml").write_text(activation(mode="Dry"))
    told = run("-f", str(tmp_path / "vip.yaml"), "-o", "json")
    assert told.returncode == 1
    [found] = json.loads(told.stdout)
    assert (found["file"], found["field"], found["severity"]) == (str(tmp_path / "vip.yaml"), "spec.mode", "error")


@pytest.mark.parametrize("arguments", [[], ["-f", "nowhere.yaml"], ["-f", ".", "-o", "xml"]])
def test_wrong_usage(arguments):
    told = run(*arguments)
    assert told.returncode == 2
    assert "Traceback" not in told.stderr


def test_the_examples_are_sound():
    assert run("-f", "examples/quickstart").returncode == 0


def test_it_starts_without_what_it_does_not_need(tmp_path: Path):
    """It is for pre-commit: what takes long to import is not imported for manifests as most are."""
    (tmp_path / "all.yaml").write_text(TENANT + "".join(f"---\n{activation(f'a{n}')}" for n in range(3)))
    heavy = ("kopf", "deltalake", "duckdb", "aiohttp", "kubernetes", "prompt_toolkit")
    program = f"""
import sys
from voyado_operator.__main__ import cli
try:
    cli(["check", "-f", {str(tmp_path)!r}])
except SystemExit as end:
    print(end.code, [name for name in {heavy!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "0 []", done.stderr
