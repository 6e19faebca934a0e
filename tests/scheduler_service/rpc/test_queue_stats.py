"""GetQueueStats: what an autoscaler reads."""

import grpc
import grpc.aio
import pytest

from carbonline.v1 import monitoring_pb2, types_pb2
from tests.scheduler_service.rpc.conftest import Client

OTHER = (("authorization", "Bearer other"),)
Request = monitoring_pb2.GetQueueStatsRequest
CLOCK_GOES_FORWARD = """
CREATE OR REPLACE FUNCTION scheduler.clock() RETURNS timestamptz LANGUAGE sql STABLE
AS $$ SELECT statement_timestamp() + interval '1 minute' $$
"""


async def test_claimable_and_running_jobs_are_counted_with_the_oldest_wait(
    client: Client,
) -> None:
    assert list((await client.operations.GetQueueStats(Request())).queues) == []
    for _ in range(3):
        await client.submit("noop", types_pb2.Scope())
    await client.claim("noop")
    await client.server.store.pool.execute(CLOCK_GOES_FORWARD)
    await client.submit("noop", types_pb2.Scope())
    await client.server.store.pause_job_type(["local"], "noop", "", "ann")
    (found,) = (await client.operations.GetQueueStats(Request())).queues
    assert (found.tenant, found.job_type) == ("local", "noop")
    assert (found.claimable, found.running, found.paused) == (3, 1, True)
    assert found.oldest_wait.seconds == pytest.approx(60, abs=5)
    # The only one was heard from a minute ago.
    assert found.live_workers == 0
    await client.claim("noop")


async def test_each_tenant_reads_its_own_queues(client: Client) -> None:
    await client.submit("noop", types_pb2.Scope())
    await client.claim("unit_sync", "noop")
    await client.submit("noop", types_pb2.Scope())
    (found,) = (await client.operations.GetQueueStats(Request(tenant="local"))).queues
    assert (found.claimable, found.running, found.live_workers) == (1, 1, 1)
    answer = await client.operations.GetQueueStats(Request(), metadata=OTHER)
    assert list(answer.queues) == []
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await client.operations.GetQueueStats(Request(tenant="local"), metadata=OTHER)
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED


async def test_queues_come_in_pages(client: Client) -> None:
    await client.submit("noop", types_pb2.Scope())
    await client.submit("unit_removal", types_pb2.Scope(), {"units": ["U1"]})
    first = await client.operations.GetQueueStats(Request(page_size=1))
    assert [one.job_type for one in first.queues] == ["noop"]
    rest = Request(page_size=1, page_token=first.next_page_token)
    last = await client.operations.GetQueueStats(rest)
    assert [one.job_type for one in last.queues] == ["unit_removal"]
    assert last.next_page_token == ""
