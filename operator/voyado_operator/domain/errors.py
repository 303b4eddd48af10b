"""Why a run could not go on, in the words of the condition reasons.

RunError
├── Retry      the operator tries again by itself
│   ├── SourceFailed, EngageUnavailable, LedgerUnavailable, ConnectionNotReady, Unexpected
└── Stall      a person must act
    ├── InvalidSpec, TargetConflict, TargetNotFound, TargetUnsafe, CredentialsInvalid

The class name is the condition's reason; the message is what a person reads: it names the field and what to do, and
never holds a person's data, a key or a password.
"""


class ServedElsewhere(Exception):  # noqa: N818 - it is said as the reason of an Event
    """Another installation, which is alive, serves the object: this one may not touch it."""

    def __init__(self, installation: str) -> None:
        """`installation` is the namespace and the name of its Lease."""
        super().__init__(installation)
        self.installation = installation


class RunError(Exception):
    """A run ended early; nothing that Engage acknowledged is lost by it."""

    reason: str

    def __init_subclass__(cls) -> None:
        cls.reason = vars(cls).get("reason", cls.__name__)


class Retry(RunError):  # noqa: N818 - the subclasses' names are the contract's condition reasons
    """Passes by itself: the run is tried again with growing waits."""


class Stall(RunError):  # noqa: N818
    """Does not pass by itself: a person must change something."""


class SourceFailed(Retry):
    """The audience could not be read whole. Never an empty audience."""


class EngageUnavailable(Retry):
    """Engage did not answer, or answered 408, 429 or 5xx until the attempts ran out."""


class LedgerUnavailable(Retry):
    """The ledger could not be read or written."""


class ConnectionNotReady(Retry):
    """The VoyadoConnection is missing or not Ready."""


class ConnectionMissing(ConnectionNotReady):
    """There is no such VoyadoConnection."""

    reason = "ConnectionNotReady"


class InvalidSpec(Stall):
    """The manifest asks for something that cannot be done."""


class TargetConflict(Stall):
    """Another activation owns the target."""


class TargetNotFound(Stall):
    """The target does not exist in Engage."""


class TargetUnsafe(Stall):
    """A first change did something else than what it was meant to do; it was put back."""


class Unexpected(Retry):
    """A defect, or a resource that ran out: nothing that the contract has a reason of its own for."""

    reason = "ProgressingWithRetry"


class CredentialsInvalid(Stall):
    """A Secret is missing or lacks its key, or Engage answered 401 or 403."""


class SecretMissing(CredentialsInvalid):
    """There is no such Secret, or it lacks the key."""

    reason = "CredentialsInvalid"
