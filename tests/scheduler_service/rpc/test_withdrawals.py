"""WithdrawUpload is a Submit: idempotent, of its caller's tenant, in a year that is open."""

from uuid import uuid4

import grpc.aio
import pytest

from carbonline.client.errors import server_error
from carbonline.client.json_struct import values_of
from carbonline.v1 import operations_pb2, types_pb2
from tests.scheduler_service.rpc.conftest import BLOB, Client

OTHER = (("authorization", "Bearer other"),)
PLANES = types_pb2.Scope(
    module=types_pb2.MODULE_PROFESSIONAL_TRAVEL,
    data_entry_type=types_pb2.DATA_ENTRY_TYPE_PLANE,
    year=2024,
)


def withdrawal(**fields: object) -> operations_pb2.WithdrawUploadRequest:
    return operations_pb2.WithdrawUploadRequest(
        upload_id=7,
        module=PLANES.module,
        data_entry_type=PLANES.data_entry_type,
        year=PLANES.year,
        request_id=str(uuid4()),
        **fields,  # type: ignore[arg-type]
    )


async def test_a_withdrawal_is_a_job_that_names_its_upload(client: Client) -> None:
    await client.provision()
    answer = await client.operations.WithdrawUpload(withdrawal())
    assert answer.disposition == types_pb2.DISPOSITION_CREATED
    (job,) = await client.claim("upload_withdrawal")
    assert job.job.pipeline_id == answer.pipeline_id
    assert values_of(job.payload) == {"upload_id": 7}
    assert job.job.scope.year == 2024


async def test_a_withdrawal_names_the_unit_that_its_upload_must_have(client: Client) -> None:
    await client.provision()
    request = withdrawal(unit="0828")
    await client.operations.WithdrawUpload(request)
    (job,) = await client.claim("upload_withdrawal")
    assert job.job.scope.unit == "0828"
    # Of another unit, it is another request.
    request.unit = "0829"
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await client.operations.WithdrawUpload(request)
    assert list(server_error(refused.value).fields) == ["request_id"]


async def test_a_repeat_of_a_withdrawal_makes_no_second_one(client: Client) -> None:
    await client.provision()
    request = withdrawal()
    first = await client.operations.WithdrawUpload(request)
    again = await client.operations.WithdrawUpload(request)
    assert again.disposition == types_pb2.DISPOSITION_REPLAYED
    assert again.pipeline_id == first.pipeline_id
    assert again.first_disposition == first.disposition == first.first_disposition


async def test_a_withdrawal_waits_for_the_ingests_before_it(client: Client) -> None:
    await client.provision()
    await client.submit("csv_ingest", PLANES, {"blob": BLOB})
    answer = await client.operations.WithdrawUpload(withdrawal())
    assert answer.disposition == types_pb2.DISPOSITION_QUEUED_BEHIND
    assert await client.claim("upload_withdrawal") == []


async def test_a_withdrawal_is_only_checked_where_that_is_wanted(client: Client) -> None:
    await client.provision()
    answer = await client.operations.WithdrawUpload(withdrawal(validate_only=True))
    assert (answer.pipeline_id, answer.job_id) == (0, 0)
    assert await client.claim("upload_withdrawal") == []


async def test_a_withdrawal_is_of_its_callers_tenant(client: Client) -> None:
    await client.provision()
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await client.operations.WithdrawUpload(withdrawal(), metadata=OTHER)
    assert server_error(refused.value).reason == "YEAR_NOT_PROVISIONED"
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await client.operations.WithdrawUpload(withdrawal(tenant="local"), metadata=OTHER)
    assert server_error(refused.value).reason == "OTHER_TENANT"


async def test_a_job_says_who_brought_its_file_and_no_caller_can(client: Client) -> None:
    await client.provision()
    await client.submit("csv_ingest", PLANES, {"blob": BLOB, "source": "agency b"})
    (job,) = await client.claim("csv_ingest")
    assert values_of(job.payload) == {
        "blob": BLOB,
        "source": "agency b",
        "submitted_by": "local",
    }
