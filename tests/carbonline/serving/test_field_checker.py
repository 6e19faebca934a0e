"""A request's fields are checked one by one, and everything that is wrong is answered at once."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from google.protobuf import json_format
from google.protobuf.duration_pb2 import Duration
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp

from carbonline.serving.errors import RpcError
from carbonline.serving.field_checker import (
    ID_MAX,
    JSON_BYTES_MAX,
    JSON_DEPTH_MAX,
    STRUCT_BYTES_MAX,
    FieldChecker,
)
from carbonline.serving.pages import page_token
from carbonline.v1 import types_pb2

AN_ID = f"must be 1..{ID_MAX:,}, not"


def a_struct(value: dict[str, object]) -> Struct:
    return json_format.ParseDict(value, Struct())


def nested(levels: int) -> Struct:
    value: dict[str, object] = {}
    for _ in range(levels - 1):
        value = {"k": value}
    return a_struct(value)


def refusal(check: Callable[[FieldChecker], object]) -> RpcError:
    fields = FieldChecker()
    check(fields)
    assert fields.has_violations or fields._too_large
    with pytest.raises(RpcError) as raised:
        fields.done()
    return raised.value


@pytest.mark.parametrize(
    ("check", "said"),
    [
        (lambda f: f.text("f", "a\0b", 9), "must not contain NUL"),
        (lambda f: f.text("f", "x" * 1_001, 1_000), "has 1,001 characters: at most 1,000 allowed"),
        (lambda f: f.text("f", "", 9, needed=True), "is required"),
        (lambda f: f.text("f", " \t", 9, needed=True), "is required"),
        (lambda f: f.text("f", "\u200b", 9, needed=True), "is required"),
        (lambda f: f.number("f", 10_000, 1, 1_000), "must be 1..1,000, not 10,000"),
        (lambda f: f.identifier("f", 0), f"{AN_ID} 0"),
        (lambda f: f.identifier("f", -1), f"{AN_ID} -1"),
        (lambda f: f.optional_identifier("f", -1), f"must be 0..{ID_MAX:,}, not -1"),
        (lambda f: f.year("f", 0), "must be 1990..2100, not 0"),
        (lambda f: f.optional_year("f", 1989), "must be 1990..2100, not 1989"),
        (lambda f: f.count("f", 0, 5), "must have 1..5 elements, not 0"),
        (lambda f: f.count("f", 6, 5, least=0), "must have 0..5 elements, not 6"),
        (lambda f: f.seconds("f", Duration(seconds=-1), 25), "must be 0..25 s, not -1 s"),
        (lambda f: f.seconds("f", Duration(seconds=26), 25), "must be 0..25 s, not 26 s"),
        (
            lambda f: f.seconds("f", Duration(nanos=2_000_000_000), 25),
            "has 2,000,000,000 nanos: at most 999,999,999 allowed",
        ),
        (
            lambda f: f.moment("f", Timestamp(seconds=1 << 40)),
            "must be a time between the years 1 and 9999",
        ),
        (
            lambda f: f.known("f", 99, types_pb2.JobResult),
            f"must be one of {', '.join(types_pb2.JobResult.keys()[1:])}, not 99",
        ),
        (
            lambda f: f.known("f", 0, types_pb2.JobResult, needed=True),
            f"is required: one of {', '.join(types_pb2.JobResult.keys()[1:])}",
        ),
        (lambda f: f.page_size("f", -1, 100, 1_000), "must be 1..1,000, not -1"),
        (
            lambda f: f.page_keys("f", page_token("a"), int),
            "must be the next_page_token of an answer of this list",
        ),
        (lambda f: f.json("f", a_struct({"k": float("nan")})), "must hold finite numbers only"),
        (
            lambda f: f.json("f", nested(JSON_DEPTH_MAX + 1)),
            f"must be nested at most {JSON_DEPTH_MAX} deep",
        ),
        (lambda f: f.json("f", a_struct({"a\0": 1})), "must not contain NUL"),
    ],
)
def test_a_wrong_field_is_named_with_what_it_must_be(
    check: Callable[[FieldChecker], object], said: str
) -> None:
    refused = refusal(check)
    assert refused.reason == "FIELD_INVALID"
    assert [(v.field, v.description) for v in refused.violations] == [("f", said)]


@pytest.mark.parametrize("size", [JSON_BYTES_MAX, STRUCT_BYTES_MAX])
def test_json_that_is_too_large_is_refused_with_its_size_and_the_limit(size: int) -> None:
    refused = refusal(lambda f: f.json("f", a_struct({"k": "x" * size})))
    assert refused.reason == "TOO_LARGE"
    assert refused.metadata["limit"] == str(JSON_BYTES_MAX)
    assert int(refused.metadata["size"]) > size


def test_every_wrong_field_is_answered_in_one_error() -> None:
    fields = FieldChecker()
    fields.identifier("job_id", 0)
    fields.text("message", "right", 9)
    fields.fail("scope.unit", "must be a unit")
    with pytest.raises(RpcError) as raised:
        fields.done()
    assert [v.field for v in raised.value.violations] == ["job_id", "scope.unit"]
    assert raised.value.message == f"job_id: {AN_ID} 0; scope.unit: must be a unit"


def test_right_fields_are_answered_as_values() -> None:
    fields = FieldChecker()
    values = (
        fields.text("f", "12", 2, needed=True),
        fields.identifier("f", ID_MAX),
        fields.optional_identifier("f", 0),
        fields.optional_year("f", 0),
        fields.year("f", 2100),
        fields.seconds("f", Duration(seconds=1, nanos=500_000_000), 25),
        fields.moment("f", Timestamp(seconds=0)),
        fields.known("f", 0, types_pb2.JobResult),
        fields.known("f", 2, types_pb2.JobResult),
        fields.page_size("f", 0, 100, 1_000),
        tuple(fields.page_keys("f", "", int)),
        tuple(fields.page_keys("f", page_token("plane", 7), str, int)),
        fields.json("f", a_struct({"k": [1, "\\u0000", None]})),
    )
    fields.done()
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    assert values == (
        *("12", ID_MAX, None, None, 2100, 1.5, epoch, None, 2, 100),
        *((), ("plane", 7), {"k": [1, "\\u0000", None]}),
    )
    assert fields.json("f", nested(JSON_DEPTH_MAX))
    fields.done()
