"""A file of rejected rows is recognised before it is sent, however it was saved."""

import gzip
from pathlib import Path

import pytest

from carbonline.command.mended_file import is_mended

ROWS = "unit,rejected_row,rejected_reason\n0828,2,why\n"


@pytest.mark.parametrize(
    ("saved", "mended"),
    [
        (ROWS.encode(), True),
        (ROWS.upper().encode(), True),
        (gzip.compress(ROWS.encode()), True),
        (ROWS.encode("utf-16"), True),
        (b"sep=,\n" + ROWS.encode(), True),
        (ROWS.replace("\n", "\r").encode(), True),
        (b"unit,note\n0828,a\n0828,b\n0828,rejected_row\n", False),
        (b"", False),
        (b"\x1f\x8bno gzip", False),
    ],
    ids=["as written", "capitals", "gzip", "UTF-16", "sep", "CR", "a value", "empty", "no gzip"],
)
def test_a_file_of_rejected_rows_is_recognised_by_its_header(
    tmp_path: Path, saved: bytes, *, mended: bool
) -> None:
    file = tmp_path / "file.csv"
    file.write_bytes(saved)
    assert is_mended(file) is mended


def test_a_file_that_is_not_there_is_not_one_of_rejected_rows(tmp_path: Path) -> None:
    assert not is_mended(tmp_path / "no.csv")
