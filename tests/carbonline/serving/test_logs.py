"""Whoever speaks in a process, a library or we, its standard error is one JSON object a line."""

import asyncio
import json
from pathlib import Path

import pytest

from carbonline.local.postgres import EmbeddedPostgres
from carbonline.migrations.run import migrate_all
from tests.carbonline.serving.processes import (
    PROGRAMS,
    SECONDS_MAX,
    Line,
    line_like,
    lines_to_the_end,
    process,
    settings_of,
)

LIBRARY_THAT_COMPLAINS = """
import logging, sys, warnings
from carbonline.serving.logs import open_process_log

log = open_process_log(sys.argv[1], service="test")
log.info("ours")
library = logging.getLogger("library.part")
library.info("only about itself")
library.warning("lost %s", "it")
try:
    password = "a-secret"
    raise ValueError("broken")
except ValueError:
    library.exception("failed")
warnings.warn("old", stacklevel=1)
"""


async def complaints(level: str) -> list[Line]:
    async with process("-W", "default", "-c", LIBRARY_THAT_COMPLAINS, level) as running:
        _, said = await asyncio.wait_for(running.communicate(), SECONDS_MAX)
        assert running.returncode == 0, said
    assert b"a-secret" not in said
    return [json.loads(line) for line in said.splitlines()]


VALUE_THAT_CANNOT_BE_SHOWN = """
from carbonline.serving.logs import open_process_log

class Broken:
    def __str__(self):
        raise RuntimeError

log = open_process_log("info")
log.info("first", value=Broken())
log.info("second", value="\\ud800")
"""


async def test_a_value_that_cannot_be_shown_costs_its_line_and_nothing_else() -> None:
    async with process("-c", VALUE_THAT_CANNOT_BE_SHOWN) as running:
        _, said = await asyncio.wait_for(running.communicate(), SECONDS_MAX)
        assert running.returncode == 0, said
    first, second = [json.loads(line) for line in said.splitlines()]
    assert first == {"event": "first", "level": "info", "not_rendered": "RuntimeError"}
    assert second["event"] == "second"


async def test_what_a_library_logs_is_a_line_like_ours() -> None:
    ours, lost, failed, warned = await complaints("info")
    assert (ours["event"], ours["level"]) == ("ours", "info")
    assert (lost["event"], lost["level"], lost["logger"]) == ("lost it", "warning", "library.part")
    assert failed["exception"][0]["exc_value"] == "broken"
    assert "old" in warned["event"]
    for line in (ours, lost, failed, warned):
        assert line["service"] == "test"
        assert line["timestamp"].endswith("Z")


@pytest.mark.parametrize(
    ("level", "events"), [("error", ["failed"]), ("debug", ["ours", "lost it", "failed"])]
)
async def test_of_libraries_warnings_are_written_and_what_the_level_lets_through(
    level: str, events: list[str]
) -> None:
    assert [line["event"] for line in await complaints(level)][: len(events)] == events


async def complains_in_json(name: str, settings: dict[str, str], postgres: EmbeddedPostgres) -> str:
    """Names the library that complained in a process while PostgreSQL was unavailable."""
    async with process(*PROGRAMS[name], **settings) as running:
        await line_like(running, lambda line: line["event"] == f"{name}_started")
        postgres.child.kill()
        complaint = await line_like(running, lambda line: "logger" in line)
        assert complaint["level"] in {"warning", "error"}
        last = (await lines_to_the_end(running))[-1]
        assert last["event"] == f"{name}_stopped"
        assert running.returncode == 0
        return str(complaint["logger"])


@pytest.mark.parametrize("name", PROGRAMS)
async def test_every_line_is_json_without_postgresql(name: str, tmp_path: Path) -> None:
    postgres = await EmbeddedPostgres.open(tmp_path / "postgres")
    try:
        url = await postgres.create_database("lines")
        await migrate_all(url)
        settings = settings_of(url, tmp_path)
        assert await complains_in_json(name, settings, postgres) == "asyncpg.pool"
    finally:
        await postgres.close()
