"""`carbonline submit`: uploads activity data, submits it and watches it to its end."""

from pathlib import Path

import click

from carbonline.command.asynchronous import run_to_end
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, command_line, connection_options
from carbonline.command.exit_codes import ExitCode
from carbonline.command.follow import follow, say_the_end
from carbonline.command.jobs_of_files import FileJob, entries_job, submit_file
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
@no_watch_option
@connection_options
def submit(
    *,
    target: Target,
    file: Path,
    module: int,
    data_entry_type: int,
    year: int,
    unit: str,
    source: str,
    no_watch: bool,
) -> None:
    """Submit a CSV of activity data, plain or gzipped, and watch it to its end.

    It replaces what the same source brought before for the same type, year and unit (or all
    units). What other sources brought, and files of other units, stay beside it.
    """
    job = entries_job(file, module, data_entry_type, year, unit, source)
    raise SystemExit(run_to_end(submit_and_follow(target, job, watch=not no_watch)))


async def submit_and_follow(target: Target, job: FileJob, *, watch: bool) -> ExitCode:
    """Uploads, submits and, if wanted, watches; the exit code."""
    async with target.client() as client:
        pipeline_id = await submit_file(client, job)
        if not watch:
            click.echo(str(pipeline_id))
            return ExitCode.SUCCESS
        watched = command_line(f"watch {pipeline_id}", target)
        click.echo(f"Pipeline {pipeline_id} is submitted. Seen from elsewhere: {watched}", err=True)
        return say_the_end(await follow(client, pipeline_id, target), target)
