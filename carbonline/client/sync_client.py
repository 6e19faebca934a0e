"""Client: carbonline for scripts and notebooks. Every method waits for its answer."""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from carbonline.client.annual_report import AnnualReport
from carbonline.client.async_client import AsyncClient, checked
from carbonline.client.check_report import CheckReport
from carbonline.client.file_loads import Progress
from carbonline.client.noted_rows import Rows
from carbonline.client.reports import JobReport, PipelineReport, UploadReport
from carbonline.client.services import Services, services_here
from carbonline.client.sync_file_loads import SyncFileLoads
from carbonline.client.sync_uploads import SyncUploads
from carbonline.client.tls_files import TlsFiles

if TYPE_CHECKING:
    import polars as pl


class Client(SyncFileLoads, SyncUploads):
    """AsyncClient without asyncio: the same methods, which block.

    Use it in a `with` block, or call `close()`. It works in notebooks, because it runs an event
    loop of its own in a thread; `progress` is called on that thread. Ctrl-C ends a wait, and the
    submitted pipeline goes on.
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
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="carbonline client", daemon=True
        )
        self._thread.start()
        where = Services(scheduler_address, ledger_address, tenant, token_file, tls)
        try:
            self._client = self._answer(_opened(where))
        except BaseException:
            self._end_loop()
            raise

    @classmethod
    def local(cls, data_folder: str | Path | None = None) -> Self:
        """A client of the stack on this machine, or of the servers that the environment names.

        Raises NoStack if there are none. AsyncClient.local documents the variables.
        """
        where = services_here(data_folder)
        return cls(
            where.scheduler_address,
            where.ledger_address,
            tenant=where.tenant,
            token_file=where.token_file,
            tls=where.tls,
        )

    def __enter__(self) -> Self:
        """Connects at the first call, not before."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Closes the client."""
        self.close()

    def close(self) -> None:
        """Closes all connections. A submitted pipeline goes on. May be called again."""
        if self._loop.is_closed():
            return
        self._answer(self._client.close())
        self._end_loop()

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def submit_file(  # noqa: PLR0913 - each by its name
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
        return self._answer(
            self._client.submit_file(
                file,
                type,
                year=year,
                module=module,
                unit=unit,
                source=source,
                sheet=sheet,
                mapping=mapping,
                take_away=take_away,
                priority=priority,
                progress=progress,
            )
        )

    def check_file(  # noqa: PLR0913 - each by its name
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
        return self._answer(
            self._client.check_file(
                file,
                type,
                year=year,
                module=module,
                unit=unit,
                source=source,
                sheet=sheet,
                mapping=mapping,
                progress=progress,
            )
        )

    def run_job(
        self,
        job_type: str,
        payload: Mapping[str, Any] | None = None,
        *,
        year: int | None = None,
        module: str | None = None,
        type: str | None = None,  # noqa: A002 - what it is called everywhere else
        unit: str | None = None,
        priority: int | None = None,
        progress: Progress | None = None,
    ) -> PipelineReport:
        """Submits a job of a type that this deployment declares, and waits for its pipeline's end.

        `payload` has the texts that the type takes, by key. `carbonline job-types` lists them, and
        which of the others each type needs; `module` is that of the `type`, if it is left out.
        `priority` and `progress` are as in `submit_file`. Raises ServerError if the scheduler
        refuses it: `fields` say which key and why.
        """
        return self._answer(
            self._client.run_job(
                job_type,
                payload,
                year=year,
                module=module,
                type=type,
                unit=unit,
                priority=priority,
                progress=progress,
            )
        )

    def watch(self, pipeline_id: int) -> Iterator[PipelineReport]:
        """Yields a report at every change of a pipeline, the last one at its end."""
        reports = self._client.watch(pipeline_id)
        try:
            while (report := self._answer(anext(reports, None))) is not None:
                yield report
        finally:
            self._answer(reports.aclose())

    def wait(self, pipeline_id: int, progress: Progress | None = None) -> PipelineReport:
        """Waits for a pipeline's end. Returns its report, with rejected and doubtful rows."""
        return self._answer(self._client.wait(pipeline_id, progress))

    def jobs(self, pipeline_id: int) -> list[JobReport]:
        """The jobs of a pipeline, oldest first."""
        return self._answer(self._client.jobs(pipeline_id))

    def rejected(self, pipeline_id: int) -> Rows:
        """The rejected rows of a pipeline's files, with rejected_row and rejected_reason."""
        return self._answer(self._client.rejected(pipeline_id))

    def totals(
        self,
        year: int,
        *,
        module: str | None = None,
        unit: str | None = None,
        own: bool = False,
        strict: bool = False,
    ) -> "pl.DataFrame":
        """The totals of a year in kg CO2eq: a frame with a row per unit and module.

        Columns: unit, unit_name, module; entries, entries_without_kg; ghg_scope_1_kg,
        ghg_scope_2_kg, ghg_scope_3_kg, total_kg; computed_at (UTC). Warns with TotalsIncomplete
        if there are none, of stale modules and of entries without kilograms; with `strict` raises
        it instead. With `own`, others' modules and units are left out, instead of being refused.
        Raises ExtraMissing if Polars is not installed.
        """
        return checked(
            self._answer(self._client.totals_and_missing(year, module, unit, own)), strict
        )

    def report(
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
        Warns with TotalsIncomplete as `totals` does; with `strict` raises it instead.
        """
        return checked(
            self._answer(self._client.report_and_missing(year, unit, below, own)), strict
        )

    def uncomputed(
        self,
        year: int,
        *,
        type: str | None = None,  # noqa: A002
        unit: str | None = None,
        outcome: str | None = None,
        upload: UploadReport | int | None = None,
        own: bool = False,
    ) -> list[dict[str, object]]:
        """The entries of a year without kilograms, which totals lack: row, outcome, reason. Of a
        type, a unit, with an `outcome` such as "unknown_place", or of an upload alone.
        """
        return self._answer(
            self._client.uncomputed(
                year, type=type, unit=unit, outcome=outcome, upload=upload, own=own
            )
        )

    def results(
        self,
        pipeline_id: int,
        *,
        unit: str | None = None,
        emission_type: str | None = None,
        own: bool = False,
    ) -> Iterator[dict[str, Any]]:
        """Yields what became of each row of a pipeline, as `carbonline results` writes it.

        A row has a dict per emission, or one without `kg_co2eq`. An `emission_type` chooses the
        emissions on a node of the tree, or below it. Memory holds a page.
        """
        pages = self._client.result_pages(pipeline_id, unit, emission_type, own)
        try:
            while (page := self._answer(anext(pages, None))) is not None:
                yield from page
        finally:
            self._answer(pages.aclose())

    def computed_types(self) -> list[str]:
        """The names of the data-entry types that the servers compute."""
        return self._answer(self._client.computed_types())


async def _opened(where: Services) -> AsyncClient:
    """Makes the client on the loop that will use it, as gRPC requires."""
    return AsyncClient(
        where.scheduler_address,
        where.ledger_address,
        tenant=where.tenant,
        token_file=where.token_file,
        tls=where.tls,
    )
