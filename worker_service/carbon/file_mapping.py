"""How the file of another program is read: its columns' names, constants, values and formats."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from worker_service.carbon.csv_source.column_names import compared_names
from worker_service.carbon.csv_source.near_names import near_name
from worker_service.carbon.csv_source.refusal import Cause, RefusedFile
from worker_service.carbon.csv_source.shown import shown_text
from worker_service.carbon.declarations import Column, ColumnKind
from worker_service.carbon.parse.formats import DECIMALS, date_layout
from worker_service.carbon.parse.values import choice_key

NAMES_SHOWN_MAX = 20


@dataclass(frozen=True, slots=True)
class FileMapping:
    """How one file is read.

    `columns`: the file's name of a column -> the declared one, "" for one that is not read.
    `constants`: the value that each row has in a column that the file lacks, written as a file
    without a mapping has it. `values`: of a column of choices, what the file writes -> the choice.
    `decimal`: "comma" or "point", how the file writes numbers; "" as a file without a mapping does.
    `dates`: how it writes dates, such as "dd/mm/yyyy"; "" for ISO 8601. `header_line`: the line,
    from 1, with the names of its columns, above which nothing is read; 0 for the first that is not
    blank, or in a workbook for the first that has all columns.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    decimal: str = ""
    dates: str = ""
    header_line: int = 0

    def completed_by(self, found: "FileMapping") -> "FileMapping":
        """This mapping, and what another says of which it says nothing."""
        return FileMapping(
            columns={**found.columns, **self.columns},
            constants={**found.constants, **self.constants},
            values={**found.values, **self.values},
            decimal=self.decimal or found.decimal,
            dates=self.dates or found.dates,
            header_line=self.header_line or found.header_line,
        )

    def applied_to(self, columns: Sequence[Column]) -> tuple[Column, ...]:
        """The columns as the file writes them. Call it after `check_mapping`."""
        return tuple(map(self._as_written, columns))

    def _as_written(self, column: Column) -> Column:
        if column.name in self.constants:
            return column
        more = self.values.get(column.name, {})
        own = tuple((choice_key(value), choice) for value, choice in more.items())
        meant = {value for value, _ in own}
        kept = tuple(pair for pair in column.aliases if pair[0] not in meant)
        return replace(column, aliases=(*own, *kept), decimal=self.decimal, date_layout=self.dates)


AS_DECLARED = FileMapping()


def read_mapping(said: Mapping[str, Any] | None) -> FileMapping:
    """The mapping of a payload, whose shape the scheduler has checked."""
    if not said:
        return AS_DECLARED
    return FileMapping(
        columns=_texts(said.get("columns")),
        constants=_texts(said.get("constants")),
        values={name: _texts(some) for name, some in (said.get("values") or {}).items()},
        decimal=str(said.get("decimal", "")),
        dates=str(said.get("dates", "")),
        header_line=int(said.get("header_line", 0)),
    )


def mapping_as_said(mapping: FileMapping) -> dict[str, Any]:
    """The mapping as a payload has it. Empty for AS_DECLARED."""
    parts = {
        "columns": dict(mapping.columns),
        "constants": dict(mapping.constants),
        "values": {name: dict(some) for name, some in mapping.values.items()},
        "decimal": mapping.decimal,
        "dates": mapping.dates,
        "header_line": mapping.header_line,
    }
    return {name: part for name, part in parts.items() if part}


def _texts(said: Mapping[str, Any] | None) -> dict[str, str]:
    return {str(name).strip(): str(value).strip() for name, value in (said or {}).items()}


def check_mapping(mapping: FileMapping, columns: Sequence[Column]) -> None:
    """Raises RefusedFile, with what to correct, for a mapping that no file of the type can have.

    The file itself is not looked at: see `read_header`.
    """
    known = {column.name: column for column in columns}
    for name in (*filter(None, mapping.columns.values()), *mapping.constants, *mapping.values):
        if name not in known:
            raise _wrong(f"names a column {_unknown(name, known)}")
    _check_names(mapping)
    read_as: dict[str, str] = {}
    # In order: an object of a payload has none, and the sentence must not change.
    for file_name, name in sorted(mapping.columns.items()):
        if name and name in read_as:
            both = f"{shown_text(read_as[name])} and {shown_text(file_name)}"
            raise _wrong(f"reads two columns as {name}: {both}")
        if name and name in mapping.constants:
            raise _wrong(f"reads {shown_text(file_name)} as {name}, which it sets, too")
        read_as[name] = file_name
    _check_values(mapping, known)
    if mapping.decimal and mapping.decimal not in DECIMALS:
        raise _wrong(f"has decimal {shown_text(mapping.decimal)}: write comma or point")
    if mapping.dates and date_layout(mapping.dates) is None:
        raise _wrong(
            f"has dates {shown_text(mapping.dates)}: write how a day is written, such as"
            " dd/mm/yyyy, mm/dd/yyyy, dd.mm.yyyy or yyyymmdd"
        )


def _check_names(mapping: FileMapping) -> None:
    names = sorted(mapping.columns)
    before: dict[str, str] = {}
    for name, compared in zip(names, compared_names(names), strict=True):
        if (first := before.setdefault(compared, name)) != name:
            both = f"{shown_text(first)} and {shown_text(name)}"
            raise _wrong(f"names one column of the file twice: {both}")


def _check_values(mapping: FileMapping, known: Mapping[str, Column]) -> None:
    for name, values in mapping.values.items():
        column = known[name]
        if column.kind is not ColumnKind.CHOICE:
            raise _wrong(f"gives values of {name}, which has no list of choices")
        read_as: dict[str, tuple[str, str]] = {}
        for value, choice in sorted(values.items()):
            before, chosen = read_as.setdefault(choice_key(value), (value, choice))
            if chosen != choice:
                both = f"{shown_text(before)} as {shown_text(chosen)} and"
                said = f"{both} {shown_text(value)} as {shown_text(choice)}"
                raise _wrong(f"reads one text as two choices in {name}: {said}")
            if choice not in column.choices:
                choices = ", ".join(column.choices)
                said = f"reads {shown_text(value)} as {shown_text(choice)}"
                raise _wrong(f"{said} in {name}, which is one of {choices}")


def _unknown(name: str, known: Collection[str]) -> str:
    near = near_name(name, known)
    hint = f" (did you mean {near}?)" if near else f"; there are: {', '.join(known)}"
    return f"{shown_text(name)} that files of this type do not have{hint}"


def _wrong(what: str) -> RefusedFile:
    return RefusedFile(Cause.MAPPING, f"the mapping {what}")
