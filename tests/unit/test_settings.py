"""Settings come from the environment alone."""

import pytest
from voyado_operator.settings import InvalidSettings, from_environment

PREFIX = "VOYADO_OPERATOR_"


def test_defaults() -> None:
    settings = from_environment({})
    assert settings.ledger_url == "file:///var/lib/voyado-operator"
    assert (settings.namespaces, settings.engage_hosts) == ((), ("*.voyado.com",))
    assert (settings.metrics_port, settings.health_port, settings.max_concurrent_runs) == (9090, 8080, 4)


def test_lists_are_written_with_commas() -> None:
    settings = from_environment({f"{PREFIX}NAMESPACES": "marketing, crm,", f"{PREFIX}FILE_ROOTS": "/data"})
    assert (settings.namespaces, settings.file_roots) == (("marketing", "crm"), ("/data",))


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("METRICS_PORT", "http"),
        ("METRICS_PORT", "70000"),
        ("LEDGER_URL", "/var/lib"),
        ("MAX_CONCURRENT_RUNS", "0"),
        ("LOG_FORMAT", "xml"),
        ("MEMORY_LIMIT", "plenty"),
    ],
)
def test_a_wrong_value_names_its_variable(variable: str, value: str) -> None:
    with pytest.raises(InvalidSettings, match=PREFIX + variable):
        from_environment({PREFIX + variable: value})


def test_what_kubernetes_sets_for_a_service_of_our_name_is_left_alone() -> None:
    from_environment({f"{PREFIX}SERVICE_HOST": "10.0.0.1", f"{PREFIX}PORT": "tcp://10.0.0.1:80"})


def test_all_runs_together_stay_below_the_memory_limit() -> None:
    settings = from_environment({f"{PREFIX}MEMORY_LIMIT": "2GiB", f"{PREFIX}MAX_CONCURRENT_RUNS": "4"})
    assert settings.memory_per_run == "0.500GiB"
