"""`carbonline submit`: uploads activity data, submits it and watches it to its end."""

from pathlib import Path

import click

from carbonline.command.asynchronous import run_to_end
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, command_line, connection_options
from carbonline.command.consequence import (
    Consequence,
    ask_first,
    of_submission,
    yes_option,
)
from carbonline.command.exit_codes import ExitCode
from carbonline.command.follow import follow, say_the_end
from carbonline.command.jobs_of_files import FileJob, entries_job, submit_file
from carbonline.command.kilograms import say_kilograms
from carbonline.command.options import FILE, YEAR, module_option, no_watch_option, type_option


@click.command(
    short_help="Submit a CSV of activity data and watch it to its end.",
    epilog=examples(
        "carbonline submit trips.csv --type plane --year 2024",
        "carbonline submit physics.csv --type plane --year 2024 --unit 0828",
        "carbonline submit agency_b.csv --type plane --year 2024 --source agency_b",
        "zcat trips.csv.gz | carbonline submit - --type plane --year 2024",
    ),
)
@click.argument("file", type=FILE)
@type_option
@module_option
@click.option("--year", type=YEAR, required=True, help="The accounting year.")
@click.option("--unit", default="", help="A file of this unit alone, instead of all units.")
@click.option(
    "--source",
    default="",
    help="Who reports it, such as agency_b. What another source brought stays.  [default: default]",
)
@yes_option
@no_watch_option
@connection_options
def submit(  # noqa: PLR0913  click gives each option
    *,
    target: Target,
    file: Path,
    module: int,
    data_entry_type: int,
    year: int,
    unit: str,
    source: str,
    yes: bool,
    no_watch: bool,
) -> None:
    """Submit a CSV of activity data, plain or gzipped, and watch it to its end.

    It replaces what the same source brought before for the same type, year and unit (or all
    units). What other sources brought, and files of other units, stay beside it. What goes is said
    first, and on a terminal you are asked where that is more than half.
    """
    job = entries_job(file, module, data_entry_type, year, unit, source)
    before = run_to_end(of_submission(target, job))
    ask_first(before, yes=yes)
    raise SystemExit(run_to_end(submit_and_follow(target, job, watch=not no_watch, before=before)))


async def submit_and_follow(
    target: Target, job: FileJob, *, watch: bool, before: Consequence | None = None
) -> ExitCode:
    """Uploads, submits and, if wanted, watches; the exit code. Kilograms are compared with those
    of `before`.
    """
    async with target.client() as client:
        pipeline_id = await submit_file(client, job)
        if not watch:
            click.echo(str(pipeline_id))
            return ExitCode.SUCCESS
        watched = command_line(f"watch {pipeline_id}", target)
        click.echo(f"Pipeline {pipeline_id} is submitted. Seen from elsewhere: {watched}", err=True)
        code = say_the_end(await follow(client, pipeline_id, target), target)
        if before is not None and code is ExitCode.SUCCESS:
            await say_kilograms(client, before.before)
        return code
