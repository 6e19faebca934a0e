"""Converts plain JSON values to google.protobuf.Struct, and back."""

import math
import re
from collections.abc import Mapping
from typing import Any

from google.protobuf import json_format
from google.protobuf.struct_pb2 import Struct

# Doubles are exact up to here. Larger integers are sent as text.
_INTEGER_MAX = 2**53
# PostgreSQL's text takes no NUL, and protobuf no half of a surrogate pair: Python names files so.
_UNTAKEN = re.compile("[\x00\ud800-\udfff]")


def struct_of(values: Mapping[str, Any]) -> Struct:
    """Converts a mapping to a Struct.

    Values that JSON lacks (dates, decimals) become text. Numbers that are not finite become null.
    """
    struct = Struct()
    struct.update({wire_text(key): _plain(value) for key, value in values.items()})
    return struct


def values_of(struct: Struct) -> dict[str, Any]:
    """Converts a Struct to a mapping. Whole numbers become int."""
    return {key: _whole(value) for key, value in json_format.MessageToDict(struct).items()}


def wire_text(value: object) -> str:
    """A value as text that every message takes: what none takes becomes U+FFFD."""
    return _UNTAKEN.sub("\ufffd", str(value))


def _plain(value: Any) -> Any:
    match value:
        case None | bool():
            return value
        case int():
            return value if abs(value) <= _INTEGER_MAX else str(value)
        case float():
            return value if math.isfinite(value) else None
        case Mapping():
            return {wire_text(key): _plain(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_plain(inner) for inner in value]
        case _:
            return wire_text(value)


def _whole(value: Any) -> Any:
    match value:
        case float() if value.is_integer() and abs(value) <= _INTEGER_MAX:
            return int(value)
        case dict():
            return {key: _whole(inner) for key, inner in value.items()}
        case list():
            return [_whole(inner) for inner in value]
        case _:
            return value
