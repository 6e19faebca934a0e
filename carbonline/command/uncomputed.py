"""`carbonline uncomputed`: lists the entries that have no kilograms, each with the reason."""

from collections.abc import Mapping, Sequence

import click

from carbonline.client.paging import read_pages
from carbonline.command.asynchronous import run_to_end
from carbonline.command.columns import Column, Kind, Row, value_of
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.limits import limit_option, rows_max
from carbonline.command.names import type_name
from carbonline.command.options import DATA_ENTRY_TYPE, ID, YEAR, left_out_sentences, own_option
from carbonline.command.output import Output, output_options, show_rows
from carbonline.v1 import ledger_pb2, types_pb2

COLUMNS = (
    Column("upload", kind=Kind.NUMERAL, once_if_same=True),
    Column("type", once_if_same=True),
    Column("row", kind=Kind.NUMERAL),
    Column("unit_institutional_id", "unit", Kind.WORD),
    Column("outcome", kind=Kind.WORD, once_if_same=True),
    Column("reason"),
    Column("columns", in_files=False),
)


@click.command(
    short_help="List the entries that have no kilograms.",
    epilog=examples(
        "carbonline uncomputed --year 2024",
        "carbonline uncomputed --year 2024 --outcome unknown_place -o places.csv",
    ),
)
@click.option("--year", type=YEAR, required=True, help="The accounting year.")
@click.option("--type", "data_entry_type", type=DATA_ENTRY_TYPE, default=0, help="Only this type.")
@click.option("--unit", default="", help="Only this unit.")
@own_option
@click.option("--outcome", default="", help="Only this outcome, such as unknown_place.")
@click.option("--upload", type=ID, default=None, help="Only this upload.")
@limit_option
@output_options
@connection_options
def uncomputed(  # noqa: PLR0913  click gives each option
    *,
    target: Target,
    output: Output,
    year: int,
    data_entry_type: int,
    unit: str,
    own: bool,
    outcome: str,
    upload: int | None,
    limit: int | None,
) -> None:
    """List the entries of a year that have no kilograms: row of the file, columns, and the reason.

    They are missing from the totals. Correct the file, or load the missing place or factor.
    """
    wanted = ledger_pb2.ListUncomputedRequest(
        year=year,
        data_entry_type=types_pb2.DataEntryType.ValueType(data_entry_type),
        unit=unit,
        outcome=outcome,
        upload_id=upload or 0,
        leave_out_others=own,
    )
    entries, kinds, more = run_to_end(_listed(target, wanted, rows_max(limit, output)))
    narrowed = data_entry_type or unit or own or outcome or upload
    such = "There are no such entries" if narrowed else "There are no entries"
    columns = (*COLUMNS, *(Column(name, in_tables=False) for name in kinds))
    show_rows(
        columns,
        [_row(entry, kinds) for entry in entries],
        output,
        about={"year": year},
        if_none=f"{such} without kilograms in {year}.",
        more="raise --limit, or write a file with -o" if more else "",
    )
    for sentence in left_out_sentences(own=own):
        click.echo(sentence, err=True)


async def _listed(
    target: Target, wanted: ledger_pb2.ListUncomputedRequest, rows: int
) -> tuple[Sequence[ledger_pb2.UncomputedEntry], Mapping[str, str], bool]:
    """The entries, the columns of their files with the kind of each, and whether there are more."""
    async with target.client() as client:
        entries, more = await read_pages(
            client.list_uncomputed, wanted, lambda page: page.entries, rows
        )
        catalogue = await client.list_modules()
    return entries, _kinds(catalogue, entries, wanted.data_entry_type), more


def _kinds(
    catalogue: ledger_pb2.ListModulesResponse,
    entries: Sequence[ledger_pb2.UncomputedEntry],
    wanted: int,
) -> Mapping[str, str]:
    """The columns of the wanted type, or of all types: the same with and without entries.

    Each has its kind, or "" if the types differ.
    """
    kinds: dict[str, str] = {}
    for one in (one for module in catalogue.modules for one in module.data_entry_types):
        if one.data_entry_type == wanted or (one.supported and not wanted):
            for column in one.columns:
                known = kinds.setdefault(column.name, column.kind)
                kinds[column.name] = column.kind if known == column.kind else ""
    there = {name for entry in entries for name in entry.columns}
    every = {**kinds, **dict.fromkeys(sorted(there.difference(kinds)), "")}
    fixed = {column.name for column in COLUMNS}
    return {name: kind for name, kind in every.items() if name not in fixed}


def _row(entry: ledger_pb2.UncomputedEntry, kinds: Mapping[str, str]) -> Row:
    # The row's own columns first: none of them may stand for the upload's number or the reason.
    return {
        **{name: value_of(text, kinds.get(name, "")) for name, text in entry.columns.items()},
        "upload": entry.upload_id,
        "type": type_name(entry.data_entry_type),
        "row": entry.row_number,
        "unit_institutional_id": entry.unit,
        "outcome": entry.outcome,
        "reason": entry.detail,
        "columns": {name: entry.columns[name] for name in kinds if name in entry.columns},
    }
