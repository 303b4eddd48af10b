"""Every rule of the CRDs: one manifest that it takes, one that it refuses, and what the API server says of that one.

`TEXTS` are manifests beside the rules, on which the API server and `voyado-operator check` must agree."""

import copy
from typing import Any

import pytest
import yaml

ACTIVATION: dict[str, Any] = {
    "apiVersion": "voyado-operator.io/v1alpha1",
    "kind": "SegmentActivation",
    "metadata": {"name": "vip", "namespace": "default"},
    "spec": {
        "connectionRef": {"name": "engage"},
        "audience": {"contactIds": ["2f6b8a0e-0000-4000-8000-000000000001"]},
        "target": {"label": {"name": "vip"}},
        "schedule": {"every": "1h"},
    },
}
CONNECTION: dict[str, Any] = {
    "apiVersion": "voyado-operator.io/v1alpha1",
    "kind": "VoyadoConnection",
    "metadata": {"name": "engage", "namespace": "default"},
    "spec": {"url": "https://acme.voyado.com", "apiKeySecretRef": {"name": "engage"}},
}
SQL = {"uriSecretRef": {"name": "warehouse", "key": "uri"}, "query": "SELECT contact_id FROM vip"}
BY_ID = {"contactId": "contact_id"}
GOVERNANCE = {"owner": "crm", "purpose": "newsletter", "legalBasis": "Consent", "sourceOfTruth": "Acknowledged"}
OPT_OUT = {"preference": {"channel": "Email", "onEnter": "Decline", "onExit": "Keep"}}
OPT_IN = {"preference": {"channel": "Email", "onEnter": "Accept", "onExit": "Decline"}}
OPT_IN_SPEC = {"target": OPT_IN, "governance": GOVERNANCE, "guards": {"maxAdditions": 500}}
ENDPOINT = {"method": "POST", "path": "/api/v3/contacts/{contactId}/labels/{label}"}


def endpoint(path: str) -> dict[str, Any]:
    return {"labels": {"endpoint": {"add": {"method": "POST", "path": path}, "remove": ENDPOINT}}}


def sql(**changes: Any) -> dict[str, Any]:
    return {"audience": {"sql": SQL, "identifiers": BY_ID, **changes}}


ACTIVATION_RULES = [
    # rule, accepted spec, refused spec, what the message says
    ("one audience", sql(), sql(files={"url": "s3://b/x.parquet"}), "exactly one of sql, files and contactIds"),
    ("an audience", {}, {"audience": {}}, "exactly one of sql, files and contactIds"),
    ("identifiers with sql", sql(), {"audience": {"sql": SQL}}, "sql and files need identifiers"),
    (
        "no identifiers with contactIds",
        {},
        {"audience": ACTIVATION["spec"]["audience"] | {"identifiers": BY_ID}},
        "contactIds goes without",
    ),
    ("one identifier", sql(identifiers={"email": "email"}), sql(identifiers={}), "name at least one column"),
    ("decidedAt", sql(decidedAt="d"), {"audience": {**ACTIVATION["spec"]["audience"], "decidedAt": "d"}}, "decidedAt"),
    ("contactIds are GUIDs", {}, {"audience": {"contactIds": ["anna"]}}, "should match"),
    *(
        ("label name", {"target": {"label": {"name": "vip.2026_a-b"}}}, {"target": {"label": {"name": name}}}, "name")
        for name in ("a/b", "../x", 'a"b', "a'b", "vip\n", "a b", "åäö", "{contactId}", "a%2fb", ".", "x" * 65, "")
    ),
    ("one target", {}, {"target": {"label": {"name": "vip"}, **OPT_OUT}, "governance": GOVERNANCE}, "exactly one of"),
    ("a target", {}, {"target": {}}, "exactly one of label, preference and consent"),
    ("governance", {"target": OPT_OUT, "governance": GOVERNANCE}, {"target": OPT_OUT}, "needs governance"),
    (
        "governance for a consent",
        {"target": {"consent": {"id": "c", "onEnter": "Decline", "onExit": "Keep"}}, "governance": GOVERNANCE},
        {"target": {"consent": {"id": "c", "onEnter": "Decline", "onExit": "Keep"}}},
        "needs governance",
    ),
    *(
        (
            f"governance.{field}",
            {"target": OPT_OUT, "governance": GOVERNANCE},
            {"target": OPT_OUT, "governance": {key: value for key, value in GOVERNANCE.items() if key != field}},
            field,
        )
        for field in GOVERNANCE
    ),
    ("maxAdditions", OPT_IN_SPEC, {"target": OPT_IN, "governance": GOVERNANCE}, "maxAdditions"),
    (
        "maxAdditions beside other guards",
        OPT_IN_SPEC,
        OPT_IN_SPEC | {"guards": {"maxRemovals": 5}},
        "onEnter: Accept opts people in",
    ),
    (
        "Withdraw",
        OPT_IN_SPEC | {"deletionPolicy": "Withdraw"},
        {"target": OPT_OUT, "governance": GOVERNANCE, "deletionPolicy": "Withdraw"},
        "Withdraw is only for a label",
    ),
    (
        "Correct",
        {"drift": {"sample": 10, "onDrift": "Correct"}},
        {"target": OPT_OUT, "governance": GOVERNANCE, "drift": {"sample": 10, "onDrift": "Correct"}},
        "Correct is only for labels",
    ),
    (
        "every or cron",
        {"schedule": {"cron": "0 6 * * *"}},
        {"schedule": {"every": "1h", "cron": "0 6 * * *"}},
        "either",
    ),
    ("some schedule", {"schedule": None}, {"schedule": {}}, "either every or cron"),
    (
        "timeZone",
        {"schedule": {"cron": "0 6 * * *", "timeZone": "Europe/Stockholm"}},
        {"schedule": {"every": "1h", "timeZone": "Europe/Stockholm"}},
        "timeZone goes with cron",
    ),
    ("every is long enough", {"schedule": {"every": "10s"}}, {"schedule": {"every": "9s"}}, "10s or more"),
    ("every is a duration", {"schedule": {"every": "1h30m"}}, {"schedule": {"every": "hourly"}}, "should match"),
    ("window", {"guards": {"window": "720h"}}, {"guards": {"window": "721h"}}, "at most 720h"),
    ("window is some time", {"guards": {"window": "1s"}}, {"guards": {"window": "0s"}}, "more than 0s"),
    ("timeout", sql(sql=SQL | {"timeout": "1s"}), sql(sql=SQL | {"timeout": "0s"}), "between 1s and 24h"),
    *(
        (f"guards.{guard}", {"guards": {guard: good}}, {"guards": {guard: bad}}, guard)
        for guard in ("maxRemovals", "maxAdditions", "maxOptOuts", "maxInvalid", "maxUnmatched")
        for good, bad in (("20%", "120%"), ("0%", "20"), (0, -1))
    ),
    ("historyLimit", {"historyLimit": 1}, {"historyLimit": 0}, "historyLimit"),
    ("drift.sample", {"drift": {"sample": 1}}, {"drift": {"sample": 0}}, "sample"),
    ("mode", {"mode": "Plan"}, {"mode": "DryRun"}, "Enforce"),
]
CONNECTION_RULES = [
    ("url", {"url": "http://127.0.0.1:8080"}, {"url": "https://u:p@acme.voyado.com"}, "the tenant's address alone"),
    ("url path", {"url": "https://acme.voyado.com/"}, {"url": "https://acme.voyado.com/api"}, "no path"),
    ("rate", {"requestsPerSecond": 200}, {"requestsPerSecond": 201}, "200"),
    ("some rate", {"requestsPerSecond": 1}, {"requestsPerSecond": 0}, "requestsPerSecond"),
    (
        "one label route",
        {"labels": {"customTrigger": {"triggerId": "sync-label"}}},
        {"labels": {"customTrigger": {"triggerId": "s"}, "attribute": {"idTemplate": "label_{label}"}}},
        "exactly one of attribute, customTrigger and endpoint",
    ),
    ("a label route", {"labels": {"endpoint": {"add": ENDPOINT, "remove": ENDPOINT}}}, {"labels": {}}, "exactly one"),
    (
        "attribute",
        {"labels": {"attribute": {"idTemplate": "label_{label}"}}},
        {"labels": {"attribute": {"idTemplate": "{label}{label}x/"}}},
        "only letters",
    ),
    (
        "attribute is more than the label",
        {"labels": {"attribute": {"idTemplate": "{label}_vip"}}},
        {"labels": {"attribute": {"idTemplate": "label_vip"}}},
        "must contain {label} and more",
    ),
    *(
        ("endpoint path", endpoint(ENDPOINT["path"]), endpoint(path), "a path below the contact")
        for path in (
            "/api/v3/contacts/{contactId}",
            "https://evil.example/api/v3/contacts/{contactId}/labels/{label}",
            "/api/v3/contacts/{contactId}/labels/{email}",
            "/api/v3/contacts/{contactId}/../x",
            "/api/v3/contacts/{contactId}/labels?x={label}",
        )
    ),
    *(
        ("a label is no decision", endpoint(ENDPOINT["path"]), endpoint(path), "must not write a person's preferences")
        for path in (
            "/api/v2/contacts/{contactId}/preferences/acceptsEmail",
            "/api/v3/contacts/{contactId}/Consents/{label}",
            "/api/v2/contacts/{contactId}/unsubscribeEmail",
            "/api/v2/contacts/{contactId}/promoteToMember",
        )
    ),
    (
        "endpoint body",
        {"labels": {"endpoint": {"add": ENDPOINT | {"body": '{"name": "{label}"}'}, "remove": ENDPOINT}}},
        {"labels": {"endpoint": {"add": ENDPOINT | {"body": '{"name": "{email}"}'}, "remove": ENDPOINT}}},
        "only the placeholders",
    ),
    ("probeInterval", {"probeInterval": "10s"}, {"probeInterval": "1s"}, "10s or more"),
    ("bulk mode", {"bulk": {"mode": "Off"}}, {"bulk": {"mode": "Always"}}, "Auto"),
]
CASES = [
    *(pytest.param(ACTIVATION, *case, id=f"activation: {name}") for name, *case in ACTIVATION_RULES),
    *(pytest.param(CONNECTION, *case, id=f"connection: {name}") for name, *case in CONNECTION_RULES),
]


def manifest(base: dict[str, Any], spec: dict[str, Any]) -> str:
    changed = copy.deepcopy(base)
    changed["spec"] |= spec
    return yaml.safe_dump(changed)


def text(spec: str, name: str = "vip") -> str:
    metadata = f"metadata: {{name: {name}, namespace: default}}\n"
    head = f"apiVersion: voyado-operator.io/v1alpha1\nkind: SegmentActivation\n{metadata}"
    return f"{head}spec:\n  connectionRef: {{name: engage}}\n{spec}"


WHO = "  audience: {contactIds: [2f6b8a0e-0000-4000-8000-000000000001]}\n"
LABEL = "  target: {label: {name: vip}}\n"
CHOICE = "  target: {preference: {channel: Email, onEnter: Decline, onExit: Keep}}\n"
SIGNED = "owner: crm, purpose: news, legalBasis: Consent, sourceOfTruth: Acknowledged"
TENANT = yaml.safe_dump(CONNECTION)
TEXTS = {
    "as small as can be": text(WHO + LABEL),
    "no target": text(WHO),
    "no spec": yaml.safe_dump({key: value for key, value in ACTIVATION.items() if key != "spec"}),
    "unknown field": text(WHO + LABEL + "  shedule: {every: 1h}\n"),
    "unknown field within": text(WHO + LABEL + "  schedule: {evry: 1h}\n"),
    "unknown field at the top": text(WHO + LABEL) + "stats: {}\n",
    "unknown field of metadata": text(WHO + LABEL).replace("{name: vip,", "{name: vip, label: {},"),
    "null": text(WHO + LABEL + "  guards: null\n"),
    "null where something is required": text(WHO + "  target: null\n"),
    "null in a list": text("  audience: {contactIds: [null]}\n" + LABEL),
    "a number for a string": text(WHO + "  target: {label: {name: 2026}}\n"),
    "a quoted number": text(WHO + "  target: {label: {name: '2026'}}\n"),
    "a string for a number": text(WHO + LABEL + "  historyLimit: '5'\n"),
    "a whole number with a fraction": text(WHO + LABEL + "  historyLimit: 5.0\n"),
    "a fraction": text(WHO + LABEL + "  historyLimit: 5.5\n"),
    "a string for a boolean": text(WHO + LABEL + "  suspend: 'true'\n"),
    "yes for true": text(WHO + LABEL + "  suspend: yes\n"),
    "y for true": text(WHO + LABEL + "  suspend: y\n"),
    "a mapping for a list": text("  audience: {contactIds: {a: b}}\n" + LABEL),
    "a list for a mapping": text(WHO + "  target: [label]\n"),
    "a fraction for a count": text(WHO + LABEL + "  guards: {maxRemovals: 0.5}\n"),
    "a boolean for a count": text(WHO + LABEL + "  guards: {maxRemovals: true}\n"),
    "an octal number": text(WHO + LABEL + "  historyLimit: 010\n"),
    "a date": text(WHO + CHOICE + f"  governance: {{{SIGNED}, reviewBy: 2027-06-30}}\n"),
    "no date": text(WHO + CHOICE + f"  governance: {{{SIGNED}, reviewBy: 2027-06-31}}\n"),
    "a moment for a date": text(WHO + CHOICE + f"  governance: {{{SIGNED}, reviewBy: '2027-06-30T10:00:00Z'}}\n"),
    "a name in capitals": text(WHO + LABEL, "VIP"),
    "a name with a dot": text(WHO + LABEL, "vip.se"),
    "a name with an underscore": text(WHO + LABEL, "vip_se"),
    "a label that is a number": text(WHO + LABEL).replace("{name: vip,", "{name: vip, labels: {tier: 1},"),
    "another version": text(WHO + LABEL).replace("v1alpha1", "v1"),
    "another kind": text(WHO + LABEL).replace("kind: SegmentActivation", "kind: Segment"),
    "merged mappings": text(WHO + LABEL + "  guards: {<<: {maxRemovals: 5}, allowEmpty: true}\n"),
    "too many contacts": yaml.safe_dump(
        ACTIVATION
        | {
            "spec": ACTIVATION["spec"]
            | {"audience": {"contactIds": [f"{n:08x}-0000-4000-8000-000000000001" for n in range(1001)]}}
        }
    ),
    "off without quotes": TENANT + "  bulk: {mode: Off}\n",
    "off in quotes": TENANT + "  bulk: {mode: 'Off'}\n",
    "a rate with an exponent": TENANT + "  requestsPerSecond: 1e2\n",
    "a tab": text(WHO + LABEL + "\tmode: Plan\n"),
    "an open bracket": text(WHO + "  target: {label: {name: vip}\n"),
}
