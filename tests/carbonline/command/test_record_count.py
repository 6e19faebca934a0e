"""How many rows a file has is known before it is sent, however it was saved."""

import gzip
from pathlib import Path

import pytest

from carbonline.command import record_count
from carbonline.command.record_count import count_records

ROWS = "unit,note\n0828,a\n0829,b\n"


@pytest.mark.parametrize(
    ("saved", "records"),
    [
        (ROWS.encode(), 2),
        (ROWS.encode().rstrip(), 2),
        (ROWS.replace("\n", "\r\n").encode(), 2),
        (ROWS.replace("\n", "\r").encode(), 2),
        (ROWS.replace("b", '"two\nlines of ""b"""').encode(), 2),
        (gzip.compress(ROWS.encode()), 2),
        (b"unit,note\n", 0),
        (b"unit,note", 0),
        (b"", 0),
        (gzip.compress(ROWS.encode())[:-9], None),
        (b"\x1f\x8bno gzip", None),
        (b"PK\x03\x04\n\n\n", None),
        (b"\xd0\xcf\x11\xe0\n\n\n", None),
    ],
    ids=[
        "lines",
        "no end",
        "CRLF",
        "CR",
        "quotes",
        "gzip",
        "a header",
        "a header without end",
        "nothing",
        "half a gzip",
        "no gzip",
        "a workbook",
        "an old workbook",
    ],
)
def test_rows_are_counted(tmp_path: Path, saved: bytes, records: int | None) -> None:
    file = tmp_path / "trips.csv"
    file.write_bytes(saved)
    assert count_records(file) == records


def test_quotes_may_stand_where_chunks_are_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "trips.csv"
    file.write_text('unit,note\n0828,"a\nb"\n0829,c\n')
    for size in range(1, 30):
        monkeypatch.setattr(record_count, "CHUNK_BYTES", size)
        assert count_records(file) == 2


def test_what_never_ends_is_not_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_count, "COUNTED_BYTES_MAX", 10)
    file = tmp_path / "trips.csv"
    file.write_text(ROWS)
    assert count_records(file) is None
