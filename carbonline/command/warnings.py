"""`carbonline warnings`: the rows of a pipeline's files that were accepted and look doubtful."""

from pathlib import Path

import click

from carbonline.command.asynchronous import run_to_end
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.job_stats import warned_of
from carbonline.command.options import ID
from carbonline.command.output_file import STDOUT, is_stdout
from carbonline.command.printing import counted
from carbonline.command.rejected import save_noted_rows
from carbonline.command.safe_text import one_line


@click.command(
    short_help="Show which rows of PIPELINE look doubtful.",
    epilog=examples("carbonline warnings 4", "carbonline warnings 4 -o warnings.csv"),
)
@click.argument("pipeline", type=ID)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False, writable=True, allow_dash=True),
    default=STDOUT,
    help="The CSV to write: row, column, value, reason. Left out, it goes to stdout.",
)
@connection_options
def warnings(target: Target, pipeline: int, output: Path) -> None:
    """Show which rows of PIPELINE count but look doubtful, and why."""
    to_stdout = is_stdout(output)
    count = run_to_end(_warnings(target, pipeline, output))
    if count == 0:
        said = f"Pipeline {pipeline} has no row with a warning; nothing was written."
    else:
        where = "on stdout" if to_stdout else f"in {one_line(str(output))}"
        said = f"{counted(count, 'row')} with a warning, each with its reason, {where}."
    # On stdout the rows stand alone.
    click.echo(said, err=to_stdout)


async def _warnings(target: Target, pipeline_id: int, output: Path) -> int:
    async with target.client() as client:
        return await save_noted_rows(client, pipeline_id, output, warned_of)
