"""The alerts of the chart's rule file, by name."""

from pathlib import Path
from typing import Any

import yaml

RULES = Path(__file__).parents[2] / "helm" / "voyado-operator" / "files" / "rules.yaml"
ALERTS: dict[str, dict[str, Any]] = {
    rule["alert"]: rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]
}
