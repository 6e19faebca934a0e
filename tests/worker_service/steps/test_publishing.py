"""What is known of a publication that did not end well: NOTHING only where nothing can be."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from carbonline.postgres.errors import DatabaseUnavailable
from tests.worker_service.ledger.ledger_driver import ENTRIES, LedgerDriver
from tests.worker_service.ledger.losing_relay import AtCommit, LosingRelay, losing_relay
from tests.worker_service.steps.claims import Claim, claim
from worker_service.ledger.errors import InputMoved
from worker_service.ledger.fences import Tokens
from worker_service.ledger.pool import Connection, Ledger, open_ledger
from worker_service.mechanics.held_claim import StopReason
from worker_service.mechanics.outcome import Written
from worker_service.mechanics.run import ClaimLost, JobCancelled
from worker_service.steps.publishing import publish

TOKEN = 10


@pytest.fixture
async def relay(database_url: str, tmp_path: Path) -> AsyncIterator[tuple[LosingRelay, str]]:
    async with losing_relay(database_url, tmp_path) as opened:
        yield opened


@pytest.fixture
async def driver(database_url: str) -> AsyncIterator[LedgerDriver]:
    """Beside the relay, to look and to interfere."""
    ledger = await open_ledger(database_url, application_name="beside")
    try:
        yield LedgerDriver(ledger)
    finally:
        await ledger.close()


@pytest.fixture
async def behind(relay: tuple[LosingRelay, str], driver: LedgerDriver) -> AsyncIterator[Ledger]:
    """The worker's own ledger, through the relay."""
    ledger = await open_ledger(relay[1], application_name="behind", lease_seconds=60)
    try:
        yield ledger
    finally:
        await ledger.close()


async def insert(conn: Connection) -> str:
    await conn.execute("INSERT INTO carbon.units VALUES ('local', 'a', 'a', 'A', 0)")
    return "inserted"


async def written_rows(driver: LedgerDriver) -> int:
    return len(await driver.rows("SELECT FROM carbon.units"))


def publishing(
    of: Claim,
    ledger: Ledger,
    write: Callable[[Connection], Awaitable[str]] = insert,
    tokens_read: Tokens | None = None,
) -> Awaitable[str]:
    return publish(of.run, ledger, [ENTRIES], write, tokens_read)


async def to_its_end(of: Claim, ledger: Ledger) -> None:
    """As a step's task, which a claim may stop."""
    await publishing(of, ledger)


async def test_a_publication_that_stands_may_have_written_whatever_comes_after(
    driver: LedgerDriver,
) -> None:
    own = claim("csv_ingest", TOKEN)
    assert await publishing(own, driver.ledger) == "inserted"
    assert own.held.written is Written.UNKNOWN
    assert await written_rows(driver) == 1


async def test_a_claim_that_the_fence_refuses_has_written_nothing(driver: LedgerDriver) -> None:
    async with driver.publication(TOKEN + 1):
        pass
    own = claim("csv_ingest", TOKEN)
    with pytest.raises(ClaimLost, match="a newer claim has written"):
        await publishing(own, driver.ledger)
    assert own.held.written is Written.NOTHING
    assert await written_rows(driver) == 0


async def test_a_claim_whose_input_moved_has_written_nothing(driver: LedgerDriver) -> None:
    own = claim("emission_recalc", TOKEN)
    with pytest.raises(InputMoved):
        await publishing(own, driver.ledger, tokens_read={ENTRIES: 5})
    assert own.held.written is Written.NOTHING


async def test_a_claim_whose_time_is_over_does_not_begin(driver: LedgerDriver) -> None:
    own = claim("csv_ingest", TOKEN, lease_seconds=0.0)
    with pytest.raises(ClaimLost):
        await publishing(own, driver.ledger)
    assert own.held.written is Written.NOTHING


async def test_a_write_that_fails_has_written_nothing(driver: LedgerDriver) -> None:
    async def fails(conn: Connection) -> str:
        await insert(conn)
        raise ZeroDivisionError

    own = claim("csv_ingest", TOKEN)
    with pytest.raises(ZeroDivisionError):
        await publishing(own, driver.ledger, fails)
    assert own.held.written is Written.NOTHING
    assert await written_rows(driver) == 0


async def test_a_write_that_is_cancelled_has_written_nothing(driver: LedgerDriver) -> None:
    writing = asyncio.Event()

    async def for_ever(conn: Connection) -> str:
        await insert(conn)
        writing.set()
        await asyncio.Event().wait()
        return ""

    own = claim("csv_ingest", TOKEN)
    task = asyncio.ensure_future(publishing(own, driver.ledger, for_ever))
    await writing.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert own.held.written is Written.NOTHING
    assert await written_rows(driver) == 0


async def test_a_commit_that_is_cancelled_on_its_way_stays_unknown(
    driver: LedgerDriver, behind: Ledger, relay: tuple[LosingRelay, str]
) -> None:
    relay[0].at_commit = AtCommit.HOLD
    own = claim("csv_ingest", TOKEN)
    task = asyncio.create_task(to_its_end(own, behind))
    await relay[0].came.wait()
    own.held.attach(task)
    own.held.stop(StopReason.CANCELLED)
    relay[0].let_arrive.set()
    # The driver may have lost its connection by the cancel, and hide the one behind the other.
    with pytest.raises((asyncio.CancelledError, JobCancelled)):
        await task
    assert own.held.written is Written.UNKNOWN
    assert await written_rows(driver) == 1


async def test_a_lost_answer_is_settled_by_the_fence_and_the_write_counts(
    driver: LedgerDriver, behind: Ledger, relay: tuple[LosingRelay, str]
) -> None:
    relay[0].at_commit = AtCommit.LOSE_ANSWER
    own = claim("csv_ingest", TOKEN)
    assert await publishing(own, behind) == "inserted"
    assert own.held.written is Written.UNKNOWN
    assert await written_rows(driver) == 1


async def test_a_lost_commit_is_settled_by_the_fence_and_nothing_was_written(
    driver: LedgerDriver, behind: Ledger, relay: tuple[LosingRelay, str]
) -> None:
    relay[0].at_commit = AtCommit.LOSE_REQUEST
    own = claim("csv_ingest", TOKEN)
    with pytest.raises(DatabaseUnavailable):
        await publishing(own, behind)
    assert own.held.written is Written.NOTHING
    assert await written_rows(driver) == 0


async def test_after_a_newer_claim_a_lost_commit_stays_unknown(
    driver: LedgerDriver, behind: Ledger, relay: tuple[LosingRelay, str]
) -> None:
    relay[0].at_commit = AtCommit.ARRIVE_LATE
    relay[0].refuses = True
    own = claim("csv_ingest", TOKEN)
    task = asyncio.ensure_future(publishing(own, behind))
    await relay[0].came.wait()
    relay[0].let_arrive.set()
    # Waits for the first one, which holds the fence until its commit arrives.
    async with driver.publication(TOKEN + 1):
        pass
    relay[0].refuses = False
    with pytest.raises(ClaimLost, match="a newer claim has written"):
        await task
    assert own.held.written is Written.UNKNOWN


async def test_a_lost_commit_is_asked_for_until_the_claims_time_is_over(
    driver: LedgerDriver, behind: Ledger, relay: tuple[LosingRelay, str]
) -> None:
    relay[0].at_commit = AtCommit.LOSE_ANSWER
    relay[0].refuses = True
    own = claim("csv_ingest", TOKEN, lease_seconds=1.0)
    with pytest.raises(ClaimLost, match="LEASE_OVER"):
        await publishing(own, behind)
    assert own.held.written is Written.UNKNOWN
    assert await written_rows(driver) == 1
