"""A paused type is not claimed in its tenant; everything else goes on."""

import asyncio
from dataclasses import replace
from uuid import uuid4

from scheduler_service.jobs.requests import ClaimRequest
from scheduler_service.jobs.scope import Scope
from scheduler_service.store.store import Store
from tests.scheduler_service.store.conftest import LEASE_SECONDS
from tests.scheduler_service.store.store_driver import INGEST, TENANT, TENANTS, StoreDriver

CLAIM_REQUEST = ClaimRequest(uuid4(), uuid4(), ("noop",), 10, "local", TENANTS, "test", "here")

COUNTED_NEXT_STAMP = """
CREATE SEQUENCE looks;
CREATE OR REPLACE FUNCTION scheduler.next_stamp(
    takers uuid[], of_type text, of_priority smallint
) RETURNS bigint LANGUAGE sql AS $$ SELECT nextval('looks') $$
"""


async def claimed(store: Store, *tenants: str) -> list[str]:
    """The tenants whose jobs a claim for these tenants (without any: for all) gets."""
    claim_request = replace(CLAIM_REQUEST, request_id=uuid4(), tenants=tenants or TENANTS)
    return sorted(claim.row.tenant for claim in await store.claim_jobs(claim_request))


async def test_a_paused_type_is_not_claimed_before_it_is_resumed(driver: StoreDriver) -> None:
    await driver.submit("csv_ingest", INGEST)
    await driver.submit("noop", Scope(TENANT))
    (pause,) = await driver.store.pause_job_type((TENANT,), "csv_ingest", "disk full", "ann")
    assert (pause.paused_by, pause.reason, pause.resumed_at) == ("ann", "disk full", None)
    # Other types go on, also beside it in one call.
    (claim,) = await driver.claim_all("csv_ingest", "noop")
    assert claim.row.job_type == "noop"
    (resumed,) = await driver.store.resume_job_type((TENANT,), "csv_ingest", "bob")
    assert (resumed.paused_by, resumed.resumed_by) == ("ann", "bob")
    assert len(await driver.claim_all("csv_ingest")) == 1


async def test_claims_that_wait_for_a_type_are_woken_by_its_resume(driver: StoreDriver) -> None:
    heard: list[object] = []
    driver.store.notifier.on_hint = lambda types, _: heard.append(types)
    await driver.store.resume_job_type((TENANT,), "noop", "ann")
    assert heard == []
    await driver.store.pause_job_type((TENANT,), "noop", "", "ann")
    await driver.store.resume_job_type((TENANT,), "noop", "ann")
    assert heard == [{"noop"}]


async def test_a_pause_is_of_its_tenant_alone(driver: StoreDriver) -> None:
    for tenant in (TENANT, "other"):
        await driver.submit("noop", Scope(tenant))
    await driver.store.pause_job_type((TENANT,), "noop", "", "ann")
    assert await claimed(driver.store, TENANT) == []
    assert await claimed(driver.store, TENANT, "other") == ["other"]


async def test_a_type_is_paused_in_all_tenants_of_a_caller(driver: StoreDriver) -> None:
    tenants = ("other", TENANT)
    for tenant in tenants:
        await driver.submit("noop", Scope(tenant))
    assert len(await driver.store.pause_job_type(tenants, "noop", "", "ann")) == 2
    assert await claimed(driver.store) == await claimed(driver.store, *tenants) == []
    await driver.store.resume_job_type(tenants, "noop", "ann")
    assert await claimed(driver.store) == sorted(tenants)


async def test_a_job_that_runs_goes_on_and_waits_if_it_comes_back(driver: StoreDriver) -> None:
    submitted = await driver.submit("csv_ingest", INGEST)
    claim = await driver.claim("csv_ingest")
    await driver.store.pause_job_type((TENANT,), "csv_ingest", "", "ann")
    assert (await driver.beat(claim)).lease_seconds_left > 0
    await driver.release(claim)
    assert await driver.state(submitted.job_id) == "QUEUED"
    assert await driver.claim_all("csv_ingest") == []


async def test_a_claim_that_is_repeated_under_a_pause_gets_what_it_holds(
    driver: StoreDriver,
) -> None:
    await driver.submit("noop", Scope(TENANT))
    request_id = uuid4()
    (claim,) = await driver.claim_all("noop", request_id=request_id)
    await driver.store.pause_job_type((TENANT,), "noop", "", "ann")
    (again,) = await driver.claim_all("noop", request_id=request_id)
    assert again.claim_token == claim.claim_token


async def test_a_pause_outlives_every_scheduler(driver: StoreDriver, database_url: str) -> None:
    await driver.submit("noop", Scope(TENANT))
    await driver.store.pause_job_type((TENANT,), "noop", "", "ann")
    restarted = await Store.open(database_url, lease_seconds=LEASE_SECONDS, sweep_seconds=5.0)
    try:
        assert await claimed(restarted) == []
        assert len((await restarted.list_pauses(TENANT, include_resumed=False)).pauses) == 1
    finally:
        await restarted.close()


async def test_a_repeated_pause_answers_the_first_and_a_repeated_resume_nothing(
    driver: StoreDriver,
) -> None:
    store = driver.store
    first = await store.pause_job_type((TENANT,), "noop", "why", "ann")
    assert await store.pause_job_type((TENANT,), "noop", "another reason", "bob") == first
    assert len(await store.resume_job_type((TENANT,), "noop", "bob")) == 1
    assert await store.resume_job_type((TENANT,), "noop", "bob") == []


async def test_who_paused_when_and_why_is_kept(driver: StoreDriver) -> None:
    store = driver.store
    for reason in ("first", "second"):
        await store.pause_job_type((TENANT,), "noop", reason, "ann")
        await store.resume_job_type((TENANT,), "noop", "bob")
    await store.pause_job_type((TENANT,), "csv_ingest", "third", "ann")
    lasting = (await store.list_pauses(TENANT, include_resumed=False)).pauses
    every = (await store.list_pauses(TENANT, include_resumed=True)).pauses
    assert [pause.reason for pause in lasting] == ["third"]
    assert [pause.reason for pause in every] == ["third", "second", "first"]
    assert [pause.resumed_by for pause in every] == [None, "bob", "bob"]
    assert (await store.list_pauses("other", include_resumed=True)).pauses == []


async def test_pauses_come_in_pages_however_many_are_over(driver: StoreDriver) -> None:
    store = driver.store
    for reason in ("first", "second", "third"):
        await store.pause_job_type((TENANT,), "noop", reason, "ann")
        await store.resume_job_type((TENANT,), "noop", "bob")
    first = await store.list_pauses(TENANT, None, 2, include_resumed=True)
    assert [pause.reason for pause in first.pauses] == ["third", "second"]
    assert first.before_pause_id is not None
    last = await store.list_pauses(TENANT, first.before_pause_id, 2, include_resumed=True)
    assert [pause.reason for pause in last.pauses] == ["first"]
    assert last.before_pause_id is None


async def test_of_two_pauses_at_once_one_stands_for_both(driver: StoreDriver) -> None:
    tenants = ("a", "b", "c")
    for _ in range(10):
        answers = await asyncio.gather(
            *(
                driver.store.pause_job_type(order, "noop", name, name)
                for order, name in ((tenants, "ann"), (tenants[::-1], "bob"))
            )
        )
        assert answers[0] == answers[1]
        ended = await asyncio.gather(
            *(driver.store.resume_job_type(order, "noop", "eve") for order in (tenants, tenants))
        )
        assert sorted(map(len, ended)) == [0, 3]


async def test_thousands_of_tenants_are_resumed_in_one_call(driver: StoreDriver) -> None:
    tenants = [TENANT, *(f"tenant-{number}" for number in range(40))]
    worker = driver.another()
    worker.tenants = tuple(tenants)
    await worker.claim_all("noop", max_jobs=1)
    await driver.store.pause_job_type(tenants, "noop", "maintenance", "ann")
    asked = [driver.submission("noop", Scope(tenant)) for tenant in tenants]
    await driver.submit_jobs(asked)
    await driver.store.pool.execute(COUNTED_NEXT_STAMP)
    assert len(await driver.store.resume_job_type(tenants, "noop", "ann")) == len(tenants)
    # Who is next is looked up once for all that the same workers claim, since it reads many queues.
    assert await driver.store.pool.fetchval("SELECT nextval('looks')") == 2
