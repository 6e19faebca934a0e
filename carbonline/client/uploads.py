"""Lists uploads, and downloads, submits again and withdraws them: what both clients do."""

import re
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from carbonline.client.contract_client import ContractClient
from carbonline.client.enum_names import module_number, type_number
from carbonline.client.errors import FileGone, ServerError, WrongArgument
from carbonline.client.file_loads import Progress
from carbonline.client.json_struct import values_of
from carbonline.client.paging import read_pages
from carbonline.client.reports import PipelineReport, UploadReport, upload_report
from carbonline.client.submission import CONSENT, submit_without_file
from carbonline.v1 import blobs_pb2, ledger_pb2

UPLOAD_ID_MAX = 2**63 - 1
UPLOADS_MAX = 1_000_000
# The job that divides a file of several types, and how it names the parts.
DIVIDES = "routed_ingest"
_PART = re.compile(r"_rows_of_job_\d+\.csv$")


@dataclass(frozen=True, slots=True)
class SentFile:
    """What is still kept of the file that somebody sent: all of it, or one type's rows."""

    blob: str
    is_part: bool


def file_of(upload: ledger_pb2.Upload) -> dict[str, Any]:
    """What a payload says of the file of an upload: its name, its source, and how it is read."""
    said = {
        "file_name": upload.file_name,
        "source": upload.source,
        "sheet": upload.sheet,
        "mapping": values_of(upload.mapping),
    }
    return {name: value for name, value in said.items() if value}


async def kept_file(
    contract: ContractClient, upload: ledger_pb2.Upload
) -> blobs_pb2.StatBlobResponse:
    """What is known of the file of an upload. Raises FileGone if it is no longer kept."""
    try:
        return await contract.stat_blob(upload.blob)
    except ServerError as error:
        if error.reason != "BLOB_NOT_FOUND":
            raise
        if upload.state == ledger_pb2.UPLOAD_STATE_COUNTS:
            raise FileGone(
                f"The file of upload {upload.upload_id} is missing in the store of files, although"
                " the upload counts: restore the store from a backup, or submit the file again."
            ) from error
        raise FileGone(
            f"The file of upload {upload.upload_id} is no longer kept: a file that nothing names is"
            " deleted some time after it was last sent. Submit the file itself again."
        ) from error


async def sent_file(contract: ContractClient, upload: ledger_pb2.Upload) -> SentFile:
    """The file of an upload as it was sent. Of a file of several types that is all of it for as
    long as its pipeline is kept, and then the part with the rows of the upload's type. Raises
    FileGone if neither is there.
    """
    whole = await _divided_file(contract, upload.pipeline_id) if upload.pipeline_id else ""
    if whole and await _is_kept(contract, whole):
        return SentFile(whole, is_part=False)
    kept = await kept_file(contract, upload)
    return SentFile(upload.blob, is_part=bool(whole or _PART.search(kept.file_name)))


async def _divided_file(contract: ContractClient, pipeline_id: int) -> str:
    """The file that a pipeline has divided by type; empty if it has divided none, or is deleted."""
    try:
        listed = await contract.list_jobs(pipeline_id=pipeline_id, job_types=[DIVIDES])
        for job in listed.jobs:
            payload = values_of((await contract.get_job(job.job_id)).payload)
            return str(payload.get("blob", ""))
    except ServerError as error:
        if error.code != "NOT_FOUND":
            raise
    return ""


async def _is_kept(contract: ContractClient, blob: str) -> bool:
    try:
        await contract.stat_blob(blob)
    except ServerError as error:
        if error.reason != "BLOB_NOT_FOUND":
            raise
        return False
    return True


class Uploads:
    """Works with the files that entries come from."""

    contract: ContractClient

    async def uploads(
        self,
        year: int,
        *,
        module: str | None = None,
        type: str | None = None,  # noqa: A002
        source: str | None = None,
        unit: str | None = None,
        emission_type: str | None = None,
        include_retired: bool = False,
        own: bool = False,
    ) -> list[UploadReport]:
        """The uploads whose entries count in a year, newest first, at most UPLOADS_MAX.

        With a `module`, `type` or `source`, only those of it; with a `unit`, only those for this
        unit alone; with an `emission_type`, those with emissions on this node of the tree, or below
        it. With `include_retired`, those that were replaced or withdrawn, too: their `state` says
        so. A caller who may act for some units only names one, or leaves out others' with `own`.
        """
        wanted = ledger_pb2.ListUploadsRequest(
            year=year,
            module=module_number(module),
            data_entry_type=type_number(type),
            source=source or "",
            unit=unit or "",
            emission_type=emission_type or "",
            include_retired=include_retired,
            leave_out_others=own,
        )
        found, _ = await read_pages(
            self.contract.list_uploads, wanted, lambda page: page.uploads, UPLOADS_MAX
        )
        return [upload_report(upload) for upload in found]

    async def download(self, upload: UploadReport | int, file: str | Path) -> Path:
        """Writes the file of an upload as it was sent: a workbook stays one. Returns its path.

        Of a file of several types it is all of it while its pipeline is kept, then one type's rows.
        A file of that name is replaced as soon as all is there and has the SHA-256 of what was
        sent. Raises WrongArgument if there is no such upload, FileGone if its file is no longer
        kept, OSError if it cannot be written.
        """
        one = await self._upload(upload)
        sent = await sent_file(self.contract, one)
        path = Path(file)
        unfinished = path.with_name(f"{path.name}.{secrets.token_hex(4)}.unfinished")
        try:
            with unfinished.open("xb") as written:
                async for chunk in self.contract.download_blob(sent.blob):
                    written.write(chunk)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
        return path

    async def restore(
        self,
        upload: UploadReport | int,
        *,
        take_away: bool = False,
        progress: Progress | None = None,
    ) -> PipelineReport:
        """Submits the file of an upload that was replaced or withdrawn once more, and waits.

        It goes as it went: with its year, type, unit, source, sheet and mapping, and it replaces
        what counts in its place, as in `submit_file`. Raises WrongArgument if there is no such
        upload, or if it counts, and FileGone if its file is no longer kept.
        """
        one = await self._upload(upload)
        if one.state == ledger_pb2.UPLOAD_STATE_COUNTS:
            raise WrongArgument(f"Upload {one.upload_id} counts.")
        return await self._again(one, one.year, progress, take_away=take_away)

    async def copy_upload(
        self,
        upload: UploadReport | int,
        *,
        year: int,
        take_away: bool = False,
        progress: Progress | None = None,
    ) -> PipelineReport:
        """Submits the file of an upload for another year, too, and waits until it is processed.

        It goes with its type, unit, source, sheet and mapping. Rows with a date of another year are
        rejected: `report.rejected` has them. Raises as `restore`.
        """
        one = await self._upload(upload)
        if one.year == year:
            raise WrongArgument(f"Upload {one.upload_id} is of {year} already.")
        return await self._again(one, year, progress, take_away=take_away)

    async def withdraw(
        self, upload: UploadReport | int, *, progress: Progress | None = None
    ) -> PipelineReport:
        """Withdraws an upload, and waits until the totals are computed without it.

        `upload` may be its number. Raises WrongArgument if there is no such upload.
        """
        one = await self._upload(upload)
        answer = await self.contract.withdraw_upload(
            one.upload_id,
            module=one.module,
            data_entry_type=one.data_entry_type,
            year=one.year,
            unit=one.unit,
        )
        return await self.wait(answer.pipeline_id, progress)

    async def wait(self, pipeline_id: int, progress: Progress | None = None) -> PipelineReport:
        """Waits for a pipeline's end."""
        raise NotImplementedError

    async def _again(
        self, one: ledger_pb2.Upload, year: int, progress: Progress | None, *, take_away: bool
    ) -> PipelineReport:
        await kept_file(self.contract, one)
        scope = self.contract.scope(
            module=one.module, data_entry_type=one.data_entry_type, year=year, unit=one.unit
        )
        payload = {"blob": one.blob, **file_of(one), **(CONSENT if take_away else {})}
        sent = await submit_without_file(self.contract, "csv_ingest", scope, payload)
        return await self.wait(sent.pipeline_id, progress)

    async def _upload(self, upload: UploadReport | int) -> ledger_pb2.Upload:
        number = upload if isinstance(upload, int) else upload.upload_id
        if 0 < number <= UPLOAD_ID_MAX:
            wanted = ledger_pb2.ListUploadsRequest(upload_id=number)
            for one in (await self.contract.list_uploads(wanted)).uploads:
                return one
        raise WrongArgument(f"There is no upload {number}. uploads(year) lists those of a year.")
