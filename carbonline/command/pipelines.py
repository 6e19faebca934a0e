"""`carbonline pipelines`: lists pipelines, newest first."""

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
    Column("priority", in_tables=False),
)


@click.command(
    short_help="List pipelines, newest first.",
    epilog=examples(
        "carbonline pipelines --year 2024",
        "carbonline pipelines --errors --limit 10",
        "carbonline pipelines -o pipelines.csv",
    ),
)
@click.option("--year", type=YEAR, default=None, help="Only this year.")
@click.option("--errors", is_flag=True, help="Only pipelines with an error.")
@click.option("--limit", type=WholeNumber(1, 500), default=50, show_default=True)
@output_options
@connection_options
def pipelines(target: Target, output: Output, year: int | None, errors: bool, limit: int) -> None:
    """List pipelines, newest first."""
    answer = run_to_end(matching_pipelines(target, year or 0, limit, errors=errors))
    show_rows(
        COLUMNS,
        [row_of(pipeline) for pipeline in answer.pipelines],
        output,
        if_none="There are no such pipelines." if year or errors else "No pipelines yet.",
        more="raise --limit, or choose with --year or --errors" if answer.next_page_token else "",
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
        "priority": pipeline.priority,
    }


async def matching_pipelines(
    target: Target, year: int, limit: int, *, errors: bool
) -> operations_pb2.ListPipelinesResponse:
    """The newest pipelines that match, at most `limit` (1 to 500), from as many pages as it takes.

    `year` 0 means all. The token is that of the page behind them. Raises ServerError.
    """
    found = operations_pb2.ListPipelinesResponse()
    async with target.client() as client:
        while len(found.pipelines) < limit:
            page = await client.list_pipelines(
                page_size=limit - len(found.pipelines),
                page_token=found.next_page_token,
                errors_only=errors,
                year=year,
            )
            found.pipelines.extend(page.pipelines)
            found.next_page_token = page.next_page_token
            if not page.next_page_token:
                break
    return found
