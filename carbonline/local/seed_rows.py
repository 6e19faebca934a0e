"""Compares the rows of files that are to be seeded, by the readers that would load them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from carbonline.extras import lacks

if TYPE_CHECKING:
    from worker_service.carbon.differing_rows import Difference

PURPOSE = "To compare the rows of these files before they are loaded"


@dataclass(frozen=True, slots=True)
class SeedRows:
    """A file of units, places or rows. `kind` and `of` are as RowsOfFile has them, `mapping` and
    `sheet` as the payload of its job.
    """

    name: str
    kind: str
    of: str
    path: Path
    mapping: Mapping[str, Any]
    sheet: str


def cannot_compare() -> str:
    """A sentence where what reads files is not installed; else ""."""
    return lacks("server", PURPOSE)


def differing_sentences(files: Sequence[SeedRows]) -> list[str]:
    """A sentence for each of the first rows of files of one kind that cannot both stand. Blocks."""
    # What reads files is an extra, and takes half a second to import.
    from worker_service.carbon.differing_rows import (  # noqa: PLC0415
        RowsOfFile,
        differing_rows,
    )
    from worker_service.carbon.file_mapping import read_mapping  # noqa: PLC0415
    from worker_service.carbon.workbooks.text_of import OfSheet  # noqa: PLC0415

    read = []
    for file in files:
        opened = partial(_opened, file.path)
        source = OfSheet(opened, file.sheet) if file.sheet else opened
        mapping = read_mapping(file.mapping)
        read.append(RowsOfFile(file.name, file.kind, file.of, source, mapping))
    return [_sentence(one) for one in differing_rows(read)]


def _opened(path: Path) -> BinaryIO:
    return path.open("rb")


def _sentence(one: "Difference") -> str:
    values = ", ".join(
        f"{column} is {first or 'empty'} and {second or 'empty'}"
        for column, first, second in one.values
    )
    return (
        f"{one.first.name} row {one.first_row:,} and {one.second.name} row {one.second_row:,}:"
        f" of {one.key}, {values}"
    )
