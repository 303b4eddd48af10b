"""The ways to print findings; apart, so that the command line knows them without the rest."""

from enum import StrEnum


class Output(StrEnum):
    """Lines for people and editors, or a list for programs."""

    TEXT = "text"
    JSON = "json"
