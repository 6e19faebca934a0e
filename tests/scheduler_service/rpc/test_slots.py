"""ListSlots: what counts of each type and scope, whatever became of newer runs."""

from carbonline.v1 import monitoring_pb2, operations_pb2, types_pb2
from tests.scheduler_service.rpc.conftest import BLOB, Client

OTHER = (("authorization", "Bearer other"),)
PLANE = types_pb2.Scope(
    module=types_pb2.MODULE_PROFESSIONAL_TRAVEL,
    data_entry_type=types_pb2.DATA_ENTRY_TYPE_PLANE,
    year=2024,
)
TRAVEL = [types_pb2.MODULE_PROFESSIONAL_TRAVEL]


async def slots(client: Client, page_size: int = 0) -> list[monitoring_pb2.Slot]:
    found: list[monitoring_pb2.Slot] = []
    request = monitoring_pb2.ListSlotsRequest(year=2024, page_size=page_size)
    while True:
        answer = await client.operations.ListSlots(request)
        found += answer.slots
        request.page_token = answer.next_page_token
        if not answer.next_page_token:
            return found


async def upload(client: Client, result: types_pb2.JobResult.ValueType) -> int:
    answer = await client.submit("csv_ingest", PLANE, {"blob": BLOB})
    (job,) = await client.claim("csv_ingest")
    if result == types_pb2.JOB_RESULT_CANCELLED:
        request = operations_pb2.CancelPipelineRequest(pipeline_id=answer.pipeline_id)
        await client.operations.CancelPipeline(request)
        result = types_pb2.JOB_RESULT_SUCCESS
    await client.finish(job, result)
    return answer.job_id


async def test_a_newer_run_that_failed_or_was_cancelled_hides_no_success(client: Client) -> None:
    await client.provision()
    failed = await upload(client, types_pb2.JOB_RESULT_ERROR)
    (units, entries) = sorted(await slots(client), key=lambda slot: slot.current.job_id)
    assert (units.job_type, entries.job_type) == ("unit_sync", "csv_ingest")
    assert entries.current.job_id == failed
    assert not entries.HasField("last_success")
    good = await upload(client, types_pb2.JOB_RESULT_WARNING)
    for result in (types_pb2.JOB_RESULT_ERROR, types_pb2.JOB_RESULT_CANCELLED):
        newer = await upload(client, result)
        request = monitoring_pb2.ListSlotsRequest(year=2024, modules=TRAVEL)
        found = (await client.operations.ListSlots(request)).slots
        entries = next(slot for slot in found if slot.job_type == "csv_ingest")
        assert (entries.current.job_id, entries.current.result) == (newer, result)
        assert (entries.last_success.job_id, entries.scope.year) == (good, 2024)


async def test_slots_come_in_pages_and_are_ones_own(client: Client) -> None:
    await client.provision()
    await upload(client, types_pb2.JOB_RESULT_SUCCESS)
    assert len(await slots(client)) == 2
    assert await slots(client, 1) == await slots(client)
    request = monitoring_pb2.ListSlotsRequest(year=2024)
    assert list((await client.operations.ListSlots(request, metadata=OTHER)).slots) == []
    assert list((await client.operations.ListSlots(request)).slots) != []
