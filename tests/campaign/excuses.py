"""What excuses something that looks like a breach of an invariant, each as one question to the past."""

from datetime import datetime

from tests.campaign.log import PERSON, Ended, Outcome, Wrote
from tests.campaign.model import UNSEEN, Past, Write, is_preference


def is_justified(no: datetime | None, decisions: list[datetime | None]) -> bool:
    """Whether the person decided after the no, as the warehouse says; None is a no from before the campaign."""
    return any(one is not None and (no is None or one > no) for one in decisions)


def is_put_back(past: Past, write: Write) -> bool:
    """Whether the same work wrote the opposite a moment before, and a person changed the contact in between."""
    wrote = write.wrote
    before = past.latest_write(wrote.contact, wrote.target, write.place)
    if before is None or before.wrote.by != wrote.by or not before.wrote.after:
        return False
    is_of_this_work = past.step_began(write) < before.place
    said = past.log.each(Wrote, before.place, write.place)
    return is_of_this_work and any(one.by == PERSON and one.contact == wrote.contact for _, one in said)


def is_undated_and_unknown(past: Past, write: Write, looked: int) -> bool:
    """Whether the no is a preference's, which has no date, of somebody whom no ledger can have known."""
    wrote = write.wrote
    is_known = past.was_known(wrote.contact, wrote.target, looked) or past.may_have_lost(
        wrote.contact, wrote.target, looked
    )
    return is_preference(wrote.target) and not is_known and not past.forgotten_since(wrote.contact, UNSEEN, looked)


def said_yes_since(past: Past, outcome: Outcome, contact: str, end: int) -> bool:
    """Whether the person said yes after their no had been done under the present wish, and complained no more."""
    target, decided = outcome.wish.target, outcome.wish.people[contact]
    written = past.latest_write(contact, target or "", end)
    if written is None:
        return False
    yes, wrote = written
    if wrote.by != PERSON or not wrote.after or (decided is not None and decided > wrote.at):
        return False
    start = past.wished_all_along_since(outcome.activation, end, "no", contact)
    return any(
        one.activation == outcome.activation and not one.was_killed and one.reason == "Succeeded"
        for _, one in past.log.each(Ended, start, yes)
    ) or any(
        (one.wrote.by, one.wrote.contact, one.wrote.target, one.wrote.after)
        == (outcome.activation, contact, target, False)
        for one in past.writes()
        if start <= one.place < yes
    )


def may_be_a_member(state: tuple[bool, str] | None, enters: str) -> bool:
    """Whether a contact is as entering writes it, or a person changed it last; None is what nobody has ever set."""
    return state is not None and (state[0] == (enters != "no") or state[1] == PERSON)


def deserves_a_yes(past: Past, outcome: Outcome, contact: str, end: int) -> bool:
    """Whether nothing speaks against the yes: there was no no, or a decision after every no and loss."""
    target, decided = outcome.wish.target or "", outcome.wish.people[contact]
    loss = past.latest_loss(outcome.activation, contact, end)
    no = past.latest_no(contact, target, outcome.shown[contact], end)
    if decided is None:
        return loss is None and no is None
    return (no is None or no[1] is None or decided > no[1]) and (loss is None or decided > loss)


def has_drifted(past: Past, outcome: Outcome, contact: str, end: int) -> bool:
    """Whether a person changed it themselves after a whole run had it as wished, which is not repaired of an opt-in.

    Every run since then found the contact in the audience, so none had anything to do.
    """
    written = past.latest_write(contact, outcome.wish.target or "", end)
    if written is None or written[1].by != PERSON:
        return False
    runs = [
        (place, one.reason == "Succeeded" and not one.was_killed)
        for place, one in past.log.each(Ended, 0, end)
        if one.activation == outcome.activation
    ]
    before = [place for place, is_whole in runs if is_whole and place < written[0]]
    since = [place for place, _ in runs if before and place >= before[-1]]
    wishes = [past.wishes(outcome.activation, place)[-1][1] for place in since]
    return bool(before) and all(
        (wish.target, wish.enters) == (outcome.wish.target, "yes") and contact in wish.people for wish in wishes
    )


def is_known_to_have_left(past: Past, outcome: Outcome, written: int, contact: str, end: int) -> bool:
    """Whether the ledger that knows of the yes is still there, and the activation was about this target all along.

    Who left when leaving meant nothing is forgotten from then on.
    """
    said = [wish for place, wish in past.wishes(outcome.activation, end) if place >= written]
    stayed = all(wish.target == outcome.wish.target and wish.enters == outcome.wish.enters for wish in said)
    was_let_go = past.was_let_go(outcome.activation, contact, outcome.wish.target or "", written, end)
    is_remembered = not past.ledgers_changed(end, written) and not past.forgotten_since(contact, written, end)
    return stayed and is_remembered and not was_let_go
