"""Makes the job for a file (job type, scope, payload), uploads the file and submits the job."""

import asyncio
from collections.abc import AsyncIterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from carbonline.client import submission
from carbonline.client.airports import airport_rows
from carbonline.client.contract_client import ContractClient
from carbonline.client.file_names import AIRPORTS_FILE_NAME, sent_name
from carbonline.client.mapping_calls import ENTRIES, FACTORS, UNITS
from carbonline.client.uploads import file_of
from carbonline.command.names import module_name, type_name
from carbonline.command.upload_progress import upload_shown
from carbonline.v1 import blobs_pb2, ledger_pb2, types_pb2

# Other jobs bring reference data of a kind.
_FILE_KINDS = {"csv_ingest": ENTRIES, "factor_ingest": FACTORS, "unit_sync": UNITS}


@dataclass(frozen=True, slots=True)
class FileJob:
    """A job that reads a file.

    If `file` is None, it reads the airports of the package airportsdata, or what the `provider`
    brings, a service that the workers ask, or the `blob`, a file that was sent before.
    """

    job_type: str
    file: Path | None
    module: int = 0
    data_entry_type: int = 0
    year: int = 0
    unit: str = ""
    reference_kind: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    priority: int | None = None
    provider: str = ""
    blob: str = ""

    @property
    def source(self) -> str:
        """The source of the upload that the job makes."""
        return self.provider or str(self.extra.get("source", "")).strip() or "default"

    @property
    def size_bytes(self) -> int:
        """Size of the file in bytes; 0 without a file."""
        return self.file.stat().st_size if self.file else 0


def units_job(
    file: Path | None, year: int, provider: str = "", *, are_all: bool = False
) -> FileJob:
    """A job that loads units from a file or a provider, and provisions the year."""
    extra = {"are_all": "yes"} if are_all else {}
    return FileJob("unit_sync", file, year=year, extra=extra, provider=provider)


@dataclass(frozen=True, slots=True)
class Replacing:
    """Whether a file replaces existing rows, and whether rows that entries use may be removed."""

    replace: bool = False
    take_away: bool = False

    def payload(self) -> Mapping[str, str]:
        """As the job says it."""
        mode = {"mode": "replace"} if self.replace else {}
        return {**mode, **submission.CONSENT} if self.take_away else mode


ADDING = Replacing()


def locations_job(file: Path | None, transport_mode: str, replacing: Replacing = ADDING) -> FileJob:
    """A job that adds places of a transport mode, or replaces all of them."""
    return FileJob(
        "reference_ingest",
        file,
        reference_kind="locations",
        extra={"transport_mode": transport_mode, **replacing.payload()},
    )


def rows_job(kind: str, file: Path, replacing: Replacing = ADDING) -> FileJob:
    """A job that adds rows of a kind of reference data, or replaces others."""
    return FileJob("reference_ingest", file, reference_kind=kind, extra=replacing.payload())


def factors_job(
    file: Path, module: int, data_entry_type: int, year: int, replacing: Replacing = ADDING
) -> FileJob:
    """A job that loads emission factors of a type and year.

    Factors that the file lacks become stale, or are removed if the file replaces all.
    """
    extra = replacing.payload()
    return FileJob("factor_ingest", file, module, data_entry_type, year, extra=extra)


def entries_job(
    file: Path, module: int, data_entry_type: int, year: int, unit: str = "", source: str = ""
) -> FileJob:
    """A job that reads activity data of a type and year, for all units or one."""
    extra = {"source": source} if source else {}
    return FileJob("csv_ingest", file, module, data_entry_type, year, unit, extra=extra)


def routed_job(file: Path, module: int, year: int, unit: str = "", source: str = "") -> FileJob:
    """A job that reads activity data of several types of a module, for all units or one."""
    extra = {"source": source} if source else {}
    return FileJob("routed_ingest", file, module, 0, year, unit, extra=extra)


def routed_factors_job(
    file: Path, module: int, year: int, replacing: Replacing = ADDING
) -> FileJob:
    """A job that loads emission factors of several types of a module and year."""
    return FileJob("routed_factor_ingest", file, module, 0, year, extra=replacing.payload())


def check_routed(job: FileJob, catalogue: ledger_pb2.ListModulesResponse) -> None:
    """Raise click.UsageError if no column tells the types of the job's module apart."""
    columns = [one.routing_column for one in catalogue.modules if one.module == job.module]
    if not any(columns):
        raise click.UsageError(
            f"A file of {module_name(job.module)} is of one type: name it with --type."
        )


def fetching_job(provider: str, module: int, data_entry_type: int, year: int) -> FileJob:
    """A job in which a worker asks a service for the activity data of a type and year."""
    return FileJob("api_ingest", None, module, data_entry_type, year, provider=provider)


def again_job(upload: ledger_pb2.Upload, year: int) -> FileJob:
    """A job that reads the file of an upload once more, for a year; all else is as it was."""
    return FileJob(
        "csv_ingest",
        None,
        upload.module,
        upload.data_entry_type,
        year,
        upload.unit,
        extra=file_of(upload),
        blob=upload.blob,
    )


def of_sheet(job: FileJob, sheet: str) -> FileJob:
    """The job that reads this sheet of a workbook. "" leaves the choice to the worker."""
    return replace(job, extra={**job.extra, "sheet": sheet}) if sheet else job


def file_kind_of(job: FileJob) -> str:
    """What the job's file brings, as it is said of saved mappings."""
    return _FILE_KINDS.get(job.job_type) or job.reference_kind


def mode_of(job: FileJob) -> str:
    """The mode of transport whose places the job's file brings; "" if it brings none."""
    return str(job.extra.get("transport_mode", ""))


def mapped(job: FileJob, mapping: Mapping[str, Any]) -> FileJob:
    """The job that reads the file of another program. An empty mapping leaves it as it is."""
    return replace(job, extra={**job.extra, "mapping": mapping}) if mapping else job


def consenting(job: FileJob) -> FileJob:
    """The job with the consent to remove rows that entries use, or more than half of all rows."""
    return replace(job, extra={**job.extra, **submission.CONSENT})


async def submit_file(client: ContractClient, job: FileJob) -> int:
    """Upload the file and submit its job, as `send_file` does. Returns the pipeline id."""
    return (await send_file(client, job)).pipeline_id


async def send_file(client: ContractClient, job: FileJob) -> submission.Submitted:
    """Upload the file and submit its job.

    Before a large upload, checks what the scheduler would refuse, such as a year that is not
    provisioned. Raises click.UsageError if the ledger does not compute the type.
    """
    catalogue = await client.list_modules()
    check_size(job, catalogue.file_bytes_max)
    if job.data_entry_type:
        job = in_its_module(job, catalogue)
    scope = client.scope(
        module=job.module,
        data_entry_type=job.data_entry_type,
        year=job.year,
        unit=job.unit,
        reference_kind=job.reference_kind,
    )
    if job.provider or job.blob:
        named = {"provider": job.provider} if job.provider else {"blob": job.blob}
        said = {**named, **job.extra}
        return await submission.submit_without_file(client, job.job_type, scope, said, job.priority)
    name = sent_name(job.file.name) if job.file else AIRPORTS_FILE_NAME
    payload = {"file_name": name, **job.extra}
    upload = partial(uploaded, client, job, name)
    return await submission.submit_file(
        client, job.job_type, scope, payload, upload, job.priority, file_bytes=job.size_bytes
    )


def check_size(job: FileJob, bytes_max: int) -> None:
    """Raise click.UsageError if the file is larger than the ledger accepts.

    A ledger of an older release states no limit.
    """
    if bytes_max and job.size_bytes > bytes_max:
        entries = job.job_type in {"csv_ingest", "routed_ingest"}
        raise click.UsageError(
            f"{job.file} has {job.size_bytes:,} bytes; the ledger accepts at most {bytes_max:,}."
            + (" Split it, and give each part its own --source." if entries else "")
        )


async def uploaded(
    client: ContractClient, job: FileJob, name: str, scope: types_pb2.Scope
) -> blobs_pb2.UploadBlobResponse:
    """Upload the file and show the progress. Returns the answer with the blob reference."""
    source: Path | AsyncIterable[bytes] = job.file or airport_rows()
    try:
        with upload_shown(Console(stderr=True), name, job.size_bytes) as sent:
            return await client.upload_blob(source, scope, name, sent)
    except asyncio.CancelledError:
        click.echo("The upload was interrupted: nothing was submitted.", err=True)
        raise


def in_its_module(job: FileJob, catalogue: ledger_pb2.ListModulesResponse) -> FileJob:
    """The job with the module of its data-entry type.

    Raises click.UsageError if the ledger does not compute the type, or if the job names another
    module.
    """
    name = type_name(job.data_entry_type)
    supported: dict[int, bool] = {
        module.module: one.supported
        for module in catalogue.modules
        for one in module.data_entry_types
        if one.data_entry_type == job.data_entry_type
    }
    if not supported:
        raise click.UsageError(f"The server's catalogue does not have the type {name}.")
    names = " or ".join(map(module_name, supported))
    if job.module and job.module not in supported:
        wrong = module_name(job.module)
        raise click.UsageError(f"{name} is a type of {names}, not of {wrong}: leave out --module.")
    if not job.module and len(supported) > 1:
        raise click.UsageError(f"{name} is a type of {names}: choose one with --module.")
    module = job.module or next(iter(supported))
    if not supported[module]:
        raise click.UsageError(
            f"{name} of {module_name(module)} is known by name, but not computed by this release."
        )
    return replace(job, module=module)
