"""What must hold, whatever happens around the runs. Each rule reads the campaign's own log and nothing else.

A rule returns a sentence for each time that it was broken. "The audience" is what the warehouse says of the activation.
"""

from collections.abc import Callable, Iterator

from tests.campaign.excuses import (
    deserves_a_yes,
    has_drifted,
    is_justified,
    is_known_to_have_left,
    is_put_back,
    is_undated_and_unknown,
    may_be_a_member,
    said_yes_since,
)
from tests.campaign.log import (
    PERSON,
    Approved,
    Ended,
    Forgotten,
    Found,
    Log,
    Outcome,
    Settled,
    Wrote,
)
from tests.campaign.model import Past, Write, is_choice, is_trigger

FOR_A_PERSON = {"TargetConflict"}
"""What may still need a person when all manifests are right, all tenants answer and all plans are approved."""

Rule = Callable[[Past], Iterator[str]]


def nobody_in_the_audience_is_removed(past: Past) -> Iterator[str]:
    """Nobody is taken off a target while the audience of its activation has them.

    Three things excuse it: the activation is deleted with Withdraw; or its manifest was edited to another target with
    Withdraw, and the removal is from the former one; or it puts back what the same work has just written, as a person
    changed the contact at that moment. An opt-out list (onEnter: Decline) does not remove: it adds noes.
    """
    for write in past.writes():
        wrote, wishes = write.wrote, past.wishes_meanwhile(write)
        if wrote.after or wrote.before is False or not wishes or is_put_back(past, write):
            continue
        had = all(wrote.contact in wish.people for wish in wishes)
        if not had or any(wish.enters == "no" and wish.target == wrote.target for wish in wishes):
            continue
        if past.is_deleted(wrote.by, write.place):
            if wishes[-1].policy != "Withdraw":
                yield f"{_who(write)} is taken off when {wrote.by} is deleted, though its policy is Retain"
        elif any(wish.target == wrote.target for wish in wishes):
            yield f"{_who(write)} is taken off by {wrote.by}, whose audience has them"
        elif not any(wish.policy == "Withdraw" for wish in wishes):
            yield f"{_who(write)} is taken off by an edit of {wrote.by} with Retain, though the audience has them"


def no_more_are_removed_than_the_guard_allows(past: Past) -> Iterator[str]:
    """In one piece of work no more people are taken off than guards.maxRemovals says, unless a person approved.

    Deletion with Withdraw is not guarded.
    """
    removed: dict[tuple[str, int], set[str]] = {}
    for write in past.writes():
        wrote, wishes = write.wrote, past.wishes_meanwhile(write)
        is_opt_out = any(wish.enters == "no" and wish.target == wrote.target for wish in wishes)
        if wrote.after or not wrote.before or is_opt_out or not wishes or past.is_deleted(wrote.by, write.place):
            continue
        if any(one.activation == wrote.by for _, one in past.log.each(Approved, 0, write.place)):
            continue
        people = removed.setdefault((wrote.by, past.step_began(write)), set())
        people.add(wrote.contact)
        if len(people) > max(wish.most_removals for wish in wishes):
            yield f"{wrote.by} takes {len(people)} people off {wrote.target} at once, past its guard"


def nobody_is_opted_in_over_a_newer_no(past: Past) -> Iterator[str]:
    """Nobody is opted in over a no that is newer than what justifies the yes, whoever or whatever wrote that no.

    What justifies a yes is when the person decided, as the warehouse says (decidedAt). Without that, only where there
    is no no; or a preference's no without a date from before all of this, of somebody whom no ledger ever knew and
    whose memory was not erased; or an approval of a plan that says of how many nobody can tell whether they said no.
    What was said between the operator's look at the person and its write cannot be seen.
    """
    in_doubt: dict[str, int] = {}
    for write in past.writes():
        wrote = write.wrote
        if not wrote.after or wrote.before or not is_choice(wrote.target):
            continue
        looked = past.look_before(write)
        no = past.latest_no(wrote.contact, wrote.target, wrote.before, looked)
        wishes = past.wishes_meanwhile(write)
        if no is None or not wishes:
            continue
        _, said = no
        decisions = [wish.people[wrote.contact] for wish in wishes if wrote.contact in wish.people]
        if not decisions:
            yield f"{_who(write)} is opted in by {wrote.by}, whose audience does not have them"
        elif not is_justified(said, decisions) and not is_undated_and_unknown(past, write, looked):
            in_doubt[wrote.by] = in_doubt.get(wrote.by, 0) + 1
            if in_doubt[wrote.by] > past.approved_in_doubt(wrote.by, write.place):
                yield f"{_who(write)} is opted in by {wrote.by} over a no {'from before' if said is None else 'since'}"


def no_opt_out_is_lost(past: Past) -> Iterator[str]:
    """Who is on an opt-out list has the no in the end.

    Unless the person said yes after their no was done, and complained no more after that.
    """
    for place, settled in past.log.each(Settled):
        for outcome in settled.outcomes:
            if outcome.wish.enters != "no" or outcome.ready != "True" or outcome.reason == "Suspended":
                continue
            for contact in outcome.wish.people:
                shown = outcome.shown.get(contact, False)
                if shown is not False and not said_yes_since(past, outcome, contact, place):
                    yield f"{contact[-2:]} is on the opt-out list {outcome.activation}, and shows {shown}"


def nothing_is_believed_that_engage_did_not_do(past: Past) -> Iterator[str]:
    """An activation counts no more members than Engage has, or had until a person changed it."""
    values: dict[tuple[str, str], tuple[bool, str] | None] = {}
    for place, event in enumerate(past.log.events):
        if isinstance(event, Found):
            values[event.contact, event.target] = (event.value is True, "") if event.value is not None else None
        if isinstance(event, Wrote):
            values[event.contact, event.target] = (event.after, event.by)
        if not isinstance(event, Ended) or event.was_killed or event.reason != "Succeeded" or event.ready != "True":
            continue
        wish = past.wish_of(event, place)
        if wish is None or wish.is_held or wish.target is None:
            continue
        people = past.everybody_of(event.activation, place)
        has = sum(1 for one in people if may_be_a_member(values.get((one, wish.target or "")), wish.enters))
        if (event.members or 0) > has:
            yield f"{event.activation} shows {event.members} members of {wish.target}, Engage has at most {has}"


def nobody_else_is_touched(past: Past) -> Iterator[str]:
    """An operator writes only targets that its manifest has named, of people whom its audience has had."""
    for write in past.writes():
        wrote = write.wrote
        if wrote.contact not in past.everybody_of(wrote.by, write.place):
            yield f"{_who(write)} is touched by {wrote.by}, whose audience never had them"
        if wrote.target not in past.targets_of(wrote.by, write.place):
            yield f"{wrote.target} is written by {wrote.by}, which never named it"


def one_writer_per_target(past: Past) -> Iterator[str]:
    """Between the writes of two activations, or of two operators for one, the former has given the target up.

    It is gone, or it went on to another target, and ended that work, before the other one wrote.
    """
    latest: dict[str, Write] = {}
    for write in past.writes():
        wrote, before = write.wrote, latest.get(write.wrote.target)
        latest[wrote.target] = write
        if before is None or (before.wrote.by, before.wrote.operator) == (wrote.by, wrote.operator):
            continue
        if not past.has_released(before.wrote.by, before.wrote.operator, wrote.target, before.place, write.place):
            yield (
                f"{wrote.by} of {wrote.operator} writes {wrote.target}, "
                f"which {before.wrote.by} of {before.wrote.operator} has not given up"
            )


def no_trigger_is_fired_twice(past: Past) -> Iterator[str]:
    """A trigger is fired once for an entering and once for a leaving, unless a person approved to fire it again.

    Erasing somebody who stays in the audience lets them enter once more.
    """
    latest: dict[tuple[str, str, str], bool] = {}
    again: dict[str, int] = {}
    for place, event in enumerate(past.log.events):
        if isinstance(event, Forgotten):
            latest = {key: value for key, value in latest.items() if key[1] != event.contact}
        if not isinstance(event, Wrote) or event.by == PERSON or not is_trigger(event.target):
            continue
        key = (event.by, event.contact, event.target)
        if latest.get(key) is event.after:
            again[event.by] = again.get(event.by, 0) + 1
            approved = sum(one.changes for _, one in past.log.each(Approved, 0, place) if one.activation == event.by)
            if again[event.by] > approved:
                yield f"{event.by} fires {event.target} twice for {event.contact[-2:]}"
        latest[key] = event.after


def nobody_is_stuck(past: Past) -> Iterator[str]:
    """In the end every activation is Ready, or stalled with a reason and a message that tells a person what to do."""
    for _, settled in past.log.each(Settled):
        for outcome in settled.outcomes:
            is_told = outcome.is_stalled and outcome.reason in FOR_A_PERSON and outcome.message
            if outcome.ready != "True" and not is_told:
                yield f"{outcome.activation} is stuck: Ready={outcome.ready or 'absent'} {outcome.reason}"
        waiting = [one for one in settled.outcomes if one.reason == "TargetConflict"]
        for one in waiting:
            rivals = [other for other in settled.outcomes if other is not one and other.wish.target == one.wish.target]
            if not any(other.reason != "TargetConflict" for other in rivals):
                yield f"{one.activation} waits for {one.wish.target}, which nobody runs: {one.message}"


def whoever_is_ready_is_aligned(past: Past) -> Iterator[str]:
    """In the end who is in the audience of an activation that is Ready has what it gives, and who left has it no more.

    A person's own later change excuses it; so does, for who left, a ledger that was lost, erased or emptied since; and
    so does, for an opt-in, any no.
    """
    for place, settled in past.log.each(Settled):
        for outcome in settled.outcomes:
            if outcome.ready == "True" and outcome.reason == "Succeeded" and outcome.wish.target is not None:
                yield from _unaligned(past, outcome, place)


def _unaligned(past: Past, outcome: Outcome, end: int) -> Iterator[str]:
    wish, target = outcome.wish, outcome.wish.target or ""
    for contact, shown in outcome.shown.items():
        writes = [one for one in past.log.each(Wrote, 0, end) if (one[1].contact, one[1].target) == (contact, target)]
        changed_last = writes[-1][1].by if writes else None
        if contact in wish.people and wish.enters == "on" and not shown and changed_last != PERSON:
            yield f"{contact[-2:]} is in the audience of {outcome.activation}, and has not got {target}"
        if (
            contact in wish.people
            and wish.enters == "yes"
            and not shown
            and deserves_a_yes(past, outcome, contact, end)
            and not has_drifted(past, outcome, contact, end)
        ):
            yield f"{contact[-2:]} is in the audience of {outcome.activation}, and is not opted in to {target}"
        has_left = contact not in wish.people and changed_last == outcome.activation and shown
        if has_left and wish.leaves != "nothing" and is_known_to_have_left(past, outcome, writes[-1][0], contact, end):
            yield f"{contact[-2:]} left the audience of {outcome.activation}, and keeps {target}"


def _who(write: Write) -> str:
    return f"{write.wrote.contact[-2:]} of {write.wrote.target}"


RULES: tuple[Rule, ...] = (
    nobody_in_the_audience_is_removed,
    no_more_are_removed_than_the_guard_allows,
    nobody_is_opted_in_over_a_newer_no,
    no_opt_out_is_lost,
    nothing_is_believed_that_engage_did_not_do,
    nobody_else_is_touched,
    one_writer_per_target,
    no_trigger_is_fired_twice,
    nobody_is_stuck,
    whoever_is_ready_is_aligned,
)


def broken(log: Log) -> dict[str, list[str]]:
    """Each rule that was broken, by its name, and how."""
    past = Past(log)
    found = {rule.__name__: list(dict.fromkeys(rule(past))) for rule in RULES}
    return {name: how for name, how in found.items() if how}
