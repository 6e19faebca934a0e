"""`carbonline active`: which modules of a year a pipeline works on."""

from collections.abc import Sequence

import click

from carbonline.command.asynchronous import run_to_end
from carbonline.command.columns import Column, Kind, Row
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.names import module_name, pipeline_status, status_word
from carbonline.command.options import MODULE, YEAR
from carbonline.command.output import Output, output_options, show_rows
from carbonline.command.printing import moment_of
from carbonline.v1 import monitoring_pb2, types_pb2

COLUMNS = (
    Column("module", kind=Kind.WORD),
    Column("pipeline", kind=Kind.NUMERAL),
    Column("kind"),
    Column("status", in_tables=False),
    Column("status_words", "status", in_files=False),
    Column("submitted_at", "submitted (UTC)", Kind.WORD),
    Column("last_failed", kind=Kind.NUMERAL),
)


@click.command(
    short_help="List modules that a pipeline works on.",
    epilog=examples(
        "carbonline active --year 2024",
        "carbonline active --year 2024 --module professional_travel --failed",
    ),
)
@click.option("--year", type=YEAR, required=True)
@click.option("--module", "modules", type=MODULE, multiple=True, help="Only this module.")
@click.option("--failed", is_flag=True, help="Include the pipeline of each last failure.")
@output_options
@connection_options
def active(target: Target, output: Output, year: int, modules: Sequence[int], failed: bool) -> None:
    """List the modules of a year that a pipeline works on, with the newest pipeline of each.

    A row without a module is a pipeline that works on units or places.
    """
    answer = run_to_end(_active(target, year, modules, failed=failed))
    rows = [_row(one) for one in answer.modules]
    rows += [_pipeline_row("", one) for one in answer.year_wide_pipelines]
    show_rows(
        COLUMNS,
        rows,
        output,
        about={"year": year},
        if_none=f"No pipeline works on {year}.",
    )


async def _active(
    target: Target, year: int, modules: Sequence[int], *, failed: bool
) -> monitoring_pb2.ListActivePipelinesResponse:
    async with target.client() as client:
        return await client.list_active_pipelines(year, modules, include_last_failed=failed)


def _row(one: monitoring_pb2.ActivePipeline) -> Row:
    row = _pipeline_row(module_name(one.module), one.active)
    return {**row, "last_failed": one.last_failed.pipeline_id or None}


def _pipeline_row(module: str, pipeline: types_pb2.Pipeline) -> Row:
    return {
        "module": module or None,
        "pipeline": pipeline.pipeline_id or None,
        "kind": pipeline.kind or None,
        "status": pipeline_status(pipeline) or None,
        "status_words": status_word(pipeline),
        "submitted_at": moment_of(pipeline.created_at),
        "last_failed": None,
    }
