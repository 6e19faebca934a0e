"""`carbonline pipelines`: what was submitted, newest first."""

import click

from carbonline.command.asynchronous import run_to_end
from carbonline.command.connection import Target, connection_options
from carbonline.command.names import scope_words, status_word
from carbonline.command.options import YEAR, json_option
from carbonline.command.printing import moment, print_json, print_more, print_nothing, print_table
from carbonline.v1 import operations_pb2

COLUMNS = ("pipeline", "submitted (UTC)", "by", "kind", "scope", "status", "live jobs")


@click.command()
@click.option("--year", type=YEAR, default=None, help="Only of this year.")
@click.option("--errors", is_flag=True, help="Only those with an error.")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@json_option
@connection_options
def pipelines(target: Target, year: int | None, errors: bool, limit: int, as_json: bool) -> None:
    """List pipelines, newest first."""
    answer = run_to_end(_pipelines(target, year or 0, limit, errors=errors))
    if as_json:
        print_json(answer)
        return
    if not answer.pipelines:
        print_nothing("There are no such pipelines." if year or errors else "No pipelines yet.")
        return
    rows = [
        (
            str(one.pipeline_id),
            moment(one.created_at),
            one.submitted_by,
            one.kind,
            scope_words(one.scope),
            status_word(one),
            str(one.live_jobs),
        )
        for one in answer.pipelines
    ]
    print_table(COLUMNS, rows, numbers=("pipeline", "live jobs"))
    if answer.next_page_token:
        print_more("raise --limit, or choose with --year or --errors")


async def _pipelines(
    target: Target, year: int, limit: int, *, errors: bool
) -> operations_pb2.ListPipelinesResponse:
    async with target.client() as client:
        return await client.list_pipelines(page_size=limit, errors_only=errors, year=year)
