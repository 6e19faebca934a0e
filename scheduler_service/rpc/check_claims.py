"""Checks the requests of workers, and turns them into values of the store.

Each function raises RpcError FIELD_INVALID, with every field that is wrong, or TOO_LARGE.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from carbonline.serving.auth.principals import Principal
from carbonline.serving.field_checker import ID_MAX
from carbonline.unseen import seen
from carbonline.v1 import scheduler_pb2, types_pb2
from scheduler_service.jobs.heartbeats import Heartbeat, Introduction
from scheduler_service.jobs.job_types import JOB_TYPES
from scheduler_service.jobs.requests import (
    Beat,
    ChildRequest,
    ClaimRequest,
    FinishRequest,
    ProgressReport,
    Release,
    ReleaseReason,
    Written,
)
from scheduler_service.jobs.retry import DELAY_SECONDS_MAX
from scheduler_service.jobs.states import JobResult
from scheduler_service.rpc.check_payload import check_payload
from scheduler_service.rpc.fields import Fields

JOBS_MAX = 1000
JOB_TYPES_MAX = 32
WAIT_SECONDS_MAX = 25.0
MESSAGE_CHARACTERS_MAX = 4096
NAME_CHARACTERS_MAX = 128
NOT_READY_CHARACTERS_MAX = 512

_OTHER_DECLARATION = (
    "is not that of this scheduler: it was started with another file of job types. Give all"
    " schedulers and workers the same CARBONLINE_JOB_TYPES_FILE, and start them again"
)
_RESULTS = {
    types_pb2.JOB_RESULT_SUCCESS: JobResult.SUCCESS,
    types_pb2.JOB_RESULT_WARNING: JobResult.WARNING,
    types_pb2.JOB_RESULT_ERROR: JobResult.ERROR,
}
_REASONS = {
    scheduler_pb2.RELEASE_REASON_DRAIN: ReleaseReason.DRAIN,
    scheduler_pb2.RELEASE_REASON_RETRY_LATER: ReleaseReason.RETRY_LATER,
    scheduler_pb2.RELEASE_REASON_CANCELLED: ReleaseReason.CANCELLED,
    scheduler_pb2.RELEASE_REASON_NOT_READY: ReleaseReason.NOT_READY,
}


def check_claim(
    request: scheduler_pb2.ClaimRequest,
    principal: Principal,
    enabled: Collection[str],
    declared: str,
) -> tuple[ClaimRequest, float]:
    """The claim request, and how many seconds it waits for jobs.

    `declared` is the digest of the job types that this deployment declares.
    """
    fields = Fields()
    worker = _introduction(fields, "", request, enabled, declared)
    claim = ClaimRequest(
        worker_id=fields.uuid("worker_id", request.worker_id),
        request_id=fields.uuid("request_id", request.request_id),
        job_types=worker.job_types,
        max_jobs=fields.number("max_jobs", request.max_jobs, 1, JOBS_MAX),
        principal=principal.name,
        tenants=principal.tenants,
        build_id=worker.build_id,
        host=worker.host,
    )
    wait_seconds = fields.seconds("wait", request.wait, WAIT_SECONDS_MAX)
    fields.done()
    return claim, wait_seconds


def _introduction(
    fields: Fields,
    prefix: str,
    message: scheduler_pb2.ClaimRequest | scheduler_pb2.WorkerIntroduction,
    enabled: Collection[str],
    declared: str,
) -> Introduction:
    said = fields.text(f"{prefix}declared_types", message.declared_types, NAME_CHARACTERS_MAX)
    if said and said != declared:
        # Its other faults follow from this one.
        fields.fail(f"{prefix}declared_types", _OTHER_DECLARATION)
        fields.done()
    job_types = message.job_types[:JOB_TYPES_MAX]
    fields.count(f"{prefix}job_types", len(message.job_types), JOB_TYPES_MAX)
    for number, name in enumerate(job_types):
        fields.job_type(f"{prefix}job_types[{number}]", name, enabled)
    return Introduction(
        tuple(sorted(set(job_types))),
        fields.text(f"{prefix}build_id", message.build_id, NAME_CHARACTERS_MAX, needed=True),
        fields.text(f"{prefix}host", message.host, NAME_CHARACTERS_MAX),
    )


def check_heartbeat(
    request: scheduler_pb2.HeartbeatRequest,
    principal: Principal,
    enabled: Collection[str],
    declared: str,
) -> Heartbeat:
    """The heartbeat of a worker. It may have no beats."""
    fields = Fields()
    worker_id = fields.uuid("worker_id", request.worker_id)
    fields.count("beats", len(request.beats), JOBS_MAX, least=0)
    not_ready = fields.text("not_ready", request.not_ready, NOT_READY_CHARACTERS_MAX)
    introduction = (
        _introduction(fields, "introduction.", request.introduction, enabled, declared)
        if request.HasField("introduction")
        else None
    )
    if introduction and not not_ready:
        fields.fail("introduction", "goes with not_ready: a worker that is ready claims")
    beats = [
        Beat(
            fields.identifier(f"beats[{n}].job_id", beat.job_id),
            fields.identifier(f"beats[{n}].claim_token", beat.claim_token),
            _progress(fields, f"beats[{n}].progress", beat),
        )
        for n, beat in enumerate(request.beats[:JOBS_MAX])
    ]
    fields.done()
    return Heartbeat(
        worker_id,
        principal.name,
        principal.tenants,
        beats,
        request.draining,
        not_ready,
        introduction,
    )


def _progress(fields: Fields, field: str, beat: scheduler_pb2.ClaimBeat) -> ProgressReport | None:
    if not beat.HasField("progress"):
        return None
    progress = beat.progress
    return ProgressReport(
        done=fields.number(f"{field}.done", progress.done, 0, ID_MAX),
        total=fields.number(f"{field}.total", progress.total, 0, ID_MAX),
        phase=fields.text(f"{field}.phase", progress.phase, 64),
        message=fields.text(f"{field}.message", progress.message, 512),
    )


def check_chain(
    request: scheduler_pb2.ChainRequest, enabled: Collection[str]
) -> tuple[UUID, int, int, list[ChildRequest]]:
    """The worker, its job, the claim token and the children to stage."""
    fields = Fields()
    worker_id = fields.uuid("worker_id", request.worker_id)
    job_id = fields.identifier("job_id", request.job_id)
    claim_token = fields.identifier("claim_token", request.claim_token)
    fields.count("children", len(request.children), JOBS_MAX)
    children = [
        _child(fields, f"children[{n}]", child, enabled)
        for n, child in enumerate(request.children[:JOBS_MAX])
    ]
    fields.done()
    return worker_id, job_id, claim_token, children


def _child(
    fields: Fields, field: str, child: scheduler_pb2.ChildSpec, enabled: Collection[str]
) -> ChildRequest:
    job_type = fields.job_type(f"{field}.job_type", child.job_type, enabled)
    fields.belongs(f"{field}.data_entry_type", child.module, child.data_entry_type)
    needs = JOB_TYPES[job_type].needs
    entry_type = fields.known(
        f"{field}.data_entry_type", child.data_entry_type, types_pb2.DataEntryType
    )
    if entry_type is None and "data_entry_type" in needs:
        fields.fail(
            f"{field}.data_entry_type",
            f"is required: {job_type} needs it, and no child takes it from its parent",
        )
    return ChildRequest(
        child_key=fields.text(f"{field}.child_key", child.child_key, 128, needed=True),
        job_type=job_type,
        data_entry_type=entry_type,
        module=fields.known(f"{field}.module", child.module, types_pb2.Module),
        year=fields.optional_year(f"{field}.year", child.year),
        payload=check_payload(fields, f"{field}.payload", job_type, child),
    )


def check_finish(request: scheduler_pb2.FinishRequest, principal: Principal) -> FinishRequest:
    """The finish request of one claim."""
    fields = Fields()
    result = _RESULTS.get(request.result)
    if result is None:
        fields.fail("result", "must be SUCCESS, WARNING or ERROR")
    is_error = result is JobResult.ERROR
    if is_error and not seen(request.error_cause).strip():
        fields.fail("error_cause", "is required with ERROR: a short stable word")
    if request.error_cause and not is_error:
        fields.fail("error_cause", "must be empty unless the result is ERROR")
    finish = FinishRequest(
        job_id=fields.identifier("job_id", request.job_id),
        claim_token=fields.identifier("claim_token", request.claim_token),
        worker_id=fields.uuid("worker_id", request.worker_id),
        principal=principal.name,
        result=result or JobResult.SUCCESS,
        message=fields.text("message", request.message, MESSAGE_CHARACTERS_MAX),
        error_cause=fields.text("error_cause", request.error_cause, NAME_CHARACTERS_MAX),
        stats=fields.json("stats", request.stats) if request.HasField("stats") else None,
        written=_written(fields, "written", request.written),
        tenants=principal.tenants,
    )
    fields.done()
    return finish


def check_release(request: scheduler_pb2.ReleaseRequest, principal: Principal) -> Sequence[Release]:
    """The claims to release."""
    fields = Fields()
    worker_id = fields.uuid("worker_id", request.worker_id)
    fields.count("releases", len(request.releases), JOBS_MAX)
    releases = [
        _release(fields, f"releases[{n}]", release, worker_id, principal)
        for n, release in enumerate(request.releases[:JOBS_MAX])
    ]
    fields.done()
    return releases


def _release(
    fields: Fields,
    field: str,
    release: scheduler_pb2.ClaimRelease,
    worker_id: UUID,
    principal: Principal,
) -> Release:
    reason = _REASONS.get(release.reason)
    if reason is None:
        fields.fail(f"{field}.reason", "must be DRAIN, RETRY_LATER, CANCELLED or NOT_READY")
    delay = None
    if release.HasField("delay"):
        delay = fields.seconds(f"{field}.delay", release.delay, DELAY_SECONDS_MAX)
    return Release(
        job_id=fields.identifier(f"{field}.job_id", release.job_id),
        claim_token=fields.identifier(f"{field}.claim_token", release.claim_token),
        worker_id=worker_id,
        principal=principal.name,
        reason=reason or ReleaseReason.DRAIN,
        written=_written(fields, f"{field}.written", release.written),
        message=fields.text(f"{field}.message", release.message, MESSAGE_CHARACTERS_MAX),
        delay_seconds=delay,
        tenants=principal.tenants,
    )


def _written(fields: Fields, field: str, value: int) -> Written:
    fields.known(field, value, types_pb2.Written)
    return Written.NOTHING if value == types_pb2.WRITTEN_NOTHING else Written.UNKNOWN
