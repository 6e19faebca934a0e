"""One line per transition worth it, with the names by which an operator looks for it."""

from collections.abc import MutableMapping
from typing import Any

import pytest

from carbonline.v1 import operations_pb2, scheduler_pb2, types_pb2
from tests.observability.conftest import Observed
from tests.scheduler_service.rpc.conftest import BLOB

DEBUG = 10
LOCAL = types_pb2.Scope(tenant="local")
INGEST = types_pb2.Scope(
    module=types_pb2.MODULE_PROFESSIONAL_TRAVEL,
    data_entry_type=types_pb2.DATA_ENTRY_TYPE_PLANE,
    year=2024,
)


async def release(observed: Observed, job: scheduler_pb2.ClaimedJob) -> None:
    released = await observed.client.scheduler.Release(
        scheduler_pb2.ReleaseRequest(
            worker_id=observed.client.worker_id,
            releases=[
                scheduler_pb2.ClaimRelease(
                    job_id=job.job.job_id,
                    claim_token=job.claim_token,
                    reason=scheduler_pb2.RELEASE_REASON_DRAIN,
                    written=types_pb2.WRITTEN_NOTHING,
                )
            ],
        )
    )
    assert list(released.released) == [True]


def names(line: MutableMapping[str, Any]) -> tuple[Any, ...]:
    return line["pipeline_id"], line["job_id"], line["claim_token"], line["tenant"]


async def test_a_submit_and_its_pipeline_s_end_are_said_at_info(observed: Observed) -> None:
    await observed.client.provision()
    (submitted,) = observed.log.of("submitted")
    assert submitted["level"] == "info"
    assert submitted["job_type"] == "unit_sync"
    assert (submitted["disposition"], submitted["tenant"]) == ("CREATED", "local")
    (ended,) = observed.log.of("pipeline_ended")
    assert ended["level"] == "info"
    assert (ended["pipeline_id"], ended["status"]) == (submitted["pipeline_id"], "SUCCESS")
    assert observed.log.of("finished") == []


@pytest.mark.parametrize("log_level", [DEBUG], indirect=True)
async def test_single_jobs_are_said_at_debug(observed: Observed) -> None:
    submitted = await observed.client.submit("noop", LOCAL)
    (job,) = await observed.client.claim("noop")
    await observed.client.finish(job)
    expected = (submitted.pipeline_id, job.job.job_id, job.claim_token, "local")
    for event in ("claimed", "finished"):
        (line,) = observed.log.of(event)
        assert line["level"] == "debug"
        assert names(line) == expected
    assert observed.log.of("finished")[0]["result"] == "SUCCESS"
    assert [line["level"] for line in observed.log.of("pipeline_ended")] == ["debug"]


async def test_a_flood_of_noops_says_nothing_at_info(observed: Observed) -> None:
    before = len(observed.log.lines)
    for _ in range(5):
        await observed.client.submit("noop", LOCAL)
    for job in await observed.client.claim("noop", max_jobs=5):
        await observed.client.finish(job)
    assert observed.log.lines[before:] == []


async def test_a_failed_job_is_said_before_its_pipeline_s_end(observed: Observed) -> None:
    await observed.client.provision()
    await observed.client.submit("csv_ingest", INGEST, {"blob": BLOB})
    (job,) = await observed.client.claim("csv_ingest")
    await observed.client.finish(job, types_pb2.JOB_RESULT_ERROR)
    (finished,) = observed.log.of("finished")
    assert names(finished)[1:] == (job.job.job_id, job.claim_token, "local")
    assert (finished["level"], finished["result"]) == ("info", "ERROR")
    assert observed.log.of("pipeline_ended")[-1]["status"] == "FAILED"


async def test_a_release_is_said(observed: Observed) -> None:
    submitted = await observed.client.submit("noop", LOCAL)
    (job,) = await observed.client.claim("noop")
    await release(observed, job)
    (line,) = observed.log.of("released")
    expected = (submitted.pipeline_id, job.job.job_id, job.claim_token, "local")
    assert (line["level"], names(line)) == ("info", expected)


async def test_a_cancel_is_said_with_its_reason(observed: Observed) -> None:
    submitted = await observed.client.submit("noop", LOCAL)
    await observed.client.operations.CancelPipeline(
        operations_pb2.CancelPipelineRequest(pipeline_id=submitted.pipeline_id, reason="enough")
    )
    (line,) = observed.log.of("cancelled")
    assert (line["pipeline_id"], line["tenant"], line["detail"]) == (
        submitted.pipeline_id,
        "local",
        "by local: enough",
    )
    (ended,) = observed.log.of("pipeline_ended")
    assert ended["status"] == "CANCELLED"


async def test_a_cancel_says_in_one_line_how_many_claims_drain(observed: Observed) -> None:
    submitted = await observed.client.submit("noop", LOCAL)
    (root,) = await observed.client.claim("noop")
    chain = scheduler_pb2.ChainRequest(
        worker_id=observed.client.worker_id, job_id=root.job.job_id, claim_token=root.claim_token
    )
    for number in range(3):
        chain.children.add(child_key=f"{number}", job_type="noop")
    await observed.client.scheduler.Chain(chain)
    await observed.client.finish(root)
    assert len(await observed.client.claim("noop", max_jobs=3)) == 3
    await observed.client.operations.CancelPipeline(
        operations_pb2.CancelPipelineRequest(pipeline_id=submitted.pipeline_id)
    )
    (line,) = observed.log.of("draining")
    assert (line["pipeline_id"], line["tenant"], line["jobs"]) == (
        submitted.pipeline_id,
        "local",
        3,
    )


async def test_an_expiry_an_end_in_doubt_and_its_repair_are_warnings(observed: Observed) -> None:
    await observed.client.provision()
    submitted = await observed.client.submit("csv_ingest", INGEST, {"blob": BLOB})
    (job,) = await observed.client.claim("csv_ingest")
    expected = (submitted.pipeline_id, job.job.job_id, job.claim_token, "local")
    for event in ("expired", "in_doubt"):
        line = await observed.log.first(event)
        assert (line["level"], names(line)) == ("warning", expected)
    await observed.client.operations.CancelPipeline(
        operations_pb2.CancelPipelineRequest(pipeline_id=submitted.pipeline_id)
    )
    repair = await observed.log.first("repair")
    assert (repair["level"], names(repair)) == ("warning", expected)
    assert "recomputes" in repair["detail"]
