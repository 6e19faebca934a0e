"""AsyncClient: carbonline for scripts that await; `Client` is the same for those that do not."""

import csv
import io
import warnings
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    Awaitable,
    Callable,
    Iterable,
    Mapping,
)
from contextlib import aclosing
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeAlias

from carbonline.client.contract_client import ContractClient
from carbonline.client.errors import TotalsIncomplete, WrongArgument
from carbonline.client.file_names import sent_name
from carbonline.client.json_struct import values_of
from carbonline.client.reports import (
    JobReport,
    PipelineReport,
    UploadReport,
    report_of,
    reports_of,
    uncomputed_row,
    upload_report,
)
from carbonline.client.services import services_here
from carbonline.client.submission import check_size, find_type, submit_file
from carbonline.client.totals_frame import missing_from, totals_frame
from carbonline.client.view import PipelineView
from carbonline.v1 import blobs_pb2, ledger_pb2, types_pb2

if TYPE_CHECKING:
    import polars as pl

Progress: TypeAlias = Callable[[PipelineReport], None]
Rows: TypeAlias = list[dict[str, str]]

JOBS_PER_PAGE = 500
_REJECTED_ROW = "rejected_row"
JOBS_MAX = 100_000
ROWS_PER_PAGE = 1_000
ROWS_MAX = 1_000_000
FIELD_CHARACTERS_MAX = 1 << 20


class AsyncClient:
    """Sends files, waits for what becomes of them, and reads totals.

    Addresses are "unix:PATH" or "host:port"; `AsyncClient.local()` finds them. `tenant` may stay
    empty where the caller has only one. Every method may raise ServerError for what a server
    refused (`reason` and `fields` say why), and Unreachable, which is one, when nobody answered.
    """

    def __init__(
        self,
        scheduler_address: str,
        ledger_address: str,
        *,
        tenant: str = "",
        token_file: Path | None = None,
    ) -> None:
        self.contract = ContractClient(
            scheduler_address, ledger_address, tenant=tenant, token_file=token_file
        )

    @classmethod
    def local(cls, data_folder: str | Path | None = None) -> Self:
        """A client of what the `carbonline` command would call, too.

        That is the stack that runs on `data_folder` (else CARBONLINE_DATA_FOLDER, else
        ./carbonline-data), or the servers of CARBONLINE_SCHEDULER_ADDRESS and
        CARBONLINE_LEDGER_ADDRESS with CARBONLINE_TOKEN_FILE and CARBONLINE_TENANT. NoStack where
        there is none.
        """
        where = services_here(data_folder)
        return cls(
            where.scheduler_address,
            where.ledger_address,
            tenant=where.tenant,
            token_file=where.token_file,
        )

    async def __aenter__(self) -> Self:
        """Nothing is dialled before the first call."""
        await self.contract.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Closes it."""
        await self.close()

    async def close(self) -> None:
        """Ends calls that are on their way; a submitted pipeline goes on."""
        await self.contract.__aexit__(None, None, None)

    async def submit_file(
        self,
        file: str | Path,
        type: str,  # noqa: A002 - what it is called everywhere else
        *,
        year: int,
        module: str | None = None,
        unit: str | None = None,
        source: str | None = None,
        progress: Progress | None = None,
    ) -> PipelineReport:
        """Send a CSV of activity data, plain or gzipped, and wait for its end.

        It replaces what the same `source` (a name; "default" if left out) sent before for the same
        type, year and unit, or all units. `progress` is called with a report at every change.
        OSError for a file that cannot be read, WrongArgument for an unknown type. A file without
        any good row is no exception but a report whose status is failed.
        """
        catalogue = await self.contract.list_modules()
        number, data_entry_type = find_type(catalogue, type, module)
        scope = self.contract.scope(
            module=number, data_entry_type=data_entry_type, year=year, unit=unit or ""
        )
        payload = {"source": source} if source else {}
        return await self._sent("csv_ingest", scope, Path(file), payload, catalogue, progress)

    async def load_units(
        self, file: str | Path, *, year: int, progress: Progress | None = None
    ) -> PipelineReport:
        """Send the institution's units of a year, which provisions it, and wait."""
        scope = self.contract.scope(year=year)
        catalogue = await self.contract.list_modules()
        return await self._sent("unit_sync", scope, Path(file), {}, catalogue, progress)

    async def load_factors(
        self,
        file: str | Path,
        type: str,  # noqa: A002
        *,
        year: int,
        module: str | None = None,
        replace: bool = False,
        take_away: bool = False,
        progress: Progress | None = None,
    ) -> PipelineReport:
        """Send emission factors of a type and year, and wait.

        Those that the file lacks stay in use; with `replace` they are in force no longer, which is
        refused where entries use them, unless `take_away`.
        """
        catalogue = await self.contract.list_modules()
        number, data_entry_type = find_type(catalogue, type, module)
        scope = self.contract.scope(module=number, data_entry_type=data_entry_type, year=year)
        payload = _replacing(replace, take_away)
        return await self._sent("factor_ingest", scope, Path(file), payload, catalogue, progress)

    async def load_locations(
        self,
        file: str | Path | None = None,
        *,
        transport_mode: str = "plane",
        replace: bool = False,
        take_away: bool = False,
        progress: Progress | None = None,
    ) -> PipelineReport:
        """Send places with their coordinates, and wait; without a file the world's airports.

        Airports whose place in the package airportsdata is wrong are corrected. Places are added,
        or changed where the code is there; with `replace` all others of the mode are gone, which
        is refused where entries use them, unless `take_away`.
        """
        from carbonline.client.airports import airport_rows  # noqa: PLC0415  loads them all

        scope = self.contract.scope(reference_kind="locations")
        source = airport_rows() if file is None else Path(file)
        payload = {"transport_mode": transport_mode, **_replacing(replace, take_away)}
        catalogue = await self.contract.list_modules()
        return await self._sent("reference_ingest", scope, source, payload, catalogue, progress)

    async def watch(self, pipeline_id: int) -> AsyncGenerator[PipelineReport]:
        """A report at every change of a pipeline, the last one at its end.

        Broken connections are taken up again.
        """
        view = PipelineView()
        async for event in self.contract.watch(pipeline_id):
            view.apply(event)
            # The last change may tell of the end already; it is told once, with its rows.
            if not (report := report_of(view)).ended:
                yield report
        yield await self._final(view)

    async def wait(self, pipeline_id: int, progress: Progress | None = None) -> PipelineReport:
        """The report of a pipeline's end, with its rejected and doubtful rows."""
        async with aclosing(self.watch(pipeline_id)) as reports:
            async for report in reports:
                if progress is not None:
                    progress(report)
        return report

    async def jobs(self, pipeline_id: int) -> list[JobReport]:
        """The jobs of a pipeline, the first one first; at most JOBS_MAX."""
        jobs: list[types_pb2.Job] = []
        token = ""
        while len(jobs) < JOBS_MAX:
            page = await self.contract.list_jobs(
                pipeline_id=pipeline_id, page_size=JOBS_PER_PAGE, page_token=token
            )
            jobs += page.jobs
            token = page.next_page_token
            if not token:
                break
        return list(reports_of(sorted(jobs, key=lambda job: job.job_id)))

    async def rejected(self, pipeline_id: int) -> Rows:
        """Every row of a pipeline's files that does not count, with the reason.

        Keys are the columns that `carbonline rejected` writes, all text: those of the file, then
        rejected_row (1 is the first row after the header) and rejected_reason.
        """
        answer = await self.contract.get_pipeline(pipeline_id)
        return await self._noted_rows(answer.jobs, "rejected_blob")

    async def totals(
        self,
        year: int,
        *,
        module: str | None = None,
        unit: str | None = None,
        strict: bool = False,
    ) -> "pl.DataFrame":
        """Kilograms of CO2-equivalent of a year: a row per unit and module, as `totals_frame` says.

        What is missing (a stale module, entries without kilograms) is a TotalsIncomplete warning,
        and with `strict` the same as an error. ExtraMissing without polars.
        """
        return told(await self.totals_and_missing(year, module, unit), strict)

    async def totals_and_missing(
        self, year: int, module: str | None = None, unit: str | None = None
    ) -> "tuple[pl.DataFrame, str]":
        """The frame of `totals`, and what is missing from it in words, empty when nothing is."""
        answer = await self.contract.get_totals(
            year, module=_module_number(module), unit=unit or ""
        )
        return totals_frame(answer), " ".join(missing_from(answer, year))

    async def uncomputed(self, year: int, *, unit: str | None = None) -> list[dict[str, object]]:
        """Entries of a year without kilograms, which the totals lack; at most ROWS_MAX.

        Keys: upload, type, row (1 is the first after the header), unit_institutional_id, outcome
        (a word), reason, and `columns`, what the row said.
        """
        wanted = ledger_pb2.ListUncomputedRequest(year=year, unit=unit or "")
        rows: list[dict[str, object]] = []
        while len(rows) < ROWS_MAX:
            wanted.page_size = min(ROWS_PER_PAGE, ROWS_MAX - len(rows))
            page = await self.contract.list_uncomputed(wanted)
            rows += map(uncomputed_row, page.entries)
            wanted.page_token = page.next_page_token
            if not page.next_page_token:
                break
        return rows

    async def uploads(self, year: int) -> list[UploadReport]:
        """The files whose entries count in a year, the newest first; at most ROWS_MAX."""
        wanted = ledger_pb2.ListUploadsRequest(year=year, page_size=ROWS_PER_PAGE)
        found: list[UploadReport] = []
        while len(found) < ROWS_MAX:
            page = await self.contract.list_uploads(wanted)
            found += map(upload_report, page.uploads)
            wanted.page_token = page.next_page_token
            if not page.next_page_token:
                break
        return found

    async def withdraw(
        self, upload: UploadReport, *, progress: Progress | None = None
    ) -> PipelineReport:
        """Take an upload back, and wait until the totals are without it."""
        answer = await self.contract.withdraw_upload(
            upload.upload_id,
            module=_module_number(upload.module),
            data_entry_type=types_pb2.DataEntryType.Value(f"DATA_ENTRY_TYPE_{upload.type.upper()}"),
            year=upload.year,
        )
        return await self.wait(answer.pipeline_id, progress)

    async def computed_types(self) -> list[str]:
        """Names of the data-entry types that the servers compute; others are known by name only."""
        catalogue = await self.contract.list_modules()
        return [
            one.name for of in catalogue.modules for one in of.data_entry_types if one.supported
        ]

    async def _sent(
        self,
        job_type: str,
        scope: types_pb2.Scope,
        source: Path | AsyncIterable[bytes],
        payload: Mapping[str, str],
        catalogue: ledger_pb2.ListModulesResponse,
        progress: Progress | None,
    ) -> PipelineReport:
        name = "airports.csv"
        if isinstance(source, Path):
            check_size(source, catalogue)
            name = sent_name(source.name)

        def upload(of_file: types_pb2.Scope) -> Awaitable[blobs_pb2.UploadBlobResponse]:
            return self.contract.upload_blob(source, of_file, name)

        said = {**payload, "file_name": name}
        number = await submit_file(self.contract, job_type, scope, said, upload)
        return await self.wait(number, progress)

    async def _final(self, view: PipelineView) -> PipelineReport:
        report = report_of(view)
        jobs = view.in_order()
        report.rejected.extend(await self._noted_rows(jobs, "rejected_blob"))
        report.warned.extend(await self._noted_rows(jobs, "warned_blob"))
        return report

    async def _noted_rows(self, jobs: Iterable[types_pb2.Job], stat: str) -> Rows:
        rows: Rows = []
        for blob in filter(None, (values_of(job.stats).get(stat, "") for job in jobs)):
            chunks = [chunk async for chunk in self.contract.download_blob(blob)]
            rows += _rows_of(b"".join(chunks).decode())
        return rows


def _replacing(replace: bool, take_away: bool) -> Mapping[str, str]:
    if take_away and not replace:
        raise WrongArgument("take_away says something together with replace only.")
    said = {"mode": "replace"} if replace else {}
    return {**said, "take_away": "yes"} if take_away else said


def _rows_of(text: str) -> Iterable[dict[str, str]]:
    # Rejected rows keep the separator of their file, doubtful ones are listed with commas.
    header = text.partition("\n")[0]
    before, found, _ = header.rpartition(_REJECTED_ROW)
    separator = before[-1:] if found and before else ","
    # A server takes longer fields than this process's csv would read.
    csv.field_size_limit(max(csv.field_size_limit(), FIELD_CHARACTERS_MAX))
    # What a row says beyond its header has no key.
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator, restkey="")
    return ({name: row[name] for name in reader.fieldnames or ()} for row in reader)


def told(totals: "tuple[pl.DataFrame, str]", strict: bool) -> "pl.DataFrame":
    """The frame; what is missing from it is warned of where the caller's caller asked."""
    frame, missing = totals
    if missing and strict:
        raise TotalsIncomplete(missing)
    if missing:
        warnings.warn(missing, TotalsIncomplete, stacklevel=3)
    return frame


def _module_number(name: str | None) -> int:
    if name is None:
        return 0
    numbers = {word.removeprefix("MODULE_").lower(): n for word, n in types_pb2.Module.items() if n}
    if name not in numbers:
        raise WrongArgument(f"There is no module {name!r}, only {', '.join(sorted(numbers))}.")
    return numbers[name]
