"""`carbonline modules`: the catalogue of modules and data-entry types."""

import click

from carbonline.command.asynchronous import run_to_end
from carbonline.command.columns import Column, Kind, Row
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.output import Output, output_options, show_rows
from carbonline.v1 import ledger_pb2

COLUMNS = (
    Column("module", kind=Kind.WORD),
    Column("data_entry_type", "type", kind=Kind.WORD),
    Column("computed", kind=Kind.WORD, once_if_same=True),
    Column("columns", in_tables=False),
    Column("optional_columns", in_tables=False),
    Column("factor_columns", in_tables=False),
    Column("formula_version", in_tables=False),
    Column("formula", in_tables=False),
    Column("formula_source", in_tables=False),
)


@click.command(
    short_help="List the modules and data-entry types.",
    epilog=examples("carbonline modules", "carbonline modules -o modules.csv"),
)
@output_options
@connection_options
def modules(target: Target, output: Output) -> None:
    """List the modules and data-entry types.

    JSON and files also have the columns of activity data and factors, and the formula with its
    version and source. To start a file, use `carbonline template TYPE`.
    """
    answer = run_to_end(_modules(target))
    rows = [_row(module, one) for module in answer.modules for one in module.data_entry_types]
    show_rows(COLUMNS, rows, output)


async def _modules(target: Target) -> ledger_pb2.ListModulesResponse:
    async with target.client() as client:
        return await client.list_modules()


def _row(module: ledger_pb2.ModuleInfo, one: ledger_pb2.DataEntryTypeInfo) -> Row:
    return {
        "module": module.name,
        "data_entry_type": one.name,
        "computed": one.supported,
        "columns": [column.name for column in one.columns if column.required],
        "optional_columns": [column.name for column in one.columns if not column.required],
        "factor_columns": [column.name for column in one.factor_columns],
        "formula_version": one.formula_version or None,
        "formula": one.formula or None,
        "formula_source": one.formula_source or None,
    }
