"""One log for everything, as JSON or text, in which no address can appear, and which says what each line is about."""

import json
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import stamina

# Access logs are noise.
SILENCED = ("aiohttp.access", "kubernetes", "kubernetes_asyncio", "hpack", "asyncio")
# Kopf reports every event handler and every daemon's start at INFO.
CHATTY = ("kopf",)
_NOTHING: Mapping[str, object] = MappingProxyType({})
_bound: ContextVar[Mapping[str, object]] = ContextVar("bound", default=_NOTHING)
ADDRESS = re.compile(r"[^\s@\"'<>(),;=?&/]+(@|%40)[^\s@\"'<>(),;&/]+\.[^\s@\"'<>(),;&/]+", re.IGNORECASE)


def redacted(text: str) -> str:
    """The last line of defence: nothing in the operator hands an address to the log."""
    return ADDRESS.sub("<address>", text)


@contextmanager
def bound(**fields: object) -> Iterator[None]:
    """Every line written in this block carries the fields, also in the tasks and the worker that it starts.

    A field that is a function is asked whenever a line is written.
    """
    token = _bound.set({**_bound.get(), **fields})
    try:
        yield
    finally:
        _bound.reset(token)


def _fields(record: logging.LogRecord) -> dict[str, object]:
    """What the line is about, and then what it has of its own: `extra={"fields": {…}}`."""
    about = {name: value() if callable(value) else value for name, value in _bound.get().items()}
    return about | dict(getattr(record, "fields", _NOTHING))


class TextFormatter(logging.Formatter):
    """For reading in a terminal: the fields as name=value behind the message."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        fields = (f"{name}={value}" for name, value in _fields(record).items())
        return " ".join([super().formatMessage(record), *fields])

    def format(self, record: logging.LogRecord) -> str:
        return redacted(super().format(record))


class JsonFormatter(logging.Formatter):
    """One object per line: timestamp, level, logger, message, fields, and object and exception where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= _fields(record)
        if reference := getattr(record, "k8s_ref", None):  # Kopf's own lines about an object
            line["object"] = f"{reference.get('namespace')}/{reference.get('name')}"
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        # Before it becomes JSON, whose escapes must stay whole.
        clean = {name: redacted(value) if isinstance(value, str) else value for name, value in line.items()}
        return json.dumps(clean, ensure_ascii=False, default=lambda value: redacted(str(value)))


def formatter(log_format: str) -> logging.Formatter:
    """`json` or `text`."""
    return (
        TextFormatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s") if log_format == "text" else JsonFormatter()
    )


def configure(log_format: str, level: str) -> None:
    """Route all logging to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(formatter(log_format))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    stamina.instrumentation.set_on_retry_hooks([])  # would log each retry; metrics count them
    for name in CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    for name in SILENCED:
        logging.getLogger(name).setLevel(logging.WARNING)
