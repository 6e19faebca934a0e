"""What is wrong with a request's fields, all of it; each function answers its violations."""

from collections.abc import Iterable
from typing import Any

from carbonline.serving.errors import Violation
from carbonline.v1 import types_pb2

YEAR_MIN, YEAR_MAX = 1990, 2100
UNIT_CHARACTERS_MAX = 128
KIND_CHARACTERS_MAX = 64


def text(field: str, value: str, characters_max: int) -> Iterable[Violation]:
    """Short text without NUL."""
    if len(value) > characters_max or "\0" in value:
        yield Violation(field, f"must have at most {characters_max} characters, and no NUL")


def year(field: str, value: int) -> Iterable[Violation]:
    """An accounting year."""
    if not YEAR_MIN <= value <= YEAR_MAX:
        yield Violation(field, f"must be {YEAR_MIN}..{YEAR_MAX}, not {value}")


def natural(field: str, value: int) -> Iterable[Violation]:
    """A number of something, or 0 for none."""
    if value < 0:
        yield Violation(field, f"must not be negative: {value}")


def known(field: str, value: int, enum: Any) -> Iterable[Violation]:
    """An enum's number, zero included."""
    if value not in enum.values():
        yield Violation(field, f"{value} is no known value: {', '.join(enum.keys()[1:])}")


def scope(field: str, value: types_pb2.Scope) -> Iterable[Violation]:
    """What a file is for; the tenant is the caller's matter."""
    yield from known(f"{field}.module", value.module, types_pb2.Module)
    yield from known(f"{field}.data_entry_type", value.data_entry_type, types_pb2.DataEntryType)
    if value.year:
        yield from year(f"{field}.year", value.year)
    yield from text(f"{field}.unit", value.unit, UNIT_CHARACTERS_MAX)
    yield from text(f"{field}.reference_kind", value.reference_kind, KIND_CHARACTERS_MAX)
