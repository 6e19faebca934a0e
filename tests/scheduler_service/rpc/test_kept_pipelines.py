"""ListKeptPipelines: a pipeline is told until retention deletes it, and to its own tenant only."""

import grpc
import grpc.aio
import pytest

from carbonline.v1 import retention_pb2, types_pb2
from tests.scheduler_service.rpc.conftest import Client
from tests.scheduler_service.store.retention.test_remove_pipelines import RETENTION
from tests.scheduler_service.store.store_driver import StoreDriver

OTHER = (("authorization", "Bearer other"),)
YEAR = types_pb2.Scope(year=2024)
INPUT = f"blob:sha256:{'a' * 64}"


async def kept(client: Client, pipelines: list[int], **call: object) -> list[int]:
    request = retention_pb2.ListKeptPipelinesRequest(pipeline_ids=pipelines)
    return sorted((await client.operations.ListKeptPipelines(request, **call)).pipeline_ids)


async def finished(client: Client) -> int:
    submitted = await client.submit("unit_sync", YEAR, {"blob": INPUT})
    (job,) = await client.claim("unit_sync")
    await client.finish(job)
    return submitted.pipeline_id


async def test_a_pipeline_is_told_until_it_is_deleted_and_to_its_tenant_only(
    client: Client,
) -> None:
    first = await finished(client)
    assert await kept(client, [first, first + 1_000_000]) == [first]
    assert await kept(client, [first], metadata=OTHER) == []
    await StoreDriver(client.server.store).pass_time(RETENTION)
    assert (await client.server.store.remove_pipelines()).pipelines == 0
    # The slot's last success is another one now.
    second = await finished(client)
    assert (await client.server.store.remove_pipelines()).pipelines == 1
    assert await kept(client, [first, second]) == [second]


@pytest.mark.parametrize("pipelines", [[], [1] * 1_001, [0], [-1]])
async def test_what_names_no_pipeline_is_refused(client: Client, pipelines: list[int]) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await kept(client, pipelines)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
