"""A client author learns from ListJobTypes what to send, and needs no Python."""

from typing import Any
from uuid import uuid4

import grpc.aio
import pytest

from carbonline.client.errors import server_error
from carbonline.client.json_struct import struct_of
from carbonline.v1 import monitoring_pb2, scheduler_pb2, types_pb2
from tests.scheduler_service.rpc.conftest import BLOB, Client

PARTS: dict[str, Any] = {
    "module": types_pb2.MODULE_PROFESSIONAL_TRAVEL,
    "data_entry_type": types_pb2.DATA_ENTRY_TYPE_PLANE,
    "year": 2024,
    "unit": "0828",
    "reference_kind": "locations",
}
VALUES: dict[str, Any] = {
    "blob": BLOB,
    "upload_id": 1,
    "units": ["0828"],
    "provider": "travel-api",
    "transport_mode": "plane",
}


async def listed(client: Client) -> dict[str, monitoring_pb2.JobType]:
    answer = await client.operations.ListJobTypes(monitoring_pb2.ListJobTypesRequest())
    return {one.job_type: one for one in answer.job_types}


def made_of(one: monitoring_pb2.JobType, *, without: str = "") -> scheduler_pb2.SubmitRequest:
    """A Submit with nothing but what the answer asks for."""
    scope = {part: PARTS[part] for part in one.scope_parts if part != without}
    keys = [key for key in one.payload_keys if key.required or key.name == "blob"]
    payload = {key.name: VALUES[key.name] for key in keys if key.name != without}
    return scheduler_pb2.SubmitRequest(
        request_id=str(uuid4()),
        job_type=one.job_type,
        scope=types_pb2.Scope(**scope),
        payload=struct_of(payload) if payload else None,
        validate_only=True,
    )


async def refused_fields(client: Client, request: scheduler_pb2.SubmitRequest) -> set[str]:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await client.scheduler.Submit(request)
    return set(server_error(refused.value).fields)


async def test_what_is_asked_for_is_enough_and_nothing_of_it_can_be_left_out(
    client: Client,
) -> None:
    await client.provision()
    types = await listed(client)
    assert len(types) >= 9
    for one in types.values():
        await client.scheduler.Submit(made_of(one))
        for part in one.scope_parts:
            assert f"scope.{part}" in await refused_fields(client, made_of(one, without=part))
        for key in one.payload_keys:
            if key.required:
                missing = await refused_fields(client, made_of(one, without=key.name))
                assert f"payload.{key.name}" in missing


async def test_what_is_not_asked_for_is_refused(client: Client) -> None:
    await client.provision()
    for one in (await listed(client)).values():
        for part in PARTS.keys() - {*one.scope_parts, *one.optional_scope_parts}:
            request = made_of(one)
            setattr(request.scope, part, PARTS[part])
            assert f"scope.{part}" in await refused_fields(client, request)
        request = made_of(one)
        request.payload.update({"surprise": "1"})
        if one.any_payload:
            await client.scheduler.Submit(request)
        else:
            assert await refused_fields(client, request) & {"payload", "payload.surprise"}


async def test_stats_children_attempts_and_order_are_listed_too(client: Client) -> None:
    types = await listed(client)
    ingest = types["csv_ingest"]
    assert (ingest.enabled, ingest.attempts_max) == (True, 5)
    assert list(ingest.child_types) == ["emission_recalc"]
    assert "rows_accepted" in {stat.name for stat in ingest.stats}
    assert ingest.exclusive.family == "entries"
    assert list(ingest.exclusive.scope_parts) == ["module", "year"]
    assert (types["emission_recalc"].coalesces, ingest.coalesces) == (True, False)
    [mode] = [key for key in types["factor_ingest"].payload_keys if key.name == "mode"]
    assert list(mode.values) == ["add", "replace", "remove_stale"]


async def test_a_claim_says_when_to_beat_and_when_to_stop(client: Client) -> None:
    await client.submit("noop", types_pb2.Scope())
    (job,) = await client.claim("noop")
    lease = job.lease.ToTimedelta().total_seconds()
    assert job.heartbeat_interval.ToTimedelta().total_seconds() == pytest.approx(lease / 4)
    assert job.commit_margin.ToTimedelta().total_seconds() == pytest.approx(lease / 10)
