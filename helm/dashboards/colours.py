"""Colours that mean the same on every dashboard: what is well is green, what waits for a person orange."""

from collections.abc import Mapping
from typing import Protocol, TypeVar

from grafana_foundation_sdk.models.dashboard import DynamicConfigValue

GREEN, BLUE, YELLOW, ORANGE, RED, PURPLE = "green", "blue", "yellow", "orange", "red", "purple"
TEXT = "text"
"""A number that is neither good nor bad."""
GREY = "#8e8e8e"
"""The same for an area; seen on light and on dark."""

Colours = Mapping[str, str]
"""By the name of a series."""

REASONS: Colours = {
    "Succeeded": GREEN,
    "Planned": "light-blue",
    "Suspended": GREY,
    "Progressing": "dark-blue",
    "PartiallyApplied": YELLOW,
    "GuardBlocked": ORANGE,
    "SourceFailed": RED,
    "EngageUnavailable": "dark-red",
    "ConnectionNotReady": "light-red",
    "CredentialsInvalid": "super-light-red",
    "LedgerUnavailable": PURPLE,
    "ProgressingWithRetry": "dark-purple",
    "InvalidSpec": "light-purple",
    "TargetConflict": "super-light-purple",
    "TargetNotFound": "semi-dark-purple",
    "TargetUnsafe": "semi-dark-red",
}
OUTCOMES: Colours = {
    "Succeeded": GREEN,
    "Planned": "light-blue",
    "Partial": YELLOW,
    "Blocked": ORANGE,
    "Failed": RED,
}
OPERATIONS: Colours = {"add": GREEN, "remove": BLUE}
CHANGES: Colours = {
    "add accepted": GREEN,
    "remove accepted": BLUE,
    "add rejected": RED,
    "remove rejected": "dark-red",
    "add unknown": PURPLE,
    "remove unknown": "dark-purple",
}
# Neither good nor bad, and so neither green nor red.
PHASES: Colours = {
    "starting": GREY,
    "extracting": "light-blue",
    "matching": "dark-blue",
    "comparing": "super-light-purple",
    "guarding": YELLOW,
    "applying": BLUE,
    "reading back": PURPLE,
    "withdrawing": "dark-purple",
}
CALLS: Colours = {
    "count contacts": GREY,
    "list consents": "super-light-purple",
    "find contact": "light-blue",
    "read contact": PURPLE,
    "update contact": BLUE,
    "update contacts in bulk": "dark-blue",
    "read bulk status": "dark-purple",
    "fire custom trigger": YELLOW,
    "call label endpoint": "semi-dark-yellow",
}
CODES: Colours = {
    "200": GREEN,
    "201": "light-green",
    "202": "dark-green",
    "404": GREY,
    "400": "light-orange",
    "409": "semi-dark-yellow",
    "422": YELLOW,
    "429": ORANGE,
    "401": "light-purple",
    "403": "dark-purple",
    "500": RED,
    "502": "light-red",
    "503": "semi-dark-red",
    "504": "dark-red",
}


class Overridable(Protocol):
    """A panel whose series can differ from its default."""

    def override_by_name(self, name: str, properties: list[DynamicConfigValue]) -> object: ...

    def override_by_regexp(self, regexp: str, properties: list[DynamicConfigValue]) -> object: ...


Panel = TypeVar("Panel", bound=Overridable)


def coloured(panel: Panel, colours: Colours) -> Panel:
    """The same panel, with these series in their colours and the others in the palette's."""
    for name, colour in colours.items():
        panel.override_by_name(name, [_fixed(colour)])
    return panel


def coloured_by_code(panel: Panel) -> Panel:
    """The same for series whose name ends with a code; a word there means that no answer came."""
    for code, colour in CODES.items():
        panel.override_by_regexp(f"/(^| ){code}$/", [_fixed(colour)])
    panel.override_by_regexp("/(^| )[A-Za-z]+$/", [_fixed(PURPLE)])
    return panel


def as_text(colour: str) -> str:
    """The hue alone, whose tone is the theme's: a dark red cannot be read on dark."""
    return colour.rpartition("-")[2]


def _fixed(colour: str) -> DynamicConfigValue:
    return option("color", {"mode": "fixed", "fixedColor": colour})


def option(name: str, value: object) -> DynamicConfigValue:
    return DynamicConfigValue(id_val=name, value=value)
