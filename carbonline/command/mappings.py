"""`carbonline mappings`: how files of other programs are read, under names."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from carbonline.client.json_struct import values_of
from carbonline.client.mapping_calls import ENTRIES, UNITS
from carbonline.client.paging import read_pages
from carbonline.command.asynchronous import run_to_end
from carbonline.command.columns import Column, Kind, Row
from carbonline.command.command_group import CommandGroup, examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.exit_codes import ExitCode
from carbonline.command.limits import limit_option, rows_max
from carbonline.command.mapping_options import (
    MappingWords,
    header_line_of,
    mapping_options,
    mapping_words,
)
from carbonline.command.names import FILE_KINDS_OF_REFERENCES, type_name
from carbonline.command.options import DATA_ENTRY_TYPE, type_is_missing
from carbonline.command.output import Output, output_options, show_rows
from carbonline.command.printing import moment_of
from carbonline.command.safe_text import one_line
from carbonline.command.saved_mapping import OF_A_TYPE, files_words, found_or_usage, save
from carbonline.v1 import mappings_pb2, types_pb2

COLUMNS = (
    Column("name", kind=Kind.WORD),
    Column("type", kind=Kind.WORD, once_if_same=True),
    Column("files", kind=Kind.WORD, once_if_same=True),
    Column("mapping", "reads"),
    Column("saved_by", in_tables=False),
    Column("saved_at", "saved", Kind.WORD),
)
PARTS = (
    Column("part", kind=Kind.WORD),
    Column("column", kind=Kind.WORD),
    Column("in_the_file", "in the file"),
    Column("read_as", "is read as"),
)
_name = click.argument("name")
_type = click.option(
    "--type",
    "data_entry_type",
    type=DATA_ENTRY_TYPE,
    default=0,
    help="The data-entry type, such as plane. Required for files of entries and of factors.",
)
_files = click.option(
    "--of",
    "file_kind",
    type=click.Choice((*OF_A_TYPE, UNITS, *FILE_KINDS_OF_REFERENCES)),
    default=ENTRIES,
    show_default=True,
    help="What the files bring.",
)


@click.group(
    cls=CommandGroup,
    invoke_without_command=True,
    short_help="List saved mappings; show, save, remove one.",
    epilog=examples(
        "carbonline mappings",
        "carbonline mappings --type plane",
        "carbonline mappings show agency --type plane",
    ),
)
@click.option("--type", "data_entry_type", type=DATA_ENTRY_TYPE, default=0, help="Only this type.")
@limit_option
@output_options
@connection_options
@click.pass_context
def mappings(
    context: click.Context,
    *,
    target: Target,
    output: Output,
    data_entry_type: int,
    limit: int | None,
) -> None:
    """List saved mappings: how files of other programs are read, under names. Times are UTC.

    `--mapping NAME` of `carbonline submit` and `carbonline load` reads a file with one. What is
    loaded keeps the mapping that its file was read with, whatever becomes of the saved one.
    """
    if context.invoked_subcommand:
        return
    wanted = mappings_pb2.ListMappingsRequest(
        data_entry_type=types_pb2.DataEntryType.ValueType(data_entry_type)
    )
    found, more = run_to_end(_listed(target, wanted, rows_max(limit, output)))
    show_rows(
        COLUMNS,
        [_row(one) for one in found],
        output,
        if_none="There are no such mappings." if data_entry_type else "There are no mappings yet.",
        more="choose with --type or --limit" if more else "",
    )


@mappings.command(
    short_help="Show what a mapping reads as what.",
    epilog=examples("carbonline mappings show agency --type plane"),
)
@_name
@_type
@_files
@output_options
@connection_options
def show(
    *, target: Target, output: Output, name: str, data_entry_type: int, file_kind: str
) -> None:
    """Show how the mapping NAME reads a file. --json has it as a payload takes it, too."""
    _check_type(data_entry_type, file_kind)
    mapping = run_to_end(found_or_usage(target, name, data_entry_type, file_kind))
    kind = type_name(data_entry_type) if data_entry_type else None
    about: Row = {"type": kind, "files": file_kind, "mapping": dict(mapping)}
    show_rows(PARTS, list(_parts(mapping)), output, about=about)


@mappings.command(
    "save",
    short_help="Save a mapping, or replace it.",
    epilog=examples(
        "carbonline mappings save agency --type plane --map Von=origin_iata",
        "carbonline mappings save agency --type plane --decimal comma",
    ),
)
@_name
@_type
@_files
@mapping_options
@connection_options
def save_one(
    *, target: Target, name: str, data_entry_type: int, file_kind: str, words: MappingWords
) -> None:
    """Save what --map and the others say under NAME, for files of the type and kind.

    A mapping of the same name, type and kind is replaced as a whole. A mapping that no file of them
    can have is refused.
    """
    _check_type(data_entry_type, file_kind)
    mapping = words.mapping()
    if not mapping:
        raise click.UsageError(
            "Say how the file is read: --map, --set, --value, --decimal, --dates, --header-line."
        )
    run_to_end(save(target, name, data_entry_type, mapping, file_kind))


@mappings.command(
    short_help="Remove a mapping.",
    epilog=examples("carbonline mappings remove agency --type plane"),
)
@_name
@_type
@_files
@connection_options
def remove(*, target: Target, name: str, data_entry_type: int, file_kind: str) -> None:
    """Remove the mapping NAME. What was read with it keeps it."""
    _check_type(data_entry_type, file_kind)
    raise SystemExit(run_to_end(_removed(target, name, data_entry_type, file_kind)))


def _check_type(data_entry_type: int, file_kind: str) -> None:
    if file_kind in OF_A_TYPE and not data_entry_type:
        type_is_missing()
    if data_entry_type and file_kind not in OF_A_TYPE:
        raise click.UsageError(f"Files of {file_kind} are of no type: leave out --type.")


async def _removed(target: Target, name: str, data_entry_type: int, file_kind: str) -> ExitCode:
    kind = files_words(file_kind, data_entry_type)
    async with target.client() as client:
        answer = await client.delete_mapping(name, data_entry_type, file_kind)
    if answer.deleted:
        click.echo(f"Removed the mapping {one_line(name)} of {kind}.", err=True)
        return ExitCode.SUCCESS
    click.echo(f"There is no mapping {one_line(name)} of {kind}.", err=True)
    return ExitCode.REFUSED


async def _listed(
    target: Target, wanted: mappings_pb2.ListMappingsRequest, rows: int
) -> tuple[Sequence[mappings_pb2.SavedMapping], bool]:
    async with target.client() as client:
        return await read_pages(client.list_mappings, wanted, lambda page: page.mappings, rows)


def _row(one: mappings_pb2.SavedMapping) -> Row:
    return {
        "name": one.name,
        "type": type_name(one.data_entry_type) if one.data_entry_type else None,
        "files": one.file_kind,
        "mapping": mapping_words(values_of(one.mapping)),
        "saved_by": one.saved_by,
        "saved_at": moment_of(one.saved_at),
    }


def _parts(mapping: Mapping[str, Any]) -> Iterator[Row]:
    def row(part: str, column: str, in_the_file: str, read_as: str) -> Row:
        return {"part": part, "column": column, "in_the_file": in_the_file, "read_as": read_as}

    for name, column in sorted(mapping.get("columns", {}).items()):
        yield row("column", column, name, column or "nothing")
    for column, value in sorted(mapping.get("constants", {}).items()):
        yield row("constant", column, "", value)
    for column, pairs in sorted(mapping.get("values", {}).items()):
        for text, choice in sorted(pairs.items()):
            yield row("value", column, text, choice)
    for part in ("decimal", "dates"):
        if mapping.get(part):
            yield row(part, "", "", mapping[part])
    if line := header_line_of(mapping):
        yield row("header_line", "", f"line {line}", "the names of the columns")
