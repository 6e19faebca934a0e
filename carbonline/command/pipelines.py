"""`carbonline pipelines`: lists pipelines, newest first."""

from typing import Any

import click

from carbonline.command.asynchronous import run_to_end
from carbonline.command.columns import Column, Kind, Row
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.names import about_words, pipeline_status, status_word
from carbonline.command.options import YEAR, WholeNumber
from carbonline.command.output import Output, output_options, show_rows
from carbonline.command.printing import moment_of
from carbonline.command.scope_columns import SCOPE_COLUMNS, scope_row
from carbonline.v1 import operations_pb2, types_pb2

COLUMNS = (
    Column("pipeline", kind=Kind.NUMERAL),
    Column("submitted_at", "submitted (UTC)", Kind.WORD),
    Column("finished_at", in_tables=False),
    Column("submitted_by", "by", once_if_same=True),
    Column("kind"),
    Column("about", in_files=False),
    *SCOPE_COLUMNS,
    Column("status", in_tables=False),
    Column("status_words", "status", in_files=False),
    Column("has_warnings", in_tables=False),
    Column("has_error", in_tables=False),
    Column("live_jobs", kind=Kind.NUMBER, once_if_same=True),
    Column("total_jobs", in_tables=False),
    Column("finished_jobs", in_tables=False),
    Column("failed_jobs", in_tables=False),
    Column("message", in_tables=False),
    Column("priority", in_tables=False),
    Column("schedule"),
)


@click.command(
    short_help="List pipelines, newest first.",
    epilog=examples(
        "carbonline pipelines --year 2024",
        "carbonline pipelines --errors --limit 10",
        "carbonline pipelines --find trips.csv",
        "carbonline pipelines -o pipelines.csv",
    ),
)
@click.option("--year", type=YEAR, default=None, help="Only this year.")
@click.option("--errors", is_flag=True, help="Only pipelines with an error.")
@click.option("--unit", default="", help="Only this unit.")
@click.option("--by", "submitted_by", default="", metavar="NAME", help="Only what NAME submitted.")
@click.option(
    "--find",
    "text",
    default="",
    metavar="TEXT",
    help="Only those with TEXT in number, kind, unit, submitter, file name or message.",
)
@click.option("--limit", type=WholeNumber(1, 500), default=50, show_default=True)
@output_options
@connection_options
def pipelines(
    target: Target, output: Output, *, limit: int, errors: bool, year: int | None, **chosen: str
) -> None:
    """List pipelines, newest first."""
    filters = {"year": year or 0, "errors_only": errors, **chosen}
    answer = run_to_end(matching_pipelines(target, limit, **filters))
    show_rows(
        COLUMNS,
        [row_of(pipeline) for pipeline in answer.pipelines],
        output,
        if_none="There are no such pipelines." if any(filters.values()) else "No pipelines yet.",
        more="raise --limit, or choose with --year, --errors or --find"
        if answer.next_page_token
        else "",
    )


def row_of(pipeline: types_pb2.Pipeline) -> Row:
    """A pipeline as a row of COLUMNS."""
    return {
        "pipeline": pipeline.pipeline_id,
        "submitted_at": moment_of(pipeline.created_at),
        "finished_at": moment_of(pipeline.finished_at),
        "submitted_by": pipeline.submitted_by,
        "kind": pipeline.kind,
        "about": about_words(pipeline.scope),
        **scope_row(pipeline.scope),
        "status": pipeline_status(pipeline),
        "status_words": status_word(pipeline),
        "has_warnings": pipeline.has_warnings,
        "has_error": pipeline.has_error,
        "live_jobs": pipeline.live_jobs,
        "total_jobs": pipeline.total_jobs,
        "finished_jobs": pipeline.finished_jobs,
        "failed_jobs": pipeline.failed_jobs,
        "message": pipeline.message,
        "priority": pipeline.priority,
        "schedule": pipeline.schedule or None,
    }


async def matching_pipelines(
    target: Target, limit: int, **filters: Any
) -> operations_pb2.ListPipelinesResponse:
    """The newest pipelines that match, at most `limit` (1 to 500), from as many pages as it takes.

    `filters` are those of `list_pipelines`. The token is that of the page behind them. Raises
    ServerError.
    """
    found = operations_pb2.ListPipelinesResponse()
    async with target.client() as client:
        while len(found.pipelines) < limit:
            page = await client.list_pipelines(
                page_size=limit - len(found.pipelines),
                page_token=found.next_page_token,
                **filters,
            )
            found.pipelines.extend(page.pipelines)
            found.next_page_token = page.next_page_token
            if not page.next_page_token:
                break
    return found
