"""What happens in the demo: 1997 passes in front of the operator, month by month."""

import json
import time
from calendar import month_name, monthrange
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.table import Table

from examples.demo.stage import Stage

VIPS, OPT_OUTS = "vip-customers", "email-opt-outs"
ANNOTATION = "voyado-operator.io"
BREAKS_IN = 9  # the month in which the query is broken
PATIENCE_SECONDS = 60
METRICS = (
    "voyado_activation_runs_total",
    "voyado_activation_members",
    "voyado_activation_changes_total",
    "voyado_engage_requests_total",
)


class Disagreement(Exception):  # noqa: N818 - what the demo exists to rule out
    """Engage does not hold what it should."""


class Story:
    """Tells it on `console`; every claim is checked against Engage and SQL, both asked behind the operator's back."""

    def __init__(self, stage: Stage, console: Console) -> None:
        self._stage = stage
        self._console = console
        self._agreement = Table("step", "target", "in Engage", "by SQL", "same contacts", title="Engage against SQL")
        self._step = ""

    def tell(self) -> None:
        """Raises Disagreement."""
        self._apply()
        for month in range(2, 13):
            self._month(month)
            if month == BREAKS_IN:
                self._broken_query()
        self._metrics()
        self._search()
        self._console.print(self._agreement)

    def tidy_up(self) -> None:
        """While the operator still runs: it lets go of what is deleted."""
        started = time.monotonic()
        self._kubectl("delete", "-f", "examples/quickstart/", f"--timeout={PATIENCE_SECONDS}s")
        self._say(f"\nkubectl delete -f examples/quickstart/ took {time.monotonic() - started:.1f} s")

    def _apply(self) -> None:
        self._chapter("January 1997")
        self._say("kubectl apply -f examples/quickstart/")
        started = time.monotonic()
        self._say(self._kubectl("apply", "-f", "examples/quickstart/"))
        self._kubectl("wait", "--for=condition=Ready", "segact", "--all", f"--timeout={PATIENCE_SECONDS}s")
        self._say(f"all Ready after {time.monotonic() - started:.1f} s")
        self._compare()

    def _month(self, month: int) -> None:
        self._chapter(f"{month_name[month]} 1997")
        self._stage.shop.pass_time(f"1997-{month:02d}-{monthrange(1997, month)[1]}")
        before = self._vips()
        statuses = {name: self._run(name, f"1997-{month:02d}") for name in (VIPS, OPT_OUTS)}
        plan = statuses[VIPS].get("plan")
        if plan:
            self._agree("label, held back", self._vips(), before)
            self._table()
            self._say(f"[yellow]blocked[/]: {self._reason(VIPS)[1]}")
            self._approve(plan["digest"])
        self._compare()

    def _compare(self) -> None:
        self._agree("label", self._vips(), self._stage.shop.vips())
        self._agree("e-mail opt-outs", self._opted_out(), self._stage.shop.opted_out())
        self._table()

    def _approve(self, digest: str) -> None:
        self._say("a person looks at the numbers, and approves the plan:")
        command = ("annotate", "segact", VIPS, f"{ANNOTATION}/approve={digest}", "--overwrite")
        self._say(f"  kubectl {' '.join(command)}")
        self._kubectl(*command)
        self._await(VIPS, lambda status: status.get("lastHandledApproval") == digest)

    def _broken_query(self) -> None:
        self._chapter("a table is renamed")
        before = self._vips()
        self._stage.shop.lose_the_purchases()
        self._run(VIPS, "broken")
        self._agree("label, untouched", self._vips(), before)
        self._table()
        reason, message = self._reason(VIPS)
        if reason != "SourceFailed":
            raise Disagreement(f"a broken query was taken for {reason}")
        self._say(f"[yellow]failed[/]: {message}")
        self._stage.shop.find_the_purchases()

    def _metrics(self) -> None:
        self._chapter("the run metrics, as Prometheus scrapes them")
        for line in self._stage.operator.metrics().splitlines():
            if line.startswith(METRICS):
                self._say(line)

    def _search(self) -> None:
        """The operator's log is at DEBUG in the demo."""
        self._chapter("addresses, API key and password in anything the operator wrote")
        places = {
            "log": self._stage.operator.log.read_bytes(),
            "metrics": self._stage.operator.metrics().encode(),
            "status": self._kubectl("get", "segact,vconn", "-o", "jsonpath={.items[*].status}").encode(),
            "Events": self._kubectl("get", "events", "-o", "json").encode(),
        }
        ledger = [path for path in self._stage.operator.ledger.rglob("*") if path.is_file()]
        places |= {str(path): path.read_bytes() for path in ledger}
        secrets = [b"@example.com", self._stage.engage.api_key.encode(), b"only-for-the-demo"]
        leaks = [place for place, content in places.items() for secret in secrets if secret in content]
        if leaks:
            raise Disagreement(f"found in {', '.join(leaks)}")
        self._say(f"none in log, metrics, status, Events and {len(ledger)} ledger files")
        if self._stage.engage.requests()["creating"]:
            raise Disagreement("a contact was created")

    def _agree(self, what: str, engage: set[str], expected: set[str]) -> None:
        if engage != expected:
            missing, extra = len(expected - engage), len(engage - expected)
            raise Disagreement(f"{what}: Engage lacks {missing} and has {extra} too many of {len(expected)}")
        self._say(f"[green]✓[/] {what}: Engage {len(engage)}, SQL {len(expected)}, the same contacts")
        self._agreement.add_row(self._step, what, str(len(engage)), str(len(expected)), "✓")

    def _vips(self) -> set[str]:
        return self._stage.engage.attribute(f"label_{VIPS}")

    def _opted_out(self) -> set[str]:
        return self._stage.engage.preference("acceptsEmail")["false"]

    def _run(self, name: str, token: str) -> dict[str, Any]:
        self._kubectl("annotate", "segact", name, f"{ANNOTATION}/requestedAt={token}", "--overwrite")
        return self._await(name, lambda status: status.get("lastHandledReconcileAt") == token)

    def _await(self, name: str, done: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            status: dict[str, Any] = json.loads(self._kubectl("get", "segact", name, "-o", "jsonpath={.status}"))
            if done(status):
                return status
            time.sleep(0.1)
        raise Disagreement(f"{name} did not get where it should in {PATIENCE_SECONDS} s: {status}")

    def _reason(self, name: str) -> tuple[str, str]:
        path = "jsonpath={.status.conditions[?(@.type=='Ready')]}"
        ready = json.loads(self._kubectl("get", "segact", name, "-o", path))
        return ready["reason"], ready["message"]

    def _table(self) -> None:
        listed = self._kubectl("get", "segact").rstrip()
        self._console.print(listed, style="dim", highlight=False, markup=False, soft_wrap=True)

    def _kubectl(self, *arguments: str) -> str:
        return self._stage.cluster.kubectl(*arguments)

    def _chapter(self, title: str) -> None:
        self._step = title
        self._console.print(f"\n[bold]==> {title}[/]", highlight=False)

    def _say(self, text: str) -> None:
        self._console.print(text.rstrip(), highlight=False, soft_wrap=True)
