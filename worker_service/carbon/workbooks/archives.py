"""What a zip archive is: a workbook, or the wrapping of one file."""

import zipfile
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum, auto
from typing import IO

from worker_service.carbon.csv_source.byte_stream import (
    RATIO_MAX,
    SMALL_BYTES,
    too_large_unpacked,
)
from worker_service.carbon.csv_source.refusal import Cause, RefusedFile
from worker_service.carbon.workbooks.names import shown_names

_MEMBERS_MAX = 10_000
_ODS = b"application/vnd.oasis.opendocument.spreadsheet"
_OPEN_DOCUMENT = b"application/vnd.oasis.opendocument"
_DOCUMENTS = {"word/document.xml": "a Word document", "ppt/presentation.xml": "a presentation"}
# What systems add to archives, which nobody packed.
_SYSTEM_FOLDERS = ("__MACOSX/",)
_SYSTEM_FILES = (".DS_Store", "Thumbs.db", "desktop.ini")


class ArchiveKind(Enum):
    """What an archive holds."""

    XLSX = auto()
    ODS = auto()
    ONE_FILE = auto()


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive that may be unpacked. `member` names the file of ONE_FILE."""

    kind: ArchiveKind
    member: str = ""


def look_into(archive: zipfile.ZipFile, archive_bytes: int, bytes_max: int) -> Archive:
    """Finds what an archive is, by its list of members, which may lie about sizes.

    Raises RefusedFile if it holds no file that can be read, several, or too much.
    """
    members = [one for one in archive.infolist() if not one.is_dir()]
    if len(members) > _MEMBERS_MAX:
        raise RefusedFile(Cause.TOO_LARGE, f"the archive has more than {_MEMBERS_MAX:,} files")
    unpacked = sum(one.file_size for one in members)
    if unpacked > bytes_max:
        raise RefusedFile(
            Cause.TOO_LARGE,
            f"the file is {unpacked:,} bytes when it is unpacked, which is more than"
            f" {bytes_max:,}: divide it, or save the table as CSV",
        )
    if unpacked > SMALL_BYTES and unpacked > archive_bytes * RATIO_MAX:
        raise RefusedFile(Cause.TOO_LARGE, too_large_unpacked())
    names = {one.filename for one in members}
    if any(one.flag_bits & 1 for one in members):
        raise RefusedFile(
            Cause.DAMAGED_ARCHIVE, "the archive is protected by a password: save it without one"
        )
    if "xl/workbook.bin" in names:
        raise RefusedFile(
            Cause.NOT_TEXT, "this is a binary Excel workbook (.xlsb): save it as .xlsx or CSV"
        )
    if "xl/workbook.xml" in names:
        return Archive(ArchiveKind.XLSX)
    if "mimetype" in names and _head(archive, "mimetype").startswith(_ODS):
        return Archive(ArchiveKind.ODS)
    if document := _document(archive, names):
        raise RefusedFile(Cause.NOT_TEXT, f"this is {document}: save the table as .xlsx or CSV")
    return Archive(ArchiveKind.ONE_FILE, _only_member(sorted(names)))


def _document(archive: zipfile.ZipFile, names: Collection[str]) -> str:
    """What it is if it is the file of another office program; "" if not."""
    if any(name.endswith(".iwa") or name == "Index.zip" for name in names):
        return "a document of Numbers, Pages or Keynote"
    if "mimetype" in names and _head(archive, "mimetype").startswith(_OPEN_DOCUMENT):
        return "an OpenDocument file that is not a spreadsheet"
    return next((what for member, what in _DOCUMENTS.items() if member in names), "")


def _head(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as stream:
        return stream.read(len(_ODS))


def _only_member(names: list[str]) -> str:
    packed = [
        name
        for name in names
        if not name.startswith(_SYSTEM_FOLDERS) and not name.endswith(_SYSTEM_FILES)
    ]
    if len(packed) == 1:
        return packed[0]
    if not packed:
        raise RefusedFile(Cause.EMPTY, "the zip archive is empty")
    raise RefusedFile(
        Cause.SEVERAL_FILES,
        f"the zip archive holds {len(packed):,} files: {shown_names(packed)};"
        " send each of them by itself",
    )


def copy_bounded(stream: IO[bytes], target: IO[bytes], bytes_max: int) -> None:
    """Copies what is really there. Raises RefusedFile beyond `bytes_max`."""
    copied = 0
    while piece := stream.read(1 << 20):
        copied += len(piece)
        if copied > bytes_max:
            raise RefusedFile(
                Cause.TOO_LARGE, f"the file holds more than {bytes_max:,} bytes of text"
            )
        target.write(piece)
