"""ListActivePipelines and ListStaleStats over the wire."""

import grpc
import grpc.aio
import pytest

from carbonline.v1 import monitoring_pb2 as pb
from carbonline.v1 import scheduler_pb2, types_pb2
from tests.scheduler_service.rpc.conftest import BLOB, Client

OTHER = (("authorization", "Bearer other"),)
PLANE = types_pb2.Scope(
    module=types_pb2.MODULE_PROFESSIONAL_TRAVEL,
    data_entry_type=types_pb2.DATA_ENTRY_TYPE_PLANE,
    year=2024,
)
ROOM = types_pb2.Scope(
    module=types_pb2.MODULE_BUILDINGS,
    data_entry_type=types_pb2.DATA_ENTRY_TYPE_BUILDING,
    year=2024,
)


async def ingested(client: Client, scope: types_pb2.Scope) -> int:
    """The pipeline of an upload whose recalculation waits."""
    answer = await client.submit("csv_ingest", scope, {"blob": BLOB})
    (job,) = await client.claim("csv_ingest")
    chain = scheduler_pb2.ChainRequest(
        worker_id=client.worker_id, job_id=job.job.job_id, claim_token=job.claim_token
    )
    chain.children.add(
        child_key="r", job_type="emission_recalc", data_entry_type=scope.data_entry_type
    )
    await client.scheduler.Chain(chain)
    await client.finish(job)
    return answer.pipeline_id


async def test_modules_with_a_pipeline_are_listed_and_no_others(client: Client) -> None:
    await client.provision()
    pipeline_id = await ingested(client, PLANE)
    request = pb.ListActivePipelinesRequest(year=2024, include_last_failed=True)
    (module,) = (await client.operations.ListActivePipelines(request)).modules
    assert module.module == types_pb2.MODULE_PROFESSIONAL_TRAVEL
    assert module.active.pipeline_id == pipeline_id
    assert not module.HasField("last_failed")
    theirs = await client.operations.ListActivePipelines(request, metadata=OTHER)
    assert (list(theirs.modules), list(theirs.year_wide_pipelines)) == ([], [])


async def test_stale_totals_come_in_pages_by_year_and_module(client: Client) -> None:
    await client.provision()
    for scope in (ROOM, PLANE):
        await ingested(client, scope)
    request = pb.ListStaleStatsRequest(page_size=1)
    first = await client.operations.ListStaleStats(request)
    (stats,) = first.stats
    assert (stats.module, stats.year) == (types_pb2.MODULE_PROFESSIONAL_TRAVEL, 2024)
    assert stats.reason == pb.STALE_REASON_NO_AGGREGATION_EVER
    assert list(stats.stale_types) == [types_pb2.DATA_ENTRY_TYPE_PLANE]
    request.page_token = first.next_page_token
    last = await client.operations.ListStaleStats(request)
    assert [one.module for one in last.stats] == [types_pb2.MODULE_BUILDINGS]
    assert last.next_page_token == ""
    theirs = await client.operations.ListStaleStats(pb.ListStaleStatsRequest(), metadata=OTHER)
    assert list(theirs.stats) == []


async def test_a_module_that_is_none_is_refused(client: Client) -> None:
    request = pb.ListActivePipelinesRequest(year=2024, modules=[0])  # type: ignore[list-item]
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await client.operations.ListActivePipelines(request)
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
