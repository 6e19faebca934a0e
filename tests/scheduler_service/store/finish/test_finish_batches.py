"""Finishes that share a transaction: siblings, strangers, repeats, and a Chain on its way."""

import asyncio

import pytest

from scheduler_service.jobs.requests import ChildRequest, FinishAnswer, FinishOutcome
from scheduler_service.jobs.scope import Scope
from scheduler_service.jobs.states import JobResult
from scheduler_service.store.chain.chain_children import chain_children
from scheduler_service.store.core.claimed import Claimed
from scheduler_service.store.core.unit_of_work import UnitOfWork
from tests.scheduler_service.store.store_driver import (
    INGEST,
    TENANT,
    StoreDriver,
    a_statement_waits,
)

NOWHERE = Scope(TENANT)


def noops(count: int) -> list[ChildRequest]:
    return [ChildRequest(f"child-{n}", "noop", None, None, None, None) for n in range(count)]


async def chain(driver: StoreDriver, claim: Claimed, children: list[ChildRequest]) -> None:
    await driver.store.chain_children(
        driver.worker_id, "local", (TENANT,), claim.row.job_id, claim.claim_token, children
    )


async def fan_out(driver: StoreDriver, count: int) -> tuple[int, list[Claimed]]:
    """A pipeline whose root has so many children, all claimed."""
    submitted = await driver.submit("noop", NOWHERE)
    root = await driver.claim("noop")
    await chain(driver, root, noops(count))
    await driver.finish(root)
    return submitted.pipeline_id, await driver.claim_all("noop")


async def outcomes(driver: StoreDriver, *ends: tuple[Claimed, JobResult]) -> list[str]:
    answers = await driver.finish_jobs([driver.ending(claim, r) for claim, r in ends])
    return [str(a.outcome) if isinstance(a, FinishAnswer) else a.reason for a in answers]


async def test_siblings_that_end_together_are_one_change_of_their_pipeline(
    driver: StoreDriver,
) -> None:
    pipeline_id, children = await fan_out(driver, 5)
    before = await driver.pipeline(pipeline_id)
    results = [JobResult.SUCCESS, JobResult.WARNING, JobResult.ERROR, JobResult.SUCCESS]
    answers = await outcomes(driver, *zip(children[:4], results, strict=True))
    assert answers == ["APPLIED"] * 4
    after = await driver.pipeline(pipeline_id)
    assert after["version"] == before["version"] + 1
    assert (after["live_jobs"], after["failed_jobs"], after["warned_jobs"]) == (1, 1, 1)
    assert {(await driver.job(c.row.job_id))["changed_version"] for c in children[:4]} == {
        after["version"]
    }
    await driver.finish(children[4])
    assert await driver.status(pipeline_id) == "PARTIAL"


async def test_a_batch_may_mix_ends_without_needs_with_any_others(driver: StoreDriver) -> None:
    await driver.submit("csv_ingest", INGEST)
    ingest = await driver.claim("csv_ingest")
    pipeline_id, (one, two) = await fan_out(driver, 2)
    stranger = driver.another().ending(two)
    good = JobResult.SUCCESS
    answers = await driver.finish_jobs(
        [
            driver.ending(one),
            driver.ending(ingest),
            stranger,
            driver.ending(one),
            driver.ending(two, good),
        ]
    )
    assert [a.outcome for a in answers if isinstance(a, FinishAnswer)] == [
        FinishOutcome.APPLIED,
        FinishOutcome.APPLIED,
        # The stranger has the right token, and is told nothing all the same.
        FinishOutcome.STALE,
        FinishOutcome.ALREADY_APPLIED,
        FinishOutcome.APPLIED,
    ]
    assert await driver.status(pipeline_id) == "SUCCESS"


async def test_a_claim_named_twice_is_decided_by_its_first_ending(driver: StoreDriver) -> None:
    _, (one,) = await fan_out(driver, 1)
    answers = await outcomes(driver, (one, JobResult.WARNING), (one, JobResult.SUCCESS))
    assert answers == ["APPLIED", "CONFLICT"]
    assert await driver.state(one.row.job_id) == "FINISHED WARNING"
    assert await outcomes(driver, (one, JobResult.WARNING)) == ["ALREADY_APPLIED"]


async def test_an_expired_claim_is_refused_and_its_successor_decides(driver: StoreDriver) -> None:
    _, (late,) = await fan_out(driver, 1)
    await driver.let_leases_expire()
    assert await outcomes(driver, (late, JobResult.SUCCESS)) == ["STALE"]


@pytest.mark.usefixtures("long_waits")
async def test_children_chained_while_their_parent_ends_are_not_lost(driver: StoreDriver) -> None:
    """The Chain holds its job when the Finish looks for children, and commits only then."""
    submitted = await driver.submit("noop", NOWHERE)
    root = await driver.claim("noop")
    holds, may_commit = asyncio.Event(), asyncio.Event()

    async def chain_slowly(tx: UnitOfWork) -> None:
        job_id, token = root.row.job_id, root.claim_token
        await chain_children(
            tx, driver.worker_id, "local", job_id, token, noops(3), tenants=(TENANT,), limit=3
        )
        holds.set()
        await may_commit.wait()

    chaining = asyncio.create_task(driver.store._units.run(chain_slowly))
    await holds.wait()
    finishing = asyncio.create_task(driver.finish_jobs([driver.ending(root)]))
    await a_statement_waits(driver)
    may_commit.set()
    await chaining
    (answer,) = await finishing
    assert isinstance(answer, FinishAnswer)
    assert answer.outcome is FinishOutcome.APPLIED
    assert len(answer.children) == 3
    assert (await driver.pipeline(submitted.pipeline_id))["live_jobs"] == 3
