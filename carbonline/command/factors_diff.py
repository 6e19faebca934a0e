"""`carbonline factors diff`: what differs between two sets of factors, and by how much."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeAlias

import click

from carbonline.client.contract_client import ContractClient
from carbonline.client.paging import read_pages
from carbonline.command.asynchronous import run_to_end
from carbonline.command.columns import Column, Kind, Row, Value
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.factor_source import FileOrSet, types_of
from carbonline.command.names import type_name
from carbonline.command.options import (
    YEAR_MAX,
    YEAR_MIN,
    optional_type_option,
    type_is_missing,
)
from carbonline.command.output import Output, output_options, show_rows
from carbonline.shelf.sets import ShelfSet
from carbonline.v1 import ledger_pb2, reference_pb2, types_pb2

# More than any set of factors that somebody maintains.
FACTORS_MAX = 100_000
COLUMNS = (
    Column("type", kind=Kind.WORD, once_if_same=True),
    Column("factor"),
    Column("change", kind=Kind.WORD, once_if_same=True),
    Column("column", once_if_same=True),
    Column("old", kind=Kind.WORD),
    Column("new", kind=Kind.WORD),
    Column("percent", "%", Kind.NUMBER, decimals=2),
)
Factors: TypeAlias = Sequence[Mapping[str, str]]
# A file, a set, or a year: the factors that are in force in it.
Side: TypeAlias = Path | ShelfSet | int


class FileSetOrYear(FileOrSet):
    """A file, a set of the shelf, or a year."""

    name = "file, set or year"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path, the set, or the year's number."""
        text = str(value)
        if text.isdigit() and YEAR_MIN <= int(text) <= YEAR_MAX and not Path(text).exists():
            return int(text)
        return super().convert(value, param, ctx)


@dataclass(frozen=True, slots=True)
class FactorColumns:
    """The columns of a type's factor files: those that identify a factor, and its values."""

    identity: tuple[str, ...]
    values: tuple[str, ...]


@click.command(
    short_help="What differs between two sets of factors.",
    epilog=examples(
        "carbonline factors diff uk-gov-2022 uk-gov-2023 --type process_emissions",
        "carbonline factors diff 2023 uk-gov-2024 --type plane",
        "carbonline factors diff old.csv new.csv --type services -o changes.csv",
    ),
)
@click.argument("old", type=FileSetOrYear())
@click.argument("new", type=FileSetOrYear())
@optional_type_option("Required unless both are sets of the shelf.")
@output_options
@connection_options
def diff(*, target: Target, output: Output, old: Side, new: Side, data_entry_type: int) -> None:
    """List the factors that were added, removed or changed between OLD and NEW.

    Each is a CSV, a set of the shelf, or a year, whose factors in force are meant. Files and years
    need --type; of two sets, all types are compared.
    """
    if not data_entry_type and not (isinstance(old, ShelfSet) and isinstance(new, ShelfSet)):
        type_is_missing()
    rows, same = run_to_end(_compared(target, old, new, data_entry_type))
    counts: dict[str, int] = dict.fromkeys(("added", "removed", "changed"), 0)
    for _, change in {(f"{row['type']} {row['factor']}", str(row["change"])) for row in rows}:
        counts[change] += 1
    # A type with its own columns is a table of its own; files have all rows.
    names = dict.fromkeys(str(row["type"]) for row in rows) if output.is_table else {}
    for name in names:
        show_rows(COLUMNS, [row for row in rows if row["type"] == name], output)
    if not names:
        about = {**counts, "same": same}
        show_rows(COLUMNS, rows, output, about=about, if_none="No factor differs.")
    said = ", ".join(f"{count:,} {word}" for word, count in counts.items())
    click.echo(f"{said}, {same:,} the same.", err=True)


async def _compared(
    target: Target, old: Side, new: Side, data_entry_type: int
) -> tuple[Sequence[Row], int]:
    """The rows of what differs, and how many factors do not."""
    rows: list[Row] = []
    same = 0
    async with target.client() as client:
        catalogue = await client.list_modules()
        for name, columns in _columns_of(catalogue, old, new, data_entry_type).items():
            before, after = [
                await _factors(client, side, name, data_entry_type, columns) for side in (old, new)
            ]
            differing = list(differences(columns, before, after))
            rows += [{"type": name, **row} for row in differing]
            changed = {row["factor"] for row in differing if row["change"] != "removed"}
            same += len(_by_identity(columns, after)) - len(changed)
    return rows, same


def _columns_of(
    catalogue: ledger_pb2.ListModulesResponse, old: Side, new: Side, data_entry_type: int
) -> Mapping[str, FactorColumns]:
    """The types to compare, with their columns, in the order of the catalogue."""
    wanted = {type_name(data_entry_type)} if data_entry_type else set()
    for side in (old, new):
        if isinstance(side, ShelfSet):
            wanted |= set(types_of(side, data_entry_type))
    found = {
        one.name: one.factor_columns
        for module in catalogue.modules
        for one in module.data_entry_types
        if one.name in wanted
    }
    return {
        name: FactorColumns(
            identity=tuple(one.name for one in columns if one.identifies),
            values=tuple(one.name for one in columns if not one.identifies),
        )
        for name, columns in found.items()
    }


async def _factors(
    client: ContractClient, side: Side, name: str, data_entry_type: int, columns: FactorColumns
) -> Factors:
    """The factors of a type. None if it is of a set that has not the type."""
    if isinstance(side, ShelfSet):
        return side.rows(name) if name in side.types else ()
    if isinstance(side, Path):
        return file_rows(side, columns)
    wanted = reference_pb2.ListFactorsRequest(
        year=side, data_entry_type=types_pb2.DataEntryType.ValueType(data_entry_type)
    )
    found, _ = await read_pages(client.list_factors, wanted, lambda page: page.factors, FACTORS_MAX)
    return [{**one.classification, **one.values} for one in found]


def file_rows(file: Path, columns: FactorColumns) -> Factors:
    """The rows of a CSV with commas, semicolons or tabs, in UTF-8 or cp1252.

    Raises click.UsageError if it has no column that identifies a factor, or none of its values:
    all factors would look alike.
    """
    content = file.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")
    header = text.partition("\n")[0]
    separator = max(",;\t", key=header.count)
    names = {name.strip().strip('"').lower() for name in header.split(separator)}
    for needed in (columns.identity, columns.values):
        if needed and names.isdisjoint(needed):
            wanted = f"{file} is not a CSV of these factors: it has none of the columns"
            raise click.UsageError(f"{wanted} {', '.join(needed)}.")
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator)
    return [
        {str(name).strip().lower(): value or "" for name, value in row.items() if name}
        for row in rows
    ]


def differences(columns: FactorColumns, old: Factors, new: Factors) -> Iterator[Row]:
    """A row for each factor that was added or removed, and for each value that has changed."""
    before, after = _by_identity(columns, old), _by_identity(columns, new)
    for key in dict.fromkeys([*before, *after]):
        named: Row = {"factor": ", ".join(part for part in key if part)}
        if key not in after:
            column, value = _first_value(columns, before[key])
            yield {**named, "change": "removed", "column": column, "old": value}
        elif key not in before:
            column, value = _first_value(columns, after[key])
            yield {**named, "change": "added", "column": column, "new": value}
        else:
            for column in columns.values:
                one, other = (_value(rows[key].get(column, "")) for rows in (before, after))
                if one != other:
                    yield {
                        **named,
                        "change": "changed",
                        "column": column,
                        "old": one,
                        "new": other,
                        "percent": _percent(one, other),
                    }


def _by_identity(
    columns: FactorColumns, factors: Factors
) -> Mapping[tuple[str, ...], Mapping[str, str]]:
    """Factors by what identifies them, as the ledger compares it. Of equals, the last counts."""
    return {
        tuple(factor.get(name, "").strip().casefold() for name in columns.identity): factor
        for factor in factors
    }


def _first_value(columns: FactorColumns, factor: Mapping[str, str]) -> tuple[str, Value]:
    filled = [name for name in columns.values if factor.get(name, "").strip()]
    return (filled[0], _value(factor[filled[0]])) if filled else ("", None)


def _value(text: str) -> Value:
    """A number, a text, or None for an empty field."""
    stripped = text.strip()
    try:
        return Decimal(stripped) if stripped else None
    except InvalidOperation:
        return stripped.casefold()


def _percent(old: Value, new: Value) -> Value:
    if isinstance(old, Decimal) and isinstance(new, Decimal) and old:
        return 100 * (new - old) / abs(old)
    return None
