"""`carbonline watch`: shows the progress of a pipeline until it ends, or of all of them."""

import sys

import click

from carbonline.client.errors import ServerError
from carbonline.client.watch import Interrupted
from carbonline.command.asynchronous import run_to_end
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.exit_codes import ExitCode
from carbonline.command.fitting import columns_variable
from carbonline.command.follow import follow, print_the_end
from carbonline.command.names import about_words, status_word
from carbonline.command.options import ID, YEAR
from carbonline.command.printing import moment, print_lines, table_width
from carbonline.command.safe_text import one_line
from carbonline.command.table import wrapped
from carbonline.v1 import types_pb2

# Of a pipeline that has failed, what is said is shown so far.
MESSAGE_CHARACTERS_MAX = 200
INDENT = "  "


@click.command(
    short_help="Watch PIPELINE to its end, or all of them.",
    epilog=examples(
        "carbonline watch 4",
        "carbonline watch",
        "carbonline watch --year 2024",
    ),
)
@click.argument("pipeline", type=ID, required=False)
@click.option("--year", type=YEAR, default=None, help="Without PIPELINE: only this year.")
@connection_options
def watch(target: Target, pipeline: int | None, year: int | None) -> None:
    """Watch PIPELINE to its end. Without a number, print a line for each pipeline that changes.

    Leave with Ctrl-C and watch again at any time.
    """
    if pipeline is None:
        run_to_end(_watch_all(target, year or 0))
        return
    if year is not None:
        raise click.UsageError("--year chooses among all pipelines: leave out PIPELINE")
    raise SystemExit(run_to_end(_watch(target, pipeline)))


async def _watch(target: Target, pipeline_id: int) -> ExitCode:
    async with target.client() as client:
        return print_the_end(await follow(client, pipeline_id, target), target)


async def _watch_all(target: Target, year: int) -> None:
    shown: dict[int, str] = {}
    there: set[int] = set()
    is_whole = is_lost = False
    async with target.client() as client:
        async for rows in client.watch_pipelines(year=year):
            if isinstance(rows, Interrupted):
                if not is_lost:
                    click.echo("The connection was lost. Trying again.", err=True)
                is_lost = True
                continue
            is_lost = False
            is_whole = rows.first or is_whole
            there = set() if rows.first else there
            for pipeline in rows.pipelines:
                there.add(pipeline.pipeline_id)
                _show(pipeline, shown)
            if is_whole and not rows.more:
                is_whole = False
                for pipeline_id in sorted(shown.keys() - there):
                    # It has ended during a break, or it is not among those that are followed.
                    try:
                        _show((await client.get_pipeline(pipeline_id)).pipeline, shown)
                    except ServerError as error:
                        if error.reason != "PIPELINE_NOT_FOUND":
                            raise
                        del shown[pipeline_id]


def _show(pipeline: types_pb2.Pipeline, shown: dict[int, str]) -> None:
    line = line_of(pipeline)
    # After a break, what has not changed is sent again.
    if shown.get(pipeline.pipeline_id) != line:
        print_lines(_fitted(line))
    shown[pipeline.pipeline_id] = line
    if pipeline.HasField("finished_at"):
        del shown[pipeline.pipeline_id]


def _fitted(line: str) -> list[str]:
    """The line as wide as the terminal. Elsewhere it stays one line: programs read it so."""
    if not (sys.stdout.isatty() or columns_variable()):
        return [line]
    width = table_width()
    first, *others = wrapped(line, width)
    rest = wrapped(" ".join(others), width - len(INDENT))
    return [first, *(INDENT + one.lstrip() for one in rest)]


def line_of(pipeline: types_pb2.Pipeline) -> str:
    """A pipeline in one line: since when, what it is, how far it has come."""
    at = moment(pipeline.finished_at) or moment(pipeline.created_at)
    about = f"{pipeline.kind} {about_words(pipeline.scope)}".strip()
    year = f" {pipeline.scope.year}" if pipeline.scope.year else ""
    steps = f"{pipeline.finished_jobs} of {pipeline.total_jobs}"
    said = f": {pipeline.message[:MESSAGE_CHARACTERS_MAX]}" if pipeline.has_error else ""
    return one_line(
        f"{at}  {pipeline.pipeline_id:>6}  {status_word(pipeline)} {steps}  {about}{year}{said}"
    )
