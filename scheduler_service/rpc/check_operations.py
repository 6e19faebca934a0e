"""The requests of people and monitoring, checked; page tokens."""

import base64
from collections.abc import Sequence
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from carbonline.serving.principals import Principal
from carbonline.v1 import operations_pb2, types_pb2
from scheduler_service.rpc.fields import YEAR_MAX, YEAR_MIN, Fields
from scheduler_service.store.reads import JobFilter, PipelineFilter

PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX = 50, 500
TEXT_CHARACTERS_MAX = 512
# Of a filter: more than there are values of any kind.
VALUES_MAX = 32


def own_tenant(principal: Principal, asked: str) -> str:
    """The tenant to read; "" (which nobody is) for another tenant's, so that nothing is found."""
    return "" if asked and asked not in principal.tenants else principal.tenant(asked)


def check_identifier(field: str, value: int) -> int:
    """A pipeline's or a job's number."""
    fields = Fields()
    fields.identifier(field, value)
    fields.done()
    return value


def check_pipelines(
    request: operations_pb2.ListPipelinesRequest, principal: Principal
) -> PipelineFilter:
    """Which pipelines."""
    fields = Fields()
    statuses = _names(fields, "statuses", request.statuses, types_pb2.PipelineStatus)
    found = PipelineFilter(
        tenant=own_tenant(principal, request.tenant),
        statuses=tuple(name.removeprefix("PIPELINE_STATUS_") for name in statuses),
        kind=fields.text("kind", request.kind, TEXT_CHARACTERS_MAX) or None,
        module=fields.known("module", request.module, types_pb2.Module),
        year=check_year(fields, request.year),
        errors_only=request.errors_only,
        created_from=_moment(fields, "created_from", request, request.created_from),
        created_before=_moment(fields, "created_before", request, request.created_before),
        before_id=_page(fields, request.page_token, 1)[0],
        page_size=_page_size(fields, request.page_size),
    )
    fields.done()
    return found


def check_jobs(request: operations_pb2.ListJobsRequest, principal: Principal) -> JobFilter:
    """Which jobs."""
    fields = Fields()
    states = _names(fields, "states", request.states, types_pb2.JobState)
    _few(fields, "job_types", len(request.job_types))
    for number, name in enumerate(request.job_types[:VALUES_MAX]):
        fields.job_type(f"job_types[{number}]", name, noop=True)
    if request.pipeline_id:
        fields.identifier("pipeline_id", request.pipeline_id)
    pipeline_id, job_id = _page(fields, request.page_token, 2)
    found = JobFilter(
        tenant=own_tenant(principal, request.tenant),
        pipeline_id=request.pipeline_id or None,
        states=tuple(name.removeprefix("JOB_STATE_") for name in states),
        job_types=tuple(request.job_types[:VALUES_MAX]),
        module=fields.known("module", request.module, types_pb2.Module),
        year=check_year(fields, request.year),
        before=(pipeline_id, job_id) if pipeline_id and job_id else None,
        page_size=_page_size(fields, request.page_size),
    )
    fields.done()
    return found


def check_year(fields: Fields, year: int) -> int | None:
    """A year, or None for 0."""
    return fields.number("year", year, YEAR_MIN, YEAR_MAX) if year else None


def page_token(*last_ids: int) -> str:
    """Where the next page begins; opaque to its reader."""
    return base64.urlsafe_b64encode(":".join(["before", *map(str, last_ids)]).encode()).decode()


def _page(fields: Fields, token: str, count: int) -> Sequence[int | None]:
    """So many numbers of the row before the page; None for each on the first page."""
    if not token:
        return [None] * count
    try:
        kind, *numbers = base64.urlsafe_b64decode(token.encode()).decode().split(":")
        found = [int(number) for number in numbers]
        if kind == "before" and len(found) == count and all(0 < n < 2**63 for n in found):
            return found
    except ValueError:
        pass
    fields.fail("page_token", "is no next_page_token of this list")
    return [None] * count


def _page_size(fields: Fields, size: int) -> int:
    return fields.number("page_size", size or PAGE_SIZE_DEFAULT, 1, PAGE_SIZE_MAX)


def _names(
    fields: Fields,
    field: str,
    values: Sequence[int],
    enum: "type[types_pb2.PipelineStatus | types_pb2.JobState]",
) -> list[str]:
    _few(fields, field, len(values))
    few = values[:VALUES_MAX]
    for number, value in enumerate(few):
        fields.known(f"{field}[{number}]", value, enum, needed=True)
    return [enum.Name(value) for value in few if value in enum.values()]  # type: ignore[arg-type]


def _few(fields: Fields, field: str, length: int) -> None:
    if length > VALUES_MAX:
        fields.fail(field, f"must have at most {VALUES_MAX} elements, not {length}")


def _moment(
    fields: Fields,
    field: str,
    request: operations_pb2.ListPipelinesRequest,
    value: Timestamp,
) -> datetime | None:
    if not request.HasField(field):  # type: ignore[arg-type]
        return None
    try:
        return value.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        fields.fail(field, "is no time between the years 1 and 9999")
        return None
