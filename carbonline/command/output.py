"""The output options of lists (--format, --json, -o), and the function that prints a list."""

import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import click

from carbonline.command.collected_options import Function, with_options
from carbonline.command.columns import Column, Row
from carbonline.command.output_file import STDOUT, is_stdout, written_file
from carbonline.command.printing import print_lines, print_nothing, table_width
from carbonline.command.row_files import About, write_csv, write_json, write_parquet, write_xlsx
from carbonline.command.table import table_lines
from carbonline.pluralize import pluralize

TABLE, JSON, CSV, XLSX, PARQUET = "table", "json", "csv", "xlsx", "parquet"
# What may be asked for by name; the other two are files only.
FORMATS = (TABLE, JSON, CSV)
OF_ENDING: Mapping[str, str] = {
    ".csv": CSV,
    ".json": JSON,
    ".xlsx": XLSX,
    ".parquet": PARQUET,
    ".txt": TABLE,
}


@dataclass(frozen=True, slots=True)
class Output:
    """The values of the output options."""

    form: str
    file: Path = STDOUT

    @property
    def is_table(self) -> bool:
        """Whether a table goes to stdout. Only then may sentences stand beside it on stdout."""
        return self.form == TABLE and self.file == STDOUT


PLAIN = Output(TABLE)


def output_options(function: Function) -> Function:
    """Add --format, --json and -o to a command, which gets them as `output`."""

    def collected(form: str | None, as_json: bool, file: Path, **rest: Any) -> Any:
        return function(output=chosen_output(JSON if as_json else form, file), **rest)

    return with_options(function, collected, _OPTIONS)


_OPTIONS = (
    click.option(
        "--format",
        "form",
        type=click.Choice(FORMATS, case_sensitive=False),
        default=None,
        help="Output format; a table by default.",
    ),
    click.option("--json", "as_json", is_flag=True, help="Short for --format json."),
    click.option(
        "-o",
        "--output",
        "file",
        type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
        default=STDOUT,
        help="Write to this file: .csv, .json, .xlsx or .parquet.",
    ),
)


def chosen_output(form: str | None, file: Path) -> Output:
    """The output for a format and a file.

    Without a format, the suffix of the file decides. Raises click.UsageError if the two contradict.
    """
    if is_stdout(file):
        return Output(form or TABLE)
    by_ending = OF_ENDING.get(file.suffix.lower())
    if form and by_ending and form != by_ending:
        raise click.UsageError(
            f"{file.name} is not a {form} file: leave out --format, or change the suffix."
        )
    if not (form or by_ending):
        endings = ", ".join(OF_ENDING)
        raise click.UsageError(
            f"The suffix of {file.name} does not say the format: use one of {endings}, or --format."
        )
    return Output(form or by_ending or TABLE, file)


def show_rows(
    columns: Sequence[Column],
    rows: Collection[Row],
    output: Output,
    *,
    total: Row | None = None,
    about: About | None = None,
    if_none: str = "",
    more: str = "",
) -> None:
    """Shows a list as its caller wants it: every list command ends here.

    A row is a mapping from the columns' names to values: int, Decimal, str, bool, an aware
    datetime in UTC, a sequence, or None for what is not known; enums as the lower-case names that
    people type. `total` is a row that stands below a table and beside the rows in JSON, never
    among them. `about` is what JSON says beside the rows, such as the year. `if_none` is said on
    stderr instead of a table without rows. `more`, a way to see the rest, says that the list was
    cut; JSON then has `"more": true`.

        COLUMNS = (Column("unit", kind=Kind.WORD), Column("total_kg", "kg CO2eq", Kind.NUMBER))

        @click.command()
        @output_options
        @connection_options
        def totals(target: Target, output: Output) -> None:
            show_rows(COLUMNS, rows, output, about={"year": 2024}, if_none="There are none.")

    In a table, columns without any value are left out. Give `once_if_same=True` to columns that
    often have one value in all rows. Raises OSError if it cannot be written.
    """
    if output.is_table:
        if not rows:
            if if_none:
                print_nothing(if_none)
        else:
            print_lines(table_lines(columns, list(rows), table_width(), total))
    else:
        beside = {**(about or {}), **({"total": _in_files(columns, total)} if total else {})}
        _write(columns, rows, output, {**beside, "more": bool(more)}, total)
    if more:
        click.echo(f"There are more: {more}.", err=True)


def _write(
    columns: Sequence[Column],
    rows: Collection[Row],
    output: Output,
    about: About,
    total: Row | None,
) -> None:
    with written_file(output.file) as file:
        match output.form:
            case "json":
                write_json(columns, rows, about, file)
            case "csv":
                write_csv(columns, rows, file)
            case "xlsx":
                write_xlsx(columns, list(rows), file)
            case "parquet":
                write_parquet(columns, list(rows), file)
            case _:
                _write_table(columns, list(rows), total, file)
    if output.file != STDOUT:
        click.echo(f"{pluralize(len(rows), 'row')} in {output.file}.", err=True)


def _write_table(
    columns: Sequence[Column], rows: Sequence[Row], total: Row | None, file: BinaryIO
) -> None:
    lines = table_lines(columns, rows, sys.maxsize, total)
    file.write("".join(f"{line}\n" for line in lines).encode())


def _in_files(columns: Sequence[Column], row: Row) -> Row:
    """Only what it says: a sum has no name, and none is unknown."""
    return {one.name: row[one.name] for one in columns if one.in_files and one.name in row}
