"""Keyed hashes (HMAC-SHA256), in SQL and in Python alike, and what tells sets of contacts from others."""

import hashlib
import hmac

_BLOCK = 64  # bytes, of SHA-256


def of_a_set(row: str = "hash(contact_id)") -> str:
    """SQL for three numbers that tell rows from others, in any order: 8 ns a row, the XOR of their MD5 145.

    Two that differ have the same with a probability of 2^-64, as DuckDB has hashes of 64 bits; other versions differ.
    """
    return f"count(*), sum({row}), bit_xor({row})"


class KeyedHash:
    """HMAC-SHA256 under one secret key."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        block = (hashlib.sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
        self.parameters = {
            "inner": bytes(byte ^ 0x36 for byte in block),
            "outer": bytes(byte ^ 0x5C for byte in block),
        }
        """The SQL's parameters. Parameters and not literals: the text of a statement may end up in an error message."""

    def sql(self, text: str) -> str:
        """The SQL of the hex digest of the text expression `text`; null gives null."""
        return f"sha256($outer::blob || unhex(sha256($inner::blob || encode({text}))))"

    def hexdigest(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), "sha256").hexdigest()
