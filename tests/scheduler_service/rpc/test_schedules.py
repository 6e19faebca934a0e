"""Schedules as an operator calls and types them."""

import json
from typing import Any

import grpc.aio
import pytest

from carbonline.client.errors import server_error
from carbonline.client.json_struct import struct_of, values_of
from carbonline.v1 import operations_pb2, types_pb2
from carbonline.v1 import schedules_pb2 as pb
from scheduler_service.settings import Settings
from tests.scheduler_service.rpc.conftest import BLOB, Client
from tests.scheduler_service.rpc.test_recover_job import typed

OTHER = (("authorization", "Bearer other"),)
COLLEAGUE = (("authorization", "Bearer colleague@local"),)
UNITS = {"provider": "unit-directory"}
# Each scheduler of these tests sweeps twice a second.
DUE = """
UPDATE scheduler.schedules
SET next_tick = date_trunc('minute', scheduler.clock()), due_at = scheduler.clock()
"""


def nightly(**changes: Any) -> pb.CreateScheduleRequest:
    usual: dict[str, Any] = {
        "name": "nightly",
        "cron": "15 2 * * *",
        "time_zone": "Europe/Zurich",
        "job_type": "unit_sync",
        "payload": struct_of(UNITS),
    }
    return pb.CreateScheduleRequest(**(usual | changes))


async def created(client: Client, **changes: Any) -> pb.Schedule:
    answer: pb.CreateScheduleResponse = await client.operations.CreateSchedule(nightly(**changes))
    return answer.schedule


async def refused(client: Client, method: str, request: object, **more: Any) -> Any:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await getattr(client.operations, method)(request, **more)
    return server_error(raised.value)


async def test_a_schedule_is_shown_with_its_job_and_its_next_ticks(client: Client) -> None:
    answer = await client.operations.CreateSchedule(nightly())
    one = answer.schedule
    assert (one.name, one.created_by, one.job_type) == ("nightly", "local", "unit_sync")
    assert (one.priority, one.missed, one.jitter.seconds) == (5, pb.MISSED_TICKS_RUN_ONCE, 300)
    assert values_of(one.payload) == UNITS
    assert one.next_tick_at == answer.next_ticks[0]
    assert 0 <= one.next_due_at.ToNanoseconds() - one.next_tick_at.ToNanoseconds() < 300e9
    assert one.last_outcome == pb.TICK_OUTCOME_UNSPECIFIED
    shown = await client.operations.GetSchedule(pb.GetScheduleRequest(name="nightly"))
    assert (shown.schedule, list(shown.next_ticks)) == (one, list(answer.next_ticks))
    listed = await client.operations.ListSchedules(pb.ListSchedulesRequest())
    assert list(listed.schedules) == [one]


async def test_a_repeated_create_of_a_paused_schedule_promises_no_ticks(client: Client) -> None:
    await created(client)
    await client.operations.PauseSchedule(pb.PauseScheduleRequest(name="nightly", reason="moves"))
    again = await client.operations.CreateSchedule(nightly())
    assert again.schedule.pause_reason == "moves"
    assert list(again.next_ticks) == []


async def test_a_schedule_that_is_due_is_submitted_and_followed_to_its_end(
    client: Client,
) -> None:
    await created(client)
    await client.server.store.pool.execute(DUE)
    [job] = await client.claim("unit_sync", wait_seconds=10)
    assert job.job.scope.year >= 2026
    await client.finish(job, types_pb2.JOB_RESULT_ERROR)
    shown = await client.operations.GetSchedule(pb.GetScheduleRequest(name="nightly"))
    one = shown.schedule
    assert one.last_outcome == pb.TICK_OUTCOME_SUBMITTED
    assert one.last_pipeline_id == job.job.pipeline_id
    assert one.last_pipeline_status == types_pb2.PIPELINE_STATUS_FAILED
    found = await client.operations.GetPipeline(
        operations_pb2.GetPipelineRequest(pipeline_id=one.last_pipeline_id)
    )
    assert (found.pipeline.schedule, found.pipeline.submitted_by) == ("nightly", "local")
    assert "scheduled" in [event.event for event in found.timeline]


async def test_the_data_of_an_ingest_says_who_created_its_schedule(client: Client) -> None:
    await client.provision(2024)
    scope = types_pb2.Scope(
        module=types_pb2.MODULE_PROFESSIONAL_TRAVEL,
        data_entry_type=types_pb2.DATA_ENTRY_TYPE_PLANE,
        year=2024,
    )
    await created(
        client, job_type="api_ingest", scope=scope, payload=struct_of({"provider": "travel-api"})
    )
    await client.server.store.pool.execute(DUE)
    [job] = await client.claim("api_ingest", wait_seconds=10)
    assert values_of(job.payload) == {"provider": "travel-api", "submitted_by": "local"}


async def test_another_caller_who_repeats_a_create_finds_it_there_and_its_first_creators(
    client: Client,
) -> None:
    await client.provision(2024)
    scope = types_pb2.Scope(
        module=types_pb2.MODULE_PROFESSIONAL_TRAVEL,
        data_entry_type=types_pb2.DATA_ENTRY_TYPE_PLANE,
        year=2024,
    )
    agency = struct_of({"provider": "agency"})
    asked: dict[str, Any] = {"job_type": "api_ingest", "scope": scope, "payload": agency}
    await created(client, **asked)
    again = await client.operations.CreateSchedule(nightly(**asked), metadata=COLLEAGUE)
    assert (again.schedule.created_by, len(again.next_ticks) > 0) == ("local", True)
    asked["payload"] = struct_of({"provider": "travel-api"})
    error = await refused(client, "CreateSchedule", nightly(**asked), metadata=COLLEAGUE)
    assert error.reason == "SCHEDULE_EXISTS"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "Nightly sync"}, "name"),
        ({"name": "n" * 65}, "name"),
        ({"cron": ""}, "cron"),
        ({"cron": "0 25 * * *"}, "cron"),
        ({"cron": "0 2 * * * *"}, "cron"),
        ({"cron": "\0"}, "cron"),
        ({"cron": "* " * 4_000}, "cron"),
        ({"time_zone": "Europe/Zürich"}, "time_zone"),
        ({"job_type": ""}, "job_type"),
        ({"job_type": "csv_ingest"}, "job_type"),
        ({"payload": struct_of({})}, "payload.provider"),
        ({"payload": struct_of({"blob": BLOB})}, "payload.provider"),
        ({"payload": struct_of(UNITS | {"blob": BLOB})}, "payload.blob"),
        ({"payload": struct_of(UNITS | {"more": "x"})}, "payload.more"),
        ({"scope": types_pb2.Scope(unit="0828")}, "scope.unit"),
        ({"scope": types_pb2.Scope(year=1800)}, "scope.year"),
        ({"priority": 10}, "priority"),
        ({"missed": 7}, "missed"),
    ],
)
async def test_a_field_that_is_wrong_is_named(
    client: Client, changes: dict[str, Any], field: str
) -> None:
    error = await refused(client, "CreateSchedule", nightly(**changes))
    assert field in list(error.fields), error


async def test_a_jitter_of_more_than_an_hour_is_refused(client: Client) -> None:
    request = nightly()
    request.jitter.FromSeconds(3_601)
    assert list((await refused(client, "CreateSchedule", request)).fields) == ["jitter"]
    request.jitter.FromSeconds(0)
    answer = await client.operations.CreateSchedule(request)
    assert answer.schedule.next_due_at == answer.schedule.next_tick_at


async def test_nobody_sees_or_changes_the_schedules_of_another_tenant(client: Client) -> None:
    await created(client)
    listed = await client.operations.ListSchedules(pb.ListSchedulesRequest(), metadata=OTHER)
    assert list(listed.schedules) == []
    foreign = nightly(scope=types_pb2.Scope(tenant="local"))
    error = await refused(client, "CreateSchedule", foreign, metadata=OTHER)
    assert error.reason == "OTHER_TENANT"
    for method, request in {
        "GetSchedule": pb.GetScheduleRequest,
        "PauseSchedule": pb.PauseScheduleRequest,
        "ResumeSchedule": pb.ResumeScheduleRequest,
        "DeleteSchedule": pb.DeleteScheduleRequest,
    }.items():
        error = await refused(client, method, request(name="nightly"), metadata=OTHER)
        assert error.reason == "SCHEDULE_NOT_FOUND", method
        named = request(tenant="local", name="nightly")
        error = await refused(client, method, named, metadata=OTHER)
        assert error.reason == "OTHER_TENANT", method
    shown = await client.operations.GetSchedule(
        pb.GetScheduleRequest(name="nightly"), metadata=COLLEAGUE
    )
    assert shown.schedule.created_by == "local"


async def test_another_schedule_of_a_name_is_refused(client: Client) -> None:
    first = await created(client)
    assert await created(client) == first
    error = await refused(client, "CreateSchedule", nightly(cron="16 2 * * *"))
    assert (error.reason, error.code) == ("SCHEDULE_EXISTS", "ALREADY_EXISTS")


async def test_what_is_typed_adds_shows_pauses_and_removes(
    client: Client, settings: Settings
) -> None:
    words = ["schedule", "add", "nightly", "15 2 * * *", "--from", "unit-directory"]
    code, said = await typed(settings, *words, "--time-zone", "Europe/Zurich", "--check")
    assert code == 0, said
    assert said.startswith("Next ticks (UTC): ")
    code, said = await typed(settings, "schedule", "list")
    assert said == "There are no schedules.\n"
    code, said = await typed(settings, *words, "--time-zone", "Europe/Zurich")
    assert code == 0, said
    assert "Schedule nightly: unit_sync from unit-directory at 15 2 * * * (Europe/Zurich)." in said
    code, said = await typed(settings, "schedule", "list", "--json")
    [row] = json.loads(said)["rows"]
    assert (row["schedule"], row["missed"], row["jitter_seconds"]) == ("nightly", "run_once", 300)
    code, said = await typed(settings, "schedule", "pause", "nightly", "--reason", "it moves")
    assert ", by local: it moves." in said
    code, said = await typed(settings, *words, "--time-zone", "Europe/Zurich")
    assert (code, "It is paused since " in said, "Next ticks" in said) == (0, True, False), said
    code, said = await typed(settings, "schedule", "show", "nightly")
    assert code == 0
    assert "by local: it moves" in said.replace("\n", " ")
    code, said = await typed(settings, "schedule", "resume", "nightly")
    assert said.startswith("Schedule nightly goes on at ")
    code, said = await typed(settings, "schedule", "remove", "nightly")
    assert said == "Schedule nightly is removed.\n"
    code, said = await typed(settings, "schedule", "show", "nightly")
    assert (code, "[SCHEDULE_NOT_FOUND]" in said) == (2, True), said


async def test_a_bad_expression_is_told_in_one_sentence(client: Client, settings: Settings) -> None:
    words = ["schedule", "add", "nightly", "15 25 * * *", "--from", "unit-directory"]
    code, said = await typed(settings, *words)
    assert code == 2
    assert 'such as "15 2 * * *" for 02:15 of each day: bad hour' in said.replace("\n", " ")


async def test_a_schedule_that_fails_is_told_by_its_pipelines_and_lists(
    client: Client, settings: Settings
) -> None:
    await created(client)
    await client.server.store.pool.execute(DUE)
    [job] = await client.claim("unit_sync", wait_seconds=10)
    await client.finish(job, types_pb2.JOB_RESULT_ERROR)
    number = job.job.pipeline_id
    _, said = await typed(settings, "schedule", "list")
    assert f"pipeline {number} FAILED" in said, said
    _, said = await typed(settings, "pipelines")
    assert "FAILED  nightly" in said, said
