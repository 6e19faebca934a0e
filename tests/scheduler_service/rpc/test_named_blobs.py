"""ListNamedBlobs: a file is named from the Submit of its job until retention deletes the job."""

from datetime import timedelta

import grpc
import grpc.aio
import pytest

from carbonline.client.json_struct import struct_of
from carbonline.v1 import monitoring_pb2, types_pb2
from scheduler_service.jobs.job_type_keys import PAYLOAD_KEYS
from scheduler_service.jobs.job_types import JOB_TYPES
from tests.scheduler_service.rpc.conftest import Client
from tests.scheduler_service.store.retention.test_remove_pipelines import RETENTION
from tests.scheduler_service.store.store_driver import StoreDriver

OTHER = (("authorization", "Bearer other"),)
YEAR = types_pb2.Scope(year=2024)
INPUT, REJECTED, OF_NOBODY, OF_ANOTHER = (f"blob:sha256:{digit * 64}" for digit in "abcd")
ALL = [INPUT, REJECTED, OF_NOBODY, OF_ANOTHER]


async def named(client: Client, **call: object) -> list[str]:
    request = monitoring_pb2.ListNamedBlobsRequest(blobs=ALL)
    return list((await client.operations.ListNamedBlobs(request, **call)).blobs)


async def test_a_job_names_its_file_and_those_of_its_stats_for_as_long_as_it_is_kept(
    client: Client,
) -> None:
    assert await named(client) == []
    await client.submit("unit_sync", YEAR, {"blob": INPUT})
    assert await named(client) == [INPUT]
    (job,) = await client.claim("unit_sync")
    ending = client.ending(job)
    ending.stats.CopyFrom(
        struct_of({"rows_rejected": 1, "rejected_blob": REJECTED, "rejected_rows": [{"row": 1}]})
    )
    await client.scheduler.Finish(ending)
    assert await named(client) == [INPUT, REJECTED]
    assert await named(client, metadata=OTHER) == []
    # The slot's last success stays until there is a newer one.
    driver = StoreDriver(client.server.store)
    await driver.pass_time(RETENTION)
    assert (await client.server.store.remove_pipelines()).pipelines == 0
    await client.submit("unit_sync", YEAR, {"blob": OF_ANOTHER})
    (job,) = await client.claim("unit_sync")
    await client.finish(job)
    assert (await client.server.store.remove_pipelines()).pipelines == 1
    assert await named(client) == [OF_ANOTHER]


async def test_a_retry_names_the_file_before_the_pipeline_that_named_it_goes(
    client: Client,
) -> None:
    driver = StoreDriver(client.server.store)
    failed = await client.submit("unit_sync", YEAR, {"blob": INPUT})
    (job,) = await client.claim("unit_sync")
    await client.finish(job, types_pb2.JOB_RESULT_ERROR)
    await driver.pass_time(RETENTION - timedelta(days=2))
    await driver.retry(failed.pipeline_id, tenant="local")
    (job,) = await client.claim("unit_sync")
    await driver.pass_time(timedelta(days=2))
    await client.finish(job)
    assert (await client.server.store.remove_pipelines()).pipelines == 1
    assert await named(client) == [INPUT]


@pytest.mark.parametrize(
    "blobs", [[], [INPUT] * 1_001, ["blob:sha256:x"], [INPUT.upper()], [INPUT, ""]]
)
async def test_what_does_not_name_a_file_is_refused(client: Client, blobs: list[str]) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await client.operations.ListNamedBlobs(monitoring_pb2.ListNamedBlobsRequest(blobs=blobs))
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_only_children_of_a_divided_file_read_one_which_their_parent_has_just_uploaded() -> None:
    """Staged children are not looked at. What was just uploaded stays for a day at least."""
    reading = {
        (parent, child)
        for parent, row in JOB_TYPES.items()
        for child in row.children
        for key in PAYLOAD_KEYS.get(child, ())
        if key.name == "blob"
    }
    assert reading == {
        ("routed_ingest", "csv_ingest"),
        ("routed_check", "csv_check"),
        ("routed_factor_ingest", "factor_ingest"),
        ("routed_factor_check", "factor_check"),
    }
