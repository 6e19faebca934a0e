"""Uploads without asyncio: what Client does with the files that entries come from."""

from pathlib import Path

from carbonline.client.blocking import Blocking
from carbonline.client.file_loads import Progress
from carbonline.client.reports import PipelineReport, UploadReport


class SyncUploads(Blocking):
    """A part of Client."""

    def uploads(
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
        """The uploads whose entries count in a year, newest first; with `include_retired` those
        that were replaced or withdrawn, too.

        Of a `module`, `type` or `source` only its own, of a `unit` those for this unit alone, of an
        `emission_type` those with emissions on this node of the tree, or below it. A caller with
        limited units names one, or leaves out others' with `own`.
        """
        return self._answer(
            self._client.uploads(
                year,
                module=module,
                type=type,
                source=source,
                unit=unit,
                emission_type=emission_type,
                include_retired=include_retired,
                own=own,
            )
        )

    def download(self, upload: UploadReport | int, file: str | Path) -> Path:
        """Writes the file of an upload as it was sent: a workbook stays one. Returns its path.

        Of a file of several types it is all of it while its pipeline is kept, then one type's rows.
        A file of that name is replaced as soon as all is there and has the SHA-256 of what was
        sent. Raises WrongArgument if there is no such upload, FileGone if its file is deleted,
        OSError if it cannot be written.
        """
        return self._answer(self._client.download(upload, file))

    def restore(
        self,
        upload: UploadReport | int,
        *,
        take_away: bool = False,
        progress: Progress | None = None,
    ) -> PipelineReport:
        """Submits the file of an upload that was replaced or withdrawn once more, and waits.

        It goes as it went, and replaces what counts in its place, as in `submit_file`. Raises
        WrongArgument if there is no such upload, or if it counts, and FileGone if its file is
        deleted.
        """
        return self._answer(self._client.restore(upload, take_away=take_away, progress=progress))

    def copy_upload(
        self,
        upload: UploadReport | int,
        *,
        year: int,
        take_away: bool = False,
        progress: Progress | None = None,
    ) -> PipelineReport:
        """Submits the file of an upload for another year, too, and waits until it is processed.

        Rows with a date of another year are rejected: `report.rejected` has them. Raises as
        `restore`.
        """
        return self._answer(
            self._client.copy_upload(upload, year=year, take_away=take_away, progress=progress)
        )

    def withdraw(
        self, upload: UploadReport | int, *, progress: Progress | None = None
    ) -> PipelineReport:
        """Withdraws an upload, given by report or number, and waits for totals without it.

        Raises WrongArgument if there is no such upload.
        """
        return self._answer(self._client.withdraw(upload, progress=progress))
