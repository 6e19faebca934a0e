"""Checks the requests of people and monitoring, and turns them into filters of the store."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from google.protobuf.timestamp_pb2 import Timestamp

from carbonline.serving.auth.principals import Principal
from carbonline.v1 import operations_pb2, types_pb2
from scheduler_service.jobs.job_types import JOB_TYPES
from scheduler_service.rpc.fields import Fields
from scheduler_service.store.reads.filters import JobFilter, PipelineFilter

Limit = TypeVar("Limit", int, str)
PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX = 50, 500
TEXT_CHARACTERS_MAX = 512
# Of a filter: more than there are values of any kind.
VALUES_MAX = 32


def check_identifier(field: str, value: int) -> int:
    """The number of a pipeline or job. Raises RpcError FIELD_INVALID."""
    fields = Fields()
    fields.identifier(field, value)
    fields.done()
    return value


def check_pipelines(
    request: operations_pb2.ListPipelinesRequest, principal: Principal
) -> PipelineFilter:
    """The filter of a ListPipelines. Raises RpcError FIELD_INVALID with every wrong field."""
    fields = Fields()
    statuses = _names(fields, "statuses", request.statuses, types_pb2.PipelineStatus)
    before = fields.page_keys("page_token", request.page_token, int)
    found = PipelineFilter(
        tenant=principal.tenant(request.tenant),
        statuses=tuple(name.removeprefix("PIPELINE_STATUS_") for name in statuses),
        kind=fields.text("kind", request.kind, TEXT_CHARACTERS_MAX) or None,
        module=fields.known("module", request.module, types_pb2.Module),
        year=fields.optional_year("year", request.year),
        unit=fields.text("unit", request.unit, TEXT_CHARACTERS_MAX) or None,
        submitted_by=fields.text("submitted_by", request.submitted_by, TEXT_CHARACTERS_MAX) or None,
        text=fields.text("text", request.text, TEXT_CHARACTERS_MAX) or None,
        errors_only=request.errors_only,
        created_from=_moment(fields, "created_from", request, request.created_from),
        created_before=_moment(fields, "created_before", request, request.created_before),
        before_id=before[0] if before else None,
        page_size=_page_size(fields, request.page_size),
        modules=listed(principal.modules),
        units=listed(principal.units),
    )
    fields.done()
    return found


def check_jobs(request: operations_pb2.ListJobsRequest, principal: Principal) -> JobFilter:
    """The filter of a ListJobs. Raises RpcError FIELD_INVALID with every wrong field."""
    fields = Fields()
    states = _names(fields, "states", request.states, types_pb2.JobState)
    fields.count("job_types", len(request.job_types), VALUES_MAX, least=0)
    for number, name in enumerate(request.job_types[:VALUES_MAX]):
        fields.job_type(f"job_types[{number}]", name, JOB_TYPES)
    before = fields.page_keys("page_token", request.page_token, int, int)
    found = JobFilter(
        tenant=principal.tenant(request.tenant),
        pipeline_id=fields.optional_identifier("pipeline_id", request.pipeline_id),
        parent_job_id=fields.optional_identifier("parent_job_id", request.parent_job_id),
        states=tuple(name.removeprefix("JOB_STATE_") for name in states),
        job_types=tuple(request.job_types[:VALUES_MAX]),
        module=fields.known("module", request.module, types_pb2.Module),
        year=fields.optional_year("year", request.year),
        before=(before[0], before[1]) if before else None,
        page_size=_page_size(fields, request.page_size),
        modules=listed(principal.modules),
        units=listed(principal.units),
    )
    fields.done()
    return found


def listed(limits: frozenset[Limit] | None) -> tuple[Limit, ...] | None:
    """What a caller may see, as a filter has it; None is all."""
    return None if limits is None else tuple(sorted(limits))


def _page_size(fields: Fields, size: int) -> int:
    return fields.page_size("page_size", size, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX)


def _names(
    fields: Fields,
    field: str,
    values: Sequence[int],
    enum: "type[types_pb2.PipelineStatus | types_pb2.JobState]",
) -> list[str]:
    fields.count(field, len(values), VALUES_MAX, least=0)
    few = values[:VALUES_MAX]
    for number, value in enumerate(few):
        fields.known(f"{field}[{number}]", value, enum, needed=True)
    return [enum.Name(value) for value in few if value in enum.values()]  # type: ignore[arg-type]


def _moment(
    fields: Fields,
    field: str,
    request: operations_pb2.ListPipelinesRequest,
    value: Timestamp,
) -> datetime | None:
    is_set = request.HasField(field)  # type: ignore[arg-type]
    return fields.moment(field, value) if is_set else None
