"""The sets of the shelf: their figures as factor files, with publisher, source and licence."""

import csv
import io
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from carbonline.shelf.refrigerants import process_gases

FIGURES = Path(__file__).with_name("figures")
SHELF = Path(__file__).with_name("shelf.toml")


@dataclass(frozen=True, slots=True)
class ShelfSet:
    """A published set of factors.

    `files` has the file of each data-entry type, by the type's name; several types may share one.
    `assessment_report`, where it is not "", names the report whose potentials are computed into
    the factors of process gases.
    """

    name: str
    title: str
    publisher: str
    source: str
    licence: str
    note: str
    files: Mapping[str, str]
    assessment_report: str = ""

    @property
    def types(self) -> Sequence[str]:
        """The names of the data-entry types that it has factors of."""
        return tuple(self.files)

    def content(self, data_entry_type: str) -> str:
        """The factor file of a data-entry type, as CSV. Raises KeyError without one."""
        file = self.files[data_entry_type]
        if self.assessment_report:
            return csv_of(process_gases(self.assessment_report))
        return (FIGURES / self.name / file).read_text(encoding="utf-8")

    def rows(self, data_entry_type: str) -> Sequence[Mapping[str, str]]:
        """The factors of a data-entry type. Raises KeyError if it has none."""
        return list(csv.DictReader(io.StringIO(self.content(data_entry_type))))


def csv_of(rows: Sequence[Mapping[str, str]]) -> str:
    """Rows that have the same columns, as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


@cache
def shelf() -> Mapping[str, ShelfSet]:
    """All sets by name, in alphabetical order."""
    declared = tomllib.loads(SHELF.read_text(encoding="utf-8"))
    return MappingProxyType({name: ShelfSet(name, **declared[name]) for name in sorted(declared)})
