"""The protos name every error that a caller can get, each with the code that it really has."""

import re
from pathlib import Path

import pytest

from carbonline.serving.errors import CODES
from carbonline.v1 import errors_pb2
from tests.tidy.tracked_files import REPOSITORY

# As in "NOT_FOUND (JOB_NOT_FOUND)", "UNAVAILABLE (STORE_FULL or DRAINING)" and "UNAVAILABLE
# (DATABASE_UNAVAILABLE, DATABASE_FULL or DRAINING)".
BETWEEN = "(?:, | or )"
NAMED = re.compile(
    rf"\b(?P<code>[A-Z_]{{5,}}) \((?P<reasons>[A-Z_]{{5,}}(?:{BETWEEN}[A-Z_]{{5,}})*)\)"
)
# As in RpcError("DRAINING", ...) and Refused("JOB_NOT_FOUND", ...).
GIVEN = re.compile(r"\b(?:RpcError|Refused)\(\s*\"([A-Z_]+)\"")
PROTOS = sorted((REPOSITORY / "protos").rglob("*.proto"))


def comments_of(proto: Path) -> str:
    """All comments of a proto as one line."""
    lines = proto.read_text(encoding="utf-8").splitlines()
    return " ".join(line.strip()[3:] for line in lines if line.strip().startswith("// "))


@pytest.mark.parametrize("proto", PROTOS, ids=lambda proto: proto.stem)
def test_an_error_is_named_with_its_own_code(proto: Path) -> None:
    for named in NAMED.finditer(comments_of(proto)):
        for reason in re.split(BETWEEN, named["reasons"]):
            assert CODES[reason].name == named["code"], named[0]


def test_every_error_is_named_where_a_caller_meets_it() -> None:
    met = [proto for proto in PROTOS if proto.stem != "errors"]
    words = set(re.findall(r"[A-Z_]+", " ".join(map(comments_of, met))))
    assert sorted(set(CODES) - words) == []


def test_the_reasons_on_the_wire_are_those_of_the_enum() -> None:
    values = errors_pb2.ErrorReason.DESCRIPTOR.values
    names = [value.name.removeprefix("ERROR_REASON_") for value in values]
    assert sorted(names) == sorted(["UNSPECIFIED", *CODES])
    comments = comments_of(REPOSITORY / "protos/carbonline/v1/errors.proto")
    for reason, code in CODES.items():
        assert f"{code.name} ({reason}): " in comments


def test_the_code_gives_the_reasons_of_the_enum_and_gives_each() -> None:
    given, written = set(), ""
    for package in ("carbonline/serving", "scheduler_service", "worker_service/ledger_api"):
        for file in (REPOSITORY / package).rglob("*.py"):
            if file != REPOSITORY / "carbonline/serving/errors.py":
                text = file.read_text(encoding="utf-8")
                given |= set(GIVEN.findall(text))
                written += text
    assert given - CODES.keys() == set()
    assert [reason for reason in CODES if f'"{reason}"' not in written] == []


def test_what_a_worker_does_with_a_lost_claim_is_said_in_one_way() -> None:
    said = " ".join(map(comments_of, PROTOS)).lower()
    told = re.findall(r"(.{40})\bforget the claim", said)
    assert len(told) >= 4
    one_way = "stop the handler, roll back, and "
    assert [words for words in told if not words.endswith(one_way)] == []
