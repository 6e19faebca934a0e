"""The proxy does to calls what its methods say, or every test behind it proves nothing."""

import asyncio
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from carbonline.client.channel import open_channel
from carbonline.v1 import operations_pb2, operations_pb2_grpc
from scheduler_service.server import RunningScheduler
from tests.proxy.faulty_proxy import FaultyProxy, faulty_tcp_proxy
from tests.scheduler_service.rpc.conftest import Client

REQUEST = operations_pb2.ListWorkersRequest()


async def code_of(client: Client, seconds: float = 5.0) -> grpc.StatusCode:
    """How one call ends; a broken connection is made anew first."""
    try:
        await client.operations.ListWorkers(REQUEST, wait_for_ready=True, timeout=seconds)
    except grpc.aio.AioRpcError as error:
        return error.code()
    return grpc.StatusCode.OK


async def works_again(client: Client) -> None:
    """A call may still be put on the connection that is just breaking."""
    async with asyncio.timeout(10):
        while await code_of(client) is not grpc.StatusCode.OK:
            pass


async def test_it_passes_calls_on_and_counts_them(behind: Client, proxy: FaultyProxy) -> None:
    for _ in range(3):
        assert await code_of(behind) is grpc.StatusCode.OK
    assert (proxy.connections, proxy.requests, proxy.dropped) == (1, 3, 0)


async def test_a_dropped_reply_takes_its_connection_along(
    behind: Client, proxy: FaultyProxy
) -> None:
    proxy.drop_next_replies()
    assert await code_of(behind) is grpc.StatusCode.UNAVAILABLE
    assert (proxy.requests, proxy.dropped) == (1, 1)
    await works_again(behind)
    assert proxy.connections >= 2


async def test_every_third_reply_is_dropped(behind: Client, proxy: FaultyProxy) -> None:
    proxy.drop_every(3)
    answered = 0
    while proxy.requests < 6:
        answered += await code_of(behind) is grpc.StatusCode.OK
    assert (answered, proxy.dropped) == (4, 2)


async def test_nothing_comes_through_a_black_hole_until_it_ends(
    behind: Client, proxy: FaultyProxy
) -> None:
    proxy.hold()
    assert await code_of(behind, 0.3) is grpc.StatusCode.DEADLINE_EXCEEDED
    proxy.let_through()
    assert await code_of(behind) is grpc.StatusCode.OK


async def test_a_delay_is_kept(behind: Client, proxy: FaultyProxy) -> None:
    assert await code_of(behind) is grpc.StatusCode.OK
    proxy.delay_seconds = 0.1
    began_at = asyncio.get_running_loop().time()
    assert await code_of(behind) is grpc.StatusCode.OK
    # There and back.
    assert asyncio.get_running_loop().time() - began_at >= 0.2


@pytest.mark.parametrize("fault", [FaultyProxy.cut, FaultyProxy.half_close])
async def test_a_broken_connection_is_made_anew(
    behind: Client, proxy: FaultyProxy, fault: Any
) -> None:
    assert await code_of(behind) is grpc.StatusCode.OK
    proxy.hold()
    waiting = asyncio.create_task(code_of(behind))
    await proxy.has_seen(2)
    fault(proxy)
    assert await waiting is grpc.StatusCode.UNAVAILABLE
    proxy.let_through()
    await works_again(behind)
    assert proxy.connections >= 2


async def test_it_listens_on_tcp_too(server: RunningScheduler, tmp_path: Path) -> None:
    async with (
        faulty_tcp_proxy(tmp_path / "s") as (proxy, port),
        open_channel(f"127.0.0.1:{port}", retries=False) as channel,
    ):
        stub: Any = operations_pb2_grpc.OperationsServiceStub(channel)
        await stub.ListWorkers(REQUEST)
        assert proxy.requests == 1
