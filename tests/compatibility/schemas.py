"""Whether whatever was valid under a released CRD still is, and still means the same: a later schema only adds.

It fails closed: a keyword that it does not know is a finding wherever it was added, changed or removed.
"""

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]
ROOMIER_WHEN_LOWER = {"minimum", "minLength", "minItems", "minProperties"}
ROOMIER_WHEN_HIGHER = {"maximum", "maxLength", "maxItems", "maxProperties"}
RESTRICTIONS = {"pattern", "format", "multipleOf", "exclusiveMinimum", "exclusiveMaximum", "uniqueItems", "not"}
LEAVES_FREE = {"nullable", "x-kubernetes-preserve-unknown-fields"}
TEXTS = {"description", "title", "example"}
NESTED = {"properties", "items", "additionalProperties"}
_JUDGED = {"required", "enum", "x-kubernetes-validations"} | NESTED | TEXTS


def broken(released: Schema, present: Schema) -> list[str]:
    """What the present CRD takes away from users of the released one, as `path: what`."""
    return [*_names(released["spec"], present["spec"]), *_versions(released["spec"], present["spec"])]


def _names(released: Schema, present: Schema) -> Iterator[str]:
    for field in ("group", "scope"):
        if released[field] != present[field]:
            yield f"{field}: changed"
    before, now = released["names"], present["names"]
    for field in ("kind", "listKind", "plural", "singular"):
        if before[field] != now[field]:
            yield f"names.{field}: changed"
    for field in ("shortNames", "categories"):
        yield from (f"names.{field}: {name} is gone" for name in _missing(before.get(field, []), now.get(field, [])))


def _versions(released: Schema, present: Schema) -> Iterator[str]:
    now = {version["name"]: version for version in present["versions"]}
    for before in released["versions"]:
        name = before["name"]
        if before["served"] and not now.get(name, {}).get("served"):
            yield f"{name}: not served any more"
        if name not in now:
            yield f"{name}: gone, and objects may be stored in it"
            continue
        for field in ("subresources", "selectableFields"):
            if _missing(before.get(field) or [], now[name].get(field) or []):
                yield f"{name}: {field} are gone"
        yield from _node(name, before["schema"]["openAPIV3Schema"], now[name]["schema"]["openAPIV3Schema"])


def _node(path: str, before: Schema, now: Schema) -> Iterator[str]:
    """Findings of one field and of all below it."""
    for keyword in sorted((before.keys() | now.keys()) - _JUDGED):
        if before.get(keyword) != now.get(keyword) and not _is_roomier(keyword, before.get(keyword), now.get(keyword)):
            yield f"{path}: {keyword} {_how(keyword, before, now)}"
    for name in _missing(now.get("required", []), before.get("required", [])):
        yield f"{path}.{name}: is required now"
    if "enum" in now:
        lost = _missing(before["enum"], now["enum"]) if "enum" in before else ["others"]
        yield from (f"{path}: {value} is no value any more" for value in lost)
    known = [rule["rule"] for rule in before.get("x-kubernetes-validations", [])]
    for rule in now.get("x-kubernetes-validations", []):
        if rule["rule"] not in known:
            yield f"{path}: new rule {rule['rule']}"
    yield from _below(path, before, now)


def _below(path: str, before: Schema, now: Schema) -> Iterator[str]:
    fields = now.get("properties", {})
    for name, field in before.get("properties", {}).items():
        if name in fields:
            yield from _node(f"{path}.{name}", field, fields[name])
        else:
            yield f"{path}.{name}: is gone"
    for keyword, segment in (("items", "[]"), ("additionalProperties", ".*")):
        if (keyword in before) != (keyword in now):
            yield f"{path}: {keyword} {_how(keyword, before, now)}"
        elif isinstance(before.get(keyword), dict) and isinstance(now[keyword], dict):
            yield from _node(path + segment, before[keyword], now[keyword])
        elif before.get(keyword) != now.get(keyword):
            yield f"{path}: {keyword} changed"


def _is_roomier(keyword: str, before: Any, now: Any) -> bool:
    """Whether a changed keyword still lets through whatever it let through before."""
    if keyword in ROOMIER_WHEN_LOWER:
        return now is None or (before is not None and now < before)
    if keyword in ROOMIER_WHEN_HIGHER:
        return now is None or (before is not None and now > before)
    if keyword in RESTRICTIONS:
        return now is None
    return keyword in LEAVES_FREE and now is True


def _how(keyword: str, before: Schema, now: Schema) -> str:
    if keyword not in now:
        return "is gone"
    return f"is new: {now[keyword]}" if keyword not in before else f"changed from {before[keyword]} to {now[keyword]}"


def _missing(wanted: Any, there: Any) -> list[Any]:
    return [one for one in wanted if one not in there]
