"""Checks a request's fields and collects everything that is wrong before anything is done."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from google.protobuf import json_format, struct_pb2
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from carbonline.serving.errors import RpcError, Violation, invalid
from carbonline.serving.pages import keys_of_token
from carbonline.unseen import seen

JSON_BYTES_MAX = 64 * 1024
# A protobuf decoder gives up at a hundred levels, of which each of these takes three.
JSON_DEPTH_MAX = 16
# The number in JSON that takes most in a message, 0.0 and its comma, takes less than three times
# as much there.
STRUCT_BYTES_MAX = 4 * JSON_BYTES_MAX
YEAR_MIN, YEAR_MAX = 1990, 2100
ID_MAX = 2**63 - 1
NANOS_OF_A_SECOND = 1_000_000_000


class FieldChecker:
    """Collects the violations of one request.

    Each method takes a field's path, as the client wrote it, and its value. It notes what is wrong
    and returns a value that the caller can go on with. `done` raises what was noted. Each service
    adds the fields that only it knows in a subclass.
    """

    def __init__(self) -> None:
        """Nothing is wrong yet."""
        self._violations: list[Violation] = []
        self._too_large: RpcError | None = None

    @property
    def has_violations(self) -> bool:
        """Whether anything was noted."""
        return bool(self._violations)

    def fail(self, field: str, description: str) -> None:
        """Note what is wrong with a field: what it must be, and what it is."""
        self._violations.append(Violation(field, description))

    def done(self) -> None:
        """Raise RpcError if anything was noted: TOO_LARGE, or FIELD_INVALID with every field."""
        if self._too_large is not None:
            raise self._too_large
        if self._violations:
            raise invalid(tuple(self._violations))

    def text(self, field: str, value: str, characters_max: int, *, needed: bool = False) -> str:
        """Text without NUL, which PostgreSQL does not store. Empty only if not `needed`, and then
        blanks, or what nobody sees, are no text either.
        """
        if "\0" in value:
            self.fail(field, "must not contain NUL")
        if len(value) > characters_max:
            self.fail(field, f"has {len(value):,} characters: at most {characters_max:,} allowed")
        if needed and not seen(value).strip():
            self.fail(field, "is required")
        return value

    def number(self, field: str, value: int, least: int, most: int) -> int:
        """A whole number from `least` to `most`; `least` if it is another one."""
        if not least <= value <= most:
            self.fail(field, f"must be {least:,}..{most:,}, not {value:,}")
            return least
        return value

    def identifier(self, field: str, value: int) -> int:
        """The number of a row, such as a job's or an upload's."""
        return self.number(field, value, 1, ID_MAX)

    def optional_identifier(self, field: str, value: int) -> int | None:
        """The same, or None for 0."""
        return self.number(field, value, 0, ID_MAX) or None

    def year(self, field: str, value: int) -> int:
        """An accounting year."""
        if not YEAR_MIN <= value <= YEAR_MAX:
            self.fail(field, f"must be {YEAR_MIN}..{YEAR_MAX}, not {value}")
            return YEAR_MIN
        return value

    def optional_year(self, field: str, value: int) -> int | None:
        """The same, or None for 0."""
        return self.year(field, value) if value else None

    def count(self, field: str, length: int, most: int, *, least: int = 1) -> None:
        """The length of a repeated field."""
        if not least <= length <= most:
            self.fail(field, f"must have {least}..{most:,} elements, not {length:,}")

    def seconds(self, field: str, value: Duration, most: float) -> float:
        """A duration of 0..`most` seconds; 0 if it is another one."""
        seconds = value.seconds + value.nanos / 1e9
        if not 0 <= value.nanos < NANOS_OF_A_SECOND:
            self.fail(
                field, f"has {value.nanos:,} nanos: at most {NANOS_OF_A_SECOND - 1:,} allowed"
            )
            return 0.0
        if not 0 <= seconds <= most:
            self.fail(field, f"must be 0..{most:g} s, not {seconds:g} s")
            return 0.0
        return seconds

    def moment(self, field: str, value: Timestamp) -> datetime | None:
        """A time between the years 1 and 9999, in UTC; None if it is another one."""
        try:
            return value.ToDatetime(tzinfo=UTC)
        except (ValueError, OverflowError):
            self.fail(field, "must be a time between the years 1 and 9999")
            return None

    def known(self, field: str, value: int, enum: Any, *, needed: bool = False) -> int | None:
        """A value of the enum; None for its zero and for one that it does not have."""
        if value not in _numbers_of(enum):
            self.fail(field, f"must be one of {', '.join(enum.keys()[1:])}, not {value}")
            return None
        if needed and value == 0:
            self.fail(field, f"is required: one of {', '.join(enum.keys()[1:])}")
        return value or None

    def page_size(self, field: str, asked: int, default: int, most: int) -> int:
        """The size of a page; `default` where none was asked for."""
        return self.number(field, asked or default, 1, most)

    def page_keys(self, field: str, token: str, *kinds: type) -> Sequence[Any]:
        """The keys in a page token of this list; none for the first page."""
        keys = keys_of_token(token, *kinds)
        if keys is None:
            self.wrong_token(field)
            return ()
        return keys

    def wrong_token(self, field: str) -> None:
        """Note a page token that this list did not give."""
        self.fail(field, "must be the next_page_token of an answer of this list")

    def json(self, field: str, value: struct_pb2.Struct) -> dict[str, Any]:
        """A JSON object: finite numbers, no NUL, at most 16 levels and 64 KiB; else TOO_LARGE."""
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
            f"{field} has {size:,} bytes as JSON: at most {JSON_BYTES_MAX:,} allowed",
            {"limit": str(JSON_BYTES_MAX), "size": str(size)},
            (Violation(field, f"at most {JSON_BYTES_MAX:,} bytes as JSON"),),
        )


@cache
def _numbers_of(enum: Any) -> frozenset[int]:
    return frozenset(enum.values())


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max((_depth(v) for v in value.values()), default=0)
    if isinstance(value, list):
        return 1 + max((_depth(v) for v in value), default=0)
    return 0
