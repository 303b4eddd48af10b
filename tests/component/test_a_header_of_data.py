"""A table that was made of a file without a header: its columns are called what the first person is."""

import logging
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.component.conftest import Install
from tests.component.installation import Warehouse

PERSON = ("2f6b8a0e-1111-4222-8333-444455556666", "anna.andersson@example.com", "Anna", "+46 70 123 45 67")


@pytest.mark.parametrize("more", [(), tuple(f"column{number}" for number in range(40))], ids=["alone", "among many"])
async def test_no_name_is_told(
    install: Install, tmp_path: Path, caplog: pytest.LogCaptureFixture, more: tuple[str, ...]
) -> None:
    caplog.set_level(logging.DEBUG)
    here = install("single")
    Warehouse(here, tmp_path)
    columns = ", ".join(f'"{name}" text' for name in (*PERSON, *more))
    with closing(sqlite3.connect(tmp_path / "crm.sqlite")) as file, file:
        file.execute(f"create table vip ({columns})")

    status = await here.run()

    ready = status.conditions[0]
    assert ready.reason == "SourceFailed"
    assert "has no column 'contact_id'" in ready.message
    assert f"its columns are {len(PERSON) + len(more)}, whose names look like data" in ready.message
    told = [caplog.text, status.model_dump_json()]
    assert not [name for name in PERSON for said in told if name in said]
