"""Each invariant is broken once by SQL, and named; a sound history has no findings."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from scheduler_service.jobs.invariants import INVARIANTS
from scheduler_service.jobs.requests import Written
from scheduler_service.jobs.scope import Scope
from scheduler_service.jobs.states import JobResult
from scheduler_service.store.verify import verify_history
from scheduler_service.store.verify.verify_history import NO_REQUEST, Place
from tests.scheduler_service.store.reads.random_states import RandomStates
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
from tests.scheduler_service.store.verify.history import history_of

# The schema refuses some of it by itself.
UNGUARDED = """
ALTER TABLE scheduler.jobs DROP CONSTRAINT IF EXISTS attempts_are_bounded;
ALTER TABLE scheduler.pipelines DROP CONSTRAINT IF EXISTS live_iff_something_is_live;
ALTER TABLE scheduler.pipelines DROP CONSTRAINT IF EXISTS finished_iff_not_live;
DROP INDEX IF EXISTS scheduler.one_claimable_or_running_job_per_exclusive_key;
DROP INDEX IF EXISTS scheduler.one_waiting_job_per_coalesce_key;
"""
OTHER_TRAINS = Scope(TENANT, TRAVEL, TRAIN, YEAR)


async def by_hand(driver: StoreDriver, statement: str, *values: object) -> None:
    """Change what the schema itself would not let anybody change."""
    await driver.store.pool.execute(UNGUARDED)
    await driver.store.pool.execute(statement, *values)


async def second_claim(driver: StoreDriver) -> None:
    await driver.submit("noop", Scope(TENANT))
    await driver.claim("noop")
    await by_hand(
        driver,
        "INSERT INTO scheduler.claims (claim_token, job_id, worker_id, principal, lease_until)"
        " SELECT nextval('scheduler.tokens'), job_id, worker_id, principal, lease_until"
        " FROM scheduler.claims",
    )


async def lost_claim(driver: StoreDriver) -> None:
    await driver.submit("noop", Scope(TENANT))
    await driver.claim("noop")
    await by_hand(driver, "DELETE FROM scheduler.claims")


async def older_token(driver: StoreDriver) -> None:
    for _ in range(2):
        await driver.submit("csv_ingest", INGEST)
        await driver.finish(await driver.claim("csv_ingest"))
    await by_hand(
        driver,
        "UPDATE scheduler.jobs SET key_number = 5 - key_number WHERE job_type = 'csv_ingest'",
    )


async def foreign_finish(driver: StoreDriver) -> None:
    await driver.submit("noop", Scope(TENANT))
    await driver.finish(await driver.claim("noop"))
    await by_hand(
        driver,
        "UPDATE scheduler.jobs SET finished_by_token = finished_by_token + 1"
        " WHERE job_type = 'noop'",
    )


async def event_after_the_end(driver: StoreDriver) -> None:
    job = await driver.submit("noop", Scope(TENANT))
    await driver.finish(await driver.claim("noop"))
    await by_hand(
        driver,
        "INSERT INTO scheduler.job_events (tenant, pipeline_id, job_id, event, at)"
        " SELECT tenant, pipeline_id, job_id, 'expired', finished_at + interval '2 minutes'"
        " FROM scheduler.jobs WHERE job_id = $1",
        job.job_id,
    )


async def forgotten_job(driver: StoreDriver) -> None:
    await driver.submit("noop", Scope(TENANT))
    await by_hand(driver, "UPDATE scheduler.jobs SET state = 'NOT_STARTED' WHERE job_type = 'noop'")


async def forgotten_lease(driver: StoreDriver) -> None:
    await driver.submit("noop", Scope(TENANT))
    await driver.claim("noop")
    await by_hand(
        driver, "UPDATE scheduler.claims SET lease_until = lease_until - interval '5 minutes'"
    )


async def with_child(driver: StoreDriver) -> None:
    await driver.submit("csv_ingest", INGEST)
    claim = await driver.claim("csv_ingest")
    await driver.chain(claim, ("emission_recalc", PLANE))
    await driver.finish(claim)


async def early_child(driver: StoreDriver) -> None:
    await with_child(driver)
    await by_hand(
        driver,
        "UPDATE scheduler.jobs SET created_at = created_at - interval '1 hour'"
        " WHERE job_type = 'emission_recalc'",
    )


async def child_of_a_failure(driver: StoreDriver) -> None:
    await with_child(driver)
    await by_hand(
        driver,
        "UPDATE scheduler.jobs SET result = 'ERROR', error_cause = 'x'"
        " WHERE job_type = 'csv_ingest'",
    )


async def child_left_staged(driver: StoreDriver) -> None:
    await with_child(driver)
    await by_hand(
        driver,
        "INSERT INTO scheduler.staged_children (parent_job_id, claim_token, child_key, job_type)"
        " SELECT job_id, last_token, 'c', 'noop' FROM scheduler.jobs WHERE job_type = 'csv_ingest'",
    )


async def two_recalculations(driver: StoreDriver) -> None:
    """One is over and has chained the aggregation, which waits for the other."""
    await driver.submit("csv_ingest", INGEST)
    claim = await driver.claim("csv_ingest")
    await driver.chain(claim, ("emission_recalc", PLANE), ("emission_recalc", TRAIN))
    await driver.finish(claim)
    first = await driver.claim("emission_recalc")
    await driver.chain(first, ("aggregation", None))
    await driver.finish(first)


async def child_that_waits_for_nothing(driver: StoreDriver) -> None:
    await two_recalculations(driver)
    await by_hand(driver, "UPDATE scheduler.held_children SET year = 2023")


async def child_let_go_too_early(driver: StoreDriver) -> None:
    await two_recalculations(driver)
    await driver.finish(await driver.claim("emission_recalc"))
    await by_hand(
        driver,
        "UPDATE scheduler.jobs SET finished_at = finished_at + interval '1 hour'"
        " WHERE job_id = (SELECT max(job_id) FROM scheduler.jobs"
        " WHERE job_type = 'emission_recalc')",
    )


async def out_of_turn(driver: StoreDriver) -> None:
    for _ in range(2):
        await driver.submit("csv_ingest", INGEST)
    await by_hand(
        driver, "UPDATE scheduler.jobs SET state = 'QUEUED' WHERE job_type = 'csv_ingest'"
    )


async def two_that_wait_for_the_same(driver: StoreDriver) -> None:
    for scope in (RECALC, OTHER_TRAINS):
        await driver.submit("emission_recalc", scope)
    await by_hand(
        driver, "UPDATE scheduler.jobs SET coalesce_key = 'same' WHERE job_type = 'emission_recalc'"
    )


async def version_behind(driver: StoreDriver) -> None:
    await driver.submit("noop", Scope(TENANT))
    await by_hand(driver, "UPDATE scheduler.jobs SET changed_version = 7 WHERE job_type = 'noop'")


async def link_behind(driver: StoreDriver) -> None:
    for _ in range(2):
        await driver.submit("emission_recalc", RECALC)
    await by_hand(driver, "UPDATE scheduler.job_links SET changed_version = 9")


async def wrong_counter(driver: StoreDriver) -> None:
    await driver.submit("noop", Scope(TENANT))
    await by_hand(driver, "UPDATE scheduler.pipelines SET live_jobs = 2")


async def wrong_count_of_finished_jobs(driver: StoreDriver) -> None:
    await driver.submit("noop", Scope(TENANT))
    await driver.finish(await driver.claim("noop"))
    await by_hand(driver, "UPDATE scheduler.pipelines SET finished_jobs = 2")


async def ended_with_a_joined_job(driver: StoreDriver) -> None:
    for _ in range(2):
        await driver.submit("emission_recalc", RECALC)
    await by_hand(
        driver,
        "UPDATE scheduler.pipelines SET live_jobs = 0, status = 'SUCCESS'"
        " WHERE pipeline_id = (SELECT pipeline_id FROM scheduler.job_links)",
    )


async def wrong_status(driver: StoreDriver) -> None:
    await driver.submit("noop", Scope(TENANT))
    await driver.finish(await driver.claim("noop"), JobResult.ERROR)
    await by_hand(driver, "UPDATE scheduler.pipelines SET status = 'SUCCESS'")


async def too_many_attempts(driver: StoreDriver) -> None:
    await driver.submit("noop", Scope(TENANT))
    await by_hand(driver, "UPDATE scheduler.jobs SET attempts = 6 WHERE job_type = 'noop'")


async def in_doubt(driver: StoreDriver) -> None:
    await driver.submit("csv_ingest", INGEST)
    await driver.finish(await driver.claim("csv_ingest"), JobResult.ERROR, Written.UNKNOWN)


async def doubt_without_repair(driver: StoreDriver) -> None:
    await in_doubt(driver)
    await by_hand(driver, "DELETE FROM scheduler.job_events WHERE event = 'repair'")


async def doubt_that_nobody_closes(driver: StoreDriver) -> None:
    await in_doubt(driver)
    await by_hand(driver, "UPDATE scheduler.ledger_scopes_in_doubt SET close_through = 1")


async def answer_that_is_gone(driver: StoreDriver) -> None:
    await by_hand(driver, "UPDATE scheduler.submit_requests SET pipeline_id = 999")


Break = Callable[[StoreDriver], Awaitable[None]]
BROKEN: tuple[tuple[int, Break], ...] = (
    (1, second_claim),
    (1, lost_claim),
    (1, older_token),
    (2, foreign_finish),
    (2, event_after_the_end),
    (3, forgotten_job),
    (3, forgotten_lease),
    (4, early_child),
    (4, child_of_a_failure),
    (4, child_left_staged),
    (5, child_that_waits_for_nothing),
    (5, child_let_go_too_early),
    (6, out_of_turn),
    (6, two_that_wait_for_the_same),
    (7, version_behind),
    (7, link_behind),
    (8, wrong_counter),
    (8, wrong_count_of_finished_jobs),
    (8, ended_with_a_joined_job),
    (8, wrong_status),
    (9, too_many_attempts),
    (10, doubt_without_repair),
    (10, doubt_that_nobody_closes),
    (11, answer_that_is_gone),
)


@pytest.mark.parametrize(
    ("invariant", "breaking"), BROKEN, ids=[breaking.__name__ for _, breaking in BROKEN]
)
async def test_what_breaks_an_invariant_is_named(
    unsound: StoreDriver, invariant: int, breaking: Break, monkeypatch: pytest.MonkeyPatch
) -> None:
    await unsound.provision()
    assert await history_of(unsound.store) == []
    await breaking(unsound)
    found = await history_of(unsound.store)
    assert invariant in {finding.invariant for finding in found}
    # The same in parts of one job each, and each on one page.
    monkeypatch.setattr(verify_history, "JOBS_MAX", 1)
    assert sorted(await history_of(unsound.store)) == sorted(found)


def test_each_invariant_is_broken_once() -> None:
    assert {invariant for invariant, _ in BROKEN} == set(INVARIANTS)


async def test_a_sound_history_has_no_findings_on_pages_of_any_size(driver: StoreDriver) -> None:
    states = RandomStates(driver, 99)
    for _ in range(40):
        await states.step()
    await driver.store.promote_due_jobs()
    assert await history_of(driver.store, 1) == []
    assert await history_of(driver.store, 3) == []


async def test_a_page_says_up_to_where_everything_has_ended(driver: StoreDriver) -> None:
    ended = await driver.submit("noop", Scope(TENANT))
    await driver.finish(await driver.claim("noop"))
    live = await driver.submit("noop", Scope(TENANT))
    await driver.submit("unit_sync", Scope(TENANT, year=YEAR))
    page = await driver.store.verify_pipelines(TENANT, Place(0), 100, with_claims=True)
    assert (page.count, page.last, page.has_live) == (4, None, True)
    assert page.ended_through == ended.pipeline_id
    behind = Place(live.pipeline_id)
    rest = await driver.store.verify_pipelines(TENANT, behind, 1, with_claims=True)
    assert (rest.count, rest.ended_through) == (1, live.pipeline_id)


async def test_a_pipeline_of_many_jobs_counts_on_the_page_that_has_its_last_one(
    driver: StoreDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify_history, "JOBS_MAX", 2)
    await with_child(driver)
    await two_recalculations(driver)
    pipelines = await driver.store.pool.fetch(
        "SELECT p.pipeline_id, ARRAY(SELECT j.job_id FROM scheduler.jobs AS j"
        " WHERE j.pipeline_id = p.pipeline_id ORDER BY job_id) AS jobs"
        " FROM scheduler.pipelines AS p ORDER BY pipeline_id"
    )
    (year, _), (first, of_first), (second, of_second) = pipelines
    assert (len(of_first), len(of_second)) == (3, 2)
    pages: list[tuple[Place | UUID | None, int, int, bool]] = []
    place: Place | UUID | None = Place(0)
    while isinstance(place, Place):
        page = await driver.store.verify_pipelines(TENANT, place, 100, with_claims=False)
        assert page.findings == []
        pages.append((page.last, page.count, page.ended_through, page.has_live))
        place = page.last
    assert pages == [
        (Place(year), 1, year, False),
        (Place(first, of_first[1]), 0, year, False),
        (Place(first), 1, year, True),
        (Place(second, of_second[1]), 0, first, False),
        (None, 1, first, True),
    ]


async def test_another_tenants_history_is_not_looked_at(unsound: StoreDriver) -> None:
    await answer_that_is_gone(unsound)
    page = await unsound.store.verify_requests("another", NO_REQUEST, 100)
    assert (page.count, page.findings) == (0, [])


async def test_a_job_of_another_release_does_not_stop_the_check(unsound: StoreDriver) -> None:
    await unsound.provision()
    await in_doubt(unsound)
    await by_hand(
        unsound, "UPDATE scheduler.jobs SET job_type = 'newer' WHERE job_type = 'csv_ingest'"
    )
    assert await history_of(unsound.store) == []
    await by_hand(unsound, "UPDATE scheduler.pipelines SET live_jobs = 2")
    assert 8 in {finding.invariant for finding in await history_of(unsound.store)}
