"""Housekeeping goes on for as long as a worker serves, whatever the database does meanwhile."""

import asyncio
from collections.abc import MutableMapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import pytest
import structlog
from structlog.testing import capture_logs

from carbonline.postgres.errors import DatabaseUnavailable
from tests.worker_service.ledger.ledger_driver import LedgerDriver
from tests.worker_service.steps.conftest import CDG, WorkerHarness, flights
from worker_service.extensions import NO_EXTENSIONS
from worker_service.ledger.collect import Collected
from worker_service.ledger.uncollected import read_uncollected
from worker_service.settings import read_settings
from worker_service.steps import housekeeping
from worker_service.steps.housekeeping import Retention, collect_all, delete_rows_in_rounds
from worker_service.steps.old_history import HistoryRetention
from worker_service.steps.publishing import SMALL_ROWS
from worker_service.steps.unnamed_blobs import BlobRetention
from worker_service.worker import open_jobs


async def nobody_asks(_tenant: str, _named: Sequence[object]) -> NoReturn:
    raise AssertionError("nothing is old")


async def none_exists(_tenant: str, _named: Sequence[int]) -> Sequence[int]:
    return ()


NOTHING_IS_OLD = Retention(
    BlobRetention(3600.0, nobody_asks), HistoryRetention(3600.0, none_exists)
)


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "ROUND_SECONDS", 0.01)
    monkeypatch.setattr(housekeeping, "PAUSE_SECONDS_MIN", 0.0)


async def test_what_was_replaced_is_taken_away_and_nothing_that_counts(
    harness: WorkerHarness,
) -> None:
    driver = LedgerDriver(harness.ledger)
    await harness.load_flights(flights(CDG))
    await harness.load_flights(flights(CDG, CDG))
    kg = await harness.kg()
    assert await collect_all(harness.stores) == 0
    await driver.advance_clock(2 * housekeeping.UNSEEN_SECONDS)
    with capture_logs() as logged:
        keeping = asyncio.create_task(delete_rows_in_rounds(harness.stores, structlog.get_logger()))
        async with asyncio.timeout(10):
            while not logged:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        keeping.cancel()
        await asyncio.wait({keeping})
    assert logged[0]["event"] == "rows_collected"
    assert logged[0]["rows"] == 2
    assert [row["count"] for row in await harness.rows("SELECT count(*) FROM carbon.entries")] == [
        2
    ]
    assert (await harness.recalculate()).in_order()[0].message.endswith("nothing has changed.")
    assert await harness.kg() == kg


async def test_rows_of_a_refused_file_are_taken_away_as_soon_as_replaced_ones(
    harness: WorkerHarness,
) -> None:
    driver = LedgerDriver(harness.ledger)
    # Rows of a small file are not there before its publication.
    many = SMALL_ROWS + 1
    await harness.load_flights(flights(*[CDG] * (2 * many + 1)))
    refused = await harness.load_flights(flights(*[CDG] * many))
    assert refused.in_order()[0].error_cause == "most_would_go"
    waiting = await read_uncollected(harness.ledger, "local")
    assert (waiting.sets, waiting.row_count, waiting.loading_sets) == (1, many, 0)
    await driver.advance_clock(2 * housekeeping.UNSEEN_SECONDS)
    assert await collect_all(harness.stores) == many
    left = await harness.rows("SELECT count(*) AS n FROM carbon.entries")
    assert left[0]["n"] == 2 * many + 1


async def rounds_that_raise(
    harness: WorkerHarness, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> list[MutableMapping[str, Any]]:
    """What is logged of three rounds of housekeeping that all end so."""
    rounds: list[int] = []
    enough = asyncio.Event()

    async def failing(*_: object) -> Collected:
        rounds.append(1)
        if len(rounds) == 3:
            enough.set()
        raise error

    monkeypatch.setattr(housekeeping, "collect_once", failing)
    with capture_logs() as logged:
        keeping = asyncio.create_task(delete_rows_in_rounds(harness.stores, structlog.get_logger()))
        async with asyncio.timeout(10):
            await enough.wait()
        keeping.cancel()
        await asyncio.wait({keeping})
    return logged


async def test_an_unavailable_database_puts_it_off_and_does_not_end_it(
    harness: WorkerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged = await rounds_that_raise(harness, monkeypatch, DatabaseUnavailable("restarting"))
    assert logged[0] == {
        "event": "housekeeping_postponed",
        "reason": "restarting",
        "log_level": "info",
    }


async def test_a_round_that_fails_is_logged_and_the_next_one_comes(
    harness: WorkerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged = await rounds_that_raise(harness, monkeypatch, ValueError("a defect"))
    assert (logged[0]["event"], logged[0]["log_level"]) == ("housekeeping_failed", "error")
    assert isinstance(logged[0]["exc_info"], ValueError)


async def test_a_long_look_for_old_files_holds_up_no_deletion_of_rows(
    harness: WorkerHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = asyncio.Event()
    rounds_beside: list[int] = []
    enough = asyncio.Event()

    async def without_end(*_: object) -> NoReturn:
        looks.set()
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")

    async def one_round(*_: object) -> Collected:
        if looks.is_set():
            rounds_beside.append(1)
        if len(rounds_beside) == 3:
            enough.set()
        return Collected(0, more=False)

    monkeypatch.setattr(housekeeping, "remove_unnamed_blobs", without_end)
    monkeypatch.setattr(housekeeping, "collect_once", one_round)
    settings = read_settings(
        {
            "CARBONLINE_LEDGER_DATABASE_URL": harness.ledger.database_url,
            "CARBONLINE_SCHEDULER_ADDRESS": "unix:nobody.sock",
            "CARBONLINE_BLOB_FOLDER": str(tmp_path),
        }
    )
    async with open_jobs(settings, NO_EXTENSIONS, NOTHING_IS_OLD, structlog.get_logger()) as jobs:
        async with asyncio.timeout(10):
            await enough.wait()
        # The worker ends if one of them does.
        assert [task.get_name() for task in jobs.beside] == [
            "deletion-of-rows",
            "deletion-of-files",
            "deletion-of-history",
        ]
