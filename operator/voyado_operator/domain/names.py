"""Names from outside in a message: of a table's columns, a tenant's consents, a contact's attributes.

A table that was made of a file without a header has a person's data for names.
"""

import re
from collections.abc import Sequence

MOST = 10
_NAME = re.compile(r"[^\W\d][\w-]{0,39}")
_CODED = re.compile(r"[\da-fA-F-]{16,}")  # a GUID, a hash, with or without hyphens
_LONG_NUMBER = re.compile(r"\d[\d-]{3,}\d")  # a part of a telephone or personal number, a date
_NUMBER = re.compile(r"[\W_]*\d[\W\d_]*")


def listed(names: Sequence[str]) -> str:
    """Return at most ten of the names, and how many others there are.

    None of them if one looks like data, as the others are data then too.
    """
    if any(map(_is_data, names)):
        return f"{len(names)}, whose names look like data and are not shown"
    shown = [name for name in names if _NAME.fullmatch(name)][:MOST]
    others = len(names) - len(shown)
    if not shown:
        return f"{others}, whose names are not shown"
    return ", ".join(shown) + (f" and {others} more" if others else "")


def shown(name: str) -> str:
    """Return the name, or words in its place if it may be somebody's data."""
    return name if _NAME.fullmatch(name) and not _is_data(name) else "whose name is not shown"


def _is_data(name: str) -> bool:
    is_coded = any(character.isdigit() for character in name) and bool(_CODED.fullmatch(name))
    return "@" in name or is_coded or bool(_LONG_NUMBER.search(name)) or bool(_NUMBER.fullmatch(name))
