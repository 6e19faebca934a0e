"""The report on a small file that was read as a whole: factors, places, units."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import polars as pl

from carbonline.pluralize import pluralize
from worker_service.carbon.csv_source.near_names import UnreadColumn
from worker_service.carbon.csv_source.survey import FileEncoding
from worker_service.carbon.parse.tables import TableOriginals
from worker_service.mechanics.outcome import Failed, Succeeded
from worker_service.steps.file_sentences import encoding_sentences, unread_sentences
from worker_service.steps.input_file import Refusal, proposal_stats
from worker_service.steps.noted_rows import RowNotes, ended


class Parsed(Protocol):
    """A file's accepted, rejected and doubtful rows."""

    @property
    def encoding(self) -> FileEncoding:
        """What the file was read as."""
        ...

    @property
    def accepted(self) -> pl.DataFrame:
        """The accepted rows."""
        ...

    @property
    def rejected(self) -> pl.DataFrame:
        """Columns row, column, value, reason."""
        ...

    @property
    def warnings(self) -> pl.DataFrame:
        """The same for accepted rows that are doubtful, or that a later row replaces."""
        ...

    @property
    def unread_columns(self) -> tuple[UnreadColumn, ...]:
        """Columns that were not read."""
        ...

    @property
    def originals(self) -> TableOriginals:
        """The rows as they are in the file."""
        ...


@dataclass(frozen=True, slots=True)
class TableReport:
    """Notes and outcome of such a file; `noun` says what a row is, in the singular.

    `proposed` is how the file might be read, as in RefusedFile; {} for none. `doubtful`: numbers of
    rows that are doubtful, whether `parsed` lists a warning for them or not.
    """

    parsed: Parsed
    notes: RowNotes
    noun: str
    proposed: Mapping[str, Any] = field(default_factory=dict)
    doubtful: Collection[frozenset[int]] = ()

    def note(self) -> None:
        """Keep the rejected and the warned rows. Blocks."""
        bad, warned = self.parsed.rejected, self.parsed.warnings
        lines = self.parsed.originals.lines(bad)
        self.notes.rejected.add(bad, bad["row"].n_unique(), lines)
        rows = frozenset(warned["row"]) if self.doubtful else frozenset()
        count = len(rows.union(*self.doubtful)) if self.doubtful else warned["row"].n_unique()
        self.notes.warned.add(warned, count)
        self.notes.keep()

    def nothing_good(self) -> Failed | None:
        """The outcome if no row can be used; None otherwise."""
        if not self.parsed.accepted.is_empty():
            return None
        first = ended(self.notes.rejected.first_reason)
        sentence = f"No {self.noun} can be used, so nothing was changed; {first}"
        cut = self.notes.cut_sentences()
        message = " ".join([sentence, *cut, *self._unread(), *self._encoding()])
        return Failed("no_valid_rows", message, self._stats({}))

    def refused(self, refusal: Refusal, sentences: Sequence[str] = ()) -> Failed:
        """The outcome if the accepted rows are not saved, with what is doubtful about the file.

        `sentences` add what the step says.
        """
        warned = [*self.notes.warned_sentences(), *self.notes.cut_sentences()]
        said = [*self._rejected(), *warned, *self._unread(), *sentences]
        return refusal.outcome(self._stats({"rows_accepted": 0}), [*said, *self._encoding()])

    def _rejected(self) -> list[str]:
        if not (count := self.notes.rejected.row_count):
            return []
        are = "is" if count == 1 else "are"
        first = ended(self.notes.rejected.first_reason)
        return [f"{pluralize(count, 'row')} {are} rejected; the first: {first}"]

    def succeeded(
        self, sentence: str, stats: Mapping[str, Any], *, warnings: bool = False
    ) -> Succeeded:
        """The outcome once the accepted rows are saved. The arguments add what the step says."""
        accepted, *others = self.notes.sentences(self.parsed.accepted.height, self.noun)
        sentences = [accepted, *self._unread(), *others, *self._encoding()]
        sentences += [sentence] if sentence else []
        warnings = warnings or self.notes.any or bool(self.parsed.unread_columns)
        return Succeeded(self._stats(stats), " ".join(sentences), warnings=warnings)

    def _unread(self) -> list[str]:
        return unread_sentences(self.parsed.unread_columns)

    def _encoding(self) -> list[str]:
        return encoding_sentences(self.parsed.encoding)

    def _stats(self, own: Mapping[str, Any]) -> dict[str, Any]:
        accepted = self.parsed.accepted.height
        return {
            "rows": accepted + self.notes.rejected.row_count,
            "rows_accepted": accepted,
            **self.notes.stats(),
            **own,
            **proposal_stats(self.proposed),
            "encoding": self.parsed.encoding.name,
            "unknown_columns": [column.name for column in self.parsed.unread_columns],
        }
