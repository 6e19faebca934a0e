"""What is told of a small file that was read whole: factors, places, units."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import polars as pl

from worker_service.carbon.csv_source.near_names import UnreadColumn
from worker_service.carbon.parse.tables import TableOriginals
from worker_service.mechanics.outcome import Failed, Succeeded
from worker_service.steps.file_sentences import file_sentences
from worker_service.steps.noted_rows import RowNotes, ended


class Parsed(Protocol):
    """A file's good rows, bad rows, and those that somebody should look at."""

    @property
    def encoding(self) -> str:
        """What its bytes were read as."""
        ...

    @property
    def accepted(self) -> pl.DataFrame:
        """The good rows."""
        ...

    @property
    def rejected(self) -> pl.DataFrame:
        """row, column, value, reason."""
        ...

    @property
    def warnings(self) -> pl.DataFrame:
        """The same, of good rows that are doubtful, or that a later one replaces."""
        ...

    @property
    def unread_columns(self) -> tuple[UnreadColumn, ...]:
        """Told once, never read."""
        ...

    @property
    def originals(self) -> TableOriginals:
        """The rows as they came."""
        ...


@dataclass(frozen=True, slots=True)
class TableReport:
    """`noun` is what a row is, in the singular."""

    parsed: Parsed
    notes: RowNotes
    noun: str

    def note(self) -> None:
        """Keeps the rejected and the warned rows. Blocks."""
        bad, doubtful = self.parsed.rejected, self.parsed.warnings
        lines = self.parsed.originals.lines(bad)
        self.notes.rejected.add(bad, bad["row"].n_unique(), lines)
        self.notes.warned.add(doubtful, doubtful["row"].n_unique())
        self.notes.keep()

    def nothing_good(self) -> Failed | None:
        """The job's end where no row can be used."""
        if not self.parsed.accepted.is_empty():
            return None
        first = ended(self.notes.rejected.first_reason)
        said = f"No {self.noun} can be used, so nothing was changed; {first}"
        return Failed("no_valid_rows", " ".join([said, *self._of_file()]), self._stats({}))

    def succeeded(
        self, said: str, stats: Mapping[str, Any], *, warnings: bool = False
    ) -> Succeeded:
        """The job's end where the good rows were saved; the arguments are the step's own."""
        sentences = self.notes.sentences(self.parsed.accepted.height, self.noun)
        sentences += self._of_file()
        sentences += [said] if said else []
        warnings = warnings or self.notes.any or bool(self.parsed.unread_columns)
        return Succeeded(self._stats(stats), " ".join(sentences), warnings=warnings)

    def _of_file(self) -> list[str]:
        return file_sentences(self.parsed.encoding, self.parsed.unread_columns)

    def _stats(self, own: Mapping[str, Any]) -> dict[str, Any]:
        accepted = self.parsed.accepted.height
        return {
            "rows": accepted + self.notes.rejected.row_count,
            "rows_accepted": accepted,
            **self.notes.stats(),
            **own,
            "encoding": self.parsed.encoding,
            "unknown_columns": [column.name for column in self.parsed.unread_columns],
        }
