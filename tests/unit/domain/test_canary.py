"""Putting back: over any pair of looks at a contact."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from voyado_operator.domain.canary import harm, side_effects, undoing
from voyado_operator.domain.contact import ConsentState, Contact, Facet, preference_key

FLAGS = ("acceptsemail", "acceptssm", "acceptspostal")
CONSENTS = ("memberTerms", "partnerTerms")
ATTRIBUTES = ("label_vip", "Label_Gold", "city")
value = st.sampled_from([True, False, None])


def contact(preferences: dict[str, Any], consents: dict[str, Any], attributes: dict[str, Any]) -> Contact:
    """None: the contact does not show it."""
    return Contact(
        attributes=attributes,
        preferences={name: said for name, said in preferences.items() if said is not None},
        consents={name: ConsentState(said) for name, said in consents.items() if said is not None},
    )


contacts = st.builds(
    contact,
    st.fixed_dictionaries(dict.fromkeys(FLAGS, value)),
    st.fixed_dictionaries(dict.fromkeys(CONSENTS, value)),
    st.fixed_dictionaries(dict.fromkeys(ATTRIBUTES, st.sampled_from([True, False, None, "Lund"]))),
)
facets = st.one_of(
    st.builds(Facet, st.just("preference"), st.sampled_from(["acceptsEmail", "acceptsSms"]), st.booleans()),
    st.builds(Facet, st.just("consent"), st.sampled_from(CONSENTS), st.booleans()),
    st.builds(Facet, st.just("attribute"), st.sampled_from(["label_vip", "label_gold"]), st.booleans()),
)
written = st.none() | facets


def decisions(request: dict[str, Any]) -> dict[tuple[str, str], bool]:
    """What a request writes of preferences and consents."""
    preferences = {("preference", preference_key(name)): said for name, said in request.get("preferences", {}).items()}
    return preferences | {("consent", one["id"]): one["value"] for one in request.get("consents", [])}


def shown(contact: Contact) -> dict[tuple[str, str], bool]:
    preferences = {("preference", name): said for name, said in contact.preferences.items()}
    return preferences | {("consent", name): state.value for name, state in (contact.consents or {}).items()}


@given(before=contacts, after=contacts, facet=written, others=st.sets(facets, max_size=3))
def test_putting_back_writes_a_no_only_in_the_place_of_a_no(
    before: Contact, after: Contact, facet: Facet | None, others: set[Facet]
) -> None:
    """So it writes no yes, sets nothing that was not set, and leaves alone whatever is a no now."""
    for name, said in decisions(undoing(before, after, facet, others)).items():
        assert said is False
        assert shown(before)[name] is False
        assert shown(after)[name] is True


@given(before=contacts, after=contacts, facet=written, others=st.sets(facets, max_size=3))
def test_what_other_runs_write_is_not_put_back(
    before: Contact, after: Contact, facet: Facet | None, others: set[Facet]
) -> None:
    request = undoing(before, after, facet, others)
    touched = decisions(request).keys() | {("attribute", name.lower()) for name in request}
    own = (facet.kind, facet.key) if facet else None

    for other in others:
        if (other.kind, other.key) != own:
            assert not [one for one in touched if (one[0], one[1].lower()) == (other.kind, other.key)]


@given(before=contacts, after=contacts, facet=written)
def test_no_decision_is_lost_where_a_request_resets_what_it_does_not_name(
    before: Contact, after: Contact, facet: Facet | None
) -> None:
    """Unless the first change was such a request and has reset nothing."""
    request = undoing(before, after, facet)
    own = (facet.kind, facet.key.lower()) if facet else None
    for kind, part in (("preference", "preferences"), ("consent", "consents")):
        siblings = {one: said for one, said in shown(after).items() if one[0] == kind and one not in decisions(request)}
        at_stake = {one for one, said in siblings.items() if said or kind == "consent"}
        was_kept = {
            one
            for one in shown(before).keys() | shown(after).keys()
            if one[0] == kind and (kind, one[1].lower()) != own and shown(before).get(one) is not shown(after).get(one)
        }
        if part in request and at_stake:
            assert facet is not None
            assert facet.kind == kind
            assert not was_kept


@given(before=contacts, after=contacts, facet=written, ours=st.sets(facets, max_size=3))
def test_only_what_a_run_of_ours_writes_is_no_harm(
    before: Contact, after: Contact, facet: Facet | None, ours: set[Facet]
) -> None:
    explained = {
        f"the {one.kind} {name} changed too"
        for one in ours
        if one.is_done(after)
        for name in (*FLAGS, *CONSENTS, *ATTRIBUTES)
        if name.lower() == one.key
    }

    assert set(side_effects(before, after, facet, ours)) == set(side_effects(before, after, facet)) - explained


LABEL = Facet("attribute", "label_vip", value=True)
YES = Facet("preference", "acceptsEmail", value=True)


@pytest.mark.parametrize(
    ("facet", "before", "after", "undone"),
    [
        (
            LABEL,
            {"label_vip": False, "city": "Lund"},
            {"label_vip": True, "city": ""},
            {"label_vip": False, "city": "Lund"},
        ),
        (LABEL, {}, {"Label_VIP": True}, {"Label_VIP": None}),
        (LABEL, {"LABEL_VIP": None}, {"label_vip": True}, {"label_vip": None}),
        (LABEL, {"acceptsEmail": True}, {"acceptsEmail": False}, {}),
        (LABEL, {"memberterms": True}, {"memberterms": False}, {}),
    ],
    ids=["as before", "not set", "in another spelling", "a preference among the attributes", "a consent among them"],
)
def test_attributes_are_put_back(
    facet: Facet, before: dict[str, Any], after: dict[str, Any], undone: dict[str, Any]
) -> None:
    consents = {"memberTerms": False}

    assert undoing(contact({}, consents, before), contact({}, consents, after), facet) == undone


@pytest.mark.parametrize(
    ("facet", "before", "after", "undone"),
    [
        (YES, {"acceptsemail": False}, {"acceptsemail": True}, {"acceptsEmail": False}),
        (YES, {}, {"acceptsemail": True}, None),
        (
            YES,
            {"acceptsemail": False, "acceptssm": True},
            {"acceptsemail": True, "acceptssm": True},
            {"acceptsEmail": False},
        ),
        (YES, {"acceptsemail": True, "acceptssm": True}, {"acceptsemail": False, "acceptssm": False}, None),
        (LABEL, {"acceptssm": False}, {"acceptssm": True}, {"acceptsSms": False}),
        (LABEL, {"acceptssm": False, "acceptsemail": True}, {"acceptssm": True, "acceptsemail": True}, None),
        (LABEL, {"acceptspush": False}, {"acceptspush": True}, None),
    ],
    ids=[
        "our yes",
        "where nothing was set",
        "the sibling stayed",
        "noes stay",
        "a yes by a label",
        "another yes might be reset",
        "unknown to requests",
    ],
)
def test_preferences_that_are_put_back(
    facet: Facet, before: dict[str, Any], after: dict[str, Any], undone: dict[str, Any] | None
) -> None:
    assert undoing(contact(before, {}, {}), contact(after, {}, {}), facet).get("preferences") == undone


def test_a_change_that_a_run_of_ours_did_not_mean_is_harm() -> None:
    """It writes yes; this tenant has made a no of it."""
    before, after = contact({"acceptssm": True}, {}, {}), contact({"acceptssm": False}, {}, {})
    other = Facet("preference", "acceptsSms", value=True)

    assert harm(before, after, None, {other}) == ["the preference acceptssm changed too"]
