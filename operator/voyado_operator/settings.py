"""Everything the environment may set: `VOYADO_OPERATOR_…`, and KUBECONFIG. Read once, here and nowhere else."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

PREFIX = "VOYADO_OPERATOR_"
CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
POD_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
UNLIMITED_MEMORY = "2GiB"  # where no cgroup sets a limit, such as on a laptop


class InvalidSettings(Exception):  # noqa: N818 - says what is wrong, not that it is an error
    """An environment variable has a value that cannot be used."""


def _listed(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


Listed = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Port = Annotated[int, Field(ge=1, le=65535)]


class Settings(BaseModel):
    """Effective settings; a list is written with commas."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    ledger_url: Annotated[str, Field(pattern=r"^(file:///|s3://|gs://|az://)\S*$")] = "file:///var/lib/voyado-operator"
    ledger_retention_days: Annotated[int, Field(ge=1, le=3650)] = 30
    namespaces: Listed = ()
    engage_hosts: Listed = ("*.voyado.com",)
    source_hosts: Listed = ()
    file_roots: Listed = ()
    pace_loopback: bool = True
    max_concurrent_runs: Annotated[int, Field(ge=1, le=64)] = 4
    memory_limit: Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?(MB|GB|MiB|GiB)$")] = UNLIMITED_MEMORY
    metrics_port: Port = 9090
    health_port: Port = 8080
    log_format: Literal["json", "text"] = "json"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    namespace: str = "default"
    kubeconfig: str | None = None

    @property
    def memory_per_run(self) -> str:
        """What DuckDB may take for one run, so that all at once stay below the limit."""
        number = self.memory_limit.rstrip("MGiB")
        unit = self.memory_limit.removeprefix(number)
        return f"{float(number) / self.max_concurrent_runs:.3f}{unit}"


def from_environment(environment: Mapping[str, str]) -> Settings:
    """Raises InvalidSettings, which names each variable and what it may be.

    Unknown variables are left alone: Kubernetes itself sets `VOYADO_OPERATOR_SERVICE_HOST` for a Service of our name.
    """
    given: dict[str, object] = {
        name: environment[variable]
        for name in Settings.model_fields
        if (variable := PREFIX + name.upper()) in environment
    }
    given.setdefault("memory_limit", _memory_of_the_cgroup())
    given["namespace"] = _own_namespace()
    given["kubeconfig"] = environment.get("KUBECONFIG")
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        problems = (f"{PREFIX}{str(item['loc'][0]).upper()}: {item['msg']}" for item in error.errors())
        raise InvalidSettings("; ".join(problems)) from None


def _memory_of_the_cgroup() -> str:
    """Half of the container's limit, as the rest is the interpreter's and the libraries'."""
    try:
        return f"{int(CGROUP_LIMIT.read_text()) // 2 // 2**20}MiB"
    except (OSError, ValueError):  # no cgroup v2, or "max"
        return UNLIMITED_MEMORY


def _own_namespace() -> str:
    try:
        return POD_NAMESPACE.read_text().strip()
    except OSError:
        return "default"
