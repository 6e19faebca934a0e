"""One look at the services for all who watch with the same rights: what the console shows."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, TypeAlias

from google.protobuf import json_format

from carbonline.v1 import operations_pb2, types_pb2
from gateway_service.services import Services, method_of
from gateway_service.transcode.problems import Problem

PIPELINES_MAX = 200
# So many pipelines are asked for their jobs in one look; the others have their turn in the next.
ASKED_FOR_JOBS_MAX = 20
JOBS_MAX = 200
YEARS_MAX = 12
LIVE = frozenset({types_pb2.PIPELINE_STATUS_NOT_STARTED, types_pb2.PIPELINE_STATUS_RUNNING})

LIST_PIPELINES = "carbonline.v1.OperationsService.ListPipelines"
LIST_JOBS = "carbonline.v1.OperationsService.ListJobs"
GET_PIPELINE = "carbonline.v1.OperationsService.GetPipeline"
GET_YEAR = "carbonline.v1.OperationsService.GetYear"

# The name of a list in the message, and the id of its row.
Key: TypeAlias = tuple[str, str]
Row: TypeAlias = Mapping[str, Any]


@dataclass
class Seen:
    """What earlier looks have seen, so that the next asks only for what may have changed.

    `versions` are those of the newest pipelines and of the live ones, with their statuses: the
    first claim changes the status alone. `live` are the pipelines that were live when seen last,
    `behind` those whose jobs are not asked yet.
    """

    versions: dict[int, tuple[int, int]] = field(default_factory=dict)
    live: set[int] = field(default_factory=set)
    behind: dict[int, None] = field(default_factory=dict)
    years: dict[int, None] = field(default_factory=dict)


async def look(services: Services, token: str, seen: Seen) -> dict[Key, Row]:
    """The rows that may have changed since the last look. Raises Problem.

    Pipelines are read first, then jobs, then years: a total is never out of date beside a pipeline
    that seems to run no more, since what ended before is in the freshness that is read after.
    """
    listed = await services.answer(
        method_of(LIST_PIPELINES),
        operations_pb2.ListPipelinesRequest(page_size=PIPELINES_MAX),
        token,
    )
    assert isinstance(listed, operations_pb2.ListPipelinesResponse)
    there = {one.pipeline_id for one in listed.pipelines}
    older = await _still_live(services, token, seen.live - there)
    pipelines = [*listed.pipelines, *older]
    changed = _note(seen, pipelines)
    rows: dict[Key, Row] = {
        ("pipelines", str(one.pipeline_id)): _plain(one)
        for one in pipelines
        if one.pipeline_id in changed
    }
    # Progress moves without a new version of the pipeline.
    wanted = [*seen.live, *(one for one in seen.behind if one not in seen.live)]
    for pipeline_id in wanted[:ASKED_FOR_JOBS_MAX]:
        seen.behind.pop(pipeline_id, None)
    for jobs in await asyncio.gather(
        *(_jobs_of(services, token, one) for one in wanted[:ASKED_FOR_JOBS_MAX])
    ):
        rows.update((("jobs", str(job.job_id)), _plain(job)) for job in jobs)
    for year in list(seen.years)[-YEARS_MAX:]:
        request = operations_pb2.GetYearRequest(year=year)
        rows["years", str(year)] = _plain(
            await services.answer(method_of(GET_YEAR), request, token)
        )
    return rows


async def _still_live(
    services: Services, token: str, ids: Iterable[int]
) -> list[types_pb2.Pipeline]:
    """Pipelines that were live, and are not among the newest any more: their end must be told.

    So many as PIPELINES_MAX are followed. One that is kept no longer is followed no more.
    """
    found = []
    for pipeline_id in sorted(ids, reverse=True)[:PIPELINES_MAX]:
        request = operations_pb2.GetPipelineRequest(pipeline_id=pipeline_id)
        try:
            answer = await services.answer(method_of(GET_PIPELINE), request, token)
        except Problem as problem:
            if problem.status != HTTPStatus.NOT_FOUND:
                raise
            continue
        assert isinstance(answer, operations_pb2.GetPipelineResponse)
        found.append(answer.pipeline)
    return found


def _note(seen: Seen, pipelines: Sequence[types_pb2.Pipeline]) -> set[int]:
    changed = set()
    seen.live.clear()
    kept = {one.pipeline_id for one in pipelines}
    seen.versions = {key: version for key, version in seen.versions.items() if key in kept}
    for one in pipelines:
        first = one.pipeline_id not in seen.versions
        if first or seen.versions[one.pipeline_id] != (one.version, one.status):
            changed.add(one.pipeline_id)
            seen.versions[one.pipeline_id] = (one.version, one.status)
            # Of what ended long ago, a page asks itself.
            if not first or one.status in LIVE:
                seen.behind[one.pipeline_id] = None
        if one.status in LIVE:
            seen.live.add(one.pipeline_id)
        if one.scope.year and one.scope.year not in seen.years:
            seen.years[one.scope.year] = None
    return changed


async def _jobs_of(services: Services, token: str, pipeline_id: int) -> list[types_pb2.Job]:
    request = operations_pb2.ListJobsRequest(pipeline_id=pipeline_id, page_size=JOBS_MAX)
    answer = await services.answer(method_of(LIST_JOBS), request, token)
    assert isinstance(answer, operations_pb2.ListJobsResponse)
    return list(answer.jobs)


def _plain(message: Any) -> Row:
    written: Row = json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return written
