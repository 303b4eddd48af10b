"""`kubectl voyado` as a person runs it: as a program, on the real API server, beside a running operator."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.world import GROUP, World
from tests.controlplane.build import BIN
from tests.controlplane.processes import ControlPlane, control_plane, install_crds
from tests.crd_rules import ACTIVATION, manifest
from tests.terminal import CTRL_C, on_a_terminal
from tests.tools.chart import rendered

COMMAND = [sys.executable, "-m", "voyado_operator.cli.kubectl"]
DONE, UNABLE, BLOCKED, PARTIAL, FAILED, TIMED_OUT, INTERRUPTED = 0, 1, 3, 4, 5, 6, 130
ADMISSION = {"guards": {"maxRemovals": "10%"}}


def voyado(world: World, *arguments: str) -> subprocess.CompletedProcess[str]:
    return in_shell(world.cluster.kubeconfig, *arguments, "-n", world.namespace)


def in_shell(kubeconfig: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Piped, so that nothing is wrapped, whatever COLUMNS the tests were started with."""
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    environment |= {"KUBECONFIG": str(kubeconfig)}
    done = subprocess.run(
        [*COMMAND, *arguments], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert "Traceback" not in done.stderr
    return done


def as_json(world: World, *arguments: str) -> Any:
    return json.loads(voyado(world, *arguments, "-o", "json").stdout)


def blocked(world: World) -> str:
    """The activation `vip` with 100 members, and a plan that would remove them waits; return its digest."""
    world.connect()
    world.select(world.people(100))
    world.start(world.activation())
    world.select(world.people(3))
    return str(world.run()["plan"]["digest"])


def states(world: World) -> dict[str, str]:
    return {one["name"]: one["state"] for one in as_json(world, "status")["activations"]}


def test_status_tells_who_is_aligned_who_waits_and_who_fails(world: World):
    digest = blocked(world)
    broken = world.audience("select nothing from nowhere")
    world.start(world.activation("gold", target={"label": {"name": "gold"}}))
    world.start(world.activation("broken", target={"label": {"name": "broken"}}, audience=broken))
    world.apply(world.activation("paused", target={"label": {"name": "paused"}}, suspend=True))
    world.apply(world.activation("younger"))
    world.await_reason("TargetConflict", "younger")
    world.await_reason("Suspended", "paused")

    assert states(world) == {
        "vip": "waiting",
        "gold": "aligned",
        "broken": "retrying",
        "paused": "suspended",
        "younger": "stuck",
    }
    told = voyado(world, "status")
    assert told.returncode == DONE
    assert f"kubectl voyado approve vip -n {world.namespace}" in told.stdout
    for words in (digest, "3 entering, 100 leaving", "maxRemovals", "SourceFailed", "TargetConflict", world.engage.url):
        assert words in told.stdout
    assert "\x1b" not in told.stdout  # no colours where nobody looks
    assert "younger" not in in_shell(world.cluster.kubeconfig, "status", "-n", "default").stdout
    assert world.namespace in in_shell(world.cluster.kubeconfig, "status", "-A").stdout


def test_a_run_is_waited_for_and_ends_with_its_numbers(world: World):
    world.connect()
    world.apply(world.activation())
    world.select(world.people(12))

    told = voyado(world, "sync", "vip", "--wait")

    assert told.returncode == DONE, told.stderr
    assert "Succeeded" in told.stdout
    assert "12 accepted" in told.stdout
    assert len(world.labelled) == 12
    assert as_json(world, "sync", "vip", "--wait")["accepted"] == 0


def test_a_run_is_asked_for(world: World):
    world.connect()
    world.select(world.people(2))
    world.apply(world.activation())

    assert voyado(world, "sync", "vip").returncode == DONE
    assert world.await_status(lambda status: "lastRun" in status)["lastRun"]["outcome"] == "Succeeded"


def test_the_exit_code_tells_how_the_run_ended(world: World):
    blocked(world)
    assert voyado(world, "sync", "vip", "--wait").returncode == BLOCKED
    world.apply(world.activation("broken", audience=world.audience("select 1"), target={"label": {"name": "gold"}}))
    failed = voyado(world, "sync", "broken", "--wait")
    assert failed.returncode == FAILED
    assert "has no column" in failed.stdout


def test_contacts_that_engage_refuses_make_the_run_partial(world: World):
    world.connect()
    ids = world.people(20)
    world.select(ids)
    world.start(world.activation())
    world.select([*ids, "2f6b8a0e-0000-4000-8000-00000000dead"])  # no such contact

    told = voyado(world, "sync", "vip", "--wait")

    assert told.returncode == PARTIAL, told.stdout
    assert "1 rejected" in told.stdout


def test_a_run_that_is_not_over_in_time_is_said_to_go_on(world: World):
    world.connect(apiKeySecretRef={"name": "nowhere"})
    world.apply(world.activation())

    told = voyado(world, "sync", "vip", "--wait", "--timeout", "2s")

    assert told.returncode == TIMED_OUT
    assert "the run goes on" in told.stderr
    assert "engage is not Ready" in told.stderr


@pytest.mark.parametrize("mode", ["Enforce", "Plan"])
def test_a_plan_tells_and_sends_nothing(world: World, mode: str):
    world.connect()
    world.select(world.people(7))
    world.apply(world.activation(mode=mode))

    told = voyado(world, "plan", "vip")

    assert told.returncode == DONE, told.stderr
    assert "no guard would block it" in told.stdout
    assert re.search(r"entering +7\b", told.stdout)
    assert len(re.findall(r"\+ h:[0-9a-f]+", told.stdout)) == 7
    plan = as_json(world, "plan", "vip")
    assert (plan["outcome"], plan["entering"], plan["leaving"], plan["unchanged"]) == ("Planned", 7, 0, 0)
    assert not world.writes


def test_a_plan_tells_which_guards_would_block(world: World):
    blocked(world)
    told = voyado(world, "plan", "vip")
    assert told.returncode == BLOCKED
    assert "would block: 100 contacts would be removed" in told.stdout
    assert [one["guard"] for one in as_json(world, "plan", "vip")["blockedBy"]] == ["maxRemovals"]


def test_a_waiting_plan_is_released(world: World):
    digest = blocked(world)

    told = voyado(world, "approve", "vip", "--yes", "--digest", digest, "--wait")

    assert told.returncode == DONE, told.stderr
    assert "3 entering, 100 leaving" in told.stderr
    assert "103 accepted" in told.stdout
    assert len(world.labelled) == 3
    again = voyado(world, "approve", "vip", "--yes")
    assert again.returncode == UNABLE
    assert "no plan of vip waits" in again.stderr


def test_only_the_plan_that_was_seen_is_released(world: World):
    digest = blocked(world)

    other = voyado(world, "approve", "vip", "--yes", "--digest", "sha256:another")
    unasked = voyado(world, "approve", "vip")

    assert (other.returncode, unasked.returncode) == (UNABLE, UNABLE)
    assert digest in other.stderr
    assert "--yes" in unasked.stderr
    assert len(world.labelled) == 100


@pytest.mark.parametrize(("answer", "labelled"), [("n", 100), ("y", 3)])
def test_on_a_terminal_a_person_is_asked(world: World, answer: str, labelled: int):
    blocked(world)
    command = [*COMMAND, "approve", "vip", "-n", world.namespace, "--wait"]

    seen = on_a_terminal(command, world.cluster.kubeconfig, question="[y/N]", answer=answer)

    assert "Let 3 enter and 100 leave?" in seen.text
    assert seen.returncode == (DONE if answer == "y" else UNABLE)
    assert len(world.labelled) == labelled


def test_on_a_terminal_a_bar_shows_how_far_the_run_is(world: World):
    world.connect(bulk={"mode": "Off"}, requestsPerSecond=50)
    world.select(world.people(600))
    world.apply(world.activation())
    command = [*COMMAND, "sync", "vip", "-n", world.namespace, "--wait"]

    seen = on_a_terminal(command, world.cluster.kubeconfig)

    assert seen.returncode == DONE
    assert "\x1b[" in seen.text
    done = [int(number) for number in re.findall(r"vip: applying.*? (\d+) of 600", seen.text)]
    assert done == sorted(done)
    assert 0 < done[-1] < 600
    assert "600 accepted" in seen.text


def test_ctrl_c_ends_the_waiting_and_not_the_run(world: World):
    world.connect(apiKeySecretRef={"name": "later"})
    world.select(world.people(3))
    world.apply(world.activation())
    world.await_reason("ConnectionNotReady")
    command = [*COMMAND, "sync", "vip", "-n", world.namespace, "--wait"]

    seen = on_a_terminal(command, world.cluster.kubeconfig, question="vip: waits", answer=CTRL_C)

    assert seen.returncode == INTERRUPTED
    assert "the run goes on" in seen.text
    world.secret("later", apiKey=world.engage.api_key)
    assert world.await_status(lambda status: "lastHandledReconcileAt" in status)["lastRun"]["accepted"] == 3


def test_no_colour_where_it_is_not_wanted(world: World):
    world.connect()
    world.start(world.activation())
    command = [*COMMAND, "history", "vip", "-n", world.namespace]
    coloured = r"\x1b\[[0-9;]*3[0-9][0-9;]*m"
    assert re.search(coloured, on_a_terminal(command, world.cluster.kubeconfig).text)
    assert not re.search(coloured, on_a_terminal(command, world.cluster.kubeconfig, NO_COLOR="1").text)


def test_suspend_and_resume(world: World):
    world.connect()
    world.select(world.people(1))
    world.start(world.activation())

    assert voyado(world, "suspend", "vip").returncode == DONE
    world.await_reason("Suspended")
    refused = voyado(world, "sync", "vip", "--wait")
    assert refused.returncode == UNABLE
    assert f"kubectl voyado resume vip -n {world.namespace}" in refused.stderr
    assert "already" in voyado(world, "suspend", "vip").stdout
    assert voyado(world, "resume", "vip").returncode == DONE
    assert voyado(world, "sync", "vip", "--wait").returncode == DONE


def test_a_run_for_a_target_of_another_says_whose_it_is(world: World):
    world.connect()
    world.select(world.people(3))
    world.start(world.activation())
    world.apply(world.activation("younger"))
    world.await_reason("TargetConflict", "younger")

    told = voyado(world, "sync", "younger", "--wait")

    assert told.returncode == FAILED
    assert f"belongs to {world.namespace}/vip" in told.stdout


def test_a_run_of_an_activation_that_is_deleted_is_not_waited_for(world: World):
    world.connect(apiKeySecretRef={"name": "nowhere"})
    world.apply(world.activation())
    command = [*COMMAND, "sync", "vip", "-n", world.namespace, "--wait"]
    environment = {**os.environ, "KUBECONFIG": str(world.cluster.kubeconfig)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as waiting:
        for one in world.objects_seen():
            if "annotations" in one["metadata"]:
                break
        world.delete_all()
        assert waiting.wait(30) == UNABLE
        assert waiting.stderr is not None
        assert "was deleted" in waiting.stderr.read()


def test_history_draws_the_membership(world: World):
    world.connect()
    ids = world.people(90)
    world.apply(world.activation(guards={"maxRemovals": "100%"}))
    for members in (10, 50, 90, 50):
        world.select(ids[:members])
        world.run()

    told = voyado(world, "history", "vip")

    assert "50 members  ▁▄█▄" in told.stdout
    assert "least 10, most 90" in told.stdout
    assert [run["entering"] for run in as_json(world, "history", "vip")] == [0, 40, 40, 10]


def test_a_name_that_is_not_there(world: World):
    world.connect()
    world.start(world.activation("vip-customers"))
    told = voyado(world, "sync", "vip-customer", "--wait")
    assert told.returncode == UNABLE
    assert "did you mean vip-customers?" in told.stderr
    assert "has none at all" in in_shell(world.cluster.kubeconfig, "history", "vip", "-n", "default").stderr


def test_a_cluster_without_the_crds():
    with control_plane() as bare:
        told = [in_shell(bare.kubeconfig, *command.split()) for command in ("status", "sync vip")]
    assert [one.returncode for one in told] == [UNABLE, UNABLE]
    assert all("kubectl apply --server-side -f crds/" in one.stderr for one in told)


def test_a_cluster_that_cannot_be_reached(cluster: ControlPlane, tmp_path: Path):
    told = in_shell(changed(cluster, tmp_path, cluster={"server": "https://127.0.0.1:1"}), "status")
    assert told.returncode == UNABLE
    assert "cannot reach the API server at https://127.0.0.1:1" in told.stderr
    nowhere = in_shell(tmp_path / "nowhere", "status")
    assert nowhere.returncode == UNABLE
    assert "KUBECONFIG" in nowhere.stderr
    unknown = in_shell(cluster.kubeconfig, "status", "--context", "production")
    assert unknown.returncode == UNABLE
    assert "production" in unknown.stderr


@pytest.fixture(scope="module")
def guarded() -> Iterator[ControlPlane]:
    """Without an operator: what is refused in the others' cluster is taken for a fault of the chart."""
    with control_plane() as running:
        install_crds(running)
        running.kubectl("apply", "-f", "-", stdin=manifest(ACTIVATION, {}))
        yield running


def bearer(running: ControlPlane, folder: Path, name: str, verbs: str) -> Path:
    """The kubeconfig of a ServiceAccount that may do this with activations."""
    running.kubectl("create", "serviceaccount", name)
    running.kubectl("create", "role", name, f"--verb={verbs}", "--resource=segmentactivations.voyado-operator.io")
    running.kubectl("create", "rolebinding", name, f"--role={name}", f"--serviceaccount=default:{name}")
    return changed(running, folder, user={"token": running.kubectl("create", "token", name).strip()})


def test_what_a_user_may_not_do(guarded: ControlPlane, tmp_path: Path):
    viewer = bearer(guarded, tmp_path, "viewer", "get,list")
    stranger = changed(guarded, tmp_path, user={"token": "another"})

    said = {
        command: in_shell(kubeconfig, *command.split()).stderr
        for command, kubeconfig in (("sync vip", viewer), ("status -A", viewer), ("status", stranger))
    }

    assert "you may not patch segmentactivations in namespace default" in said["sync vip"]
    assert "you may not list segmentactivations in any namespace" in said["status -A"]
    assert "does not accept your credentials" in said["status"]


def test_who_may_not_approve_is_told_who_can(guarded: ControlPlane, tmp_path: Path):
    plan = {"digest": "sha256:1", "entering": 1, "leaving": 2, "blockedBy": []}
    plan |= {"createdAt": "2026-01-01T00:00:00Z", "expiresAt": "2999-01-01T00:00:00Z"}
    who = "system:serviceaccount:default:editor"
    policies = [one for one in rendered({"fourEyes": {"enabled": True}}) if "AdmissionPolicy" in one["kind"]]
    guarded.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(policies))
    status = json.dumps({"status": {"plan": plan}})
    guarded.kubectl("patch", "segact", "vip", "--subresource=status", "--type=merge", "-p", status)
    editor = bearer(guarded, tmp_path, "editor", "get,list,watch,patch")
    probe = ["annotate", "segact", "vip", f"{GROUP}/approve=probe", "--dry-run=server", f"--as={who}"]
    while "may not approve" not in guarded.try_kubectl(*probe).stderr:
        time.sleep(0.1)  # the API server tells nobody when it has taken a policy into use

    told = in_shell(editor, "approve", "vip", "--yes")

    assert told.returncode == UNABLE
    assert f"{who} may not approve plans here; somebody with the verb approve on segmentactivations can" in told.stderr


def test_kubectl_finds_the_plugin_and_completes_names(world: World, tmp_path: Path):
    world.connect()
    world.apply(world.activation("vip-customers"), world.activation("gold", target={"label": {"name": "gold"}}))
    for script, module in (("kubectl-voyado", "kubectl"), ("kubectl_complete-voyado", "completion")):
        text = f"#!/bin/sh\nexec {sys.executable} -c 'from voyado_operator.cli.{module} import main; main()' \"$@\"\n"
        (tmp_path / script).write_text(text)
        (tmp_path / script).chmod(0o755)

    def kubectl(*arguments: str) -> str:
        environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "KUBECONFIG": kubeconfig}
        return subprocess.run(
            [BIN / "kubectl", *arguments], env=environment, capture_output=True, text=True, check=True
        ).stdout

    kubeconfig = str(world.cluster.kubeconfig)
    assert "vip-customers" in kubectl("voyado", "status", "-n", world.namespace)
    completed = kubectl("__complete", "voyado", "sync", "-n", world.namespace, "v").splitlines()
    assert [completed[0], completed[-1]] == ["vip-customers", ":4"]
    commands = {line.partition("\t")[0] for line in kubectl("__complete", "voyado", "").splitlines()}
    assert {"status", "plan", "sync", "suspend", "resume", "approve", "history"} <= commands


def changed(running: ControlPlane, folder: Path, **parts: dict[str, str]) -> Path:
    """The kubeconfig with another `cluster` or `user`."""
    config = yaml.safe_load(running.kubeconfig.read_text())
    for part, value in parts.items():
        entry = config[f"{part}s"][0]
        entry[part] = value if part == "user" else entry[part] | value
    path = folder / f"kubeconfig-{len(list(folder.iterdir()))}"
    path.write_text(yaml.safe_dump(config))
    return path
