"""Collects what is wrong with a request's fields, all of it, before anything is done."""

import json
import re
from functools import cache, lru_cache
from typing import Any
from uuid import UUID

from google.protobuf import json_format, struct_pb2
from google.protobuf.duration_pb2 import Duration

from carbonline.serving.errors import RpcError, Violation, invalid
from carbonline.v1 import types_pb2
from scheduler_service.jobs.catalogue import MODULE_OF_TYPE, READERS_OF_REFERENCE
from scheduler_service.jobs.job_types import JOB_TYPES
from scheduler_service.jobs.requests import Json
from scheduler_service.jobs.scope import Scope
from scheduler_service.store.ends import SCOPES_REMEMBERED_MAX
from scheduler_service.store.uuids import uuid_of

TENANT = re.compile(r"[a-z0-9_-]{1,64}")
NO_ID = UUID(int=0)
JSON_BYTES_MAX = 64 * 1024
# A protobuf decoder gives up at a hundred levels, of which each of these takes three.
JSON_DEPTH_MAX = 16
YEAR_MIN, YEAR_MAX = 1990, 2100
# The number in JSON that takes most in a message, 0.0 and its comma, takes less than three times
# as much there.
STRUCT_BYTES_MAX = 4 * JSON_BYTES_MAX
ID_MAX = 2**63 - 1
NANOS_OF_A_SECOND = 1_000_000_000
VALUE_CHARACTERS_SHOWN_MAX = 64
UNIT_CHARACTERS_MAX = 128


class Fields:
    """Each method answers a usable value even if it notes a violation; `done` decides."""

    def __init__(self) -> None:
        """Nothing wrong yet."""
        self._violations: list[Violation] = []
        self._too_large: RpcError | None = None

    @property
    def has_violations(self) -> bool:
        """Whether anything was noted."""
        return bool(self._violations)

    def fail(self, field: str, description: str) -> None:
        """Note what is wrong with a field."""
        self._violations.append(Violation(field, description))

    def done(self) -> None:
        """Raise the one error that names every violation, if there is any."""
        if self._too_large is not None:
            raise self._too_large
        if self._violations:
            raise invalid(tuple(self._violations))

    def uuid(self, field: str, value: str) -> UUID:
        """A UUID."""
        try:
            return uuid_of(value)
        except ValueError:
            self.fail(field, "must be a UUID, such as 6f9619ff-8b86-4d01-b42d-00cf4fc964ff")
            return NO_ID

    def text(self, field: str, value: str, characters_max: int, *, needed: bool = False) -> str:
        """Text without NUL."""
        if "\0" in value:
            self.fail(field, "must not contain NUL")
        if len(value) > characters_max:
            self.fail(field, f"has {len(value)} characters, at most {characters_max} are allowed")
        if needed and not value:
            self.fail(field, "is needed")
        return value

    def number(self, field: str, value: int, least: int, most: int) -> int:
        """A whole number within bounds."""
        if not least <= value <= most:
            self.fail(field, f"must be {least}..{most}, not {value}")
            return least
        return value

    def identifier(self, field: str, value: int) -> int:
        """A job's, pipeline's or claim's number."""
        return self.number(field, value, 1, ID_MAX)

    def count(self, field: str, length: int, most: int) -> None:
        """A repeated field of at least one element and not too many."""
        if not 1 <= length <= most:
            self.fail(field, f"must have 1..{most} elements, not {length}")

    def seconds(self, field: str, value: Duration, most: float) -> float:
        """A duration of 0..most seconds."""
        seconds = value.seconds + value.nanos / 1e9
        if not 0 <= value.nanos < NANOS_OF_A_SECOND:
            self.fail(field, f"has {value.nanos} nanos: they must be 0..{NANOS_OF_A_SECOND - 1}")
            return 0.0
        if not 0 <= seconds <= most:
            self.fail(field, f"must be 0..{most:g} s, not {seconds:g} s")
            return 0.0
        return seconds

    def known(self, field: str, value: int, enum: Any, *, needed: bool = False) -> int | None:
        """An enum's number; None for its zero."""
        if value not in _numbers_of(enum):
            self.fail(field, f"{value} is no known value: {', '.join(enum.keys()[1:])}")
            return None
        if needed and value == 0:
            self.fail(field, f"is needed: one of {', '.join(enum.keys()[1:])}")
        return value or None

    def json(self, field: str, value: struct_pb2.Struct) -> Json:
        """A JSON object: finite numbers, no NUL, not too deep, at most 64 KiB."""
        if (size := value.ByteSize()) > STRUCT_BYTES_MAX:
            # Reading it would take long, for all who call.
            self._note_too_large(field, size)
            return {}
        try:
            found: dict[str, Any] = json_format.MessageToDict(value)
        except (ValueError, json_format.Error):
            self.fail(field, "must hold finite numbers only")
            return {}
        if _depth(found) > JSON_DEPTH_MAX:
            self.fail(field, f"must be nested at most {JSON_DEPTH_MAX} deep")
            return {}
        text = json.dumps(found, separators=(",", ":"), ensure_ascii=False)
        if (size := len(text.encode())) > JSON_BYTES_MAX:
            self._note_too_large(field, size)
        # JSON writes it with a backslash; a backslash itself it writes twice.
        if "\\u0000" in text.replace("\\\\", ""):
            self.fail(field, "must not contain NUL")
        return found

    def _note_too_large(self, field: str, size: int) -> None:
        self._too_large = RpcError(
            "TOO_LARGE",
            f"{field} is {size} bytes as JSON, at most {JSON_BYTES_MAX} are allowed",
            {"limit": str(JSON_BYTES_MAX), "size": str(size)},
            (Violation(field, f"at most {JSON_BYTES_MAX} bytes as JSON"),),
        )

    def job_type(self, field: str, value: str, *, noop: bool) -> str:
        """A type of JOB_TYPES; noop only where it is switched on."""
        if value not in JOB_TYPES or (value == "noop" and not noop):
            allowed = [name for name in JOB_TYPES if noop or name != "noop"]
            shown = value[:VALUE_CHARACTERS_SHOWN_MAX]
            self.fail(field, f"{shown!r} is no known job type: {', '.join(allowed)}")
            return "noop"
        return value

    def scope(self, field: str, scope: types_pb2.Scope, tenant: str, job_type: str) -> Scope:
        """The scope of a job of this type: all that it needs, nothing that it does not take."""
        good = _good_scope(scope.SerializeToString(), tenant, job_type)
        return good or self._checked_scope(field, scope, tenant, job_type)

    def _checked_scope(
        self, field: str, scope: types_pb2.Scope, tenant: str, job_type: str
    ) -> Scope:
        if not TENANT.fullmatch(tenant):
            self.fail(f"{field}.tenant", "must be 1..64 characters of a-z, 0-9, - and _")
        given = {
            "module": self.known(f"{field}.module", scope.module, types_pb2.Module),
            "data_entry_type": self.known(
                f"{field}.data_entry_type", scope.data_entry_type, types_pb2.DataEntryType
            ),
            "year": scope.year or None,
            "unit": self.text(f"{field}.unit", scope.unit, UNIT_CHARACTERS_MAX) or None,
            "reference_kind": scope.reference_kind or None,
        }
        row = JOB_TYPES[job_type]
        for part, value in given.items():
            if value is None and part in row.needs:
                self.fail(f"{field}.{part}", f"{job_type} needs it")
            if value is not None and part not in row.needs | row.takes:
                self.fail(f"{field}.{part}", f"{job_type} does not take it: leave it out")
        if given["year"] is not None:
            self.number(f"{field}.year", scope.year, YEAR_MIN, YEAR_MAX)
        if scope.reference_kind and scope.reference_kind not in READERS_OF_REFERENCE:
            kinds = ", ".join(READERS_OF_REFERENCE)
            self.fail(f"{field}.reference_kind", f"is no known kind: {kinds}")
        self.belongs(f"{field}.data_entry_type", scope.module, scope.data_entry_type)
        return Scope(tenant, **given)  # type: ignore[arg-type]

    def belongs(self, field: str, module: int, data_entry_type: int) -> None:
        """A type must be one of its module's."""
        owner = MODULE_OF_TYPE.get(data_entry_type)
        if module and owner and owner != module:
            name = types_pb2.Module.Name(owner)  # type: ignore[arg-type]
            self.fail(field, f"belongs to {name}")


@lru_cache(maxsize=SCOPES_REMEMBERED_MAX)
def _good_scope(scope_bytes: bytes, tenant: str, job_type: str) -> Scope | None:
    """None when something is wrong with it. Requests are many, their scopes are few."""
    fields = Fields()
    scope = fields._checked_scope("", types_pb2.Scope.FromString(scope_bytes), tenant, job_type)  # noqa: SLF001
    return None if fields.has_violations else scope


@cache
def _numbers_of(enum: Any) -> frozenset[int]:
    return frozenset(enum.values())


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max((_depth(v) for v in value.values()), default=0)
    if isinstance(value, list):
        return 1 + max((_depth(v) for v in value), default=0)
    return 0
