"""`carbonline watch`: shows the progress of a pipeline until it ends."""

import click

from carbonline.command.asynchronous import run_to_end
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.exit_codes import ExitCode
from carbonline.command.follow import follow, print_the_end
from carbonline.command.options import ID


@click.command(
    short_help="Watch PIPELINE to its end.",
    epilog=examples(
        "carbonline watch 4",
    ),
)
@click.argument("pipeline", type=ID)
@connection_options
def watch(target: Target, pipeline: int) -> None:
    """Watch PIPELINE to its end. Leave with Ctrl-C and watch again at any time."""
    raise SystemExit(run_to_end(_watch(target, pipeline)))


async def _watch(target: Target, pipeline_id: int) -> ExitCode:
    async with target.client() as client:
        return print_the_end(await follow(client, pipeline_id, target), target)
