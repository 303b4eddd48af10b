"""Breaks of compatibility that were decided: the finding, as tests/compatibility/schemas.py words it, and why.

One that is not needed any more fails the test: a release takes the list back to nothing.
"""

DECIDED: dict[str, str] = {}
