"""Strategies of requests that are good but for a few fields, and of bytes that hardly decode."""

import math
from collections.abc import Mapping
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct, Value
from hypothesis import strategies as st

INT32, INT64 = 2**31, 2**63
ODD_INTS = (-INT64, -INT32 - 1, -INT32, -1, 0, 1, 7, 32768, INT32 - 1, INT32, 2**53, INT64 - 1)
ODD_TEXTS = (
    *("", "\0", "a\0b", "\\u0000", "\\\0", "0", "-1", " ", "local", "noop", "csv_ingest"),
    *("blob:sha256:" + "0" * 64, "blob:sha256:" + "g" * 64, "../../etc/passwd", "%s", "'; --"),
    *("00000000-0000-0000-0000-000000000000", "\ufeff\u202e\u0301", "\U0010ffff", "é" * 3_000),
    *("x" * 129, "x" * 513, "x" * 4_097, "x" * 20_000, "\U0001f6e9" * 4_096, "YmVmb3JlOg=="),
)
ODD_BYTES = (b"", b"\0", b"\xff" * 100, b"x" * ((1 << 20) + 1))
# Seconds and nanoseconds of a Duration or Timestamp. None is a long wait that is allowed.
ODD_MOMENTS = (
    *((0, 0), (0, 1), (0, -1), (-1, 0), (26, 0), (0, -INT32), (1 << 40, INT32 - 1)),
    *((INT64 - 1, 999_999_999), (-INT64, -1), (-62_135_596_801, 0), (253_402_300_800, 0)),
)
ODD_NUMBERS = (0.0, -0.0, 5e-324, 1e308, -1e308, 2.0**63, 0.1, math.nan, math.inf, -math.inf)
DECODER_DEPTH_MAX = 90

_JSON = st.recursive(
    st.none() | st.booleans() | st.sampled_from(ODD_NUMBERS) | st.sampled_from(ODD_TEXTS),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(ODD_TEXTS), inner, max_size=3)
    ),
    max_leaves=6,
)


def requests_like(good: Message, changes_max: int = 3) -> st.SearchStrategy[Message]:
    """A good request with up to so many fields, at any depth, set to what is odd."""
    return st.integers(0, changes_max).flatmap(
        lambda changes: st.composite(_changed)(good, changes)
    )


def bytes_like(good: Message) -> st.SearchStrategy[bytes]:
    """A request's bytes: mostly whole, else torn, overwritten or nested beyond reason."""
    whole = requests_like(good).map(lambda request: request.SerializeToString())
    torn = st.tuples(whole, st.integers(0, 60)).map(lambda one: one[0][: one[1]])
    overwritten = st.tuples(whole, st.binary(min_size=1, max_size=4), st.integers(0, 40)).map(
        lambda one: one[0][: one[2]] + one[1] + one[0][one[2] + len(one[1]) :]
    )
    return st.one_of(whole, whole, whole, torn, overwritten, st.just(b"\x0b" * 200))


def _changed(draw: Any, good: Message, changes: int) -> Message:
    request = type(good)()
    request.CopyFrom(good)
    for _ in range(changes):
        _change(draw, request)
    return request


def _change(draw: Any, message: Message) -> None:
    fields = list(message.DESCRIPTOR.fields)
    if not fields:
        return
    field = draw(st.sampled_from(fields))
    if field.message_type is None:
        _set_odd(draw, message, field)
    elif field.is_repeated:
        inner = getattr(message, field.name)
        if draw(st.booleans()) or not inner:
            inner.add()
        _change(draw, inner[draw(st.integers(0, len(inner) - 1))])
    elif field.message_type.full_name == "google.protobuf.Struct":
        getattr(message, field.name).CopyFrom(draw(_structs()))
    elif field.message_type.full_name in {"google.protobuf.Timestamp", "google.protobuf.Duration"}:
        moment = getattr(message, field.name)
        moment.seconds, moment.nanos = draw(st.sampled_from(ODD_MOMENTS))
    else:
        _change(draw, getattr(message, field.name))


def _set_odd(draw: Any, message: Message, field: FieldDescriptor) -> None:
    value = draw(_odd_values(field))
    if field.is_repeated:
        count = draw(st.sampled_from((1, 1, 2, 40)))
        getattr(message, field.name).extend([value] * count)
    else:
        setattr(message, field.name, value)


def _odd_values(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    match field.cpp_type:
        case FieldDescriptor.CPPTYPE_BOOL:
            return st.booleans()
        case FieldDescriptor.CPPTYPE_STRING if field.type == FieldDescriptor.TYPE_BYTES:
            return st.sampled_from(ODD_BYTES)
        case FieldDescriptor.CPPTYPE_STRING:
            return st.sampled_from(ODD_TEXTS) | st.text(max_size=8)
        case FieldDescriptor.CPPTYPE_INT64:
            return st.sampled_from(ODD_INTS)
        case _:
            return st.sampled_from([n for n in ODD_INTS if -INT32 <= n < INT32])


@st.composite
def _structs(draw: Any) -> Struct:
    struct = Struct()
    match draw(st.sampled_from(("values", "deep", "nothing", "large"))):
        case "values":
            for key in draw(st.lists(st.sampled_from(ODD_TEXTS), max_size=3)):
                _fill(struct.fields[key], draw(_JSON))
        case "deep":
            value = struct.fields["k"]
            for _ in range(draw(st.integers(1, DECODER_DEPTH_MAX // 3))):
                value = value.struct_value.fields["k"]
        case "nothing":
            # A value that is none of the kinds of values.
            struct.fields["k"].CopyFrom(Value())
        case _:
            struct.fields["k"].string_value = "x" * draw(st.sampled_from((65_530, 300_000)))
    return struct


def _fill(value: Value, json: Any) -> None:
    match json:
        case None:
            value.null_value = 0  # type: ignore[assignment]
        case bool():
            value.bool_value = json
        case float():
            value.number_value = json
        case str():
            value.string_value = json
        case Mapping():
            value.struct_value.SetInParent()
            for key, inner in json.items():
                _fill(value.struct_value.fields[key], inner)
        case _:
            value.list_value.SetInParent()
            for inner in json:
                _fill(value.list_value.values.add(), inner)
