"""AsyncClient: carbonline for scripts with asyncio. `Client` is the same without asyncio."""

import warnings
from collections.abc import (
    AsyncGenerator,
    Iterable,
    Mapping,
)
from contextlib import aclosing
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from carbonline.client.annual_report import AnnualReport, annual_report
from carbonline.client.check_findings import check_findings
from carbonline.client.check_report import CheckReport, check_report
from carbonline.client.contract_client import ContractClient
from carbonline.client.enum_names import module_number, type_number
from carbonline.client.errors import TotalsIncomplete
from carbonline.client.file_loads import Progress
from carbonline.client.job_runs import JobRuns
from carbonline.client.json_struct import values_of
from carbonline.client.load_checks import LoadChecks
from carbonline.client.noted_rows import Rows, noted_rows
from carbonline.client.paging import each_page, read_pages
from carbonline.client.pending import report_and_pending, totals_and_pending
from carbonline.client.report_gaps import has_gaps
from carbonline.client.reports import (
    JobReport,
    PipelineReport,
    UploadReport,
    report_of,
    reports_of,
    uncomputed_row,
)
from carbonline.client.result_rows import result_rows
from carbonline.client.saved_mapping import check_mapping_is_of_a_type, mapping_said
from carbonline.client.services import services_here
from carbonline.client.submission import CONSENT
from carbonline.client.tls_files import TlsFiles
from carbonline.client.totals_frame import missing_from, totals_frame
from carbonline.client.uploads import Uploads
from carbonline.client.view import PipelineView
from carbonline.v1 import emissions_pb2, ledger_pb2, types_pb2

if TYPE_CHECKING:
    import polars as pl


Found = TypeVar("Found")

ROWS_MAX = 1_000_000
# Of a list that memory does not hold: more than any pipeline brings.
RESULTS_MAX = 10**9


class AsyncClient(LoadChecks, Uploads, JobRuns):
    """Uploads files, waits until they are processed, and reads totals.

    Addresses are "unix:PATH" or "host:port"; `AsyncClient.local()` finds them. `tenant` may be
    empty if the caller has only one. Every method may raise ServerError if a server refuses the
    call (`reason` and `fields` say why), and its subclass Unreachable if no server answers.
    """

    def __init__(
        self,
        scheduler_address: str,
        ledger_address: str,
        *,
        tenant: str = "",
        token_file: Path | None = None,
        tls: TlsFiles | None = None,
    ) -> None:
        self.contract = ContractClient(
            scheduler_address, ledger_address, tenant=tenant, token_file=token_file, tls=tls
        )

    @classmethod
    def local(cls, data_folder: str | Path | None = None) -> Self:
        """A client of the servers that the `carbonline` command would call.

        These are the stack that runs on `data_folder` (by default CARBONLINE_DATA_FOLDER, or
        ./carbonline-data), or the servers at CARBONLINE_SCHEDULER_ADDRESS and
        CARBONLINE_LEDGER_ADDRESS with CARBONLINE_TOKEN_FILE, CARBONLINE_TENANT and
        CARBONLINE_TLS_CA. Raises NoStack if there are none.
        """
        where = services_here(data_folder)
        return cls(
            where.scheduler_address,
            where.ledger_address,
            tenant=where.tenant,
            token_file=where.token_file,
            tls=where.tls,
        )

    async def __aenter__(self) -> Self:
        """Connects at the first call, not before."""
        await self.contract.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Closes the client."""
        await self.close()

    async def close(self) -> None:
        """Cancels calls in flight. A submitted pipeline goes on."""
        await self.contract.__aexit__(None, None, None)

    async def submit_file(  # noqa: PLR0913 - each by its name
        self,
        file: str | Path,
        type: str = "",  # noqa: A002 - what it is called everywhere else
        *,
        year: int,
        module: str | None = None,
        unit: str | None = None,
        source: str | None = None,
        sheet: str | None = None,
        mapping: Mapping[str, Any] | str | None = None,
        take_away: bool = False,
        priority: int | None = None,
        progress: Progress | None = None,
    ) -> PipelineReport:
        """Uploads a file of activity data, and waits until it is processed.

        It is a CSV, plain, gzipped or alone in a zip archive, or a workbook (.xlsx, .xls, .ods), of
        which `sheet` names the sheet if several have the columns. `mapping` says how the file of
        another program is read, as in docs/files.md: {"columns": {"From": "origin_iata"}}. It may
        be the name of a saved one.

        The file replaces an earlier one of the same type, year, unit (or all units) and source. If
        less than half of its rows or kilograms would be left, the file is refused: the status of
        the report is "failed" and nothing changes, unless `take_away`.
        `type` is the name of a data-entry type such as "plane"; `module` is needed only if several
        modules have it, or without `type`, for a file of several types. `source` is the name of who
        reports, "default" if left out. Of jobs that wait, those with the lowest `priority` run
        first, from 0 to 9, 5 if left out. `progress` is called with a report at every change.
        Raises OSError if the file cannot be read, WrongArgument for an unknown type. A file without
        an accepted row raises nothing: the status of the report is "failed".
        """
        catalogue, scope = await self._of_type(type, module, year, unit)
        check_mapping_is_of_a_type(mapping, scope.data_entry_type)
        said = await mapping_said(self.contract, mapping, scope.data_entry_type)
        payload = {**_as_it_is_written(source, sheet, said), **(CONSENT if take_away else {})}
        job_type = "csv_ingest" if scope.data_entry_type else "routed_ingest"
        return await self._sent(
            job_type, scope, Path(file), payload, catalogue, progress, priority=priority
        )

    async def check_file(  # noqa: PLR0913 - each by its name
        self,
        file: str | Path,
        type: str,  # noqa: A002 - what it is called everywhere else
        *,
        year: int,
        module: str | None = None,
        unit: str | None = None,
        source: str | None = None,
        sheet: str | None = None,
        mapping: Mapping[str, Any] | str | None = None,
        progress: Progress | None = None,
    ) -> CheckReport:
        """Uploads a file of activity data and has a worker say what `submit_file` would do with it.

        The arguments are those of `submit_file`, and so are the errors. Nothing is written but the
        file itself, which counts only once it is submitted. What is found holds at the moment of
        the check: somebody else may submit in between.
        """
        catalogue, scope = await self._of_type(type, module, year, unit)
        said = await mapping_said(self.contract, mapping, scope.data_entry_type)
        payload = _as_it_is_written(source, sheet, said)
        sent = await self._sent("csv_check", scope, Path(file), payload, catalogue, progress)
        [job] = (await self.contract.get_pipeline(sent.pipeline_id)).jobs
        return check_report(job, await check_findings(self.contract, job))

    async def watch(self, pipeline_id: int) -> AsyncGenerator[PipelineReport]:
        """Yields a report at every change of a pipeline, the last one at its end.

        Reconnects if the connection breaks.
        """
        view = PipelineView()
        async for event in self.contract.watch(pipeline_id):
            view.apply(event)
            # The last change may show the end already. Report the end once, with its rows.
            if not (report := report_of(view)).ended:
                yield report
        yield await self._final(view)

    async def wait(self, pipeline_id: int, progress: Progress | None = None) -> PipelineReport:
        """Waits for a pipeline's end. Returns its report, with rejected and doubtful rows."""
        async with aclosing(self.watch(pipeline_id)) as reports:
            async for report in reports:
                if progress is not None:
                    progress(report)
        return report

    async def jobs(self, pipeline_id: int) -> list[JobReport]:
        """The jobs of a pipeline, oldest first.

        Raises ServerError with the reason PIPELINE_NOT_FOUND if there is no such pipeline.
        """
        return list(reports_of(await self.contract.jobs_of_pipeline(pipeline_id)))

    async def rejected(self, pipeline_id: int) -> Rows:
        """The rejected rows of a pipeline's files, with the reasons.

        Keys are the columns that `carbonline rejected` writes: those of the file, then rejected_row
        (1 is the first row after the header) and rejected_reason. All values are text.
        """
        jobs = await self.contract.jobs_of_pipeline(pipeline_id)
        return await self._noted_rows(jobs, "rejected_blob")

    async def totals(
        self,
        year: int,
        *,
        module: str | None = None,
        unit: str | None = None,
        own: bool = False,
        strict: bool = False,
    ) -> "pl.DataFrame":
        """The totals of a year in kg CO2eq: a row per unit and module, as in `totals_frame`.

        Warns with TotalsIncomplete if there are none, of stale modules and of entries without
        kilograms; with `strict` raises it instead. With `own`, others' modules and units are left
        out. Raises ExtraMissing if Polars is not installed.
        """
        return checked(await self.totals_and_missing(year, module, unit, own), strict)

    async def totals_and_missing(
        self, year: int, module: str | None = None, unit: str | None = None, own: bool = False
    ) -> "tuple[pl.DataFrame, str]":
        """The frame of `totals`, and a sentence on what is missing from it, "" if nothing is."""
        number = module_number(module)
        answer, unknown = await totals_and_pending(self.contract, year, number, unit or "", own=own)
        sentences = [*missing_from(answer, year, unit or "", number), *unknown]
        return totals_frame(answer), " ".join(sentences)

    async def report(
        self,
        year: int,
        *,
        unit: str | None = None,
        below: bool = False,
        own: bool = False,
        strict: bool = False,
    ) -> AnnualReport:
        """What `carbonline report` shows of a year, of the institution or a unit, in kg CO2eq.

        With `below`, a unit is reported on together with all units below it; with `own`, others'
        modules and units are left out.
        Warns with TotalsIncomplete if there are no totals, of stale modules and of entries without
        kilograms; with `strict` raises it instead. `missing` of the report says all that is.
        """
        return checked(await self.report_and_missing(year, unit, below, own), strict)

    async def report_and_missing(
        self,
        year: int,
        unit: str | None = None,
        below: bool = False,
        own: bool = False,
    ) -> tuple[AnnualReport, str]:
        """The report, and sentences on what is missing from its sums, "" if nothing is."""
        answer, unknown = await report_and_pending(
            self.contract, year, 0, unit or "", below=below, own=own
        )
        found = annual_report(answer, year, unit or "", unknown)
        return found, " ".join(found.missing) if unknown or has_gaps(answer) else ""

    async def uncomputed(
        self,
        year: int,
        *,
        type: str | None = None,  # noqa: A002
        unit: str | None = None,
        outcome: str | None = None,
        upload: UploadReport | int | None = None,
        own: bool = False,
    ) -> list[dict[str, object]]:
        """The entries of a year without kilograms, which totals lack, at most ROWS_MAX: of a type,
        a unit, with an `outcome` such as "unknown_place", or of an upload alone.

        Keys: upload, type, row (1 is the first after the header), unit_institutional_id, outcome
        (such as "no_factor"), reason, and `columns` with the values of the row.
        """
        wanted = ledger_pb2.ListUncomputedRequest(
            year=year,
            data_entry_type=type_number(type),
            unit=unit or "",
            outcome=outcome or "",
            upload_id=upload.upload_id if isinstance(upload, UploadReport) else upload or 0,
            leave_out_others=own,
        )
        found, _ = await read_pages(
            self.contract.list_uncomputed, wanted, lambda page: page.entries, ROWS_MAX
        )
        return [uncomputed_row(entry) for entry in found]

    async def results(
        self,
        pipeline_id: int,
        *,
        unit: str | None = None,
        emission_type: str | None = None,
        own: bool = False,
    ) -> AsyncGenerator[dict[str, Any]]:
        """Yields what became of each row of a pipeline, as `carbonline results` writes it.

        A row has a dict per emission, or one without `kg_co2eq`. An `emission_type` chooses the
        emissions on a node of the tree, or below it. Memory holds a page.
        """
        async with aclosing(self.result_pages(pipeline_id, unit, emission_type, own)) as pages:
            async for page in pages:
                for row in page:
                    yield row

    async def result_pages(
        self,
        pipeline_id: int,
        unit: str | None = None,
        emission_type: str | None = None,
        own: bool = False,
    ) -> AsyncGenerator[list[dict[str, Any]]]:
        """The rows of `results`, a page at a time."""
        wanted = emissions_pb2.ListEmissionsRequest(
            pipeline_id=pipeline_id,
            unit=unit or "",
            emission_type=emission_type or "",
            leave_out_others=own,
        )
        pages = each_page(self.contract.list_emissions, wanted, lambda page: page.rows, RESULTS_MAX)
        async with aclosing(pages):
            async for entries, _ in pages:
                yield [row for entry in entries for row in result_rows(entry)]

    async def computed_types(self) -> list[str]:
        """The names of the data-entry types that the servers compute."""
        catalogue = await self.contract.list_modules()
        return [
            one.name for of in catalogue.modules for one in of.data_entry_types if one.supported
        ]

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
            rows += noted_rows(b"".join(chunks).decode())
        return rows


def _as_it_is_written(
    source: str | None, sheet: str | None, mapping: Mapping[str, Any] | None
) -> dict[str, Any]:
    """What a payload says of a file: who reports it, and how it is read."""
    said = {"source": source, "sheet": sheet, "mapping": dict(mapping or {})}
    return {name: value for name, value in said.items() if value}


def checked(found: tuple[Found, str], strict: bool) -> Found:
    """Returns what was found. Warns of what is missing in the name of the caller's caller.

    Raises TotalsIncomplete instead if `strict`.
    """
    sums, missing = found
    if missing and strict:
        raise TotalsIncomplete(missing)
    if missing:
        warnings.warn(missing, TotalsIncomplete, stacklevel=3)
    return sums
