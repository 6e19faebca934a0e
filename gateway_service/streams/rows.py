"""What the services answer, as the rows that the console shows."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, TypeAlias

from google.protobuf import json_format
from google.protobuf.message import Message

from carbonline.v1 import monitoring_pb2, operations_pb2, types_pb2
from gateway_service.services import Services, method_of
from gateway_service.transcode.problems import Problem

PIPELINES_MAX = 200
JOBS_MAX = 200
YEARS_MAX = 12
LIVE = frozenset({types_pb2.PIPELINE_STATUS_NOT_STARTED, types_pb2.PIPELINE_STATUS_RUNNING})

GET_PIPELINE = "carbonline.v1.OperationsService.GetPipeline"
LIST_ACTIVE = "carbonline.v1.OperationsService.ListActivePipelines"
LIST_JOBS = "carbonline.v1.OperationsService.ListJobs"
LIST_YEARS = "carbonline.v1.OperationsService.ListYears"

# The name of a list in the message, and the id of its row.
Key: TypeAlias = tuple[str, str]
Row: TypeAlias = Mapping[str, Any]


async def pipelines_of(
    services: Services, token: str, ids: Iterable[int]
) -> list[types_pb2.Pipeline]:
    """Pipelines by their numbers: the newest PIPELINES_MAX of them, without those that are kept no
    longer. Raises Problem.
    """
    found = []
    for pipeline_id in sorted(ids, reverse=True)[:PIPELINES_MAX]:
        request = operations_pb2.GetPipelineRequest(pipeline_id=pipeline_id)
        answer = await _answer_if_kept(services, GET_PIPELINE, request, token)
        if isinstance(answer, operations_pb2.GetPipelineResponse):
            found.append(answer.pipeline)
    return found


async def jobs_of(services: Services, token: str, pipeline_id: int) -> list[types_pb2.Job]:
    """The newest jobs of a pipeline; none if it is kept no longer. Raises Problem."""
    request = operations_pb2.ListJobsRequest(pipeline_id=pipeline_id, page_size=JOBS_MAX)
    answer = await _answer_if_kept(services, LIST_JOBS, request, token)
    return list(answer.jobs) if isinstance(answer, operations_pb2.ListJobsResponse) else []


async def newest_years(services: Services, token: str) -> list[operations_pb2.GetYearResponse]:
    """The newest years, with the freshness of their totals. Raises Problem."""
    request = operations_pb2.ListYearsRequest(page_size=YEARS_MAX)
    answer = await services.answer(method_of(LIST_YEARS), request, token)
    assert isinstance(answer, operations_pb2.ListYearsResponse)
    return list(answer.years)


async def active_pipelines(services: Services, token: str, year: int) -> list[types_pb2.Pipeline]:
    """Of each module of a year the newest pipeline that is live. Raises Problem."""
    request = monitoring_pb2.ListActivePipelinesRequest(year=year)
    answer = await services.answer(method_of(LIST_ACTIVE), request, token)
    assert isinstance(answer, monitoring_pb2.ListActivePipelinesResponse)
    return [one.active for one in answer.modules if one.HasField("active")]


def plain(message: Message) -> Row:
    """A message as the contract's JSON, with every field."""
    written: Row = json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return written


async def _answer_if_kept(
    services: Services, name: str, request: Message, token: str
) -> Message | None:
    try:
        return await services.answer(method_of(name), request, token)
    except Problem as problem:
        if problem.status != HTTPStatus.NOT_FOUND:
            raise
        return None
