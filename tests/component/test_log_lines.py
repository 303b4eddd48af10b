"""What the log says of runs: one line each at INFO, in numbers, and every line says which run it is about."""

import asyncio
import io
import json
import logging
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from voyado_operator.reconcile.delivery import Interrupted
from voyado_operator.reconcile.worker import Worker
from voyado_operator.telemetry.logging import bound, formatter
from voyado_operator.workspace import Workspace

from tests.component.conftest import Install

Line = dict[str, Any]


PAGE = Path(__file__).parents[2] / "docs" / "logging.md"


class Log:
    """What was logged since the last look."""

    def __init__(self, stream: io.StringIO) -> None:
        self._stream = stream

    def lines(self) -> list[Line]:
        written = self._stream.getvalue()
        self._stream.seek(0)
        self._stream.truncate()
        return [json.loads(line) for line in written.splitlines()]

    def told(self) -> Line:
        """The one line at INFO."""
        [line] = [one for one in self.lines() if one["level"] == "INFO"]
        return line


@pytest.fixture
def log() -> Iterator[Log]:
    """The operator's own handler at DEBUG, beside pytest's."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter("json"))
    ours = logging.getLogger("voyado_operator")
    ours.addHandler(handler)
    ours.setLevel(logging.DEBUG)
    yield Log(stream)
    ours.removeHandler(handler)
    ours.setLevel(logging.NOTSET)


async def test_a_run_is_one_line_that_says_what_it_did(install: Install, log: Log) -> None:
    here = install("bulk")
    here.select(here.people[:9])
    await here.run()
    log.lines()
    here.select(here.people[2:13])

    status = await here.run()

    told, last = log.told(), status.last_run
    assert last is not None
    assert told["message"] == f"Succeeded: {last.message}"
    assert (told["activation"], told["run"], told["outcome"], told["asked"]) == (
        "marketing/vip",
        last.id,
        "Succeeded",
        "request",
    )
    numbers = ("audience", "entering", "leaving", "accepted", "rejected", "unknown", "members")
    assert [told[name] for name in numbers] == [11, 4, 2, 6, 0, 0, 11]
    assert told["requests"] == last.requests > 0
    assert told["seconds"] > 0


async def test_the_line_has_the_fields_that_the_page_shows(install: Install, log: Log) -> None:
    here = install("bulk")
    here.select(here.people[:9])
    await here.run()

    [shown] = re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert list(log.told()) == list(json.loads(shown))


async def test_a_run_that_changes_nothing_is_one_line_too(install: Install, log: Log) -> None:
    here = install("bulk")
    here.select(here.people[:9])
    await here.run()
    log.lines()

    await here.run()

    told = log.told()
    assert (told["entering"], told["leaving"], told["requests"]) == (0, 0, 0)


async def test_a_blocked_plan_is_told_in_the_line_and_warned_of_once(install: Install, log: Log) -> None:
    here = install("bulk", maxAdditions=3)
    here.select(here.people[:9])

    await here.run()
    first = log.lines()
    await here.run()
    second = log.lines()

    assert [line["level"] for line in first if line["level"] != "DEBUG"] == ["INFO", "WARNING"]
    assert first[-1]["message"].startswith("SegmentActivation marketing/vip: GuardBlocked: maxAdditions")
    assert [line["level"] for line in second if line["level"] != "DEBUG"] == ["INFO"]
    assert all(line["activation"] == "marketing/vip" for line in first + second)


async def test_the_line_of_a_failed_run_says_in_which_phase(install: Install, log: Log) -> None:
    here = install("bulk")
    here.edit(audience={"sql": {"uriSecretRef": {"name": "warehouse"}, "query": "select 1"}})
    here.cluster.warehouse = "sqlite:/nowhere/at.all"

    status = await here.run()

    [told] = [line for line in log.lines() if line["level"] == "INFO"]
    assert status.last_run is not None
    assert told["message"] == f"Failed: {status.last_run.message}"
    assert told["phase"] == "Extracting"


async def test_what_nobody_foresaw_is_logged_with_its_run(
    install: Install, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = install("bulk")
    here.select(here.people[:9])

    def fail(*_: object) -> None:
        raise KeyError("anna@example.com")

    monkeypatch.setattr(Workspace, "diff", fail)
    status = await here.run()

    lines = log.lines()
    [error] = [line for line in lines if line["level"] == "ERROR"]
    assert status.last_run is not None
    assert (error["activation"], error["run"], error["phase"]) == ("marketing/vip", status.last_run.id, "Comparing")
    assert "KeyError" in error["message"]
    assert "anna" not in json.dumps(lines)


async def test_a_lost_ledger_is_named_in_the_line(install: Install, log: Log) -> None:
    here = install("bulk")
    here.select(here.people[:9])
    await here.run()
    here.ledger().rename(here.ledger().with_name("elsewhere"))
    log.lines()

    await here.run()

    assert log.told()["events"] == "LedgerLost"


async def test_a_run_that_is_cut_off_is_one_line(install: Install, log: Log) -> None:
    here = install("single")
    here.select(here.people[:9])
    here.life._is_stopping = lambda: True

    with pytest.raises(Interrupted):
        await here.run()

    told = log.told()
    assert told["message"] == "cut off: the next run finds out what is left to do"
    assert (told["activation"], told["phase"]) == ("marketing/vip", "Applying")


async def test_a_withdrawal_is_one_line(install: Install, log: Log) -> None:
    here = install("bulk")
    here.select(here.people[:9])
    await here.run()
    log.lines()

    await here.withdraw()

    told = log.told()
    assert (told["activation"], told["run"], told["phase"]) == ("marketing/vip", "withdraw", "Withdrawing")
    assert told["message"] == "Withdrawn: of the target 9 contacts were taken off"
    assert told["left"] == 0


async def test_runs_at_the_same_time_do_not_sign_for_each_other(log: Log) -> None:
    logger = logging.getLogger("voyado_operator.test")

    async def run(name: str) -> None:
        phase = ["first"]
        with bound(run=name, phase=lambda: phase[0]), Worker(name) as worker:
            for _ in range(20):
                await worker(lambda: (time.sleep(0.0001), logger.info(name)))
                logger.info(name)
            phase[0] = "second"
            async with asyncio.TaskGroup() as group:
                group.create_task(asyncio.to_thread(logger.info, name))

    await asyncio.gather(run("one"), run("other"))
    logger.info("neither")

    *lines, last = log.lines()
    assert len(lines) == 82
    assert all(line["run"] == line["message"] for line in lines)
    assert [line["phase"] for line in lines].count("second") == 2
    assert "run" not in last


def test_for_a_terminal_the_fields_stand_behind_the_message() -> None:
    record = logging.LogRecord("name", logging.INFO, "", 0, "done", (), None)
    record.fields = {"entering": 3}
    with bound(activation="marketing/vip"):
        assert formatter("text").format(record).endswith("INFO    name: done activation=marketing/vip entering=3")


def test_no_field_shows_an_address() -> None:
    record = logging.LogRecord("name", logging.INFO, "", 0, "done", (), None)
    with bound(phase=lambda: "anna@example.com"):
        for log_format in ("text", "json"):
            line = formatter(log_format).format(record)
            assert "<address>" in line
            assert "anna" not in line
