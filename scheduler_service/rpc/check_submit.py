"""Checks what is submitted, and turns it into a value of the store."""

import hashlib
import json
from collections.abc import Collection, Mapping
from typing import Any

from carbonline.serving.auth.principals import Principal
from carbonline.v1 import operations_pb2, scheduler_pb2, types_pb2
from scheduler_service.jobs.job_type_keys import SIGNED, SIGNED_BY
from scheduler_service.jobs.job_types import JOB_TYPES, SCOPE_PARTS
from scheduler_service.jobs.requests import Submission
from scheduler_service.jobs.scope import Scope
from scheduler_service.rpc.check_payload import UPLOAD_MAX, check_payload, meant_by
from scheduler_service.rpc.fields import UNIT_CHARACTERS_MAX, Fields

PRIORITY_DEFAULT, PRIORITY_MAX = 5, 9


def check_submit(
    request: scheduler_pb2.SubmitRequest, principal: Principal, enabled: Collection[str]
) -> Submission:
    """The submission of a Submit. Raises RpcError FIELD_INVALID, TOO_LARGE, or
    PERMISSION_DENIED for a scope beyond the caller's modules and units.

    `enabled` are the job types that may be submitted.
    """
    fields = Fields()
    request_id = fields.uuid("request_id", request.request_id)
    job_type = fields.job_type("job_type", request.job_type, enabled)
    if fault := principal.fault_of_tenant(request.scope.tenant):
        fields.fail("scope.tenant", fault)
    tenant = request.scope.tenant or principal.tenants[0]
    scope = fields.scope("scope", request.scope, tenant, job_type)
    kind = request.scope.reference_kind
    payload = check_payload(fields, "payload", job_type, request, kind)
    meant = meant_by(job_type, payload or {})
    if payload is not None and job_type in SIGNED:
        payload = {**payload, SIGNED_BY: principal.name}
    priority = request.priority if request.HasField("priority") else PRIORITY_DEFAULT
    fields.number("priority", priority, 0, PRIORITY_MAX)
    fields.done()
    principal.check_scope(scope.module, scope.unit, whole=_whole(job_type, principal))
    return Submission(
        request_id=request_id,
        body_digest=digest(
            **parts_of(scope),
            job_type=job_type,
            payload=meant,
            priority=priority,
            validate_only=request.validate_only,
        ),
        job_type=job_type,
        scope=scope,
        payload=payload,
        priority=priority,
        submitted_by=principal.name,
        validate_only=request.validate_only,
    )


def _whole(job_type: str, principal: Principal) -> str:
    """What of such a job nobody can name, although the caller is limited in it; "" if nothing."""
    named = JOB_TYPES[job_type].needs | JOB_TYPES[job_type].takes
    limits = {"module": principal.modules, "unit": principal.units}
    missing = [f"all {part}s" for part, limit in limits.items() if limit and part not in named]
    return f"{job_type} is about {' and '.join(missing)}" if missing else ""


def check_withdrawal(
    request: operations_pb2.WithdrawUploadRequest, principal: Principal
) -> Submission:
    """The submission of a WithdrawUpload. Raises RpcError FIELD_INVALID with every wrong field, or
    PERMISSION_DENIED for a module or unit beyond the caller's: the worker withdraws no upload of
    another unit than the one that is named.
    """
    fields = Fields()
    request_id = fields.uuid("request_id", request.request_id)
    if fault := principal.fault_of_tenant(request.tenant):
        fields.fail("tenant", fault)
    fields.number("upload_id", request.upload_id, 1, UPLOAD_MAX)
    scope = Scope(
        request.tenant or principal.tenants[0],
        fields.known("module", request.module, types_pb2.Module, needed=True),
        fields.known(
            "data_entry_type", request.data_entry_type, types_pb2.DataEntryType, needed=True
        ),
        fields.year("year", request.year),
        fields.text("unit", request.unit, UNIT_CHARACTERS_MAX) or None,
    )
    fields.belongs("data_entry_type", request.module, request.data_entry_type)
    fields.done()
    principal.check_scope(scope.module, scope.unit)
    return Submission(
        request_id=request_id,
        body_digest=digest(
            **parts_of(scope),
            job_type="upload_withdrawal",
            upload_id=request.upload_id,
            validate_only=request.validate_only,
        ),
        job_type="upload_withdrawal",
        scope=scope,
        payload={"upload_id": request.upload_id},
        priority=PRIORITY_DEFAULT,
        submitted_by=principal.name,
        validate_only=request.validate_only,
    )


def digest(**body: Any) -> bytes:
    """The digest of what a request means, without its request_id: a repeat has the same one,
    whoever made its bytes. What is empty counts as left out, so that a field which is new changes
    the digest of no request without it.
    """
    given = {name: value for name, value in body.items() if value}
    return hashlib.sha256(json.dumps(given, sort_keys=True).encode()).digest()


def parts_of(scope: Scope) -> Mapping[str, Any]:
    """The scope as a part of a body."""
    return {"tenant": scope.tenant} | {part: getattr(scope, part) for part in SCOPE_PARTS}
