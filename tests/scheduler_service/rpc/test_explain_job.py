"""ExplainJob: why a job does not run, over the wire."""

from carbonline.v1 import monitoring_pb2, types_pb2
from tests.scheduler_service.rpc.conftest import BLOB, Client

OTHER = (("authorization", "Bearer other"),)
Request = monitoring_pb2.ExplainJobRequest


async def test_a_reason_names_the_other_job_and_what_would_help(client: Client) -> None:
    year = types_pb2.Scope(year=2024)
    first = await client.submit("unit_sync", year, {"blob": BLOB})
    second = await client.submit("unit_sync", year, {"blob": BLOB})
    (held,) = await client.claim("unit_sync")

    answer = await client.operations.ExplainJob(Request(job_id=second.job_id))
    assert not answer.claimable
    (reason,) = answer.reasons
    assert reason.kind == monitoring_pb2.JOB_REASON_KIND_OLDER_JOBS
    assert reason.blocks
    assert (reason.job_id, reason.worker_id, reason.jobs) == (first.job_id, client.worker_id, 1)
    assert reason.message == (
        f"1 older job of the same data comes first. It is the turn of job {first.job_id} "
        f"(unit_sync), which worker {client.worker_id} runs."
    )
    assert f"carbonline explain {first.job_id}" in reason.advice

    await client.finish(held)
    answer = await client.operations.ExplainJob(Request(job_id=second.job_id))
    assert (answer.claimable, list(answer.reasons)) == (True, [])
