"""Turns rows and values of the store into messages of the contract."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import grpc
from google.protobuf import duration_pb2, struct_pb2, timestamp_pb2

from carbonline.postgres.errors import VALUE_REFUSED, is_unavailable
from carbonline.serving.errors import RpcError, value_refused
from carbonline.serving.settings import BEATS_PER_LEASE_MIN
from carbonline.v1 import monitoring_pb2, operations_pb2, scheduler_pb2, types_pb2
from scheduler_service.jobs.limits import DAY_SECONDS
from scheduler_service.jobs.requests import (
    ChildDisposition,
    Disposition,
    FinishAnswer,
    Refused,
    Submitted,
)
from scheduler_service.jobs.scope import Scope
from scheduler_service.rpc.refusals import failure, refusal
from scheduler_service.store.core.claimed import Claimed
from scheduler_service.store.core.rows import SCOPES_REMEMBERED_MAX, ScopeRow, ShownJobRow
from scheduler_service.store.reads.answers import PipelineCounts
from scheduler_service.store.reads.rows import EventRow, JobSummaryRow, PipelineRow

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
COMMIT_MARGIN_SHARE = 0.1
UNKNOWN: int = grpc.StatusCode.UNKNOWN.value[0]


def numbers(enum: Any, prefix: str) -> Mapping[str, Any]:
    """The numbers of an enum by its names without the prefix, as the store has them."""
    return MappingProxyType({name.removeprefix(prefix): number for name, number in enum.items()})


# Made once: an enum's own look-up by name takes longer than the rest of a message.
JOB_STATES = numbers(types_pb2.JobState, "JOB_STATE_")
JOB_RESULTS = numbers(types_pb2.JobResult, "JOB_RESULT_")
ENTITY_TYPES = numbers(types_pb2.EntityType, "ENTITY_TYPE_")
DISPOSITIONS = numbers(types_pb2.Disposition, "DISPOSITION_")
WORKER_STATES = numbers(types_pb2.WorkerState, "WORKER_STATE_")
FINISH_OUTCOMES = numbers(scheduler_pb2.FinishOutcome, "FINISH_OUTCOME_")
STALE_REASONS = numbers(monitoring_pb2.StaleReason, "STALE_REASON_")


def timestamp(moment: datetime | None) -> timestamp_pb2.Timestamp | None:
    """A time as a message; None leaves the field out."""
    if moment is None:
        return None
    message = timestamp_pb2.Timestamp()
    _fill_timestamp(message, moment)
    return message


def _fill_timestamp(message: timestamp_pb2.Timestamp, moment: datetime) -> None:
    since = moment - EPOCH
    message.seconds = since.days * DAY_SECONDS + since.seconds
    message.nanos = since.microseconds * 1000


def duration(seconds: float) -> duration_pb2.Duration:
    """A duration in seconds as a message, to the microsecond. Less than zero becomes zero."""
    whole, micros = divmod(round(max(seconds, 0.0) * 1_000_000), 1_000_000)
    return duration_pb2.Duration(seconds=whole, nanos=micros * 1000)


def struct(value: Mapping[str, Any] | None) -> struct_pb2.Struct | None:
    """A JSON object as a message; None leaves the field out."""
    if value is None:
        return None
    message = struct_pb2.Struct()
    message.update(value)
    return message


def scope(row: ScopeRow) -> types_pb2.Scope:
    """The scope in the row of a job or a pipeline."""
    return _scope_message(row.scope)[0]


@lru_cache(maxsize=SCOPES_REMEMBERED_MAX)
def _scope_message(scope: Scope) -> tuple[types_pb2.Scope, int]:
    """The message and the number of its entity type. All callers share the message: copy it."""
    message = types_pb2.Scope(
        tenant=scope.tenant,
        module=types_pb2.Module.ValueType(scope.module or 0),
        data_entry_type=types_pb2.DataEntryType.ValueType(scope.data_entry_type or 0),
        year=scope.year or 0,
        unit=scope.unit or "",
        reference_kind=scope.reference_kind or "",
    )
    return message, ENTITY_TYPES[scope.entity_type]


def job(row: ShownJobRow, *, joined: bool = False) -> types_pb2.Job:
    """The message of a job, from a row of job_summaries or from a row that was just claimed.

    `joined` says that the pipeline in question joined the job and does not own it.
    """
    message = types_pb2.Job(joined=joined)
    _fill_job(message, row)
    return message


def _fill_job(message: types_pb2.Job, row: ShownJobRow) -> None:
    """Set only the fields that have a value: thousands of jobs are sent per second."""
    scope, entity_type = _scope_message(row.scope)
    message.scope.CopyFrom(scope)
    message.entity_type = entity_type  # type: ignore[assignment]
    message.job_id = row.job_id
    message.pipeline_id = row.pipeline_id
    message.job_type = row.job_type
    message.state = JOB_STATES[row.state]
    message.attempts_max = row.attempts_max
    message.priority = row.priority
    _fill_timestamp(message.created_at, row.created_at)
    if attempts := row.attempts:
        message.attempts = attempts
    if releases := row.releases:
        message.releases = releases
    if expiries := row.expiries:
        message.expiries = expiries
    if row.runs_alone:
        message.runs_alone = True
    if text := row.message:
        message.message = text
    _fill_run(message, row)
    _fill_relatives(message, row)


def _fill_run(message: types_pb2.Job, row: ShownJobRow) -> None:
    """When it runs or ran, by which claim, and what came of it."""
    if claim_token := row.last_token:
        message.claim_token = claim_token
    if (worker_id := row.worker_id) is not None:
        message.worker_id = str(worker_id)
    if (run_after := row.run_after) is not None:
        _fill_timestamp(message.run_after, run_after)
    if (started_at := row.started_at) is not None:
        _fill_timestamp(message.started_at, started_at)
    if (finished_at := row.finished_at) is not None:
        _fill_timestamp(message.finished_at, finished_at)
    if (result := row.result) is not None:
        message.result = JOB_RESULTS[result]
    if error_cause := row.error_cause:
        message.error_cause = error_cause
    if (stats := row.stats) is not None:
        message.stats.update(stats)


def _fill_relatives(message: types_pb2.Job, row: ShownJobRow) -> None:
    """Whose child it is, and which job does its work."""
    if parent_job_id := row.parent_job_id:
        message.parent_job_id = parent_job_id
    if child_key := row.child_key:
        message.child_key = child_key
    if superseded_by := row.superseded_by:
        message.superseded_by = superseded_by


def job_summary(row: JobSummaryRow, *, joined: bool = False) -> types_pb2.Job:
    """The message of a row of job_summaries, with progress and with `is_current`."""
    message = job(row, joined=joined)
    message.is_current = row.is_current
    if row.progress_at is not None:
        message.progress.done = row.progress_done
        message.progress.total = row.progress_total
        message.progress.phase = row.progress_phase
        message.progress.message = row.progress_message
        message.progress.at.FromDatetime(row.progress_at)
    return message


def pipeline(row: PipelineRow) -> types_pb2.Pipeline:
    """The message of a row of pipeline_summaries. LIVE becomes RUNNING with its first claim."""
    return types_pb2.Pipeline(
        pipeline_id=row.pipeline_id,
        kind=row.kind,
        scope=scope(row),
        status=status_of(row),
        version=row.version,
        submitted_by=row.submitted_by,
        root_job_id=row.root_job_id,
        live_jobs=row.live_jobs,
        has_error=row.failed_jobs > 0,
        has_warnings=row.warned_jobs > 0,
        created_at=timestamp(row.created_at),
        started_at=timestamp(row.started_at),
        finished_at=timestamp(row.finished_at),
        repair_of=row.repair_of or 0,
        retry_of=row.retry_of or 0,
        priority=row.priority or 0,
        total_jobs=row.live_jobs + row.finished_count,
        finished_jobs=row.finished_count,
        failed_jobs=row.failed_jobs,
        message=row.message or "",
        message_job_id=row.message_job_id,
        schedule=row.schedule or "",
    )


def status_counts(counts: PipelineCounts) -> operations_pb2.StatusCounts:
    """How many pipelines have each status."""
    found = {status.lower(): pipelines for status, pipelines in counts.by_status.items()}
    return operations_pb2.StatusCounts(**found, has_older=counts.has_older)


def status_of(row: PipelineRow) -> types_pb2.PipelineStatus.ValueType:
    """The status of a pipeline on the wire."""
    return pipeline_status(row.status, has_started=row.has_started)


def pipeline_status(status: str, *, has_started: bool) -> types_pb2.PipelineStatus.ValueType:
    """The number of a stored status. LIVE becomes RUNNING with the first claim."""
    if status == "LIVE":
        status = "RUNNING" if has_started else "NOT_STARTED"
    return types_pb2.PipelineStatus.Value(f"PIPELINE_STATUS_{status}")


def disposition(value: Disposition | None) -> types_pb2.Disposition.ValueType:
    """The number of a disposition on the wire; UNSPECIFIED for None."""
    if value is None:
        return types_pb2.DISPOSITION_UNSPECIFIED
    number: types_pb2.Disposition.ValueType = DISPOSITIONS[value]
    return number


def submitted(answer: Submitted) -> scheduler_pb2.SubmitResponse:
    """The answer to a Submit."""
    message = scheduler_pb2.SubmitResponse()
    fill_submitted(message, answer)
    return message


def fill_submitted(message: scheduler_pb2.SubmitResponse, answer: Submitted) -> None:
    """Write the answer to a Submit into `message`, which may be part of a batch."""
    message.pipeline_id = answer.pipeline_id
    message.job_id = answer.job_id
    message.disposition = DISPOSITIONS[answer.disposition]
    message.first_disposition = disposition(answer.first_disposition)


def claimed(claims: Sequence[Claimed], *, drains: bool) -> scheduler_pb2.ClaimResponse:
    """The answer to a Claim of a worker, which may be one that `drains`."""
    response = scheduler_pb2.ClaimResponse()
    if drains:
        response.directive = scheduler_pb2.WORKER_DIRECTIVE_DRAIN
    for claim in claims:
        message = response.jobs.add(claim_token=claim.claim_token)
        _fill_job(message.job, claim.row)
        message.lease.CopyFrom(_duration(claim.lease_seconds))
        message.heartbeat_interval.CopyFrom(_duration(claim.lease_seconds / BEATS_PER_LEASE_MIN))
        message.commit_margin.CopyFrom(_duration(claim.lease_seconds * COMMIT_MARGIN_SHARE))
        if (payload := claim.row.payload) is not None:
            message.payload.update(payload)
        for name, token in sorted(claim.close_through.items()):
            message.close_through.add(ledger_scope=name, claim_token=token)
    return response


# Claims are many and leases few.
_duration = lru_cache(maxsize=24)(duration)


def child(answer: ChildDisposition) -> scheduler_pb2.ChildDisposition:
    """What became, or would become, of a child."""
    return scheduler_pb2.ChildDisposition(
        child_key=answer.child_key,
        disposition=disposition(answer.disposition),
        job_id=answer.job_id,
    )


def finish_answer(answer: FinishAnswer) -> scheduler_pb2.FinishResponse:
    """The answer to a Finish."""
    message = scheduler_pb2.FinishResponse()
    fill_finish_answer(message, answer)
    return message


def fill_finish_answer(message: scheduler_pb2.FinishResponse, answer: FinishAnswer) -> None:
    """Write the answer to a Finish into `message`, which may be part of a batch."""
    message.finished = answer.finished
    message.outcome = FINISH_OUTCOMES[answer.outcome]
    for one in answer.children:
        message.children.add(
            child_key=one.child_key,
            disposition=disposition(one.disposition),
            job_id=one.job_id,
        )


def item_error(answer: Refused | Exception) -> scheduler_pb2.ItemError:
    """Why an item of a batch failed. UNKNOWN for a fault of ours, which the log explains."""
    match answer:
        case Refused():
            error = refusal(answer)
        case RpcError():
            error = answer
        case _ if isinstance(answer, VALUE_REFUSED):
            error = value_refused()
        case _ if is_unavailable(answer):
            error = RpcError(
                "DATABASE_UNAVAILABLE", "this item met a lock or a timeout: repeat it in a moment"
            )
        case _ if known := failure(answer):
            error = known
        case _:
            said = "the scheduler failed on this item; its log says why"
            return scheduler_pb2.ItemError(code=UNKNOWN, message=said)
    code: int = error.code.value[0]
    return scheduler_pb2.ItemError(code=code, reason=error.reason, message=error.message)


def timeline_event(row: EventRow) -> operations_pb2.TimelineEvent:
    """One event of a timeline."""
    return operations_pb2.TimelineEvent(
        at=timestamp(row.at),
        job_id=row.job_id or 0,
        event=row.event,
        claim_token=row.claim_token or 0,
        detail=row.detail,
        worker_id=str(row.worker_id or ""),
    )
