"""The programs as they are started from a shell."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.controlplane.processes import free_port


def test_the_simulator_listens_and_stops_when_asked() -> None:
    command = [sys.executable, "-m", "engage_simulator", "--port", "0", "--api-key", "another"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"}
    ) as run:
        assert run.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:\d+", run.stdout.readline())
        assert found is not None
        headers = {"apikey": "another", "User-Agent": "tests/1.0", "Content-Type": "application/json"}
        assert httpx.get(f"{found.group()}/api/v3/contacts/count", headers=headers).json() == 0
        run.send_signal(signal.SIGTERM)
        assert run.wait(10) == 0


@pytest.mark.parametrize(
    ("variable", "value"), [("VOYADO_OPERATOR_METRICS_PORT", "http"), ("VOYADO_OPERATOR_LEDGER_URL", "/var/lib")]
)
def test_the_operator_says_which_setting_is_wrong(variable: str, value: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "voyado_operator", "run"],
        env=os.environ | {variable: value},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert variable in done.stderr
    assert "Traceback" not in done.stderr


def test_the_operator_says_that_it_has_no_cluster(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "voyado_operator", "run"],
        env=os.environ | {"KUBECONFIG": str(tmp_path / "nowhere"), "VOYADO_OPERATOR_HEALTH_PORT": str(free_port())},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode != 0
    assert f"cannot tell which cluster to talk to, KUBECONFIG={tmp_path / 'nowhere'}" in done.stderr
