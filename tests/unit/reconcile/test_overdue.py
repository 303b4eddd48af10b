"""What /healthz and voyado_operator_overdue_activations go by."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import kopf
import pytest
from voyado_operator.handlers import operator
from voyado_operator.reconcile.activation import ActivationLife
from voyado_operator.reconcile.registry import Watched

from tests.unit.reconcile.objects import NOW, activation, done


def life(next_run_minutes: int | None) -> ActivationLife:
    when = {} if next_run_minutes is None else {"nextRunTime": NOW + timedelta(minutes=next_run_minutes)}
    nothing: Any = SimpleNamespace(cluster=None)
    return ActivationLife(
        Watched(activation(status=done(**when))), nothing, nothing, nothing, is_stopping=lambda: False
    )


@pytest.mark.parametrize(("minutes", "overdue"), [(-20, True), (-5, False), (5, False), (None, False)])
def test_an_activation_is_overdue_when_it_should_have_run_long_ago(minutes: int | None, overdue: bool) -> None:
    assert life(minutes).is_overdue(NOW - timedelta(minutes=10)) is overdue


@pytest.mark.parametrize(("overdue", "healthy"), [(0, True), (2, False)])
async def test_the_probe_fails_when_activations_are_overdue(overdue: int, healthy: bool) -> None:
    registry = kopf.OperatorRegistry()
    operator.register(registry, cast(Any, SimpleNamespace(overdue=lambda: overdue)))
    [probe] = [handler for handler in registry._activities.get_all_handlers() if handler.id == "overdue"]
    if healthy:
        assert await probe.fn() == 0
    else:
        with pytest.raises(kopf.PermanentError, match="2 activations are overdue"):
            await probe.fn()
