"""`make demo`: the whole promise in a minute. KEEP=1 leaves everything running, KUBECONFIG uses your cluster."""

import os
import signal
import sys
import threading
import time

from rich.console import Console

from examples.demo.stage import ENGAGE_PORT, Stage, staged
from examples.demo.story import Disagreement, Story


def main() -> int:
    console, started = Console(), time.monotonic()
    console.print("[bold]==> Starting PostgreSQL, a simulated Engage tenant, etcd, kube-apiserver and the operator[/]")
    with staged() as stage:
        console.print(f"ready after {time.monotonic() - started:.1f} s", highlight=False)
        story = Story(stage, console)
        try:
            story.tell()
        except Disagreement as disagreement:
            console.print(f"[bold red]Not as it should be[/]: {disagreement}")
            return 1
        seconds = time.monotonic() - started
        console.print(f"[bold green]Engage and SQL agreed at every step[/], in {seconds:.0f} s.", highlight=False)
        if os.environ.get("KEEP"):
            keep(stage, console)
        story.tidy_up()
    return 0


def keep(stage: Stage, console: Console) -> None:
    """Until Ctrl-C."""
    console.print(
        f"\nLeft running until Ctrl-C:\n"
        f"  export KUBECONFIG={stage.cluster.kubeconfig}\n"
        f"  metrics  http://127.0.0.1:{stage.operator.metrics_port}/metrics\n"
        f"  Engage   http://127.0.0.1:{ENGAGE_PORT}/_admin/requests\n"
        f"  log      {stage.operator.log}",
        highlight=False,
        soft_wrap=True,
    )
    asked = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: asked.set())
    asked.wait()


if __name__ == "__main__":
    sys.exit(main())
