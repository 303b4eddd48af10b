"""All dashboards, as the files that the chart carries."""

import json
from itertools import count
from string import ascii_uppercase

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard, RowPanel
from grafana_foundation_sdk.models.prometheus import Dataquery

from helm.dashboards import activation, connection, fleet

BOARDS = {"fleet.json": fleet, "activation.json": activation, "connection.json": connection}


def dashboards() -> dict[str, str]:
    """Content by file name."""
    built = {name: numbered(module.dashboard().build()) for name, module in BOARDS.items()}
    return {name: json.dumps(board, cls=JSONEncoder, indent=1, sort_keys=True) + "\n" for name, board in built.items()}


def numbered(board: Dashboard) -> Dashboard:
    """Grafana tells panels apart by number, and the queries of a panel by letter."""
    for number, panel in zip(count(1), board.panels or [], strict=False):
        panel.id_val = number
        targets = [] if isinstance(panel, RowPanel) else panel.targets or []
        for letter, target in zip(ascii_uppercase, targets, strict=False):
            if isinstance(target, Dataquery):
                target.ref_id = letter
    return board
