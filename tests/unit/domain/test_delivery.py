"""The account of a run: item by item, nothing claimed."""

from hypothesis import given
from hypothesis import strategies as st
from voyado_operator.domain.delivery import Account, Operation, Outcome, Result

OUTCOMES = st.lists(st.builds(Outcome, st.uuids().map(str), st.sampled_from(Result)))


@given(st.lists(st.tuples(st.sampled_from(Operation), OUTCOMES)))
def test_sent_is_accepted_plus_rejected_plus_unknown(batches):
    account = Account()
    for operation, outcomes in batches:
        account.record(operation, outcomes)
    assert account.sent == sum(len(outcomes) for _, outcomes in batches)
    assert account.sent == sum(account.total(result) for result in Result)
