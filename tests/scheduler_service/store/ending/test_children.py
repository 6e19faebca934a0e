"""What must follow a job follows, whether its worker has staged it or not."""

from itertools import product

import pytest

from scheduler_service.jobs.freshness import TypeTokens, is_seen
from scheduler_service.jobs.job_types import JOB_TYPES, follow_ups, follows_data_only
from scheduler_service.jobs.requests import FinishAnswer, Written
from scheduler_service.jobs.scope import Scope
from scheduler_service.jobs.states import JobResult
from scheduler_service.store.core.statements import Row, statement
from tests.scheduler_service.store.store_driver import (
    INGEST,
    PLANE,
    RECALC,
    TENANT,
    TRAIN,
    TRAVEL,
    YEAR,
    StoreDriver,
)

EARLIER = YEAR - 1
FACILITIES, USES, MICE = 6, 70, 71


class Place(Row):
    """What `unseen_types` answers."""

    __slots__ = ()
    place: int


def scope_of(name: str) -> Scope:
    """A scope of everything that the type needs."""
    needs = JOB_TYPES[name].needs
    return Scope(
        TENANT,
        TRAVEL if "module" in needs else None,
        PLANE if "data_entry_type" in needs else None,
        YEAR if "year" in needs else None,
        reference_kind="locations" if "reference_kind" in needs else None,
    )


async def ended(
    driver: StoreDriver, name: str, result: JobResult, written: Written | None
) -> FinishAnswer:
    """A run of this type that stages nothing."""
    await driver.submit(name, scope_of(name))
    return await driver.finish(await driver.claim(name), result, written)


async def with_data(
    driver: StoreDriver, year: int, module: int = TRAVEL, data_entry_type: int = PLANE
) -> None:
    """A year with entries, such as flights, and their totals."""
    submitted = await driver.submit("csv_ingest", Scope(TENANT, module, data_entry_type, year))
    for name in ("csv_ingest", "emission_recalc", "aggregation"):
        await driver.finish(await driver.claim(name), JobResult.SUCCESS, Written.UNKNOWN)
    assert await driver.status(submitted.pipeline_id) == "SUCCESS"


async def scopes_of(driver: StoreDriver, answer: FinishAnswer) -> set[tuple[str, Scope]]:
    """The jobs that an end has released, by type and scope."""
    jobs = [await driver.job(child.job_id) for child in answer.children]
    return {
        (job["job_type"], Scope(job["tenant"], job["module"], job["data_entry_type"], job["year"]))
        for job in jobs
    }


async def is_fresh(driver: StoreDriver, year: int) -> bool:
    """Whether the totals of the module have seen every change."""
    (state,), _ = await driver.store.module_states(TENANT, year)
    return all(is_seen(one.tokens, state.claim) for one in state.types)


@pytest.mark.parametrize("name", JOB_TYPES)
async def test_a_run_that_stages_nothing_is_followed_by_all_that_must_follow(
    driver: StoreDriver, name: str
) -> None:
    await driver.provision(EARLIER)
    await with_data(driver, YEAR)
    wanted = {
        (child, scope)
        for child, scope in follow_ups(name, scope_of(name), (EARLIER, YEAR))
        # Reference data and totals change only what has data.
        if not follows_data_only(name) or (scope.data_entry_type, scope.year) == (PLANE, YEAR)
    }
    answer = await ended(driver, name, JobResult.WARNING, Written.UNKNOWN)
    assert await scopes_of(driver, answer) == wanted
    assert all(one.child_key.startswith("follow_up:") for one in answer.children)


@pytest.mark.parametrize("name", JOB_TYPES)
async def test_a_run_that_changed_nothing_or_failed_is_followed_by_nothing(
    driver: StoreDriver, name: str
) -> None:
    await with_data(driver, YEAR)
    jobs = await driver.store.pool.fetchval("SELECT count(*) FROM scheduler.jobs")
    for result in (JobResult.SUCCESS, JobResult.ERROR):
        answer = await ended(driver, name, result, Written.NOTHING)
        assert answer.children == ()
    assert await driver.store.pool.fetchval("SELECT count(*) FROM scheduler.jobs") == jobs + 2


@pytest.mark.parametrize("lost", ["emission_recalc", "aggregation"])
async def test_a_run_that_changed_nothing_is_followed_where_totals_lack_an_earlier_change(
    driver: StoreDriver, lost: str
) -> None:
    await with_data(driver, YEAR)
    await ended(driver, "csv_ingest", JobResult.SUCCESS, Written.UNKNOWN)
    if lost == "aggregation":
        claim = await driver.claim("emission_recalc")
        await driver.finish(claim, JobResult.SUCCESS, Written.UNKNOWN)
    await driver.finish(await driver.claim(lost), JobResult.ERROR, Written.NOTHING)
    assert not await is_fresh(driver, YEAR)
    answer = await ended(driver, "csv_ingest", JobResult.SUCCESS, Written.NOTHING)
    assert await scopes_of(driver, answer) == {("emission_recalc", RECALC)}
    for name in ("emission_recalc", "aggregation"):
        await driver.finish(await driver.claim(name), JobResult.SUCCESS, Written.UNKNOWN)
    assert await is_fresh(driver, YEAR)
    answer = await ended(driver, "csv_ingest", JobResult.SUCCESS, Written.NOTHING)
    assert answer.children == ()


async def test_what_totals_lack_is_decided_alike_in_both_languages(driver: StoreDriver) -> None:
    tokens = [
        (TypeTokens(PLANE, changed, recalculated, over), summed)
        for changed, recalculated, over, summed in product((0, 1, 2), repeat=4)
    ]
    for number, (of_type, summed) in enumerate(tokens):
        await driver.store.pool.execute(
            "INSERT INTO scheduler.type_freshness VALUES ($1, $2, $3, $4, now(), $5, $6)",
            *(TENANT, PLANE, 1990 + number, *of_type[1:]),
        )
        if summed:
            await driver.store.pool.execute(
                "INSERT INTO scheduler.module_freshness VALUES ($1, $2, $3, $4, now())",
                *(TENANT, TRAVEL, 1990 + number, summed),
            )
    years = range(1990, 1990 + len(tokens))
    async with driver.store.pool.acquire() as conn:
        rows = await statement("unseen_types").rows(
            conn,
            Place,
            tenants=[TENANT for _ in years],
            types=[PLANE for _ in years],
            years=list(years),
            modules=[TRAVEL for _ in years],
            recalculations=["none" for _ in years],
            aggregations=["none" for _ in years],
        )
    unseen = [
        year
        for year, (of_type, summed) in zip(years, tokens, strict=True)
        if not is_seen(of_type, summed)
    ]
    assert sorted(years[row.place - 1] for row in rows) == unseen


async def test_what_is_sent_again_and_again_keeps_no_totals_from_becoming_fresh(
    driver: StoreDriver,
) -> None:
    await with_data(driver, YEAR)
    await ended(driver, "csv_ingest", JobResult.SUCCESS, Written.UNKNOWN)
    for name in ("emission_recalc", "aggregation"):
        # While the job waits, and while it runs.
        assert (
            await ended(driver, "csv_ingest", JobResult.SUCCESS, Written.NOTHING)
        ).children == ()
        claim = await driver.claim(name)
        assert (
            await ended(driver, "csv_ingest", JobResult.SUCCESS, Written.NOTHING)
        ).children == ()
        await driver.finish(claim, JobResult.SUCCESS, Written.UNKNOWN)
    assert await is_fresh(driver, YEAR)


@pytest.mark.parametrize("early", ["emission_recalc", "aggregation", "one that waits"])
async def test_a_job_that_has_read_too_early_keeps_no_repeated_upload_from_its_totals(
    driver: StoreDriver, early: str
) -> None:
    await with_data(driver, YEAR)
    await ended(driver, "csv_ingest", JobResult.SUCCESS, Written.UNKNOWN)
    running = await driver.claim("emission_recalc")
    if early != "emission_recalc":
        await driver.finish(running, JobResult.SUCCESS, Written.UNKNOWN)
        running = await driver.claim("aggregation")
    if early == "one that waits":
        await ended(driver, "emission_recalc", JobResult.SUCCESS, Written.UNKNOWN)
    upload = await driver.submit("csv_ingest", INGEST)
    await driver.finish(await driver.claim("csv_ingest"), JobResult.SUCCESS, Written.UNKNOWN)
    # Cancels the recalculation that would have seen the change.
    await driver.cancel(upload.pipeline_id)
    for expected in ({("emission_recalc", RECALC)}, set()):
        answer = await ended(driver, "csv_ingest", JobResult.SUCCESS, Written.NOTHING)
        assert await scopes_of(driver, answer) == expected
    await driver.finish(running, JobResult.SUCCESS, Written.UNKNOWN)
    while claims := await driver.claim_all("emission_recalc", "aggregation"):
        for claim in claims:
            await driver.finish(claim, JobResult.SUCCESS, Written.UNKNOWN)
    assert await is_fresh(driver, YEAR)


async def test_totals_are_fresh_in_the_end_though_no_worker_stages_anything(
    driver: StoreDriver,
) -> None:
    await with_data(driver, YEAR)
    assert await is_fresh(driver, YEAR)
    await ended(driver, "csv_ingest", JobResult.SUCCESS, Written.UNKNOWN)
    assert not await is_fresh(driver, YEAR)


async def test_what_was_staged_is_neither_doubled_nor_does_it_replace_the_rest(
    driver: StoreDriver,
) -> None:
    await driver.submit("csv_ingest", INGEST)
    claim = await driver.claim("csv_ingest")
    await driver.chain(claim, ("emission_recalc", PLANE))
    await driver.finish(claim, JobResult.SUCCESS, Written.UNKNOWN)
    assert [job["child_key"] for job in await driver.jobs_of("emission_recalc")] == [
        "emission_recalc:20"
    ]
    await driver.submit("csv_ingest", INGEST)
    claim = await driver.claim("csv_ingest")
    await driver.chain(claim, ("emission_recalc", TRAIN))
    await driver.finish(claim, JobResult.SUCCESS, Written.UNKNOWN)
    assert {job["data_entry_type"] for job in await driver.jobs_of("emission_recalc")} == {
        PLANE,
        TRAIN,
    }


async def test_a_follow_up_joins_and_serves_every_pipeline_of_its_parent(
    driver: StoreDriver,
) -> None:
    one, other = [await driver.submit("emission_recalc", RECALC) for _ in range(2)]
    claim = await driver.claim("emission_recalc")
    await driver.finish(claim, JobResult.SUCCESS, Written.UNKNOWN)
    assert await driver.status(other.pipeline_id) == "LIVE"
    await driver.finish(await driver.claim("aggregation"))
    for submitted in (one, other):
        assert await driver.status(submitted.pipeline_id) == "SUCCESS"


async def test_places_leave_locked_years_stale_where_they_have_data(driver: StoreDriver) -> None:
    await driver.provision(EARLIER)
    for year in (EARLIER, YEAR):
        await with_data(driver, year)
    await driver.store.lock_period(TENANT, EARLIER, "reported", "tester")
    answer = await ended(driver, "reference_ingest", JobResult.SUCCESS, Written.UNKNOWN)
    assert {(one.child_key, str(one.disposition)) for one in answer.children} == {
        (f"follow_up:emission_recalc:{PLANE}:{YEAR}", "CREATED"),
        (f"follow_up:emission_recalc:{PLANE}:{EARLIER}", "SKIPPED_LOCKED"),
    }
    assert not await is_fresh(driver, EARLIER)


async def test_new_totals_are_followed_by_the_uses_of_facilities_that_have_data(
    driver: StoreDriver,
) -> None:
    await driver.provision(EARLIER)
    await with_data(driver, YEAR)
    await with_data(driver, YEAR, FACILITIES, USES)
    await with_data(driver, EARLIER, FACILITIES, MICE)
    answer = await ended(driver, "aggregation", JobResult.SUCCESS, Written.UNKNOWN)
    assert await scopes_of(driver, answer) == {
        ("emission_recalc", Scope(TENANT, FACILITIES, USES, YEAR))
    }
    [_, facilities] = (await driver.store.module_states(TENANT, YEAR))[0]
    assert not any(is_seen(one.tokens, facilities.claim) for one in facilities.types)
    await driver.finish(await driver.claim("emission_recalc"), JobResult.SUCCESS, Written.UNKNOWN)
    last = await driver.finish(
        await driver.claim("aggregation"), JobResult.SUCCESS, Written.UNKNOWN
    )
    assert last.children == (), "the totals of facilities are in no facility's"


async def test_totals_of_which_no_factor_is_made_are_followed_by_nothing(
    driver: StoreDriver,
) -> None:
    await with_data(driver, YEAR)
    await with_data(driver, YEAR, FACILITIES, USES)
    answer = await ended(driver, "aggregation", JobResult.SUCCESS, Written.NOTHING)
    assert answer.children == ()


async def test_totals_that_ended_in_doubt_are_repaired_where_facilities_have_data(
    driver: StoreDriver,
) -> None:
    await with_data(driver, YEAR)
    count = "SELECT count(*) FROM scheduler.pipelines WHERE kind = 'repair'"
    await ended(driver, "aggregation", JobResult.ERROR, Written.UNKNOWN)
    assert await driver.store.pool.fetchval(count) == 0
    await with_data(driver, YEAR, FACILITIES, USES)
    await ended(driver, "aggregation", JobResult.ERROR, Written.UNKNOWN)
    assert await driver.store.pool.fetchval(count) == 1
    claim = await driver.claim("emission_recalc")
    assert claim.row.data_entry_type == USES
    # What the claim in doubt may still commit is closed first, or is seen.
    assert f"totals/{TRAVEL}/{YEAR}" in claim.close_through


async def test_places_of_many_years_are_followed_in_one_transaction(driver: StoreDriver) -> None:
    years = range(2000, 2016)
    for year in years:
        await driver.provision(year)
        await with_data(driver, year)
    answer = await ended(driver, "reference_ingest", JobResult.SUCCESS, Written.UNKNOWN)
    assert [child.disposition for child in answer.children] == ["CREATED"] * len(years)


@pytest.mark.parametrize("priority", [1, 5, 9])
async def test_a_held_child_is_written_again_only_when_it_becomes_more_urgent(
    driver: StoreDriver, priority: int
) -> None:
    buildings, types = 3, (30, 31, 32)
    await driver.submit("csv_ingest", Scope(TENANT, buildings, types[0], YEAR))
    ingest = await driver.claim("csv_ingest")
    await driver.chain(ingest, *(("emission_recalc", one) for one in types))
    await driver.finish(ingest)
    claims = await driver.claim_all("emission_recalc")
    await driver.store.pool.execute(
        "UPDATE scheduler.jobs SET priority = $1 WHERE job_id = $2", priority, claims[1].row.job_id
    )
    held = "SELECT CAST(xmin AS text), CAST(xmax AS text), priority FROM scheduler.held_children"
    rows = []
    for claim in claims:
        await driver.finish(claim, JobResult.SUCCESS, Written.UNKNOWN)
        rows.append(await driver.store.pool.fetchrow(held))
    first, second, last = rows
    assert (first == second) == (priority >= 5)
    assert last is None
    [total] = await driver.jobs_of("aggregation")
    assert total["priority"] == min(priority, 5)
