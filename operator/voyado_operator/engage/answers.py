"""What Engage's answers mean. Pure; tolerant of fields it does not know, as the API may grow without notice."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import Enum, auto
from typing import Any
from uuid import UUID

from voyado_operator.domain.contact import ConsentState, Contact, preference_key

CODE = re.compile(r"[A-Za-z0-9]{1,64}")  # what an errorCode looks like; anything else might quote data
WESTERNMOST = timezone(timedelta(hours=-12))
EASTERNMOST = timezone(timedelta(hours=14))
FINISHED = {"completed", "complete", "finished", "done", "succeeded", "success", "partiallysucceeded"}
FAILED = {"failed", "error", "aborted", "cancelled", "canceled"}


class ItemStatus(Enum):
    """What became of one contact's change."""

    DONE = auto()
    NOT_FOUND = auto()
    REFUSED = auto()
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True)
class ItemAnswer:
    """`detail` is Engage's error code or a word of our own."""

    status: ItemStatus
    detail: str = ""


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """How far a batch is; `refused` has contact id → detail where the status told of every row, else None.

    `is_suspect`: the status tells of failures, but not whose.
    """

    is_finished: bool
    refused: dict[str, str] | None
    is_suspect: bool = False


def error_code(body: Any) -> str:
    """Engage's errorCode where the body has one; it may be empty or no JSON at all."""
    code = body.get("errorCode") if isinstance(body, dict) else None
    return code if isinstance(code, str) and CODE.fullmatch(code) else ""


def contact_id(body: Any) -> str | None:
    """The id in a look-up's answer: a bare JSON string, or an object with `id` (engage-api.md 4)."""
    found = body.get("id") if isinstance(body, dict) else body
    try:
        return str(UUID(found)) if isinstance(found, str) else None
    except ValueError:
        return None


def several_ids(body: Any) -> tuple[str, ...]:
    """`messageDetails.multipleMatchesFound` of a 409."""
    details = body.get("messageDetails") if isinstance(body, dict) else None
    listed = details.get("multipleMatchesFound") if isinstance(details, dict) else None
    found = (contact_id(item) for item in listed) if isinstance(listed, list) else ()
    return tuple(found_id for found_id in found if found_id)


def contact(body: Any) -> Contact | None:
    """A contact's own fields; None when the body is no contact."""
    if not isinstance(body, dict) or not isinstance(body.get("attributes"), dict):
        return None
    preferences, consents, meta = (body.get(name) for name in ("preferences", "consents", "meta"))
    said = meta if isinstance(meta, dict) else {}
    return Contact(
        attributes=body["attributes"],
        preferences=_preferences(preferences) if isinstance(preferences, dict) else {},
        consents=_consents(consents) if isinstance(consents, list) else None,
        modified=moment(said.get("modifiedOn")),
        created=_moment(said.get("createdOn"), EASTERNMOST),
    )


def _preferences(listed: dict[str, Any]) -> dict[str, bool]:
    return {preference_key(name): value for name, value in listed.items() if isinstance(value, bool)}


def _consents(listed: list[Any]) -> dict[str, ConsentState]:
    return {
        consent["id"]: ConsentState(consent["value"], moment(consent.get("date")), _text(consent.get("source")))
        for consent in listed
        if isinstance(consent, dict) and isinstance(consent.get("id"), str) and isinstance(consent.get("value"), bool)
    }


def _text(found: Any) -> str | None:
    return found if isinstance(found, str) else None


def moment(text: Any) -> datetime | None:
    """A date and time; Engage does not say in which zone, so one without a zone is taken for the latest it can mean."""
    return _moment(text, WESTERNMOST)


def _moment(text: Any, zone: timezone) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=zone)


def batch_id(body: Any) -> str | None:
    """The batch id is documented as a string."""
    return body if isinstance(body, str) and body else None


def batch(body: Any, rows: int) -> BatchAnswer:
    """The status object of a bulk update, whose real shape nobody has published (engage-api.md 5).

    Recognised is: a state in `status` or `state`; counts that add up to the rows; errors that each name a contact.
    Anything less says nothing of the single rows.
    """
    if not isinstance(body, dict):
        return BatchAnswer(is_finished=False, refused=None)
    fields = {name.lower(): value for name, value in body.items()}
    state = str(fields.get("status", fields.get("state", ""))).lower()
    if state in FAILED:
        return BatchAnswer(is_finished=True, refused=None, is_suspect=True)
    if state not in FINISHED:
        return BatchAnswer(is_finished=False, refused=None)
    refused = _refused(fields, rows)
    is_suspect = refused is None and any(fields.get(name) for name in ("failed", "errors"))
    return BatchAnswer(is_finished=True, refused=refused, is_suspect=is_suspect)


def _refused(fields: dict[str, Any], rows: int) -> dict[str, str] | None:
    succeeded, failed = (fields.get(name) for name in ("succeeded", "failed"))
    if not isinstance(succeeded, int) or not isinstance(failed, int) or succeeded + failed != rows:
        return None
    errors = fields.get("errors", [])
    named = {
        str(found): error_code(error) or "Refused"
        for error in (errors if isinstance(errors, list) else [])
        if (found := contact_id(error.get("contactId") if isinstance(error, dict) else None))
    }
    return named if len(named) == failed else None
