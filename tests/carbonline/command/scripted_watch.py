"""A scheduler whose watches play a script: streams that break at the worst moment."""

# ruff: noqa: N802  the names are the contract's

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import TypeAlias

import grpc
import grpc.aio

from carbonline.serving.errors import RpcError, abort
from carbonline.v1 import scheduler_pb2, types_pb2
from carbonline.v1.scheduler_pb2_grpc import SchedulerServiceServicer

Message: TypeAlias = scheduler_pb2.WatchPipelineResponse
# In a script: nothing more comes, on a stream that stays open.
SILENCE = "silence"
Script: TypeAlias = Sequence["Message | grpc.StatusCode | RpcError | str"]


class ScriptedWatch(SchedulerServiceServicer):
    """Each call plays the next script: messages, then an end, an error code or an error."""

    def __init__(self, *scripts: Script) -> None:
        self.scripts = list(scripts)
        # The same of watches of all pipelines.
        self.lists: list[Sequence[scheduler_pb2.PipelineRows | grpc.StatusCode]] = []
        self.asked: list[int] = []
        self.broken_off: list[tuple[int, int]] = []

    async def WatchPipelines(
        self,
        request: scheduler_pb2.WatchPipelinesRequest,
        context: "grpc.aio.ServicerContext[object, object]",
    ) -> AsyncIterator[scheduler_pb2.WatchPipelinesResponse]:
        for item in self.lists.pop(0):
            if isinstance(item, grpc.StatusCode):
                await context.abort(item, "as the script says")
            else:
                yield scheduler_pb2.WatchPipelinesResponse(rows=item)

    async def WatchPipeline(
        self,
        request: scheduler_pb2.WatchPipelineRequest,
        context: "grpc.aio.ServicerContext[object, object]",
    ) -> AsyncIterator[Message]:
        self.asked.append(request.after_version)
        position = request.broken_off
        self.broken_off.append((position.version, position.after_job_id))
        for item in self.scripts.pop(0):
            if isinstance(item, grpc.StatusCode):
                await context.abort(item, "as the script says")
            elif isinstance(item, RpcError):
                await abort(context, item)
            elif isinstance(item, str):
                await asyncio.Event().wait()
            else:
                yield item


def job(
    job_id: int, state: types_pb2.JobState.ValueType = types_pb2.JOB_STATE_RUNNING
) -> types_pb2.Job:
    return types_pb2.Job(job_id=job_id, job_type="csv_ingest", state=state)


def snapshot(
    version: int, *jobs: types_pb2.Job, more: bool = False, after_job_id: int = 0
) -> Message:
    pipeline = types_pb2.Pipeline(pipeline_id=1, version=version)
    seen = scheduler_pb2.PipelineSnapshot(
        pipeline=pipeline, jobs=jobs, more=more, after_job_id=after_job_id
    )
    return Message(snapshot=seen)


def change(from_version: int, to_version: int, *jobs: types_pb2.Job, left: int = 0) -> Message:
    pipeline = types_pb2.Pipeline(pipeline_id=1, version=to_version)
    return Message(
        change=scheduler_pb2.PipelineChange(
            from_version=from_version,
            to_version=to_version,
            pipeline=pipeline,
            jobs=jobs,
            left_job_ids=[left] if left else [],
        )
    )


def activity(*jobs: types_pb2.Job) -> Message:
    return Message(activity=scheduler_pb2.PipelineActivity(jobs=jobs))


def final(version: int) -> Message:
    pipeline = types_pb2.Pipeline(
        pipeline_id=1, version=version, status=types_pb2.PIPELINE_STATUS_SUCCESS
    )
    return Message(final=scheduler_pb2.PipelineFinal(pipeline=pipeline, evidence_digest="d"))
