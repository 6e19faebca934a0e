"""Checks what is submitted, and turns it into a value of the store."""

import hashlib
import json
import re
from collections.abc import Collection
from types import MappingProxyType
from typing import Any

from carbonline.serving.principals import Principal
from carbonline.v1 import operations_pb2, scheduler_pb2, types_pb2
from scheduler_service.jobs.job_type_keys import PAYLOAD_KEYS, REMOVE, REMOVE_STALE
from scheduler_service.jobs.job_types import JOB_TYPES, SCOPE_PARTS
from scheduler_service.jobs.requests import Json, Submission
from scheduler_service.jobs.scope import Scope
from scheduler_service.rpc.fields import UNIT_CHARACTERS_MAX, Fields

PRIORITY_DEFAULT, PRIORITY_MAX = 5, 9
BLOB = re.compile(r"blob:sha256:[0-9a-f]{64}")
FILE_TYPES = ("csv_ingest", "factor_ingest", "reference_ingest", "unit_sync")
WITHOUT_A_FILE = (REMOVE_STALE, REMOVE)
# What a job's data is to say of who brought it; callers cannot give it themselves.
SIGNED = frozenset({"csv_ingest"})
SOURCE_CHARACTERS_MAX = 64
# What these keys mean if they are left out.
PAYLOAD_DEFAULTS = MappingProxyType({"source": "default", "mode": "add"})
# A payload's numbers are doubles, which count no further.
UPLOAD_MAX = 2**53
_UPLOAD_RULE = "must be the upload_id of an upload; ListUploads lists them"
_KEY_CHARACTERS_SHOWN_MAX = 64
_TEXT_CHARACTERS_MAX = 255
REMOVED_UNITS_MAX = 1_000
REMOVED_PLACES_MAX, CODE_CHARACTERS_MAX = 1_000, 128
_SOURCE_RULE = (
    f"must be a name of at most {SOURCE_CHARACTERS_MAX} characters, without control or invisible"
    " characters"
)


def check_submit(
    request: scheduler_pb2.SubmitRequest, principal: Principal, enabled: Collection[str]
) -> Submission:
    """The submission of a Submit. Raises RpcError FIELD_INVALID or TOO_LARGE.

    `enabled` are the job types that may be submitted.
    """
    fields = Fields()
    request_id = fields.uuid("request_id", request.request_id)
    job_type = fields.job_type("job_type", request.job_type, enabled)
    if fault := principal.fault_of_tenant(request.scope.tenant):
        fields.fail("scope.tenant", fault)
    tenant = request.scope.tenant or principal.tenants[0]
    scope = fields.scope("scope", request.scope, tenant, job_type)
    payload = check_payload(fields, "payload", job_type, request)
    meant = _meant(job_type, payload or {})
    if payload is not None and job_type in SIGNED:
        payload = {**payload, "submitted_by": principal.name}
    priority = request.priority if request.HasField("priority") else PRIORITY_DEFAULT
    fields.number("priority", priority, 0, PRIORITY_MAX)
    fields.done()
    return Submission(
        request_id=request_id,
        body_digest=digest(job_type, *parts_of(scope), meant, priority, request.validate_only),
        job_type=job_type,
        scope=scope,
        payload=payload,
        priority=priority,
        submitted_by=principal.name,
        validate_only=request.validate_only,
    )


def check_payload(fields: Fields, field: str, job_type: str, request: Any) -> Json | None:
    """The payload of a job of this type; None if it has none.

    A type that reads a file takes a blob reference and known keys. A type that coalesces takes
    nothing, since whoever joins a job must want the same.
    """
    payload = fields.json(field, request.payload) if request.HasField("payload") else {}
    if JOB_TYPES[job_type].dedup is not None and payload:
        fields.fail(field, f"must be empty: {job_type} needs nothing besides its scope")
        return None
    if job_type == "upload_withdrawal":
        check_upload_payload(fields, field, payload)
    if job_type == "unit_removal":
        check_units_payload(fields, field, payload)
    if job_type in FILE_TYPES:
        known = tuple(key.name for key in PAYLOAD_KEYS[job_type])
        if unknown := [key for key in payload if key not in known]:
            shown = unknown[0][:_KEY_CHARACTERS_SHOWN_MAX]
            fields.fail(f"{field}.{shown}", f"is unknown: {job_type} takes {', '.join(known)}")
        for key in (key for key in known if key not in {"blob", "codes"}):
            text = payload.get(key, "")
            if not isinstance(text, str) or len(text) > _TEXT_CHARACTERS_MAX:
                fault = f"must be text of at most {_TEXT_CHARACTERS_MAX} characters"
                fields.fail(f"{field}.{key}", fault)
        if not _is_name(payload.get("source", "")):
            fields.fail(f"{field}.source", _SOURCE_RULE)
        _check_mode(fields, field, job_type, payload)
    return payload or None


def check_upload_payload(fields: Fields, field: str, payload: Json) -> None:
    """Check the payload of an upload_withdrawal: an upload_id and nothing else."""
    for key in payload.keys() - {"upload_id"}:
        shown = key[:_KEY_CHARACTERS_SHOWN_MAX]
        fields.fail(f"{field}.{shown}", "is unknown: upload_withdrawal takes upload_id")
    number = payload.get("upload_id")
    if not isinstance(number, float) or not number.is_integer() or not 1 <= number <= UPLOAD_MAX:
        fields.fail(f"{field}.upload_id", _UPLOAD_RULE)


def check_units_payload(fields: Fields, field: str, payload: Json) -> None:
    """The units to remove and nothing else."""
    for key in payload.keys() - {"units"}:
        shown = key[:_KEY_CHARACTERS_SHOWN_MAX]
        fields.fail(f"{field}.{shown}", "is unknown: unit_removal takes units")
    _check_names(fields, f"{field}.units", payload, "units", REMOVED_UNITS_MAX, UNIT_CHARACTERS_MAX)


def _check_names(
    fields: Fields, field: str, payload: Json, noun: str, names_max: int, characters_max: int
) -> None:
    """Check a list of names that a payload has under its `noun`, in the plural."""
    names = payload.get(noun)
    if not isinstance(names, list) or not 1 <= len(names) <= names_max:
        fields.fail(field, f"must be a list of 1 to {names_max:,} {noun}")
        return
    for number, name in enumerate(names):
        if not isinstance(name, str) or not 1 <= len(name.strip()) <= characters_max:
            fields.fail(f"{field}[{number}]", f"must be text of 1 to {characters_max} characters")


def _check_mode(fields: Fields, field: str, job_type: str, payload: Json) -> None:
    """A mode that the type has, consent that is one, and a file where the mode reads one."""
    keys = {key.name: key.values for key in PAYLOAD_KEYS[job_type]}
    modes, mode = keys.get("mode", ()), payload.get("mode", "")
    if mode and modes and mode not in modes:
        fields.fail(f"{field}.mode", f"must be one of {', '.join(modes)}")
    if payload.get("take_away", "yes") not in ("", "yes"):
        fields.fail(f"{field}.take_away", 'must be "yes" or left out')
    if mode == REMOVE and mode in modes:
        limits = (REMOVED_PLACES_MAX, CODE_CHARACTERS_MAX)
        _check_names(fields, f"{field}.codes", payload, "codes", *limits)
    elif "codes" in payload and modes:
        fields.fail(f"{field}.codes", f"must be left out unless mode is {REMOVE}")
    blob = payload.get("blob")
    if mode in WITHOUT_A_FILE and mode in modes:
        if blob is not None:
            fields.fail(f"{field}.blob", f"must be left out: {mode} reads no file")
    elif not isinstance(blob, str) or not BLOB.fullmatch(blob):
        fields.fail(
            f"{field}.blob", 'must be "blob:sha256:" and 64 hex digits; UploadBlob returns it'
        )


def _is_name(source: Any) -> bool:
    """Whether it has no control or invisible characters: two names must never look alike."""
    if not isinstance(source, str):
        return True
    return len(source.strip()) <= SOURCE_CHARACTERS_MAX and source.strip().isprintable()


def check_withdrawal(
    request: operations_pb2.WithdrawUploadRequest, principal: Principal
) -> Submission:
    """The submission of a WithdrawUpload. Raises RpcError FIELD_INVALID with every wrong field."""
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
    )
    fields.belongs("data_entry_type", request.module, request.data_entry_type)
    fields.done()
    return Submission(
        request_id=request_id,
        body_digest=digest(
            "upload_withdrawal", *parts_of(scope), request.upload_id, request.validate_only
        ),
        job_type="upload_withdrawal",
        scope=scope,
        payload={"upload_id": request.upload_id},
        priority=PRIORITY_DEFAULT,
        submitted_by=principal.name,
        validate_only=request.validate_only,
    )


def digest(*body: Any) -> bytes:
    """The digest of what a request means, without its request_id: a repeat has the same one,
    whoever made its bytes.
    """
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).digest()


def parts_of(scope: Scope) -> tuple[Any, ...]:
    """The scope as a part of a body."""
    return (scope.tenant, *(getattr(scope, part) for part in SCOPE_PARTS))


def _meant(job_type: str, payload: Json) -> Json:
    """The payload without what means the same when it is left out."""
    if job_type not in FILE_TYPES:
        return payload
    return {
        key: value
        for key, value in payload.items()
        if value != "" and PAYLOAD_DEFAULTS.get(key) != value
    }
