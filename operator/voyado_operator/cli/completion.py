"""Completion: names for the shell, and kubectl's own convention for plugins.

kubectl calls `kubectl_complete-voyado` with the words typed so far and wants what Cobra prints: one suggestion a line,
a tab before its help, and a last line `:DIRECTIVE`.
"""

import os
import sys
from collections.abc import Mapping
from typing import Any

NO_FILES = 4  # Cobra's ShellCompDirectiveNoFileComp


def names(given: Mapping[str, Any], incomplete: str) -> list[str]:
    """Activations whose name begins so; none where the cluster does not answer, as nobody reads an error here."""
    from voyado_operator.cli.api_server import ApiServer, Unable, Whereabouts

    try:
        api = ApiServer(Whereabouts(given.get("kubeconfig"), given.get("context"), given.get("namespace")))
        found = [one.metadata.name for one in api.activations(api.namespace)]
    except Unable:
        return []
    return [name for name in found if name.startswith(incomplete)]


def main() -> None:
    """`kubectl_complete-voyado WORD…`: typer's completion for fish has the very format."""
    from voyado_operator.cli.kubectl import cli

    program = "kubectl-voyado"
    os.environ["_KUBECTL_VOYADO_COMPLETE"] = "complete_fish"
    os.environ["_TYPER_COMPLETE_FISH_ACTION"] = "get-args"
    os.environ["_TYPER_COMPLETE_ARGS"] = " ".join((program, *sys.argv[1:]))
    sys.argv = [program]
    try:
        cli(prog_name=program)
    except SystemExit:
        sys.stdout.write(f":{NO_FILES}\n")
