"""Sends files and waits for their ends: what both clients load."""

from collections.abc import AsyncIterable, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from carbonline.client.contract_client import ContractClient
from carbonline.client.errors import WrongArgument
from carbonline.client.file_names import AIRPORTS_FILE_NAME, sent_name
from carbonline.client.mapping_calls import FACTORS, UNITS
from carbonline.client.reports import PipelineReport
from carbonline.client.saved_mapping import check_mapping_is_of_a_type, mapping_said
from carbonline.client.submission import (
    CONSENT,
    check_size,
    find_type,
    submit_file,
    submit_without_file,
)
from carbonline.v1 import blobs_pb2, ledger_pb2, types_pb2

Progress: TypeAlias = Callable[[PipelineReport], None]
# How the file of another program is read, or the name of what is saved of it.
Said: TypeAlias = Mapping[str, Any] | str | None


class FileLoads:
    """Loads units, factors, places, building rooms and exchange rates."""

    contract: ContractClient

    async def load_units(
        self,
        file: str | Path,
        *,
        year: int,
        sheet: str | None = None,
        mapping: Said = None,
        are_all: bool = False,
        progress: Progress | None = None,
    ) -> PipelineReport:
        """Uploads the institution's units, which provisions the year, and waits for its end.

        `sheet` and `mapping` say how the file is read, as in `submit_file`; here and in the other
        loads, the name of a mapping is one that is saved for this kind of file.
        `are_all`: the file has all units, so others become stale; they stay, and their totals
        count.
        """
        scope = self.contract.scope(year=year)
        read_so = await self._read_so(sheet, mapping, UNITS)
        payload = {**read_so, **({"are_all": "yes"} if are_all else {})}
        catalogue = await self.contract.list_modules()
        return await self._sent("unit_sync", scope, Path(file), payload, catalogue, progress)

    async def load_units_from(
        self, provider: str, *, year: int, progress: Progress | None = None
    ) -> PipelineReport:
        """Has a worker ask a service, such as "unit-directory", for the units of a year, which
        provisions it, and waits for its end.
        """
        scope, payload = self.contract.scope(year=year), {"provider": provider}
        sent = await submit_without_file(self.contract, "unit_sync", scope, payload)
        return await self.wait(sent.pipeline_id, progress)

    async def submit_from(
        self,
        provider: str,
        type: str,  # noqa: A002
        *,
        year: int,
        module: str | None = None,
        take_away: bool = False,
        priority: int | None = None,
        progress: Progress | None = None,
    ) -> PipelineReport:
        """Has a worker ask a service, such as "travel-api", for the activity data of a type and
        year, and waits until they are processed. The service is the source, and `priority` as in
        `submit_file`.
        """
        _, scope = await self._of_type(type, module, year)
        payload = {"provider": provider, **(CONSENT if take_away else {})}
        sent = await submit_without_file(self.contract, "api_ingest", scope, payload, priority)
        return await self.wait(sent.pipeline_id, progress)

    async def load_factors(  # noqa: PLR0913 - each by its name
        self,
        file: str | Path,
        type: str = "",  # noqa: A002
        *,
        year: int,
        module: str | None = None,
        sheet: str | None = None,
        mapping: Said = None,
        replace: bool = False,
        take_away: bool = False,
        progress: Progress | None = None,
    ) -> PipelineReport:
        """Uploads the emission factors of a type and year, and waits until they are processed.

        Factors that the file lacks become stale and stay in use. With `replace` they are removed.
        If entries use them, that fails, unless `take_away` is set. Without `type`, but with a
        `module`, a column says of which type each factor is.
        """
        catalogue, scope = await self._of_type(type, module, year)
        check_mapping_is_of_a_type(mapping, scope.data_entry_type)
        read_so = await self._read_so(sheet, mapping, FACTORS, scope.data_entry_type)
        payload = {**read_so, **replacing(replace, take_away)}
        job_type = "factor_ingest" if scope.data_entry_type else "routed_factor_ingest"
        return await self._sent(job_type, scope, Path(file), payload, catalogue, progress)

    async def load_locations(
        self,
        file: str | Path | None = None,
        *,
        transport_mode: str = "plane",
        sheet: str | None = None,
        mapping: Said = None,
        replace: bool = False,
        take_away: bool = False,
        progress: Progress | None = None,
    ) -> PipelineReport:
        """Uploads places with their coordinates, and waits until they are processed.

        Without a file, uploads the airports of the package airportsdata, with corrected places.
        Places are added, or changed if their code is known. With `replace` all others of the mode
        are removed. If entries use them, that fails, unless `take_away` is set.
        """
        read_so = await self._read_so(sheet, mapping, "locations")
        payload = {
            "transport_mode": transport_mode,
            **read_so,
            **replacing(replace, take_away),
        }
        return await self._rows_sent("locations", places_of(file), payload, progress)

    async def load_rates(
        self,
        file: str | Path,
        *,
        sheet: str | None = None,
        mapping: Said = None,
        replace: bool = False,
        take_away: bool = False,
        progress: Progress | None = None,
    ) -> PipelineReport:
        """Uploads exchange rates by year and currency, and waits until they are processed.

        They are added, or changed if known. With `replace` all others are removed. If entries use
        them, that fails, unless `take_away` is set.
        """
        read_so = await self._read_so(sheet, mapping, "rates")
        payload = {**read_so, **replacing(replace, take_away)}
        return await self._rows_sent("rates", Path(file), payload, progress)

    async def load_rooms(
        self,
        file: str | Path,
        *,
        sheet: str | None = None,
        mapping: Said = None,
        replace: bool = False,
        take_away: bool = False,
        progress: Progress | None = None,
    ) -> PipelineReport:
        """Uploads building rooms with their surfaces, and waits until they are processed.

        They are added, or changed if known. With `replace` all others are removed. If entries use
        them, that fails, unless `take_away` is set.
        """
        read_so = await self._read_so(sheet, mapping, "rooms")
        payload = {**read_so, **replacing(replace, take_away)}
        return await self._rows_sent("rooms", Path(file), payload, progress)

    async def wait(self, pipeline_id: int, progress: Progress | None = None) -> PipelineReport:
        """Waits for a pipeline's end."""
        raise NotImplementedError

    async def _of_type(
        self, name: str, module: str | None, year: int, unit: str | None = None
    ) -> tuple[ledger_pb2.ListModulesResponse, types_pb2.Scope]:
        """The catalogue, and the scope of a type as it knows it. Raises as `find_type`."""
        catalogue = await self.contract.list_modules()
        number, data_entry_type = find_type(catalogue, name, module)
        return catalogue, self.contract.scope(
            module=number, data_entry_type=data_entry_type, year=year, unit=unit or ""
        )

    async def _read_so(
        self, sheet: str | None, mapping: Said, file_kind: str, data_entry_type: int = 0
    ) -> Mapping[str, Any]:
        """What a payload says of how its file is read."""
        said = await mapping_said(self.contract, mapping, data_entry_type, file_kind)
        both = {"sheet": sheet, "mapping": dict(said)}
        return {name: value for name, value in both.items() if value}

    async def _rows_sent(
        self,
        kind: str,
        source: Path | AsyncIterable[bytes],
        payload: Mapping[str, Any],
        progress: Progress | None,
    ) -> PipelineReport:
        scope = self.contract.scope(reference_kind=kind)
        catalogue = await self.contract.list_modules()
        return await self._sent("reference_ingest", scope, source, payload, catalogue, progress)

    async def _sent(
        self,
        job_type: str,
        scope: types_pb2.Scope,
        source: Path | AsyncIterable[bytes],
        payload: Mapping[str, Any],
        catalogue: ledger_pb2.ListModulesResponse,
        progress: Progress | None,
        *,
        priority: int | None = None,
    ) -> PipelineReport:
        name, file_bytes = AIRPORTS_FILE_NAME, 0
        if isinstance(source, Path):
            name, file_bytes = sent_name(source.name), check_size(source, catalogue)

        def upload(of_file: types_pb2.Scope) -> Awaitable[blobs_pb2.UploadBlobResponse]:
            return self.contract.upload_blob(source, of_file, name)

        with_name = {**payload, "file_name": name}
        submitted = await submit_file(
            self.contract, job_type, scope, with_name, upload, priority, file_bytes=file_bytes
        )
        return await self.wait(submitted.pipeline_id, progress)


def places_of(file: str | Path | None) -> Path | AsyncIterable[bytes]:
    """The file, or the airports of the package airportsdata without one."""
    if file is not None:
        return Path(file)
    from carbonline.client.airports import airport_rows  # noqa: PLC0415  loads them all

    return airport_rows()


def replacing(replace: bool, take_away: bool = False) -> Mapping[str, str]:
    """What a payload says of other rows. Raises WrongArgument for consent to nothing."""
    if take_away and not replace:
        raise WrongArgument("take_away needs replace=True.")
    mode = {"mode": "replace"} if replace else {}
    return {**mode, **CONSENT} if take_away else mode
