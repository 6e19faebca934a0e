"""Rows of a list that may be longer than memory: they wait in a temporary file."""

import json
from collections.abc import Collection, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from tempfile import TemporaryFile, gettempdir
from types import TracebackType

from carbonline.command.columns import Row
from carbonline.command.output_file import errors_named


class SpooledRows(Collection[Row], AbstractContextManager["SpooledRows"]):
    """Rows in the order in which they were added. Their values are those of JSON.

    The file has no name and goes with the block, or with the process.
    """

    def __init__(self) -> None:
        self._file = TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115  __exit__ closes it
        self._count = 0

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Deletes the file."""
        self._file.close()

    def add(self, rows: Iterable[Row]) -> None:
        """Adds rows at the end. Raises OSError with the folder's name."""
        with errors_named(Path(gettempdir())):
            for row in rows:
                self._file.write(f"{json.dumps(row)}\n")
                self._count += 1

    def __len__(self) -> int:
        """The number of rows."""
        return self._count

    def __iter__(self) -> Iterator[Row]:
        """The rows from the first; one pass at a time, while no row is added."""
        with errors_named(Path(gettempdir())):
            self._file.seek(0)
        for line in self._file:
            yield json.loads(line)

    def __contains__(self, row: object) -> bool:
        """Whether a row is equal. Reads them all."""
        return any(row == one for one in self)
