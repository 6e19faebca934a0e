"""VerifyHistory over the wire: pages, and what breaks an invariant."""

import grpc
import grpc.aio
import pytest

from carbonline.serving.pages import page_token
from carbonline.v1 import monitoring_pb2, types_pb2
from tests.scheduler_service.rpc.conftest import Client

Request = monitoring_pb2.VerifyHistoryRequest


async def pages(client: Client, after: int = 0) -> list[monitoring_pb2.VerifyHistoryResponse]:
    found = []
    token = None
    while token != "":
        request = Request(after_pipeline_id=after, page_size=2, page_token=token or "")
        found.append(await client.operations.VerifyHistory(request))
        token = found[-1].next_page_token
    return found


async def test_pages_go_through_all_pipelines_and_then_through_the_requests(
    client: Client,
) -> None:
    jobs = [await client.submit("noop", types_pb2.Scope()) for _ in range(5)]
    found = await pages(client)
    assert [(page.pipelines, page.requests) for page in found] == [(2, 0), (2, 0), (1, 0), (0, 5)]
    assert not any(page.findings for page in found)
    since = await pages(client, jobs[2].pipeline_id)
    assert [(page.pipelines, page.requests) for page in since] == [(2, 0), (0, 0)]


async def test_a_finding_names_its_invariant_and_the_job(client: Client) -> None:
    job = await client.submit("noop", types_pb2.Scope())
    await client.server.store.pool.execute("UPDATE scheduler.jobs SET changed_version = 7")
    (finding,) = (await client.operations.VerifyHistory(Request())).findings
    assert finding == monitoring_pb2.InvariantFinding(
        invariant=7,
        sentence="The versions of a pipeline have no gaps.",
        detail="changed in version 7 of 1",
        pipeline_id=job.pipeline_id,
        job_id=job.job_id,
    )


@pytest.mark.parametrize(
    "token", [page_token(1), page_token("pipelines", "x"), page_token("jobs", "1"), "?"]
)
async def test_a_token_of_another_list_is_refused(client: Client, token: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await client.operations.VerifyHistory(Request(page_token=token))
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
