"""`carbonline uncomputed`: lists the entries that have no kilograms, each with the reason."""

from collections.abc import Iterator, Sequence

import click

from carbonline.client.contract_client import ContractClient
from carbonline.client.paging import read_pages
from carbonline.command.asynchronous import run_to_end
from carbonline.command.columns import Column, Kind, Row
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.limits import limit_option, rows_max
from carbonline.command.names import type_name
from carbonline.command.options import DATA_ENTRY_TYPE, ID, YEAR
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
@click.option("--outcome", default="", help="Only this outcome, such as unknown_place.")
@click.option("--upload", type=ID, default=None, help="Only this upload.")
@limit_option
@output_options
@connection_options
def uncomputed(
    *,
    target: Target,
    output: Output,
    year: int,
    data_entry_type: int,
    unit: str,
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
    )
    entries, names, more = run_to_end(_listed(target, wanted, rows_max(limit, output)))
    narrowed = data_entry_type or unit or outcome or upload
    such = "There are no such entries" if narrowed else "There are no entries"
    columns = (*COLUMNS, *(Column(name, in_tables=False) for name in names))
    show_rows(
        columns,
        [_row(entry, names) for entry in entries],
        output,
        about={"year": year},
        if_none=f"{such} without kilograms in {year}.",
        more="raise --limit, or write a file with -o" if more else "",
    )


async def _listed(
    target: Target, wanted: ledger_pb2.ListUncomputedRequest, rows: int
) -> tuple[Sequence[ledger_pb2.UncomputedEntry], Sequence[str], bool]:
    """The entries, their columns in the order of a file, and whether there are more."""
    async with target.client() as client:
        entries, more = await read_pages(
            client.list_uncomputed, wanted, lambda page: page.entries, rows
        )
        return entries, await _column_names(client, entries, wanted.data_entry_type), more


async def _column_names(
    client: ContractClient, entries: Sequence[ledger_pb2.UncomputedEntry], wanted: int
) -> Sequence[str]:
    """Those of the wanted type, or of the types of the entries, whether a row fills them or not."""
    there = {name for entry in entries for name in entry.columns}
    types: set[int] = {wanted} if wanted else {one.data_entry_type for one in entries}
    known = list(dict.fromkeys(_declared(await client.list_modules(), types)))
    return [*known, *sorted(there.difference(known))]


def _declared(catalogue: ledger_pb2.ListModulesResponse, types: set[int]) -> Iterator[str]:
    for module in catalogue.modules:
        for one in module.data_entry_types:
            if one.data_entry_type in types:
                yield from (column.name for column in one.columns)


def _row(entry: ledger_pb2.UncomputedEntry, names: Sequence[str]) -> Row:
    # The row's own columns first: none of them may stand for the upload's number or the reason.
    return {
        **entry.columns,
        "upload": entry.upload_id,
        "type": type_name(entry.data_entry_type),
        "row": entry.row_number,
        "unit_institutional_id": entry.unit,
        "outcome": entry.outcome,
        "reason": entry.detail,
        "columns": {name: entry.columns[name] for name in names if name in entry.columns},
    }
