"""One log for everything, as JSON or text, in which no address can appear."""

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

import stamina

# Access logs are noise.
SILENCED = ("aiohttp.access", "kubernetes", "kubernetes_asyncio", "hpack", "asyncio")
# Kopf reports every event handler and every daemon's start at INFO.
CHATTY = ("kopf",)
ADDRESS = re.compile(r"[^\s@\"'<>(),;=?&/]+(@|%40)[^\s@\"'<>(),;&/]+\.[^\s@\"'<>(),;&/]+", re.IGNORECASE)


def redacted(text: str) -> str:
    """The last line of defence: nothing in the operator hands an address to the log."""
    return ADDRESS.sub("<address>", text)


class TextFormatter(logging.Formatter):
    """For reading in a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        return redacted(super().format(record))


class JsonFormatter(logging.Formatter):
    """One object per line: timestamp, level, logger, message, and object, run and exception where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= getattr(record, "fields", {})
        if reference := getattr(record, "k8s_ref", None):  # Kopf's own lines about an object
            line["object"] = f"{reference.get('namespace')}/{reference.get('name')}"
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        # Before it becomes JSON, whose escapes must stay whole.
        clean = {name: redacted(value) if isinstance(value, str) else value for name, value in line.items()}
        return json.dumps(clean, ensure_ascii=False, default=lambda value: redacted(str(value)))


def configure(log_format: str, level: str) -> None:
    """Route all logging to standard error."""
    handler = logging.StreamHandler()
    text = TextFormatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    handler.setFormatter(text if log_format == "text" else JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    stamina.instrumentation.set_on_retry_hooks([])  # would log each retry; metrics count them
    for name in CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    for name in SILENCED:
        logging.getLogger(name).setLevel(logging.WARNING)
