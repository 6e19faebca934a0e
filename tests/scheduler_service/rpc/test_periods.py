"""LockPeriod and UnlockPeriod as an operator calls them."""

import grpc.aio
import pytest

from carbonline.client.errors import server_error
from carbonline.v1 import interventions_pb2 as pb
from carbonline.v1 import operations_pb2, types_pb2
from tests.scheduler_service.rpc.conftest import BLOB, Client

OTHER = (("authorization", "Bearer other"),)
PLANES = types_pb2.Scope(
    module=types_pb2.MODULE_PROFESSIONAL_TRAVEL,
    data_entry_type=types_pb2.DATA_ENTRY_TYPE_PLANE,
    year=2024,
)


async def test_a_lock_says_since_when_by_whom_and_why(client: Client) -> None:
    await client.provision()
    answer = await client.operations.LockPeriod(pb.LockPeriodRequest(year=2024, reason="reported"))
    assert (answer.lock.year, answer.lock.locked_by, answer.lock.reason) == (
        2024,
        "local",
        "reported",
    )
    shown = await client.operations.GetYear(operations_pb2.GetYearRequest(year=2024))
    assert (shown.locked, shown.locked_by, shown.lock_reason) == (True, "local", "reported")
    assert shown.locked_at == answer.lock.locked_at
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await client.submit("csv_ingest", PLANES, {"blob": BLOB})
    assert server_error(refused.value).reason == "PERIOD_LOCKED"
    ended = await client.operations.UnlockPeriod(pb.UnlockPeriodRequest(year=2024))
    assert ended.lock == answer.lock
    await client.submit("csv_ingest", PLANES, {"blob": BLOB})
    again = await client.operations.UnlockPeriod(pb.UnlockPeriodRequest(year=2024))
    assert not again.HasField("lock")


async def test_a_busy_year_names_its_jobs(client: Client) -> None:
    await client.provision()
    submitted = await client.submit("csv_ingest", PLANES, {"blob": BLOB})
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await client.operations.LockPeriod(pb.LockPeriodRequest(year=2024))
    error = server_error(refused.value)
    assert error.reason == "YEAR_BUSY"
    assert f"job {submitted.job_id} (csv_ingest, QUEUED)" in error.message


async def test_nobody_locks_or_unlocks_the_year_of_another_tenant(client: Client) -> None:
    await client.provision()
    for call, request in (
        (client.operations.LockPeriod, pb.LockPeriodRequest(year=2024, tenant="local")),
        (client.operations.UnlockPeriod, pb.UnlockPeriodRequest(year=2024, tenant="local")),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(request, metadata=OTHER)
        assert server_error(refused.value).reason == "OTHER_TENANT"


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (pb.LockPeriodRequest(), "year"),
        (pb.LockPeriodRequest(year=1800), "year"),
        (pb.LockPeriodRequest(year=2024, reason="x" * 513), "reason"),
    ],
)
async def test_a_field_that_is_wrong_is_named(
    client: Client, request_: pb.LockPeriodRequest, field: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await client.operations.LockPeriod(request_)
    assert list(server_error(refused.value).fields) == [field]
