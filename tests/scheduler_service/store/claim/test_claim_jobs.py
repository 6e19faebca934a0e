"""Claims that come at once share statements, and each gets what it would get alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import UUID, uuid4

import asyncpg
import pytest

from scheduler_service.jobs.requests import ClaimRequest
from scheduler_service.jobs.scope import Scope
from scheduler_service.store.claim.claim_jobs import ANSWER_BYTES_MAX, claim_jobs
from scheduler_service.store.claim.seen_workers import SeenWorkers
from scheduler_service.store.core.claimed import Claimed
from scheduler_service.store.core.observer import Observer
from scheduler_service.store.store import Store
from tests.scheduler_service.store.store_driver import INGEST, TENANT, TENANTS, StoreDriver


def asking(max_jobs: int = 1, *job_types: str) -> ClaimRequest:
    return ClaimRequest(
        uuid4(), uuid4(), job_types or ("noop",), max_jobs, "local", TENANTS, "test", "here"
    )


async def claim(store: Store, *requests: ClaimRequest) -> list[list[Claimed]]:
    return await asyncio.gather(*(store.claim_jobs(one) for one in requests))


async def submit(
    driver: StoreDriver, count: int, tenant: str = TENANT, **fields: object
) -> list[int]:
    submitted = [await driver.submit("noop", Scope(tenant), **fields) for _ in range(count)]
    return [one.job_id for one in submitted]


def ids(claims: list[Claimed]) -> list[int]:
    return [one.row.job_id for one in claims]


class Turns(Observer):
    """Hears how many calls share a turn."""

    def __init__(self) -> None:
        self.claims: list[int] = []

    def gathered(self, operation: str, calls: int) -> None:
        """Of Claim only."""
        if operation == "claim":
            self.claims.append(calls)


@pytest.fixture
def sizes(driver: StoreDriver, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many calls of Claim shared a turn, turn by turn."""
    observer = Turns()
    monkeypatch.setattr(driver.store, "_observer", observer)
    return observer.claims


async def test_claims_that_come_at_once_share_a_statement_and_no_job(
    driver: StoreDriver, sizes: list[int]
) -> None:
    jobs = await submit(driver, 30)
    found = await claim(driver.store, *(asking(2) for _ in range(20)))
    assert sizes == [20]
    assert sorted(job for claims in found for job in ids(claims)) == jobs
    assert all(len(claims) <= 2 for claims in found)


async def test_whoever_asks_first_gets_the_best(driver: StoreDriver) -> None:
    ordinary, urgent = await submit(driver, 3), await submit(driver, 2, priority=0)
    one, two, three = await claim(driver.store, asking(2), asking(2), asking(9))
    assert (ids(one), ids(two), ids(three)) == (urgent, ordinary[:2], ordinary[2:])


async def test_each_gets_its_own_types_and_tenants_only(driver: StoreDriver) -> None:
    mine, theirs = await submit(driver, 2), await submit(driver, 2, "other")
    ingest = await driver.submit("csv_ingest", INGEST)
    everything = asking(9, "noop", "csv_ingest")
    other, files, nothing, rest = await claim(
        driver.store,
        replace(asking(9), tenants=("other",)),
        asking(9, "csv_ingest"),
        replace(asking(9), tenants=("third",)),
        everything,
    )
    assert ids(other) == theirs
    assert ids(files) == [ingest.job_id]
    assert nothing == []
    assert ids(rest) == mine


async def test_a_repeat_beside_its_first_call_gets_the_same(driver: StoreDriver) -> None:
    await submit(driver, 6)
    asked = asking(2)
    first, again, other = await claim(driver.store, asked, asked, asking(9))
    assert len(first) == 2
    assert [c.claim_token for c in first] == [c.claim_token for c in again]
    assert not set(ids(first)) & set(ids(other))


async def test_a_request_of_another_principal_with_the_same_numbers_gets_nothing_of_it(
    driver: StoreDriver,
) -> None:
    await submit(driver, 4)
    asked = asking(2)
    first, stranger = await claim(driver.store, asked, replace(asked, principal="stranger"))
    assert len(first) == 2
    assert stranger == []


@asynccontextmanager
async def another_process(driver: StoreDriver, database_url: str) -> AsyncIterator[Store]:
    store = await Store.open(
        database_url, lease_seconds=driver.store.lease_seconds, sweep_seconds=1
    )
    try:
        yield store
    finally:
        await store.close()


async def test_the_same_requests_at_two_schedulers_at_once_take_jobs_once(
    driver: StoreDriver, database_url: str
) -> None:
    jobs = await submit(driver, 40)
    requests = [asking(2) for _ in range(20)]
    async with another_process(driver, database_url) as other:
        here, there = await asyncio.gather(
            claim(driver.store, *requests), claim(other, *reversed(requests))
        )
        again = await claim(other, *requests)
    tokens: dict[UUID, set[int]] = {}
    asked = [*requests, *reversed(requests), *requests]
    for one, claims in zip(asked, [*here, *there, *again], strict=True):
        tokens.setdefault(one.request_id, set()).update(c.claim_token for c in claims)
    assert {len(granted) for granted in tokens.values()} == {2}
    assert len(set().union(*tokens.values())) == len(jobs)


async def test_each_answer_has_its_own_bound_of_bytes(driver: StoreDriver) -> None:
    size = 64 * 1024
    fitting = ANSWER_BYTES_MAX // size
    await submit(driver, 2 * fitting + 4, payload={"text": "x" * (size - 64)})
    one, two = await claim(driver.store, asking(fitting + 20), asking(fitting + 20))
    assert fitting <= len(one) <= fitting + 1
    # What did not fit into the first is nobody's yet: the second has the places behind it.
    assert len(two) == fitting + 4 - 20


async def test_a_worker_whose_row_is_locked_holds_up_no_claim(
    driver: StoreDriver, database_url: str
) -> None:
    locked, other = asking(), asking()
    await claim(driver.store, locked)
    jobs = await submit(driver, 2)
    holder = await asyncpg.connect(database_url)
    async with holder.transaction():
        await holder.execute(
            "SELECT FROM scheduler.workers WHERE worker_id = $1 FOR NO KEY UPDATE",
            locked.worker_id,
        )
        async with driver.store.pool.acquire() as conn:
            await conn.execute("SET lock_timeout = '100ms'")
            again = replace(locked, request_id=uuid4())
            claims = await claim_jobs(conn, [again, other], 60.0, SeenWorkers())
            await conn.execute("RESET lock_timeout")
    await holder.close()
    assert sorted(ids(claims[0]) + ids(claims[1])) == jobs
