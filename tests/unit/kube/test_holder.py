"""Whether the process that held a Lease is gone for certain."""

import subprocess
import sys

from voyado_operator.kube import holder


def of_another() -> tuple[str, "subprocess.Popen[bytes]"]:
    """The name another process of this machine has, and that process, which still runs."""
    program = "from voyado_operator.kube.holder import this_process; print(this_process(), flush=True); input()"
    other = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert other.stdout
    return other.stdout.readline().decode().strip(), other


def test_a_process_that_runs_has_not_ended_and_one_that_was_killed_has() -> None:
    name, other = of_another()
    with other:
        assert name != holder.this_process()
        assert not holder.has_ended(name)
        other.kill()
        other.wait()
        assert holder.has_ended(name)


def test_of_another_machine_nothing_is_known() -> None:
    host, boot, namespace, _, started = holder.this_process().split("/")
    nobody = "4194305"  # beyond the kernel's largest pid
    assert holder.has_ended("/".join([host, boot, namespace, nobody, started]))
    assert not holder.has_ended("/".join(["elsewhere", boot, namespace, nobody, started]))
    assert not holder.has_ended("/".join([host, "another boot", namespace, nobody, started]))
    assert not holder.has_ended("/".join([host, boot, "another container", nobody, started]))
    assert not holder.has_ended("somebody-elses-format")
