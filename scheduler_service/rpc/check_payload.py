"""Checks a payload against the keys of its job type."""

import re
from collections.abc import Sequence
from typing import Any, assert_never

from carbonline.serving.check_mapping import check_mapping
from carbonline.unseen import has_unseen
from scheduler_service.jobs.job_type_keys import (
    ANY_PAYLOAD,
    INSTEAD_OF,
    MODE,
    PAYLOAD_KEYS,
    Kind,
    PayloadKey,
)
from scheduler_service.jobs.requests import Json
from scheduler_service.rpc.fields import Fields

BLOB = re.compile(r"blob:sha256:[0-9a-f]{64}")
# A payload's numbers are doubles, which count no further.
UPLOAD_MAX = 2**53
_KEY_CHARACTERS_SHOWN_MAX = 64
_KEYS_SHOWN_MAX = 20


def check_payload(
    fields: Fields, field: str, job_type: str, request: Any, reference_kind: str = ""
) -> Json | None:
    """The payload of a request for a job of this type; None if it has none.

    PAYLOAD_KEYS says what it may hold and must hold. A type that coalesces takes nothing, since
    whoever joins a job must want the same.
    """
    payload = fields.json(field, request.payload) if request.HasField("payload") else {}
    if job_type in ANY_PAYLOAD:
        return payload or None
    keys = PAYLOAD_KEYS.get(job_type, ())
    if payload and not keys:
        fields.fail(field, f"must be empty: {job_type} needs nothing besides its scope")
        return None
    known = [key.name for key in keys]
    unknown = sorted(name for name in payload if name not in known)
    for name in unknown[:_KEYS_SHOWN_MAX]:
        shown = name[:_KEY_CHARACTERS_SHOWN_MAX]
        taken = f"is unknown: {job_type} takes {', '.join(known)}"
        fields.fail(f"{field}.{shown}", INSTEAD_OF.get((job_type, name), taken))
    mode = _mode_of(keys, payload)
    for key in keys:
        value = payload.get(key.name, "")
        if key.reference_kinds and reference_kind not in ("", *key.reference_kinds):
            if value != "":
                said = f"must be left out: {reference_kind} do not take it"
                fields.fail(f"{field}.{key.name}", said)
        elif not key.unless or payload.get(key.unless, "") == "":
            _check_key(fields, f"{field}.{key.name}", key, value, mode)
        elif value != "":
            fields.fail(f"{field}.{key.name}", f"must be left out: {key.unless} is given")
    return payload or None


def meant_by(job_type: str, payload: Json) -> Json:
    """The payload without what means the same when it is left out."""
    if job_type in ANY_PAYLOAD:
        return payload
    defaults = {key.name: key.default for key in PAYLOAD_KEYS.get(job_type, ())}
    return {k: value for k, value in payload.items() if value not in ("", defaults.get(k))}


def _mode_of(keys: Sequence[PayloadKey], payload: Json) -> str:
    """What the mode of the payload means; that of one without, if it is none. "" if the type has no
    modes.
    """
    for key in keys:
        if key.name == MODE:
            mode = payload.get(MODE)
            return mode if mode in key.values else key.default
    return ""


def _check_key(fields: Fields, field: str, key: PayloadKey, value: Any, mode: str) -> None:
    if key.modes and mode not in key.modes:
        if value != "":
            fields.fail(field, f"must be left out: {mode} does not take it")
    elif value == "":
        if key.required:
            fields.fail(field, f"is required: {key.meaning}")
    elif fault := _fault_of(key, value):
        fields.fail(field, fault)
    elif key.kind is Kind.TEXTS:
        _check_texts(fields, field, key, value)
    elif key.kind is Kind.MAPPING:
        check_mapping(fields, field, value)


def _fault_of(key: PayloadKey, value: Any) -> str | None:
    match key.kind:
        case Kind.TEXT:
            is_good = isinstance(value, str) and len(value) <= key.characters_max
            rule = f"text of at most {key.characters_max} characters"
            if key.values:
                is_good, rule = value in key.values, _one_of(key.values)
        case Kind.NAME:
            is_good = isinstance(value, str) and _is_name(value.strip(), key.characters_max)
            rule = (
                f"a name of at most {key.characters_max} characters, without control or invisible"
                " characters"
            )
        case Kind.BLOB:
            is_good = isinstance(value, str) and BLOB.fullmatch(value) is not None
            rule = '"blob:sha256:" and 64 hex digits; UploadBlob returns it'
        case Kind.UPLOAD:
            is_good = isinstance(value, float) and value.is_integer() and 1 <= value <= UPLOAD_MAX
            rule = "the upload_id of an upload; ListUploads lists them"
        case Kind.TEXTS:
            is_good = isinstance(value, list) and 1 <= len(value) <= key.items_max
            rule = f"a list of 1 to {key.items_max:,} {key.name}"
        case Kind.MAPPING:
            is_good = isinstance(value, dict) and len(value) > 0
            rule = "an object that says something"
        case _:
            assert_never(key.kind)
    return None if is_good else f"must be {rule}"


def _one_of(values: Sequence[str]) -> str:
    return f"one of {', '.join(values)}" if len(values) > 1 else f'"{values[0]}" or left out'


def _is_name(text: str, characters_max: int) -> bool:
    return len(text) <= characters_max and text.isprintable() and not has_unseen(text)


def _check_texts(fields: Fields, field: str, key: PayloadKey, texts: Sequence[Any]) -> None:
    for number, text in enumerate(texts):
        if not isinstance(text, str) or not 1 <= len(text.strip()) <= key.characters_max:
            fault = f"must be text of 1 to {key.characters_max} characters"
            fields.fail(f"{field}[{number}]", fault)
