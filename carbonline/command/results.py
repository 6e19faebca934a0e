"""`carbonline results`: lists the rows of a pipeline, each with its kilograms and their factor."""

import click

from carbonline.client.paging import each_page
from carbonline.client.result_rows import result_rows
from carbonline.command.asynchronous import run_to_end
from carbonline.command.columns import Column, Kind
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.limits import limit_option, rows_max
from carbonline.command.options import EMISSION_TYPE, ID, left_out_sentences, own_option
from carbonline.command.output import Output, output_options, show_rows
from carbonline.command.spooled_rows import SpooledRows
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
@own_option
@EMISSION_TYPE
@limit_option
@output_options
@connection_options
def results(
    *,
    target: Target,
    output: Output,
    pipeline: int,
    unit: str,
    own: bool,
    emission_type: str,
    limit: int | None,
) -> None:
    """List the rows that a pipeline brought: kilograms, quantity, and the factor that was used.

    The state says whether a row counts, is stale or waiting, or was replaced or withdrawn.
    """
    wanted = emissions_pb2.ListEmissionsRequest(
        pipeline_id=pipeline, unit=unit, emission_type=emission_type, leave_out_others=own
    )
    with SpooledRows() as rows:
        more = run_to_end(_read(target, wanted, rows_max(limit, output), rows))
        show_rows(
            COLUMNS,
            rows,
            output,
            about={"pipeline": pipeline},
            if_none=f"Pipeline {pipeline} has no rows of {emission_type}."
            if emission_type
            else f"Pipeline {pipeline} has no rows: they have been deleted, or it brought none."
            " Rows that counted already belong to the pipeline that brought them: carbonline"
            " uploads",
            more="raise --limit, or write a file with -o" if more else "",
        )
    for sentence in left_out_sentences(own=own):
        click.echo(sentence, err=True)


async def _read(
    target: Target, wanted: emissions_pb2.ListEmissionsRequest, most: int, rows: SpooledRows
) -> bool:
    """Reads at most so many entries, a page at a time. Returns whether there are more.

    Refuses a pipeline that is neither known nor has any.
    """
    more = False
    async with target.client() as client:
        pages = each_page(client.list_emissions, wanted, lambda page: page.rows, most)
        async for entries, has_more in pages:
            rows.add(line for entry in entries for line in result_rows(entry))
            more = has_more
        if not rows:
            await client.get_pipeline(wanted.pipeline_id)
    return more
