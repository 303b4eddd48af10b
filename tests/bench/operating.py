"""The operator's runs in a process of its own, against a tenant that is a recorder."""

import json
import sys
from pathlib import Path
from typing import Any

from tests.bench.contenders import CONTESTANTS
from tests.bench.measuring import Cost, run

PREFIX = "VOYADO_OPERATOR_"


def operate(folder: Path, connection: dict[str, Any], activations: dict[str, Any], **settings: str) -> Cost:
    """One run of each of the activations, all at once; the next call for the same `folder` goes on from there.

    `connection` is added to what every connection here says. Raises ContestantError.
    """
    common = {"apiKeySecretRef": {"name": "engage"}, "labels": {"attribute": {"idTemplate": "label_{label}"}}}
    given = {
        "connection": common | connection,
        "activations": activations,
        "warehouse": f"duckdb:///{folder}/crm.duckdb",
    }
    (folder / "given.json").write_text(json.dumps(given))
    said = {"ledger_url": f"file://{folder}/ledger", "engage_hosts": "127.0.0.1", "file_roots": str(folder)} | settings
    environment = {f"{PREFIX}{name.upper()}": value for name, value in said.items()}
    return run([sys.executable, "-m", f"{CONTESTANTS}.together", str(folder)], folder / "log", **environment)


def labelling(name: str, **audience: Any) -> dict[str, Any]:
    """The spec of an activation."""
    return {"connectionRef": {"name": "engage"}, "audience": audience, "target": {"label": {"name": name}}}
