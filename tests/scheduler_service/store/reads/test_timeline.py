"""The timeline tells of every claim of a job: how it ended, its token, and the worker."""

from datetime import timedelta

from scheduler_service.jobs.requests import Refused, ReleaseReason, Written
from scheduler_service.jobs.states import JobResult
from scheduler_service.store.reads.rows import EventRow
from tests.scheduler_service.store.store_driver import INGEST, TENANT, StoreDriver

# No job pauses for longer.
PAUSE = timedelta(minutes=1)
# What happened, by which claim, of which worker.
Story = list[tuple[str, int | None, object]]


async def of_job(driver: StoreDriver, job_id: int) -> list[EventRow]:
    found = await driver.store.read_job(job_id, TENANT)
    assert not isinstance(found, Refused)
    return list(found.timeline)


async def of_pipeline(driver: StoreDriver, pipeline_id: int) -> list[EventRow]:
    found = await driver.store.read_pipeline(pipeline_id, TENANT, jobs_max=10)
    assert not isinstance(found, Refused)
    return list(found.timeline)


async def test_a_pipeline_that_has_more_jobs_than_are_shown_says_so(driver: StoreDriver) -> None:
    submitted = await driver.submit("csv_ingest", INGEST)
    claim = await driver.claim("csv_ingest")
    await driver.finish(claim, written=Written.UNKNOWN)
    for jobs_max, shown, has_more in ((1, 1, True), (2, 2, False)):
        found = await driver.store.read_pipeline(submitted.pipeline_id, TENANT, jobs_max=jobs_max)
        assert not isinstance(found, Refused)
        assert (len(found.jobs), found.has_more_jobs) == (shown, has_more)


def story_of(timeline: list[EventRow]) -> Story:
    return [(event.event, event.claim_token, event.worker_id) for event in timeline]


async def release(
    driver: StoreDriver, reason: ReleaseReason, job_id: int
) -> tuple[int, StoreDriver]:
    """Another worker claims the job and releases it: the claim's token, and the worker."""
    worker = driver.another()
    claim = await worker.claim("csv_ingest")
    assert claim.row.job_id == job_id
    assert await worker.release(claim, reason, delay_seconds=0.0)
    await driver.pass_time(PAUSE)
    await driver.store.promote_due_jobs()
    return claim.claim_token, worker


async def test_each_claim_is_told_with_its_worker(driver: StoreDriver) -> None:
    submitted = await driver.submit("csv_ingest", INGEST)
    job_id = submitted.job_id
    drained, first = await release(driver, ReleaseReason.DRAIN, job_id)
    unready, second = await release(driver, ReleaseReason.NOT_READY, job_id)
    third = driver.another()
    expired = await third.claim("csv_ingest")
    assert await driver.let_leases_expire() == 1
    fourth = driver.another()
    recovered = await fourth.claim("csv_ingest")
    await driver.recover(job_id, force=True)
    assert await fourth.release(recovered, ReleaseReason.CANCELLED)
    last = driver.another()
    claim = await last.claim("csv_ingest")

    story: Story = [
        ("created", None, None),
        ("started", drained, first.worker_id),
        ("released", drained, first.worker_id),
        ("started", unready, second.worker_id),
        ("not_ready", unready, second.worker_id),
        ("started", expired.claim_token, third.worker_id),
        ("in_doubt", expired.claim_token, third.worker_id),
        ("expired", expired.claim_token, third.worker_id),
        ("started", recovered.claim_token, fourth.worker_id),
        ("recovered", recovered.claim_token, fourth.worker_id),
        ("started", claim.claim_token, last.worker_id),
    ]
    assert story_of(await of_job(driver, job_id)) == story
    await last.finish(claim)
    story.append(("finished", claim.claim_token, last.worker_id))
    assert story_of(await of_job(driver, job_id)) == story
    shown = await of_pipeline(driver, submitted.pipeline_id)
    assert story_of([event for event in shown if event.job_id == job_id]) == story


async def test_a_cancel_is_told_of_the_job_with_its_author_and_the_worker_that_ran_it(
    driver: StoreDriver,
) -> None:
    submitted = await driver.submit("csv_ingest", INGEST)
    claim = await driver.claim("csv_ingest")
    await driver.cancel(submitted.pipeline_id)
    worker, token = driver.worker_id, claim.claim_token
    timeline = await of_job(driver, submitted.job_id)
    *before, finished = story_of(timeline)
    assert before[:2] == [("created", None, None), ("started", token, worker)]
    assert set(before[2:]) == {("draining", token, worker), ("cancelled", None, None)}
    # What ended the job comes before its end.
    assert finished == ("finished", None, None)
    (cancelled,) = [event for event in timeline if event.event == "cancelled"]
    assert cancelled.detail == "by tester: a test asks"
    assert story_of(await of_pipeline(driver, submitted.pipeline_id)) == story_of(timeline)


async def test_a_first_claim_has_its_worker_while_it_runs_and_when_it_has_finished(
    driver: StoreDriver,
) -> None:
    submitted = await driver.submit("csv_ingest", INGEST)
    claim = await driver.claim("csv_ingest")
    started = ("started", claim.claim_token, driver.worker_id)
    assert story_of(await of_job(driver, submitted.job_id))[1:] == [started]
    await driver.finish(claim)
    assert story_of(await of_job(driver, submitted.job_id))[1] == started


async def test_the_expiry_that_ends_a_job_comes_before_its_end(driver: StoreDriver) -> None:
    submitted = await driver.submit("noop", INGEST)
    tokens = []
    while claims := await driver.claim_all("noop", max_jobs=1):
        tokens.append(claims[0].claim_token)
        assert await driver.let_leases_expire() == 1
        await driver.pass_time(PAUSE)
        await driver.store.promote_due_jobs()
    told = [(what, token, driver.worker_id) for token in tokens for what in ("started", "expired")]
    for timeline in (
        await of_job(driver, submitted.job_id),
        await of_pipeline(driver, submitted.pipeline_id),
    ):
        assert story_of(timeline)[1:] == [*told, ("finished", None, None)]
        assert timeline[-1].detail == 'ERROR "gave up after 5 attempts: the last claim expired"'


async def test_a_repair_comes_after_the_end_that_makes_it(driver: StoreDriver) -> None:
    submitted = await driver.submit("csv_ingest", INGEST)
    end = driver.ending(await driver.claim("csv_ingest"), JobResult.ERROR, Written.UNKNOWN)
    await driver.finish_jobs([end])
    events = [event.event for event in await of_job(driver, submitted.job_id)]
    assert events[-3:] == ["in_doubt", "finished", "repair"]


async def test_the_words_of_a_worker_are_quoted_behind_the_result(driver: StoreDriver) -> None:
    ends = [
        (JobResult.ERROR, "Success", 'ERROR "Success"'),
        (JobResult.SUCCESS, "done", 'SUCCESS "done"'),
        (JobResult.SUCCESS, "", "SUCCESS"),
    ]
    for result, message, detail in ends:
        submitted = await driver.submit("csv_ingest", INGEST)
        end = driver.ending(await driver.claim("csv_ingest"), result, Written.NOTHING)
        await driver.finish_jobs([end._replace(message=message)])
        assert (await of_job(driver, submitted.job_id))[-1].detail == detail


async def test_of_an_event_that_an_older_release_recorded_nobody_is_named(
    driver: StoreDriver,
) -> None:
    submitted = await driver.submit("csv_ingest", INGEST)
    token, _ = await release(driver, ReleaseReason.DRAIN, submitted.job_id)
    await driver.store.pool.execute("UPDATE scheduler.job_events SET worker_id = NULL")
    assert story_of(await of_job(driver, submitted.job_id))[1:] == [
        ("started", token, None),
        ("released", token, None),
    ]
