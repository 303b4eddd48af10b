"""What Argo CD does with resource customizations: health, which actions it offers, and what an action changes."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.gitops.lua import Clock, Object, run

EXAMPLES = Path(__file__).parents[2] / "examples" / "argocd"
CUSTOMIZATIONS = EXAMPLES / "resource_customizations"
STATUSES = {"Healthy", "Progressing", "Degraded", "Suspended", "Missing", "Unknown"}


def utc_now() -> datetime:
    return datetime.now(UTC)


def health(obj: Object) -> dict[str, str]:
    """`{"status": …, "message": …}`."""
    found = run(script(obj, "health.lua"), obj, utc_now)
    assert found["status"] in STATUSES, f"Argo CD would show Unknown for {found}"
    return dict(found)


def actions(obj: Object) -> list[dict[str, Any]]:
    """The actions as its API lists them, with the ones that are greyed out."""
    offered = run(script(obj, "actions/discovery.lua"), obj, utc_now)
    return [{"name": name, "disabled": False, **given} for name, given in offered.items()]


def offered(obj: Object) -> set[str]:
    """The actions that can be clicked."""
    return {action["name"] for action in actions(obj) if not action["disabled"]}


def acted(obj: Object, action: str, clock: Clock = utc_now) -> Object:
    """The object as the action wants it."""
    wanted = run(script(obj, f"actions/{action}/action.lua"), obj, clock)
    return dict(_with_empty_objects(wanted, obj))


def patch(obj: Object, wanted: Object) -> Object:
    """The JSON merge patch by which Argo CD carries an action out; null removes a field."""
    changed = {key: _change(obj.get(key), value) for key, value in wanted.items() if obj.get(key) != value}
    return changed | dict.fromkeys(obj.keys() - wanted.keys())


def script(obj: Object, file: str) -> str:
    group = obj["apiVersion"].split("/")[0]
    return (CUSTOMIZATIONS / group / obj["kind"] / file).read_text()


def _change(before: Any, after: Any) -> Any:
    return patch(before, after) if isinstance(before, dict) and isinstance(after, dict) else after


def _with_empty_objects(wanted: Any, before: Any) -> Any:
    """Lua cannot tell an empty object from an empty list; Argo CD takes what it was before."""
    if isinstance(before, dict):
        known = {} if wanted == [] else wanted
        return {key: _with_empty_objects(value, before.get(key)) for key, value in known.items()}
    if isinstance(before, list) and len(before) == len(wanted):
        return [_with_empty_objects(*pair) for pair in zip(wanted, before, strict=True)]
    return wanted
