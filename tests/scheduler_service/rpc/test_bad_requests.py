"""Whatever a client sends, the answer says what to do, and is never INTERNAL or UNKNOWN."""

from typing import Any
from uuid import uuid4

import grpc
import grpc.aio
import pytest
from google.protobuf import struct_pb2
from google.rpc import error_details_pb2, status_pb2

from carbonline.v1 import operations_pb2, scheduler_pb2, types_pb2
from scheduler_service.jobs.job_types import JOB_TYPES
from tests.scheduler_service.rpc.conftest import BLOB, Client

UUID = str(uuid4())
TRAVEL = types_pb2.Scope(
    module=types_pb2.MODULE_PROFESSIONAL_TRAVEL,
    data_entry_type=types_pb2.DATA_ENTRY_TYPE_PLANE,
    year=2024,
)
ALL_RPCS = [
    f"/{service.full_name}/{method.name}"
    for file in (scheduler_pb2, operations_pb2)
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
]


def details(error: grpc.aio.AioRpcError) -> tuple[error_details_pb2.ErrorInfo, list[str]]:
    """The ErrorInfo of an error, and the fields it names."""
    trailing = dict(error.trailing_metadata() or ())
    status = status_pb2.Status.FromString(trailing["grpc-status-details-bin"])
    info, request = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details:
        if detail.Is(info.DESCRIPTOR):
            detail.Unpack(info)
        if detail.Is(request.DESCRIPTOR):
            detail.Unpack(request)
    return info, [violation.field for violation in request.field_violations]


def submit(**fields: Any) -> scheduler_pb2.SubmitRequest:
    """A good submit of a data job, but for these fields."""
    payload = struct_pb2.Struct()
    payload.update(fields.pop("payload", {"blob": BLOB}))
    given: dict[str, Any] = {
        "request_id": UUID,
        "job_type": "csv_ingest",
        "scope": TRAVEL,
        "payload": payload,
    }
    return scheduler_pb2.SubmitRequest(**(given | fields))


def scope(**fields: Any) -> types_pb2.Scope:
    """The good scope, but for these fields."""
    changed = types_pb2.Scope()
    changed.CopyFrom(TRAVEL)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def places(payload: dict[str, Any]) -> scheduler_pb2.SubmitRequest:
    """A submit of places."""
    return submit(
        job_type="reference_ingest",
        scope=types_pb2.Scope(reference_kind="locations"),
        payload=payload,
    )


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {"blob": BLOB}
    for _ in range(depth):
        value = {"blob": BLOB, "in": value}
    return value


BAD_SUBMITS = {
    "no uuid": (submit(request_id="seven"), ["request_id"]),
    "unknown type": (submit(job_type="csv_ingst"), ["job_type"]),
    "unknown module number": (submit(scope=scope(module=99)), ["scope.module"]),
    "type of another module": (submit(scope=scope(module=4)), ["scope.data_entry_type"]),
    "module missing": (submit(scope=scope(module=0)), ["scope.module"]),
    "year out of range": (submit(scope=scope(year=24)), ["scope.year"]),
    "NUL in the unit": (submit(scope=scope(unit="a\0b")), ["scope.unit"]),
    "reference kind not taken": (
        submit(scope=scope(reference_kind="locations")),
        ["scope.reference_kind"],
    ),
    "priority out of range": (submit(priority=10), ["priority"]),
    "a mapping that is not an object": (
        submit(payload={"blob": BLOB, "mapping": "From=origin_iata"}),
        ["payload.mapping"],
    ),
    "a mapping without anything": (
        submit(payload={"blob": BLOB, "mapping": {}}),
        ["payload.mapping"],
    ),
    "a mapping with parts that are none": (
        submit(
            payload={
                "blob": BLOB,
                "mapping": {
                    "colums": {},
                    "columns": {"From": 1, "": "origin_iata"},
                    "constants": ["a"],
                    "values": {"cabin_class": "y"},
                    "decimal": ",",
                    "dates": "yyyy-dd-mm",
                    "header_line": 51,
                    "name": " a",
                },
            }
        ),
        [
            "payload.mapping.colums",
            "payload.mapping.columns.From",
            "payload.mapping.columns.",
            "payload.mapping.constants",
            "payload.mapping.values.cabin_class",
            "payload.mapping.name",
            "payload.mapping.decimal",
            "payload.mapping.dates",
            "payload.mapping.header_line",
        ],
    ),
    "no blob": (submit(payload={}), ["payload.blob"]),
    "a path for a blob": (submit(payload={"blob": "/etc/passwd"}), ["payload.blob"]),
    "a key that nobody reads": (submit(payload={"blob": BLOB, "extra": 1}), ["payload.extra"]),
    "keys that nobody reads": (
        submit(payload={"blob": BLOB, "one": 1, "two": 2}),
        ["payload.one", "payload.two"],
    ),
    "a name that is not text": (
        submit(payload={"blob": BLOB, "file_name": ["f"]}),
        ["payload.file_name"],
    ),
    "a source without end": (
        submit(payload={"blob": BLOB, "source": "s" * 65}),
        ["payload.source"],
    ),
    "a source with an invisible character": (
        submit(payload={"blob": BLOB, "source": "agency\u200b"}),
        ["payload.source"],
    ),
    "a source with a filler that Python prints": (
        submit(payload={"blob": BLOB, "source": "agency\u3164"}),
        ["payload.source"],
    ),
    "consent that is none": (
        submit(payload={"blob": BLOB, "take_away": "no"}),
        ["payload.take_away"],
    ),
    "a source that is not text": (submit(payload={"blob": BLOB, "source": 7}), ["payload.source"]),
    "who submitted it, said by the caller": (
        submit(payload={"blob": BLOB, "submitted_by": "somebody else"}),
        ["payload.submitted_by"],
    ),
    "a key without a name": (submit(payload={"blob": BLOB, "": 1}), ["payload."]),
    "a key of another type": (
        submit(payload={"blob": BLOB, "transport_mode": "plane"}),
        ["payload.transport_mode"],
    ),
    "a withdrawal without an upload": (
        submit(job_type="upload_withdrawal", payload={}),
        ["payload.upload_id"],
    ),
    "a withdrawal of a part": (
        submit(job_type="upload_withdrawal", payload={"upload_id": 1.5}),
        ["payload.upload_id"],
    ),
    "a withdrawal of a file": (
        submit(job_type="upload_withdrawal", payload={"upload_id": 1, "blob": BLOB}),
        ["payload.blob"],
    ),
    "a removal of no units": (
        submit(job_type="unit_removal", scope=types_pb2.Scope(), payload={"units": []}),
        ["payload.units"],
    ),
    "a removal of what is not text": (
        submit(job_type="unit_removal", scope=types_pb2.Scope(), payload={"units": ["a", 7, " "]}),
        ["payload.units[1]", "payload.units[2]"],
    ),
    "a removal of a file": (
        submit(
            job_type="unit_removal",
            scope=types_pb2.Scope(),
            payload={"units": ["a"], "blob": BLOB},
        ),
        ["payload.blob"],
    ),
    "units from a file and from a service": (
        submit(
            job_type="unit_sync",
            scope=types_pb2.Scope(year=2024),
            payload={"blob": BLOB, "provider": "unit-directory"},
        ),
        ["payload.blob"],
    ),
    "units from nowhere": (
        submit(job_type="unit_sync", scope=types_pb2.Scope(year=2024), payload={"are_all": "yes"}),
        ["payload.blob"],
    ),
    "rows of a service that is not named": (
        submit(job_type="api_ingest", payload={"take_away": "yes"}),
        ["payload.provider"],
    ),
    "places of no mode": (places({"blob": BLOB}), ["payload.transport_mode"]),
    "places of a mode that is empty": (
        places({"blob": BLOB, "transport_mode": ""}),
        ["payload.transport_mode"],
    ),
    "a removal of stale places with a file": (
        places({"transport_mode": "plane", "mode": "remove_stale", "blob": BLOB}),
        ["payload.blob"],
    ),
    "a removal of no places": (
        places({"transport_mode": "plane", "mode": "remove"}),
        ["payload.codes"],
    ),
    "places to remove in a file that adds": (
        places({"transport_mode": "plane", "blob": BLOB, "codes": ["GVA"]}),
        ["payload.codes"],
    ),
    "places to remove that are not text": (
        places({"transport_mode": "plane", "mode": "remove", "codes": ["GVA", 7]}),
        ["payload.codes[1]"],
    ),
    "a way that there is not": (
        places({"transport_mode": "plane", "mode": "forget"}),
        ["payload.blob", "payload.mode"],
    ),
    "a way that is null": (
        places({"transport_mode": "plane", "mode": None, "blob": BLOB}),
        ["payload.mode"],
    ),
    "payload of a coalescing type": (submit(job_type="emission_recalc"), ["payload"]),
    "NUL deep in the payload": (submit(payload={"blob": BLOB, "x": ["\0"]}), ["payload"]),
    "payload nested too deep": (submit(payload=nested(20)), ["payload"]),
    "payload not finite": (submit(payload={"blob": BLOB, "x": float("nan")}), ["payload"]),
    "everything at once": (
        submit(request_id="", job_type="x", scope=types_pb2.Scope(year=7), priority=-1),
        ["request_id", "job_type", "scope.year", "priority"],
    ),
}


@pytest.mark.parametrize("case", BAD_SUBMITS)
async def test_a_bad_submit_names_its_fields(client: Client, case: str) -> None:
    request, expected = BAD_SUBMITS[case]
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await client.scheduler.Submit(request)
    assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    info, fields = details(raised.value)
    assert (info.reason, info.domain) == ("FIELD_INVALID", "carbonline")
    assert set(expected) <= set(fields)


async def test_a_mapping_of_a_file_of_several_types_is_told_what_to_do_instead(
    client: Client,
) -> None:
    routed = [name for name, row in JOB_TYPES.items() if name.startswith("routed_")]
    assert len(routed) == 4
    for job_type in routed:
        payload = {"blob": BLOB, "mapping": {"decimal": "comma"}}
        module_alone = types_pb2.Scope(tenant="local", module=TRAVEL.module, year=TRAVEL.year)
        request = submit(job_type=job_type, scope=module_alone, payload=payload)
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await client.scheduler.Submit(request)
        assert details(raised.value)[1] == ["payload.mapping"]
        assert "divide it by type" in str(raised.value.details())


async def test_too_large_says_limit_and_size(client: Client) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await client.scheduler.Submit(submit(payload={"blob": BLOB, "x": "y" * 70_000}))
    info, _ = details(raised.value)
    assert info.reason == "TOO_LARGE"
    assert info.metadata["limit"] == "65536"
    assert int(info.metadata["size"]) > 70_000


async def test_a_year_that_is_not_provisioned(client: Client) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await client.scheduler.Submit(submit())
    assert raised.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert details(raised.value)[0].reason == "YEAR_NOT_PROVISIONED"
    assert "carbonline load units" in str(raised.value.details())


@pytest.mark.parametrize("method", ALL_RPCS)
@pytest.mark.parametrize("data", [b"\xff\xff\xff\xff", b"\x0a\xff\xff\xff\xff\x0f"])
async def test_bytes_that_do_not_decode(client: Client, method: str, data: bytes) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await client.send_bytes(method, data)
    assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT


NEEDS_NOTHING = (
    "ListPipelines",
    "ListJobs",
    "ListWorkers",
    "ListJobTypePauses",
    "ListSchedules",
    "ListJobTypes",
    "GetCaller",
    "GetQueueStats",
    "ListStaleStats",
    "ListYears",
    "WatchPipelines",
    "VerifyHistory",
)


@pytest.mark.parametrize("method", [m for m in ALL_RPCS if not m.endswith(NEEDS_NOTHING)])
async def test_an_empty_request_is_refused(client: Client, method: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await client.send_bytes(method, b"")
    assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert details(raised.value)[0].domain == "carbonline"


@pytest.mark.parametrize("method", ALL_RPCS)
async def test_an_unknown_caller_is_not_admitted(client: Client, method: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await client.send_bytes(method, b"", caller="nobody")
    assert raised.value.code() is grpc.StatusCode.UNAUTHENTICATED
