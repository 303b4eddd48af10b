"""The last line of defence against addresses in the log."""

import json
import logging
import sys

import pytest
from voyado_operator.telemetry.logging import JsonFormatter, redacted


@pytest.mark.parametrize(
    "text", ["anna@example.com", "GET /contacts/id?email=anna%40example.com", "<o'hara+x@sub.example.co.uk>", "A@B.SE"]
)
def test_addresses_are_cut_out(text: str) -> None:
    assert "<address>" in redacted(f"before {text} after")
    assert "example" not in redacted(text).lower()


@pytest.mark.parametrize("text", ["marketing/vip: Succeeded", "12 @ 5", "sha256:abc", "user@host"])
def test_other_text_stays(text: str) -> None:
    assert redacted(text) == text


def test_a_line_is_one_json_object_with_its_exception() -> None:
    try:
        raise ValueError("about anna@example.com")
    except ValueError:
        record = logging.LogRecord("name", logging.ERROR, "", 0, "said %s", ("it",), sys.exc_info())

    line = json.loads(JsonFormatter().format(record))

    assert (line["level"], line["logger"], line["message"]) == ("ERROR", "name", "said it")
    assert "ValueError: about <address>" in line["exception"]
