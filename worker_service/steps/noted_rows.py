"""Rejected and warned rows: all in CSV blobs, their number and the first ones in the stats."""

import io
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import polars as pl

from carbonline.pluralize import pluralize
from worker_service.blobs.any_store import AnyBlobStore
from worker_service.blobs.reference import read_reference
from worker_service.blobs.store import BlobTooLarge, Upload
from worker_service.carbon.csv_source.spreadsheet_text import inert
from worker_service.mechanics.claimed_job import ClaimedJob
from worker_service.steps.scoped_lists import list_name

INLINE_ROWS_MAX = 100
INLINE_BYTES_MAX = 32 << 10
HEADER = b"row,column,value,reason\n"
COPIED_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class KeptRows:
    """Noted rows of a job: how many, how many of them are listed, the first ones, and the reference
    of the blob, "" for none.
    """

    row_count: int
    listed_rows: int
    inline: Sequence[dict[str, Any]]
    reference: str


class NotedRows(AbstractContextManager["NotedRows"]):
    """Collects rows in batches. Nothing is kept unless `keep` is called. All methods block."""

    def __init__(
        self,
        blobs: AnyBlobStore,
        job: ClaimedJob,
        noun: str,
        header: bytes = HEADER,
        inline_bytes_max: int = INLINE_BYTES_MAX,
    ) -> None:
        """`noun` is such as "rejected" or "warned". Nothing is written before the first such row.

        The stats have at most so many bytes of the first rows.
        """
        self._inline_bytes_max = inline_bytes_max
        self._header = header
        self._blobs = blobs
        self._job = job
        self._noun = noun
        self._upload: Upload | None = None
        self._inline: list[dict[str, Any]] = []
        self._inline_bytes = 0
        self._reference = ""
        # A stopped run leaves while a thread still prepares its last batch.
        self._writing = threading.Lock()
        self._left = False
        self.row_count = 0
        self._listed_rows = 0
        # Why the list was cut off; "" if it was not.
        self._cut_off = ""

    def __enter__(self) -> Self:
        """Begins to collect."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Drop what was not kept, and ignore later batches."""
        with self._writing:
            self._left = True
            if self._upload is not None:
                self._upload.__exit__(kind, error, trace)

    def add(self, noted: pl.DataFrame, rows: int, lines: bytes | None = None) -> None:
        """Add row, column, value and reason of `rows` rows of one file, one line per reason.

        `noted` may have fewer of them than there are. If `lines` is given, the blob gets these
        bytes instead. A blob that would be too large has the first batches, and no others: rows
        that cannot be listed cost no job.
        """
        self.row_count += rows
        if not noted.is_empty():
            with self._writing:
                if not self._left:
                    self._write(noted, lines)

    def add_kept(self, kept: KeptRows) -> None:
        """Add the rows of an earlier job as that one noted them, instead of any others.

        The blob is made anew, since that of a job goes some time after the job. Raises BlobMissing,
        BlobDamaged or OSError if it cannot be read, BlobTooLarge if files may have less by now.
        """
        self.row_count, self._listed_rows = kept.row_count, kept.listed_rows
        self._inline = [*kept.inline]
        if kept.reference:
            reference = read_reference(self._job.tenant, kept.reference)
            with self._writing, self._blobs.open(reference) as earlier:
                if not self._left:
                    upload = self._begun()
                    while piece := earlier.read(COPIED_BYTES):
                        upload.write(piece)

    def _write(self, noted: pl.DataFrame, lines: bytes | None) -> None:
        self._add_inline(noted)
        if self._cut_off:
            return
        try:
            if self._upload is None:
                self._begun().write(self._header)
            assert self._upload is not None, "it has begun"
            self._upload.write(_lines_of(noted) if lines is None else lines)
        except BlobTooLarge as too_large:
            self._cut_off = str(too_large)
        else:
            self._listed_rows += noted["row"].n_unique()

    def _begun(self) -> Upload:
        name = list_name(self._noun, self._job)
        self._upload = self._blobs.begin(self._job.tenant, name, self._scope())
        self._upload.__enter__()
        return self._upload

    def keep(self) -> None:
        """Create the blob."""
        if self._upload is not None:
            self._reference = str(self._upload.keep().reference)

    @property
    def kept(self) -> KeptRows:
        """All that there is to say of the rows, after `keep`."""
        return KeptRows(self.row_count, self._listed_rows, self._inline, self._reference)

    @property
    def first_reason(self) -> str:
        """Such as "row 14, number_of_trips: must be at least 1"; empty without a row."""
        if not self._inline:
            return ""
        first = self._inline[0]
        where = f"row {first['row']:,}" + (f", {first['column']}" if first["column"] else "")
        return f"{where}: {first['reason']}"

    @property
    def cut_sentences(self) -> list[str]:
        """A sentence about a list that would have been too large. Empty for a whole one."""
        if not self._cut_off:
            return []
        noun = self._noun.replace("_", "-")
        first = f"the first {self._listed_rows:,} of {self.row_count:,}"
        return [f"The list of {noun} rows has {first}, since {self._cut_off}."]

    def stats(self) -> dict[str, Any]:
        """Stats of the job: the number of rows, the blob, and the first rows.

        And how many rows the blob has, if not all.
        """
        if self.row_count == 0:
            return {f"rows_{self._noun}": 0}
        is_cut = self._listed_rows < self.row_count
        return {
            f"rows_{self._noun}": self.row_count,
            **({f"rows_{self._noun}_listed": self._listed_rows} if is_cut else {}),
            f"{self._noun}_blob": self._reference,
            f"{self._noun}_rows": self._inline,
        }

    def _add_inline(self, noted: pl.DataFrame) -> None:
        room = INLINE_ROWS_MAX - len(self._inline)
        for row in noted.head(room).iter_rows(named=True):
            self._inline_bytes += sum(len(str(value)) for value in row.values()) + 60
            if self._inline_bytes > self._inline_bytes_max:
                return
            self._inline.append(row)

    def _scope(self) -> dict[str, Any]:
        job = self._job
        parts = {
            "tenant": job.tenant,
            "module": job.module,
            "data_entry_type": job.data_entry_type,
            "year": job.year,
            "unit": job.unit,
        }
        return {name: part for name, part in parts.items() if part is not None}


def _lines_of(noted: pl.DataFrame) -> bytes:
    lines = io.BytesIO()
    safe = [inert(pl.col(name)).alias(name) for name in ("value", "reason")]
    noted.select("row", "column", *safe).write_csv(lines, include_header=False)
    return lines.getvalue()


class RowNotes(AbstractContextManager["RowNotes"]):
    """The notes of an ingest about single rows: `rejected` ones, and accepted `warned` ones.

    `shared` are rows that another upload has, too. They are known last, so they are kept by
    themselves, and are not counted among the warned ones.
    """

    def __init__(
        self,
        blobs: AnyBlobStore,
        job: ClaimedJob,
        rejected_header: bytes,
        inline_bytes_max: int = INLINE_BYTES_MAX,
    ) -> None:
        """`rejected_header` is the first line of the file of rejected rows."""
        self.rejected = NotedRows(blobs, job, "rejected", rejected_header, inline_bytes_max)
        self.warned = NotedRows(blobs, job, "warned", HEADER, inline_bytes_max)
        self.shared = NotedRows(blobs, job, "counted_twice", HEADER, inline_bytes_max)
        self._both = ExitStack()

    def __enter__(self) -> Self:
        """Begins to collect."""
        for rows in (self.rejected, self.warned, self.shared):
            self._both.enter_context(rows)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Drop what was not kept."""
        self._both.__exit__(kind, error, trace)

    def keep(self) -> None:
        """Create the blobs of rejected and of warned rows."""
        self.rejected.keep()
        self.warned.keep()

    def stats(self) -> dict[str, Any]:
        """Stats of the job."""
        shared = self.shared.stats() if self.shared.row_count else {}
        return {**self.rejected.stats(), **self.warned.stats(), **shared}

    @property
    def any(self) -> bool:
        """Whether any row was rejected or has a warning."""
        return self.rejected.row_count > 0 or self.warned.row_count > 0

    def sentences(
        self, accepted: int, noun: str = "row", *, instead: str = "", unchanged: str = ""
    ) -> list[str]:
        """The message of an ingest: counts and first reasons. `noun` is in the singular.

        `instead` follows the count of accepted rows; `unchanged` replaces that count.
        """
        rejected = self.rejected
        first = rejected.first_reason
        if not unchanged:
            sentences = [rows_sentence(accepted, rejected.row_count, first, noun, instead)]
        else:
            sentences = [unchanged]
            if rejected.row_count:
                rows = pluralize(rejected.row_count, "row")
                sentences.append(f"{rows} rejected; the first: {ended(first)}")
        return [*sentences, *self.warned_sentences(), *self.cut_sentences()]

    def warned_sentences(self) -> list[str]:
        """Such as "2 rows with a warning; the first: row 1, iata: ...". Empty for none."""
        if not (count := self.warned.row_count):
            return []
        first = ended(self.warned.first_reason)
        return [f"{pluralize(count, 'row')} with a warning; the first: {first}"]

    def cut_sentences(self) -> list[str]:
        """Sentences about lists that do not have all rows, since these are too many."""
        lists = (self.rejected, self.warned, self.shared)
        return [sentence for rows in lists for sentence in rows.cut_sentences]


def rows_sentence(
    accepted: int, rejected: int, first_reason: str, noun: str = "row", instead: str = ""
) -> str:
    """The message of an ingest, from its counts and the first reason. `noun` is in the singular.

    `instead` says what the accepted rows replace, with the comma before it.
    """
    if not rejected:
        return f"{pluralize(accepted, noun)} accepted{instead}."
    sentence = f"{pluralize(accepted, noun)} accepted{instead}, {rejected:,} rejected"
    return f"{sentence}; the first: {ended(first_reason)}"


def ended(reason: str) -> str:
    """A reason with a full stop, unless it is a question."""
    return reason if reason.endswith("?") else f"{reason}."
