"""A list longer than memory is written from a file, a row at a time."""

import io
import resource
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from carbonline.command.columns import Column, Row
from carbonline.command.row_files import write_csv, write_json
from carbonline.command.spooled_rows import SpooledRows

ROWS = 30_000
# Of so many rows, in a list: 17 MB.
BYTES_MAX = 2 << 20
COLUMNS = (Column("row"), Column("unit"), Column("kg_co2eq"), Column("factor_values"))


def rows(count: int) -> Iterator[Row]:
    for n in range(count):
        values = {"ef": "0.2906", "name": f"short {n}"}
        yield {"row": n, "unit": "Zürich", "kg_co2eq": n / 3, "factor_values": values}


class Counted(io.RawIOBase):
    """A file of which only the size is kept."""

    size = 0

    def write(self, piece: object) -> int:
        assert isinstance(piece, bytes)
        self.size += len(piece)
        return len(piece)


def test_rows_come_back_as_they_were_added() -> None:
    with SpooledRows() as spooled:
        spooled.add(rows(3))
        spooled.add([{"row": None}])
        assert len(spooled) == 4
        assert list(spooled) == [*rows(3), {"row": None}] == list(spooled)
        assert {"row": None} in spooled


def test_a_full_disk_is_told_with_the_folder_where_rows_wait(tmp_path: Path) -> None:
    adds = "from carbonline.command.spooled_rows import SpooledRows as S; s = S()\n"
    adds += "try: s.add([{'text': 'x' * 10**6}])\nexcept OSError as error: print(error.filename)"
    ended = subprocess.run(
        [sys.executable, "-c", adds],
        # Or Python would keep cut bytecode.
        env={"TMPDIR": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, 1_000)),
    )
    assert ended.stdout == f"{tmp_path}\n"


@pytest.mark.parametrize("form", ["csv", "json"])
def test_memory_does_not_grow_with_the_rows(form: str) -> None:
    file = Counted()
    tracemalloc.start()
    try:
        with SpooledRows() as spooled:
            spooled.add(rows(ROWS))
            if form == "csv":
                write_csv(COLUMNS, spooled, file)  # type: ignore[arg-type]  # writes bytes
            else:
                write_json(COLUMNS, spooled, {}, file)  # type: ignore[arg-type]  # writes bytes
        assert tracemalloc.get_traced_memory()[1] < BYTES_MAX
    finally:
        tracemalloc.stop()
    assert file.size > 50 * ROWS
