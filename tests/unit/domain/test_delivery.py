"""The account of a run: item by item, nothing claimed."""

from hypothesis import given
from hypothesis import strategies as st
from voyado_operator.domain.delivery import Account, Operation, Outcome, Result

OTHERS = st.lists(st.builds(Outcome, st.uuids().map(str), st.sampled_from([Result.REJECTED, Result.UNKNOWN])))


@given(st.lists(st.tuples(st.sampled_from(Operation), st.integers(0, 4000), OTHERS)))
def test_sent_is_accepted_plus_rejected_plus_unknown(batches):
    account = Account()
    for operation, accepted, others in batches:
        account.record(operation, accepted, others)
    assert account.sent == sum(accepted + len(others) for _, accepted, others in batches)
    assert account.sent == sum(account.total(result) for result in Result)
