"""The operations of Engage that the operator uses. None of them creates a contact."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from voyado_operator.domain.contact import Contact
from voyado_operator.domain.contacts import Contacts
from voyado_operator.domain.delivery import UNSEEN
from voyado_operator.domain.errors import EngageUnavailable
from voyado_operator.domain.matching import MatchStatus
from voyado_operator.engage import answers
from voyado_operator.engage.answers import BatchAnswer, ItemAnswer, ItemStatus
from voyado_operator.engage.limiter import Priority
from voyado_operator.engage.transport import Answer, Request, Transport, Unanswered

BASE = "/api/v3"
WITHHELD = "Withheld"
"""In the place of an error code: what Engage showed spoke against the change, and nothing was sent."""


class EngageClient:
    """One tenant, for one run or probe.

    Methods raise CredentialsInvalid on 401 and 403, and EngageUnavailable where nothing can have been changed.
    """

    def __init__(self, transport: Transport, contact_type: str | None) -> None:
        self._transport = transport
        self._contact_type = contact_type

    @property
    def requests(self) -> int:
        return self._transport.requests

    @property
    def rate(self) -> float:
        return self._transport.limiter.rate

    def time(self) -> datetime | None:
        """What time it is where Engage is; None until it has answered."""
        return self._transport.clock.time()

    async def count(self) -> int | None:
        """Contacts of the contact type; None where the tenant does not say, as the v3 paths are inferred from v2."""
        path = f"{BASE}/contacts/{self._contact_type}/count" if self._contact_type else f"{BASE}/contacts/count"
        answer = await self._asked("count contacts", "GET", path)
        return answer.body if answer.status == 200 and isinstance(answer.body, int) else None

    async def consents(self) -> list[tuple[str, str]]:
        """Id and name of the tenant's consent definitions; `GET /api/v3/consents` is verified."""
        answer = await self._asked("list consents", "GET", f"{BASE}/consents")
        if answer.status != 200 or not isinstance(answer.body, list):
            raise EngageUnavailable(
                f"Engage answered the list of consents with status {answer.status} and no list; check spec.url"
            )
        return [
            (str(consent["id"]), str(consent.get("name") or consent["id"]))
            for consent in answer.body
            if isinstance(consent, dict) and "id" in consent
        ]

    async def find(self, address: str) -> tuple[MatchStatus, tuple[str, ...]]:
        """The contacts of an e-mail address."""
        params = {"email": address} | ({"contactType": self._contact_type} if self._contact_type else {})
        answer = await self._asked("find contact", "GET", f"{BASE}/contacts/id", params=params)
        found = answers.contact_id(answer.body)
        if answer.status == 200 and found:
            return MatchStatus.MATCHED, (found,)
        if answer.status == 409:
            return MatchStatus.AMBIGUOUS, answers.several_ids(answer.body)
        # Other 400s (InvalidContactType) and 404s (a wrong path) are about us, not about the address.
        code = answers.error_code(answer.body)
        if answer.status == 404 and code in ("", "ContactNotFound"):
            return MatchStatus.UNMATCHED, ()
        if answer.status == 400 and code == "InvalidEmailAddress":
            return MatchStatus.INVALID, ()
        raise EngageUnavailable(f"Engage answered a look-up with status {answer.status} {code or 'and no error code'}")

    async def read(self, contact_id: str, priority: Priority = Priority.NORMAL) -> Contact | ItemAnswer:
        """The contact as Engage has it; else why it cannot be seen."""
        answer = await self._asked("read contact", "GET", f"{BASE}/contacts/{contact_id}", priority=priority)
        return _contact(answer)

    async def update(self, contact_id: str, changes: dict[str, Any], priority: Priority) -> ItemAnswer:
        """Change what is named of one contact and nothing else (PATCH)."""
        return await self._told("update contact", "PATCH", f"{BASE}/contacts/{contact_id}", changes, priority)

    async def update_if(
        self, contact_id: str, changes: dict[str, Any], is_right: Callable[[Contact], bool]
    ) -> ItemAnswer:
        """Read the contact and, if what it shows is right, change it before anything else is waited for.

        What may have been done is not sent again. Refused as WITHHELD where it was not right; UNSEEN where Engage's
        answer tells nothing of the contact.
        """
        path, content = f"{BASE}/contacts/{contact_id}", json.dumps(changes).encode()
        unwritten = ItemAnswer(ItemStatus.REFUSED, WITHHELD)

        def judged(answer: Answer) -> bool:
            nonlocal unwritten
            contact = _contact(answer)
            if isinstance(contact, Contact):
                return is_right(contact)
            unwritten = ItemAnswer(ItemStatus.UNKNOWN, UNSEEN) if contact.status is ItemStatus.UNKNOWN else contact
            return False

        look, write = Request("read contact", "GET", path), Request("update contact", "PATCH", path, content=content)
        try:
            answer = await self._transport.send_if(look, judged, write)
        except Unanswered as unanswered:
            return _unanswered(unanswered)
        return unwritten if answer is None else _item(answer)

    async def fire(self, trigger_id: str, contact_id: str, payload: dict[str, Any]) -> ItemAnswer:
        """Fire a custom trigger for one contact; not to be repeated. The v3 path is inferred (engage-api.md 7)."""
        path = f"{BASE}/automation/customTriggers/{trigger_id}/triggerByContactId/{contact_id}"
        return await self._told("fire custom trigger", "POST", path, payload, Priority.NORMAL)

    async def call(self, method: str, path: str, body: Any) -> ItemAnswer:
        """An operation below one contact that the tenant's own Swagger shows."""
        return await self._told("call label endpoint", method, path, body, Priority.NORMAL)

    async def _told(self, operation: str, method: str, path: str, body: Any, priority: Priority) -> ItemAnswer:
        try:
            content = json.dumps(body).encode()
            answer = await self._transport.send(operation, method, path, content=content, priority=priority)
        except Unanswered as unanswered:
            return _unanswered(unanswered)
        return _item(answer)

    async def update_bulk(self, contact_ids: Sequence[str], changes: dict[str, Any], priority: Priority) -> str | None:
        """Hand in the same changes of up to 4000 contacts; return the batch id, or None when it cannot be told whether
        they were taken.
        """
        params = {"contactType": self._contact_type} if self._contact_type else None
        try:
            answer = await self._transport.send(
                "update contacts in bulk",
                "PATCH",
                f"{BASE}/contacts/bulk",
                params=params,
                content=_rows(Contacts.of(contact_ids), changes),
                priority=priority,
            )
        except Unanswered as unanswered:
            if not unanswered.possibly_done:
                raise EngageUnavailable(f"Engage took no bulk update: {unanswered}") from None
            return None
        if 400 <= answer.status < 500 and not answer.follows_silence:
            code = answers.error_code(answer.body) or "no error code"
            raise EngageUnavailable(
                f'Engage refused a bulk update: status {answer.status}, {code}; bulk: {{mode: "Off"}} in the '
                "VoyadoConnection updates one by one"
            )
        return answers.batch_id(answer.body) if 200 <= answer.status < 300 else None

    async def bulk_status(self, batch_id: str, rows: int) -> BatchAnswer:
        """How far a bulk update is. The v3 path is inferred from v2."""
        answer = await self._asked(
            "read bulk status", "GET", f"{BASE}/contacts/bulk/status", params={"batchId": batch_id}
        )
        return answers.batch(answer.body if answer.status == 200 else None, rows)

    async def _asked(
        self,
        operation: str,
        method: str,
        path: str,
        params: dict[str, str] | None = None,
        priority: Priority = Priority.NORMAL,
    ) -> Answer:
        try:
            return await self._transport.send(operation, method, path, params=params, priority=priority)
        except Unanswered as unanswered:
            raise EngageUnavailable(f"Engage did not answer ({operation}): {unanswered}") from None


def _rows(contacts: Contacts, changes: dict[str, Any]) -> bytes:
    """A JSON array of one object per contact. By hand: 1,000,000 rows take 0.05 s and not 1.5, and ids are GUIDs."""
    start, end = b'{"contactId":"', b'",' + json.dumps(changes)[1:].encode()
    return b"[" + start + (end + b"," + start).join(contacts.each()) + end + b"]"


def _unanswered(unanswered: Unanswered) -> ItemAnswer:
    if not unanswered.possibly_done:
        raise EngageUnavailable(f"Engage took no update: {unanswered}") from None
    return ItemAnswer(ItemStatus.UNKNOWN, "NoAnswer")


def _contact(answer: Answer) -> Contact | ItemAnswer:
    if not 200 <= answer.status < 300:
        return _item(answer)
    return answers.contact(answer.body) or ItemAnswer(ItemStatus.UNKNOWN, "UnreadableAnswer")


def _item(answer: Answer) -> ItemAnswer:
    code = answers.error_code(answer.body)
    if 200 <= answer.status < 300:
        readable = ItemAnswer(ItemStatus.DONE)
        return readable if answer.is_readable else ItemAnswer(ItemStatus.UNKNOWN, "UnreadableAnswer")
    if answer.status == 404:
        return ItemAnswer(ItemStatus.NOT_FOUND, code or "Status404")
    if 400 <= answer.status < 500 and not answer.follows_silence:
        return ItemAnswer(ItemStatus.REFUSED, code or f"Status{answer.status}")
    return ItemAnswer(ItemStatus.UNKNOWN, f"Status{answer.status}")
