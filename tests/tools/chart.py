"""The chart as Helm renders it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from tests.tools.build import BIN

CHART = Path(__file__).parents[2] / "helm" / "voyado-operator"
NAME = "voyado-operator"
Manifest = dict[str, Any]


class Refused(Exception):  # noqa: N818 - what Helm does
    """Helm's own words."""


def rendered(values: Manifest | None = None, release: str = NAME) -> list[Manifest]:
    """What `helm install` would apply, with these values over the chart's. Raises Refused."""
    return [found for found in yaml.safe_load_all(rendered_text(values, release)) if found]


def rendered_text(values: Manifest | None = None, release: str = NAME) -> str:
    given = yaml.safe_dump(values or {})
    return helm("template", release, str(CHART), "--namespace=default", "--values=-", stdin=given)


def installation() -> str:
    """Everything that `kubectl apply -f` installs, into a namespace of its own, without Helm's own marks."""
    namespace = yaml.safe_dump({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAME}})
    text = helm("template", NAME, str(CHART), f"--namespace={NAME}")
    lines = [line for line in text.splitlines() if not line.lstrip().startswith(("helm.sh/chart:", "# Source:"))]
    return f"{namespace}{chr(10).join(lines)}\n".replace("managed-by: Helm", "managed-by: kubectl")


def helm(*arguments: str, stdin: str = "", **variables: str) -> str:
    """What Helm prints, with these variables of its environment. Raises Refused."""
    command, environment = [BIN / "helm", *arguments], os.environ | variables
    done = subprocess.run(command, input=stdin, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise Refused(done.stderr)
    return done.stdout


if __name__ == "__main__":
    sys.stdout.write(installation())
