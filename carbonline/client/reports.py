"""Reports on pipelines, jobs and uploads, as plain values."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from carbonline.client.errors import PipelineNotSuccessful
from carbonline.client.json_struct import values_of
from carbonline.client.view import PipelineView
from carbonline.v1 import ledger_pb2, types_pb2

_SUCCESS = "success"
_ENDS = frozenset({_SUCCESS, "partial", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class JobReport:
    """One job.

    `about` is its data-entry type, module or kind of reference data. `state` is "queued",
    "running", "finished" and so on. `result` of a finished job is "success", "warning", "error" and
    so on, "" before. `counts` are the whole numbers of its stats.
    """

    job_id: int
    job_type: str
    about: str
    state: str
    result: str
    message: str
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class PipelineReport:
    """A pipeline at one moment.

    `status` is "not_started", "running", "success", "partial", "failed" or "cancelled".
    `rejected` are rows that do not count: the columns of the file, then `rejected_row` (1 is the
    first after the header) and `rejected_reason`. `warned` are doubtful fields of rows that count:
    `row`, `column`, `value`, `reason`. Both are filled only at the end.
    """

    pipeline_id: int
    status: str
    has_warnings: bool
    jobs: tuple[JobReport, ...]
    rejected: list[dict[str, str]] = field(default_factory=list)
    warned: list[dict[str, str]] = field(default_factory=list)

    @property
    def ended(self) -> bool:
        """Whether the pipeline has ended."""
        return self.status in _ENDS

    @property
    def message(self) -> str:
        """The messages of its jobs, one per line."""
        return "\n".join(f"{job.job_type}: {job.message}" for job in self.jobs if job.message)

    @property
    def rows_accepted(self) -> int:
        """How many rows of its files count."""
        return self._sum("rows_accepted")

    @property
    def rows_rejected(self) -> int:
        """How many rows do not count."""
        return self._sum("rows_rejected")

    @property
    def rows_warned(self) -> int:
        """How many rows count, but look doubtful."""
        return self._sum("rows_warned")

    def raise_for_status(self) -> None:
        """Raises PipelineNotSuccessful, with the messages of its jobs, unless it was successful."""
        if self.status != _SUCCESS:
            raise PipelineNotSuccessful(
                f"Pipeline {self.pipeline_id} is {self.status}, not successful:\n{self.message}"
            )

    def _sum(self, name: str) -> int:
        return sum(job.counts.get(name, 0) for job in self.jobs)


@dataclass(frozen=True, slots=True)
class UploadReport:
    """A file of activity data that counts, or did.

    A newer file with the same module, type, year, unit ("" for all units) and source replaces it.
    `total_kg`, in kg CO2eq, and `entries_without_kg` are those of the last computation, None before
    the first. `state` is "counts", "replaced" or "withdrawn".
    """

    upload_id: int
    module: str
    type: str
    year: int
    unit: str
    source: str
    file_name: str
    entries: int
    rows_rejected: int
    rows_warned: int
    total_kg: float | None
    entries_without_kg: int | None
    pipeline_id: int
    published_at: datetime
    state: str = "counts"


def upload_report(upload: ledger_pb2.Upload) -> UploadReport:
    """The report of an upload."""
    computed = upload.HasField("total_kg")
    return UploadReport(
        upload.upload_id,
        word(types_pb2.Module.items(), upload.module, "MODULE_"),
        word(types_pb2.DataEntryType.items(), upload.data_entry_type, "DATA_ENTRY_TYPE_"),
        upload.year,
        upload.unit,
        upload.source,
        upload.file_name,
        upload.entry_count,
        upload.rows_rejected,
        upload.rows_warned,
        upload.total_kg if computed else None,
        upload.entries_without_kg if computed else None,
        upload.pipeline_id,
        upload.published_at.ToDatetime(UTC),
        word(ledger_pb2.UploadState.items(), upload.state, "UPLOAD_STATE_"),
    )


def report_of(view: PipelineView) -> PipelineReport:
    """The report of what a watcher has seen so far."""
    pipeline = view.pipeline or types_pb2.Pipeline()
    return PipelineReport(
        pipeline.pipeline_id,
        word(types_pb2.PipelineStatus.items(), pipeline.status, "PIPELINE_STATUS_"),
        pipeline.has_warnings,
        reports_of(view.in_order()),
    )


def reports_of(jobs: Iterable[types_pb2.Job]) -> tuple[JobReport, ...]:
    """The reports of some jobs."""
    return tuple(_report(job) for job in jobs)


def word(enum: Sequence[tuple[str, int]], number: int, prefix: str) -> str:
    """The name of an enum value in lower case, without `prefix`. "" for 0."""
    if number == 0:
        return ""
    names = {value: name for name, value in enum}
    return names.get(number, str(number)).removeprefix(prefix).lower()


def uncomputed_row(entry: ledger_pb2.UncomputedEntry) -> dict[str, object]:
    """An entry without kilograms, with the keys that `carbonline uncomputed` writes."""
    return {
        "upload": entry.upload_id,
        "type": word(types_pb2.DataEntryType.items(), entry.data_entry_type, "DATA_ENTRY_TYPE_"),
        "row": entry.row_number,
        "unit_institutional_id": entry.unit,
        "outcome": entry.outcome,
        "reason": entry.detail,
        "columns": dict(sorted(entry.columns.items())),
    }


def _report(job: types_pb2.Job) -> JobReport:
    scope = job.scope
    about = word(types_pb2.DataEntryType.items(), scope.data_entry_type, "DATA_ENTRY_TYPE_")
    module = word(types_pb2.Module.items(), scope.module, "MODULE_")
    return JobReport(
        job.job_id,
        job.job_type,
        about or module or scope.reference_kind,
        word(types_pb2.JobState.items(), job.state, "JOB_STATE_"),
        word(types_pb2.JobResult.items(), job.result, "JOB_RESULT_"),
        job.message,
        # A boolean is an int to isinstance.
        {name: count for name, count in values_of(job.stats).items() if type(count) is int},
    )
