"""The ways to print results; apart, so that the command lines know them without the rest."""

from enum import StrEnum


class Output(StrEnum):
    """For people, or for programs."""

    TEXT = "text"
    JSON = "json"
