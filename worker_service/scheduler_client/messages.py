"""Converts values of the mechanics to messages of the wire, and back."""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import grpc
from google.protobuf.duration_pb2 import Duration

from carbonline.client.json_struct import struct_of, values_of, wire_text
from carbonline.v1 import scheduler_pb2, types_pb2
from worker_service.mechanics.claimed_job import NOTHING, ClaimedJob
from worker_service.mechanics.outcome import Stats, Written
from worker_service.mechanics.scheduler import (
    Beat,
    BeatAnswer,
    ChildRequest,
    ClaimRequest,
    Directive,
    Finish,
    FinishAnswer,
    FinishResult,
    HeartbeatReply,
    NotReady,
    Release,
    ReleaseReason,
)
from worker_service.scheduler_client.identity import WorkerIdentity

# Status codes of requests that are invalid or forbidden: repeating them does not help.
REFUSALS = frozenset(
    {
        "INVALID_ARGUMENT",
        "NOT_FOUND",
        "FAILED_PRECONDITION",
        "OUT_OF_RANGE",
        "PERMISSION_DENIED",
        "UNAUTHENTICATED",
        "UNIMPLEMENTED",
    }
)
_CODE_NAMES = {code.value[0]: code.name for code in grpc.StatusCode}
MESSAGE_CHARACTERS_MAX = 4096
NOT_READY_CHARACTERS_MAX = 512
STATS_BYTES_MAX = 64 * 1024

WRITTEN = MappingProxyType(
    {Written.NOTHING: types_pb2.WRITTEN_NOTHING, Written.UNKNOWN: types_pb2.WRITTEN_UNKNOWN}
)
RESULTS = MappingProxyType(
    {
        FinishResult.SUCCESS: types_pb2.JOB_RESULT_SUCCESS,
        FinishResult.WARNING: types_pb2.JOB_RESULT_WARNING,
        FinishResult.ERROR: types_pb2.JOB_RESULT_ERROR,
    }
)
REASONS = MappingProxyType(
    {
        ReleaseReason.DRAIN: scheduler_pb2.RELEASE_REASON_DRAIN,
        ReleaseReason.RETRY_LATER: scheduler_pb2.RELEASE_REASON_RETRY_LATER,
        ReleaseReason.CANCELLED: scheduler_pb2.RELEASE_REASON_CANCELLED,
        ReleaseReason.NOT_READY: scheduler_pb2.RELEASE_REASON_NOT_READY,
    }
)
DIRECTIVES: Mapping[int, Directive] = MappingProxyType(
    {
        scheduler_pb2.CLAIM_DIRECTIVE_CONTINUE: Directive.CONTINUE,
        scheduler_pb2.CLAIM_DIRECTIVE_CANCEL: Directive.CANCEL,
        scheduler_pb2.CLAIM_DIRECTIVE_LOST: Directive.LOST,
    }
)
OUTCOMES: Mapping[int, FinishAnswer] = MappingProxyType(
    {
        scheduler_pb2.FINISH_OUTCOME_APPLIED: FinishAnswer.APPLIED,
        scheduler_pb2.FINISH_OUTCOME_ALREADY_APPLIED: FinishAnswer.ALREADY_APPLIED,
        scheduler_pb2.FINISH_OUTCOME_STALE: FinishAnswer.STALE,
        scheduler_pb2.FINISH_OUTCOME_CONFLICT: FinishAnswer.CONFLICT,
    }
)


def claim_request(request: ClaimRequest, identity: WorkerIdentity) -> scheduler_pb2.ClaimRequest:
    """The message of one Claim."""
    return scheduler_pb2.ClaimRequest(
        worker_id=identity.worker_id,
        request_id=request.request_id,
        job_types=request.job_types,
        max_jobs=request.max_jobs,
        wait=_duration(request.wait_seconds),
        build_id=identity.build_id,
        host=identity.host,
        declared_types=identity.declared_types,
    )


def claimed_job(claimed: scheduler_pb2.ClaimedJob) -> ClaimedJob:
    """A job of a ClaimResponse. 0 and "" in its ledger scope become None."""
    job = claimed.job
    scope = job.scope
    return ClaimedJob(
        job_id=job.job_id,
        pipeline_id=job.pipeline_id,
        tenant=scope.tenant,
        job_type=job.job_type,
        claim_token=claimed.claim_token,
        lease_seconds=_seconds(claimed.lease),
        module=int(scope.module) or None,
        data_entry_type=int(scope.data_entry_type) or None,
        year=scope.year or None,
        unit=scope.unit or None,
        reference_kind=scope.reference_kind or None,
        payload=values_of(claimed.payload) if claimed.HasField("payload") else NOTHING,
        close_through={close.ledger_scope: close.claim_token for close in claimed.close_through},
        attempt=job.attempts,
        attempts_max=job.attempts_max,
        heartbeat_interval_seconds=_seconds(claimed.heartbeat_interval),
        commit_margin_seconds=_seconds(claimed.commit_margin),
    )


def claim_beat(beat: Beat) -> scheduler_pb2.ClaimBeat:
    """One claim's part of a heartbeat."""
    message = scheduler_pb2.ClaimBeat(job_id=beat.job_id, claim_token=beat.claim_token)
    if beat.progress is not None:
        message.progress.done = max(0, beat.progress.done)
        message.progress.total = max(0, beat.progress.total)
        message.progress.phase = wire_text(beat.progress.phase)
        message.progress.message = wire_text(beat.progress.message)
    return message


def heartbeat_reply(response: scheduler_pb2.HeartbeatResponse) -> HeartbeatReply:
    """The answer to a heartbeat. A directive unknown to this build is read as CONTINUE."""
    return HeartbeatReply(
        tuple(
            BeatAnswer(
                answer.job_id,
                answer.claim_token,
                DIRECTIVES.get(answer.directive, Directive.CONTINUE),
                _seconds(answer.lease_left),
            )
            for answer in response.answers
        ),
        response.directive == scheduler_pb2.WORKER_DIRECTIVE_DRAIN,
    )


def child_spec(child: ChildRequest) -> scheduler_pb2.ChildSpec:
    """The message of one child. Enums go as numbers, so that new values need no new worker."""
    message = scheduler_pb2.ChildSpec(
        child_key=child.child_key,
        job_type=child.job_type,
        data_entry_type=types_pb2.DataEntryType.ValueType(child.data_entry_type or 0),
        module=types_pb2.Module.ValueType(child.module or 0),
        year=child.year or 0,
    )
    if child.payload:
        message.payload.CopyFrom(struct_of(child.payload))
    return message


def finish_request(finish: Finish, worker_id: str) -> scheduler_pb2.FinishRequest:
    """The message of one Finish, cut to the limits of the contract."""
    message = scheduler_pb2.FinishRequest(
        worker_id=worker_id,
        job_id=finish.job_id,
        claim_token=finish.claim_token,
        result=RESULTS[finish.result],
        message=wire_text(finish.message)[:MESSAGE_CHARACTERS_MAX],
        error_cause=wire_text(finish.error_cause),
        written=WRITTEN[finish.written],
    )
    stats = _fitting(finish.stats)
    if stats:
        message.stats.CopyFrom(struct_of(stats))
    return message


def finish_answer(result: scheduler_pb2.BatchFinishResult) -> FinishAnswer | None:
    """What the scheduler did with one Finish of a batch; None if it could not decide it now."""
    if result.WhichOneof("result") == "error":
        return FinishAnswer.REFUSED if _CODE_NAMES.get(result.error.code) in REFUSALS else None
    return OUTCOMES.get(result.response.outcome, FinishAnswer.STALE)


def claim_release(release: Release) -> scheduler_pb2.ClaimRelease:
    """The message of one Release. A delay is sent with RETRY_LATER only."""
    message = scheduler_pb2.ClaimRelease(
        job_id=release.job_id,
        claim_token=release.claim_token,
        reason=REASONS[release.reason],
        written=WRITTEN[release.written],
    )
    if release.reason in (ReleaseReason.RETRY_LATER, ReleaseReason.NOT_READY):
        message.message = wire_text(release.message)[:MESSAGE_CHARACTERS_MAX]
    if release.reason is ReleaseReason.RETRY_LATER and release.delay_seconds is not None:
        message.delay.CopyFrom(_duration(max(0.0, release.delay_seconds)))
    return message


def heartbeat_request(
    beats: Sequence[Beat], draining: bool, not_ready: NotReady | None, identity: WorkerIdentity
) -> scheduler_pb2.HeartbeatRequest:
    """The message of a Heartbeat, cut to the limits of the contract."""
    message = scheduler_pb2.HeartbeatRequest(
        worker_id=identity.worker_id,
        beats=[claim_beat(beat) for beat in beats],
        draining=draining,
    )
    if not_ready is not None:
        message.not_ready = wire_text(not_ready.reason)[:NOT_READY_CHARACTERS_MAX]
        introduction = message.introduction
        introduction.job_types.extend(not_ready.job_types)
        introduction.build_id = identity.build_id
        introduction.host = identity.host
        introduction.declared_types = identity.declared_types
    return message


def _fitting(stats: Stats) -> Mapping[str, Any]:
    """Stats over STATS_BYTES_MAX are dropped, so that they cannot make the Finish fail."""
    if not stats:
        return stats
    size = len(json.dumps(dict(stats), default=str).encode())
    return stats if size <= STATS_BYTES_MAX else {"stats_dropped_bytes": size}


def _duration(seconds: float) -> Duration:
    duration = Duration()
    duration.FromNanoseconds(int(seconds * 1e9))
    return duration


def _seconds(duration: Duration) -> float:
    return duration.seconds + duration.nanos / 1e9
