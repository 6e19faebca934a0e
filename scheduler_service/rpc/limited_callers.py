"""Keeps callers with limited modules or units within them: by the scope of the pipeline they name.

A pipeline's scope never changes, so it is checked before the operation. Callers without limits pay
nothing for it. What is not there, or another tenant's, is left to the operation to refuse.
"""

from collections.abc import Iterable
from dataclasses import replace

from carbonline.serving.interceptor import caller
from carbonline.v1 import operations_pb2, types_pb2
from carbonline.v1 import scheduler_pb2 as pb
from scheduler_service.jobs.scope import Scope
from scheduler_service.rpc import messages
from scheduler_service.store.reads.explain import Explained
from scheduler_service.store.reads.rows import JobSummaryRow, PipelineRow
from scheduler_service.store.store import Store

# What a timeline says of these begins with a word of ours, the type or the result, which the job
# shows anyway.
_EVENTS_WITH_A_WORD = frozenset({"created", "finished"})


async def check_pipeline(store: Store, pipeline_id: int) -> None:
    """Raises RpcError PERMISSION_DENIED if the caller's modules and units lack the pipeline's."""
    if caller().is_limited:
        _check(await store.pipeline_scope(pipeline_id))


async def check_job(store: Store, job_id: int) -> None:
    """As `check_pipeline`, for the pipeline that owns a job."""
    if caller().is_limited:
        _check(await store.scope_of_job(job_id))


def _check(scope: Scope | None) -> None:
    principal = caller()
    if scope is not None and scope.tenant in principal.tenants:
        principal.check_scope(scope.module, scope.unit)


def without_details(jobs: Iterable[types_pb2.Job]) -> None:
    """Take from jobs of wider or other scopes than the caller's what tells of their rows: the
    pipeline of a unit causes jobs of its whole module, and joins those of others.
    """
    principal = caller()
    if not principal.is_limited:
        return
    for job in jobs:
        if not principal.covers(job.scope.module, job.scope.unit):
            for field in ("message", "error_cause", "stats", "progress"):
                job.ClearField(field)


def job_of(row: JobSummaryRow) -> types_pb2.Job:
    """The message of a job as the caller may see it."""
    job = messages.job_summary(row)
    without_details([job])
    return job


def explained_to_caller(found: Explained) -> Explained:
    """What is known of a job that is explained, without its message unless the caller may see it:
    reasons repeat it.
    """
    if caller().covers(found.job.module, found.job.unit):
        return found
    return replace(found, facts=replace(found.facts, message=""))


def without_words(
    timeline: Iterable[operations_pb2.TimelineEvent], jobs: Iterable[types_pb2.Job]
) -> None:
    """Take from a timeline what it says of other jobs than those of `jobs` that the caller may see:
    the message of an end, for one.
    """
    principal = caller()
    if not principal.is_limited:
        return
    seen = {job.job_id for job in jobs if principal.covers(job.scope.module, job.scope.unit)}
    for event in timeline:
        if event.job_id and event.job_id not in seen:
            word = event.detail.partition(" ")[0]
            event.detail = word if event.event in _EVENTS_WITH_A_WORD else ""


def pipeline_of(row: PipelineRow) -> types_pb2.Pipeline:
    """The message of a pipeline as the caller may see it."""
    message = messages.pipeline(row)
    _without_others_message(message)
    return message


def _without_others_message(pipeline: types_pb2.Pipeline) -> None:
    """Only the root job is sure to have the pipeline's scope, which the caller's cover."""
    if caller().is_limited and pipeline.message_job_id != pipeline.root_job_id:
        pipeline.ClearField("message")


def shown_to_caller(pipeline: types_pb2.Pipeline) -> types_pb2.Pipeline | None:
    """A pipeline as the caller may see it, None if it may not. All watchers share the message."""
    principal = caller()
    if not principal.is_limited:
        return pipeline
    if not principal.covers(pipeline.scope.module, pipeline.scope.unit):
        return None
    own = types_pb2.Pipeline()
    own.CopyFrom(pipeline)
    _without_others_message(own)
    return own


def seen_by_caller(message: pb.WatchPipelineResponse) -> pb.WatchPipelineResponse:
    """A message of a watch as the caller may see it. All watchers share the message itself."""
    if not caller().is_limited:
        return message
    own = pb.WatchPipelineResponse()
    own.CopyFrom(message)
    for part in (own.snapshot, own.change, own.activity):
        without_details(part.jobs)
    for told in (own.snapshot, own.change, own.final):
        _without_others_message(told.pipeline)
    return own
