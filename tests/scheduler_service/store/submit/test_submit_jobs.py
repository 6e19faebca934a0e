"""Submits that share a statement: each is a pipeline with its root, once per request."""

import asyncio
from uuid import UUID, uuid4

from scheduler_service.jobs.requests import Disposition, Refused, Submission, Submitted
from scheduler_service.jobs.scope import Scope
from tests.scheduler_service.store.store_driver import INGEST, TENANT, YEAR, StoreDriver

NOWHERE = Scope(TENANT)
CREATED, REPLAYED = Disposition.CREATED, Disposition.REPLAYED


def noop(request_id: UUID | None = None, body_digest: bytes = b"body") -> Submission:
    return Submission(request_id or uuid4(), body_digest, "noop", NOWHERE, {"n": 1}, 3, "tester")


def keyed(job_type: str, scope: Scope) -> Submission:
    return Submission(uuid4(), b"body", job_type, scope, None, 5, "tester")


def dispositions(answers: list[Submitted | Refused]) -> list[str]:
    return [str(a.disposition) if isinstance(a, Submitted) else a.reason for a in answers]


def first_dispositions(answers: list[Submitted | Refused]) -> list[str]:
    return [str(a.first_disposition) for a in answers if isinstance(a, Submitted)]


def jobs_of(answers: list[Submitted | Refused]) -> list[tuple[int, int]]:
    return [(a.pipeline_id, a.job_id) for a in answers if isinstance(a, Submitted)]


async def test_a_root_without_needs_is_a_pipeline_as_any_other(driver: StoreDriver) -> None:
    (answer,) = await driver.submit_jobs([noop()])
    assert isinstance(answer, Submitted)
    pipeline, job = await driver.pipeline(answer.pipeline_id), await driver.job(answer.job_id)
    assert (pipeline["status"], pipeline["live_jobs"], pipeline["version"]) == ("LIVE", 1, 1)
    assert (pipeline["tenant"], pipeline["submitted_by"]) == (TENANT, "tester")
    assert (pipeline["kind"], pipeline["root_job_id"]) == ("noop", answer.job_id)
    assert (job["state"], job["priority"], job["changed_version"]) == ("QUEUED", 3, 1)
    claim = await driver.claim("noop")
    assert claim.row.payload == {"n": 1}
    await driver.finish(claim)
    assert await driver.status(answer.pipeline_id) == "SUCCESS"


async def test_a_batch_may_mix_roots_without_needs_with_any_others(driver: StoreDriver) -> None:
    first = noop()
    answers = await driver.submit_jobs(
        [
            first,
            keyed("csv_ingest", INGEST),
            keyed("csv_ingest", Scope(TENANT, 2, 20, YEAR + 50)),
            first,
            noop(first.request_id, b"other"),
            noop(),
        ]
    )
    assert dispositions(answers) == [
        "CREATED",
        "CREATED",
        "YEAR_NOT_PROVISIONED",
        "REPLAYED",
        "FIELD_INVALID",
        "CREATED",
    ]


async def test_of_a_request_that_a_batch_has_twice_the_first_counts(driver: StoreDriver) -> None:
    firsts = [noop() for _ in range(30)]
    seconds = [noop(first.request_id, b"other") for first in firsts]
    answers = await driver.submit_jobs([*firsts, *seconds])
    assert dispositions(answers) == ["CREATED"] * 30 + ["FIELD_INVALID"] * 30


async def test_a_request_that_comes_ten_times_at_once_makes_one_pipeline(
    driver: StoreDriver,
) -> None:
    request_id = uuid4()
    answers = await asyncio.gather(
        *(driver.submit("noop", NOWHERE, request_id=request_id) for _ in range(10))
    )
    assert len({(a.pipeline_id, a.job_id) for a in answers}) == 1
    assert sorted(a.disposition for a in answers) == [CREATED, *[REPLAYED] * 9]
    assert len(await driver.claim_all("noop")) == 1


async def test_two_batches_that_share_their_requests_make_each_once(driver: StoreDriver) -> None:
    shared = [noop() for _ in range(200)]
    batches = [shared, shared[::-1]]
    first, second = await asyncio.gather(*(driver.submit_jobs(batch) for batch in batches))
    said = dispositions(first) + dispositions(second)
    assert (said.count("CREATED"), said.count("REPLAYED")) == (200, 200)
    assert len(await driver.claim_all("noop", max_jobs=500)) == len(shared)


async def test_a_repeat_says_what_the_request_was_whatever_became_of_it_since(
    driver: StoreDriver,
) -> None:
    root = noop()
    upload, behind = keyed("csv_ingest", INGEST), keyed("csv_ingest", INGEST)
    recalc, *joiners = (keyed("emission_recalc", INGEST) for _ in range(3))
    late = keyed("emission_recalc", INGEST)
    asked = [root, upload, behind, recalc, *joiners, late]
    first = [
        *await driver.submit_jobs([root, upload, behind, recalc, *joiners]),
        *await driver.submit_jobs([late]),
    ]
    said = dispositions(first)
    assert said == ["CREATED", "CREATED", "QUEUED_BEHIND", "CREATED", *["JOINED"] * 3]
    assert first_dispositions(first) == said
    for ends in ((), ("csv_ingest", "emission_recalc")):
        for job_type in ends:
            # The upload behind moves up; the jobs that were joined are over.
            await driver.finish(await driver.claim(job_type))
        again = await driver.submit_jobs([*asked, root])
        assert dispositions(again) == ["REPLAYED"] * 8
        assert first_dispositions(again) == [*said, "CREATED"]
        assert jobs_of(again[:-1]) == jobs_of(first)


async def test_a_repeat_of_what_an_older_release_answered_does_not_guess(
    driver: StoreDriver,
) -> None:
    request = noop()
    await driver.submit_jobs([request])
    await driver.store.pool.execute("UPDATE scheduler.submit_requests SET disposition = NULL")
    again = await driver.submit_jobs([request])
    assert (dispositions(again), first_dispositions(again)) == (["REPLAYED"], ["None"])


async def test_what_is_only_validated_is_not_made(driver: StoreDriver) -> None:
    asked = await driver.ask("noop", NOWHERE, validate_only=True)
    assert isinstance(asked, Submitted)
    assert asked.pipeline_id == 0
    assert not await driver.claim_all("noop")


async def test_of_a_batch_that_shares_a_key_one_is_the_root_of_all(driver: StoreDriver) -> None:
    first, *others = await driver.submit_jobs([keyed("emission_recalc", INGEST) for _ in range(3)])
    assert isinstance(first, Submitted)
    assert first.disposition is CREATED
    for other in others:
        assert isinstance(other, Submitted)
        assert (other.disposition, other.job_id) == (Disposition.JOINED, first.job_id)
        assert (await driver.pipeline(other.pipeline_id))["root_job_id"] == first.job_id
    await driver.finish(await driver.claim("emission_recalc"))
    for answer in (first, *others):
        assert isinstance(answer, Submitted)
        assert await driver.status(answer.pipeline_id) == "SUCCESS"


async def test_of_a_batch_behind_one_key_the_first_is_claimable(driver: StoreDriver) -> None:
    answers = await driver.submit_jobs([keyed("csv_ingest", INGEST) for _ in range(3)])
    assert dispositions(answers) == ["CREATED", "QUEUED_BEHIND", "QUEUED_BEHIND"]
    for answer in answers:
        assert isinstance(answer, Submitted)
        claim = await driver.claim("csv_ingest")
        assert claim.row.job_id == answer.job_id
        await driver.finish(claim)
