"""The protos name every error that a caller can get, each with the code that it really has."""

import re
from pathlib import Path

import pytest

from carbonline.serving.errors import CODES
from tests.tidy.tracked_files import REPOSITORY

# As in "NOT_FOUND (JOB_NOT_FOUND)" and "UNAVAILABLE (STORE_FULL or DRAINING)".
NAMED = re.compile(r"\b(?P<code>[A-Z_]{5,}) \((?P<reasons>[A-Z_]{5,}(?: or [A-Z_]{5,})*)\)")
PROTOS = sorted((REPOSITORY / "protos").rglob("*.proto"))


def comments_of(proto: Path) -> str:
    """All comments of a proto as one line."""
    lines = proto.read_text(encoding="utf-8").splitlines()
    return " ".join(line.strip()[3:] for line in lines if line.strip().startswith("// "))


@pytest.mark.parametrize("proto", PROTOS, ids=lambda proto: proto.stem)
def test_an_error_is_named_with_its_own_code(proto: Path) -> None:
    for named in NAMED.finditer(comments_of(proto)):
        for reason in named["reasons"].split(" or "):
            assert CODES[reason].name == named["code"], named[0]


def test_every_error_is_named() -> None:
    words = set(re.findall(r"[A-Z_]+", " ".join(map(comments_of, PROTOS))))
    assert sorted(set(CODES) - words) == []
