"""The connections of a ledger process are lent in turn, and who waits too long hears why."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import asyncpg
import pytest

from carbonline.postgres.turns import Turns
from carbonline.v1 import ledger_pb2, reference_pb2
from tests.worker_service.ledger_api.conftest import Client, as_caller, refused, until
from worker_service.ledger import pool
from worker_service.ledger_api.server import READS_MAX

# All but that of the check of health.
CONNECTIONS = pool.CONNECTIONS_PER_JOB * READS_MAX + pool.CONNECTIONS_BESIDE - 1
READS = 4 * CONNECTIONS


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tenants of the callers who have asked for a connection, in that order."""
    asked: list[str] = []
    take = Turns._take

    async def noted(turns: Turns, asker: str) -> None:
        asked.append(asker)
        await take(turns, asker)

    monkeypatch.setattr(Turns, "_take", noted)
    return asked


@asynccontextmanager
async def hidden_units(database_url: str) -> AsyncIterator[None]:
    """While it lasts, nobody can read the units."""
    conn = await asyncpg.connect(database_url)
    try:
        async with conn.transaction():
            await conn.execute("LOCK TABLE carbon.units IN ACCESS EXCLUSIVE MODE")
            yield
    finally:
        await conn.close()


async def test_the_reads_of_one_tenant_do_not_stand_before_the_read_of_another(
    book_client: Client, database_url: str, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    take = Turns._take

    async def lent(turns: Turns, asker: str) -> None:
        await take(turns, asker)
        order.append(asker)

    async def listed(whose: str) -> None:
        request = reference_pb2.ListUnitsRequest()
        await book_client.ledger.ListUnits(request, metadata=as_caller(whose))

    # In the order of their turns: which of them ends first is up to a busy machine.
    monkeypatch.setattr(Turns, "_take", lent)

    async with hidden_units(database_url):
        reading = [asyncio.ensure_future(listed("local")) for _ in range(READS)]
        await until(lambda: asked.count("local") == READS)
        reading.append(asyncio.ensure_future(listed("another")))
        await until(lambda: "another" in asked)
    await asyncio.gather(*reading)
    assert order.index("another") == CONNECTIONS


async def test_a_look_that_callers_share_is_in_the_turn_of_none_of_them(
    book_client: Client, database_url: str, asked: list[str]
) -> None:
    async with hidden_units(database_url):
        units = reference_pb2.ListUnitsRequest()
        reading = [asyncio.ensure_future(book_client.ledger.ListUnits(units)) for _ in range(READS)]
        await until(lambda: len(asked) == READS)
        totals = book_client.ledger.GetTotals(ledger_pb2.GetTotalsRequest(year=2024))
        await until(lambda: len(asked) > READS)
        # Else who asks for totals of another tenant would wait for all of these lists.
        assert asked == ["local"] * READS + [""]
    await asyncio.gather(totals, *reading)


async def test_a_read_that_waits_too_long_for_others_is_told_of_them(
    book_client: Client, database_url: str, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "WAIT_SECONDS", 0.05)
    request = reference_pb2.ListUnitsRequest()
    async with hidden_units(database_url):
        reading = [
            asyncio.ensure_future(book_client.ledger.ListUnits(request)) for _ in range(CONNECTIONS)
        ]
        await until(lambda: asked.count("local") == CONNECTIONS)
        error = await refused(book_client.ledger.ListUnits(request))
    assert (error.code, error.reason) == ("RESOURCE_EXHAUSTED", "TOO_MANY_READS")
    await asyncio.gather(*reading)


async def test_reads_that_hold_their_connections_are_not_taken_for_a_silent_database(
    database_url: str,
) -> None:
    ledger = await pool.open_ledger(
        database_url, application_name="test", jobs_max=READS_MAX, asker=lambda: "local"
    )
    async with asyncio.timeout(30), AsyncExitStack() as held:
        held.push_async_callback(ledger.close)
        for _ in range(CONNECTIONS):
            await held.enter_async_context(ledger.session())
        reading = asyncio.ensure_future(held.enter_async_context(ledger.session()))
        await ledger.ping()
        assert not reading.done()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
