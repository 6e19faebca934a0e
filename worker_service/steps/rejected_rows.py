"""Rejected rows: all of them in a CSV blob, the first ones and their number in the job's stats."""

import io
import threading
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Self

import polars as pl

from worker_service.blobs.store import BlobStore, Upload
from worker_service.mechanics.claimed_job import ClaimedJob
from worker_service.steps.counted import counted

INLINE_ROWS_MAX = 100
INLINE_BYTES_MAX = 32 << 10
HEADER = b"row,column,value,reason\n"

# How a formula begins for a spreadsheet, which would run it; plain numbers may begin alike.
_FORMULA = r"^[=+\-@\t\r]"
_PLAIN_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"


class RejectedRows(AbstractContextManager["RejectedRows"]):
    """Takes batches as they come; nothing is kept unless `keep` is called. All methods block."""

    def __init__(self, blobs: BlobStore, job: ClaimedJob) -> None:
        """Nothing is written before the first rejected row."""
        self._blobs = blobs
        self._job = job
        self._upload: Upload | None = None
        self._inline: list[dict[str, Any]] = []
        self._inline_bytes = 0
        self._reference = ""
        # A run that is stopped leaves while a thread still prepares its last batch.
        self._writing = threading.Lock()
        self._left = False
        self.row_count = 0

    def __enter__(self) -> Self:
        """Open for batches."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Drops what was not kept; batches that come later are dropped, too."""
        with self._writing:
            self._left = True
            if self._upload is not None:
                self._upload.__exit__(kind, error, trace)

    def add(self, rejected: pl.DataFrame, rows: int) -> None:
        """row, column, value, reason of `rows` rows: one line for each bad field."""
        self.row_count += rows
        if not rejected.is_empty():
            with self._writing:
                if not self._left:
                    self._write(rejected)

    def _write(self, rejected: pl.DataFrame) -> None:
        if self._upload is None:
            name = f"rejected_rows_of_job_{self._job.job_id}.csv"
            self._upload = self._blobs.begin(self._job.tenant, name, self._scope())
            self._upload.__enter__()
            self._upload.write(HEADER)
        lines = io.BytesIO()
        rejected.select("row", "column", _inert(pl.col("value")), "reason").write_csv(
            lines, include_header=False
        )
        self._upload.write(lines.getvalue())
        self._add_inline(rejected)

    def keep(self) -> None:
        """Makes the blob."""
        if self._upload is not None:
            self._reference = str(self._upload.keep().reference)

    @property
    def first_reason(self) -> str:
        """Such as "row 14, number_of_trips: must be at least 1"; "" where nothing was rejected."""
        if not self._inline:
            return ""
        first = self._inline[0]
        where = f"row {first['row']:,}" + (f", {first['column']}" if first["column"] else "")
        return f"{where}: {first['reason']}"

    def stats(self) -> dict[str, Any]:
        """For the job."""
        if self.row_count == 0:
            return {"rows_rejected": 0}
        return {
            "rows_rejected": self.row_count,
            "rejected_blob": self._reference,
            "rejected_rows": self._inline,
        }

    def _add_inline(self, rejected: pl.DataFrame) -> None:
        room = INLINE_ROWS_MAX - len(self._inline)
        for row in rejected.head(room).iter_rows(named=True):
            self._inline_bytes += sum(len(str(value)) for value in row.values()) + 60
            if self._inline_bytes > INLINE_BYTES_MAX:
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


def _inert(value: pl.Expr) -> pl.Expr:
    """With an apostrophe before what a spreadsheet would take for a formula."""
    runs = value.str.contains(_FORMULA) & ~value.str.contains(_PLAIN_NUMBER)
    return pl.when(runs).then(pl.lit("'") + value).otherwise(value).alias("value")


def rows_sentence(accepted: int, rejected: int, first_reason: str, noun: str = "row") -> str:
    """The message of an ingest, from its counts and the first reason; the noun in the singular."""
    if not rejected:
        return f"{counted(accepted, noun)} accepted."
    return f"{counted(accepted, noun)} accepted, {rejected:,} rejected; the first: {first_reason}."
