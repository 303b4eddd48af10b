"""`make demo` is a promise of the README."""

import os
import subprocess
import sys


def test_the_demo_ends_with_agreement() -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("KEEP", "KUBECONFIG")}
    done = subprocess.run(
        [sys.executable, "-m", "examples.demo"], env=environment, capture_output=True, text=True, timeout=300
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Engage and SQL agreed at every step" in done.stdout
    assert "GuardBlocked" in done.stdout
    assert "SourceFailed" in done.stdout
