"""Client: carbonline for scripts and notebooks, where every call waits for its answer."""

import asyncio
import threading
from collections.abc import Awaitable, Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from carbonline.client.async_client import AsyncClient, Progress, Rows, told
from carbonline.client.reports import JobReport, PipelineReport, UploadReport
from carbonline.client.services import Services, services_here

if TYPE_CHECKING:
    import polars as pl

Answer = TypeVar("Answer")


class Client:
    """AsyncClient for those who do not await; its methods wait, and are documented there, too.

    Use it in a `with` block, or call `close()`. It works in a notebook, whose own event loop it
    leaves alone; a `progress` function is called on a thread of its own. Ctrl-C ends a wait; a
    submitted pipeline goes on.
    """

    def __init__(
        self,
        scheduler_address: str,
        ledger_address: str,
        *,
        tenant: str = "",
        token_file: Path | None = None,
    ) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="carbonline client", daemon=True
        )
        self._thread.start()
        where = Services(scheduler_address, ledger_address, tenant, token_file)
        try:
            self._client = self._answer(_opened(where))
        except BaseException:
            self._end_loop()
            raise

    @classmethod
    def local(cls, data_folder: str | Path | None = None) -> Self:
        """A client of the stack on this machine, or of the servers that the environment names."""
        where = services_here(data_folder)
        return cls(
            where.scheduler_address,
            where.ledger_address,
            tenant=where.tenant,
            token_file=where.token_file,
        )

    def __enter__(self) -> Self:
        """Nothing is dialled before the first call."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Closes it."""
        self.close()

    def close(self) -> None:
        """Ends its connections; a submitted pipeline goes on. Twice is once."""
        if self._loop.is_closed():
            return
        self._answer(self._client.close())
        self._end_loop()

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def submit_file(
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
        return self._answer(
            self._client.submit_file(
                file,
                type,
                year=year,
                module=module,
                unit=unit,
                source=source,
                progress=progress,
            )
        )

    def load_units(
        self, file: str | Path, *, year: int, progress: Progress | None = None
    ) -> PipelineReport:
        """Send the institution's units of a year, which provisions it, and wait."""
        return self._answer(self._client.load_units(file, year=year, progress=progress))

    def load_factors(
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
        return self._answer(
            self._client.load_factors(
                file,
                type,
                year=year,
                module=module,
                replace=replace,
                take_away=take_away,
                progress=progress,
            )
        )

    def load_locations(
        self,
        file: str | Path | None = None,
        *,
        transport_mode: str = "plane",
        replace: bool = False,
        take_away: bool = False,
        progress: Progress | None = None,
    ) -> PipelineReport:
        """Send places with their coordinates, and wait; without a file the world's airports.

        They are added, or changed where the code is there; with `replace` all others of the mode
        are gone, which is refused where entries use them, unless `take_away`.
        """
        return self._answer(
            self._client.load_locations(
                file,
                transport_mode=transport_mode,
                replace=replace,
                take_away=take_away,
                progress=progress,
            )
        )

    def watch(self, pipeline_id: int) -> Iterator[PipelineReport]:
        """A report at every change of a pipeline, the last one at its end."""
        reports = self._client.watch(pipeline_id)
        try:
            while (report := self._answer(anext(reports, None))) is not None:
                yield report
        finally:
            self._answer(reports.aclose())

    def wait(self, pipeline_id: int, progress: Progress | None = None) -> PipelineReport:
        """The report of a pipeline's end, with its rejected and doubtful rows."""
        return self._answer(self._client.wait(pipeline_id, progress))

    def jobs(self, pipeline_id: int) -> list[JobReport]:
        """The jobs of a pipeline, the first one first."""
        return self._answer(self._client.jobs(pipeline_id))

    def rejected(self, pipeline_id: int) -> Rows:
        """Every row of a pipeline's files that does not count, as it came, and the reason."""
        return self._answer(self._client.rejected(pipeline_id))

    def totals(
        self,
        year: int,
        *,
        module: str | None = None,
        unit: str | None = None,
        strict: bool = False,
    ) -> "pl.DataFrame":
        """Kilograms of CO2-equivalent of a year: a frame with a row per unit and module.

        Columns: unit, unit_name, module; entries, entries_without_kg; ghg_scope_1_kg,
        ghg_scope_2_kg, ghg_scope_3_kg, total_kg; computed_at (UTC). What is missing (a stale
        module, entries without kilograms) is a TotalsIncomplete warning, and with `strict` the
        same as an error. ExtraMissing without polars.
        """
        return told(self._answer(self._client.totals_and_missing(year, module, unit)), strict)

    def uncomputed(self, year: int, *, unit: str | None = None) -> list[dict[str, object]]:
        """Entries of a year without kilograms, which the totals lack: row, outcome, reason."""
        return self._answer(self._client.uncomputed(year, unit=unit))

    def uploads(self, year: int) -> list[UploadReport]:
        """The files whose entries count in a year, the newest first."""
        return self._answer(self._client.uploads(year))

    def withdraw(self, upload: UploadReport, *, progress: Progress | None = None) -> PipelineReport:
        """Take an upload back, and wait until the totals are without it."""
        return self._answer(self._client.withdraw(upload, progress=progress))

    def computed_types(self) -> list[str]:
        """Names of the data-entry types that the servers compute."""
        return self._answer(self._client.computed_types())

    def _answer(self, work: Awaitable[Answer]) -> Answer:
        """Runs it on the client's own loop; an interrupted wait cancels it there."""

        async def awaited() -> Answer:
            return await work

        answer = asyncio.run_coroutine_threadsafe(awaited(), self._loop)
        try:
            return answer.result()
        except BaseException:
            answer.cancel()
            raise


async def _opened(where: Services) -> AsyncClient:
    """Made on the loop that will use it, as gRPC wants it."""
    return AsyncClient(
        where.scheduler_address,
        where.ledger_address,
        tenant=where.tenant,
        token_file=where.token_file,
    )
