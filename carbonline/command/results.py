"""`carbonline results`: lists the rows of a pipeline, each with its kilograms and their factor."""

from collections.abc import Iterator, Sequence

import click

from carbonline.client.paging import read_pages
from carbonline.command.asynchronous import run_to_end
from carbonline.command.columns import Column, Kind, Row
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.limits import limit_option, rows_max
from carbonline.command.names import type_name
from carbonline.command.options import ID
from carbonline.command.output import Output, output_options, show_rows
from carbonline.v1 import emissions_pb2

COLUMNS = (
    Column("upload", kind=Kind.NUMERAL, once_if_same=True),
    Column("type", once_if_same=True),
    Column("row", kind=Kind.NUMERAL),
    Column("unit_institutional_id", "unit", Kind.WORD),
    Column("state", kind=Kind.WORD, once_if_same=True),
    Column("outcome", kind=Kind.WORD, once_if_same=True),
    Column("reason", once_if_same=True),
    Column("emission_type", in_tables=False),
    Column("ghg_scope", kind=Kind.NUMERAL, in_tables=False),
    Column("additional_value", "quantity", Kind.NUMBER),
    Column("kg_co2eq", "kg CO2eq", Kind.NUMBER),
    Column("factor", kind=Kind.NUMERAL),
    Column("factor_version", kind=Kind.NUMERAL, in_tables=False),
    Column("factor_kind", in_tables=False),
    Column("factor_subkind", in_tables=False),
    Column("factor_values", in_tables=False),
    Column("factor_file", in_tables=False),
    Column("formula", kind=Kind.WORD, once_if_same=True),
    Column("columns", in_tables=False),
)


@click.command(
    short_help="List the rows of a pipeline with their kilograms.",
    epilog=examples("carbonline results 1", "carbonline results 1 -o results.csv"),
)
@click.argument("pipeline", type=ID)
@click.option("--unit", default="", help="Only this unit.")
@limit_option
@output_options
@connection_options
def results(*, target: Target, output: Output, pipeline: int, unit: str, limit: int | None) -> None:
    """List the rows that a pipeline brought: kilograms, quantity, and the factor that was used.

    The state says whether a row counts, is stale or waiting, or was replaced or withdrawn.
    """
    wanted = emissions_pb2.ListEmissionsRequest(pipeline_id=pipeline, unit=unit)
    found, more = run_to_end(_listed(target, wanted, rows_max(limit, output)))
    show_rows(
        COLUMNS,
        [line for row in found for line in _lines(row)],
        output,
        about={"pipeline": pipeline},
        if_none=f"Pipeline {pipeline} has no rows: they have been deleted, or it brought none. "
        "Rows that counted already belong to the pipeline that brought them: carbonline uploads",
        more="raise --limit, or write a file with -o" if more else "",
    )


async def _listed(
    target: Target, wanted: emissions_pb2.ListEmissionsRequest, rows: int
) -> tuple[Sequence[emissions_pb2.EntryResult], bool]:
    async with target.client() as client:
        return await read_pages(client.list_emissions, wanted, lambda page: page.rows, rows)


def _lines(row: emissions_pb2.EntryResult) -> Iterator[Row]:
    """One line per emission, or one for a row that has none."""
    same: Row = {
        "upload": row.upload_id,
        "type": type_name(row.data_entry_type),
        "row": row.row_number,
        "unit_institutional_id": row.unit,
        "state": row.state,
        "outcome": row.outcome,
        "reason": row.detail,
        "formula": row.formula_version,
        "columns": dict(sorted(row.columns.items())),
    }
    for emission in row.emissions:
        yield {**same, **_numbers(emission)}
    if not row.emissions:
        yield same


def _numbers(emission: emissions_pb2.RowEmission) -> Row:
    has_quantity = emission.HasField("additional_value")
    numbers: Row = {
        "emission_type": emission.emission_type,
        "ghg_scope": emission.ghg_scope,
        "additional_value": emission.additional_value if has_quantity else None,
        "kg_co2eq": emission.kg,
    }
    if not emission.HasField("factor"):
        return numbers
    used = emission.factor
    return {
        **numbers,
        "factor": used.factor_id,
        "factor_version": used.version,
        "factor_kind": used.kind,
        "factor_subkind": used.subkind,
        "factor_values": dict(sorted(used.values.items())),
        "factor_file": used.file_name,
    }
