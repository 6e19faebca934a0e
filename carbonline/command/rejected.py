"""`carbonline rejected`: writes the rejected rows of a pipeline to a file, with the reasons."""

from pathlib import Path

import click

from carbonline.client.contract_client import ContractClient
from carbonline.command.asynchronous import run_to_end
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.job_stats import CHECK_JOBS, rejected_of
from carbonline.command.options import ID
from carbonline.command.output_file import OtherContents, is_stdout, written_file
from carbonline.command.safe_text import one_line
from carbonline.pluralize import pluralize

# Jobs that bring activity data.
ENTRY_JOBS = frozenset({"csv_ingest", "api_ingest", "routed_ingest"})
_OF_ENTRIES = (
    "Correct the rows and submit the file with a --source of its own, so that the accepted rows "
    "stay."
)
_ENDINGS = frozenset({"", ".csv", ".tsv", ".txt"})
_OF_TABLES = "Correct the rows and load the file: what is already there stays."
_OF_CHECKS = "Nothing was stored: correct these rows in the file, and submit all of it."


@click.command(
    short_help="Write the rejected rows of a pipeline to a CSV.",
    epilog=examples("carbonline rejected 4 -o rejected.csv", "carbonline rejected 4 -o - | head"),
)
@click.argument("pipeline", type=ID)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False, writable=True, allow_dash=True),
    required=True,
    help="The CSV to write, with rows and reasons; - for stdout.",
)
@click.option("--force", is_flag=True, help="Replace a file of that name that has other contents.")
@connection_options
def rejected(target: Target, pipeline: int, output: Path, *, force: bool) -> None:
    """Write the rejected rows of PIPELINE to a CSV, unchanged, each with its reasons.

    Correct the rows and send the file: the two columns with row and reason are ignored. Give
    activity data a --source of its own; otherwise it is refused, unless you consent (--yes)
    that it replaces the accepted rows.
    """
    to_stdout = is_stdout(output)
    if not to_stdout and output.suffix.lower() not in _ENDINGS:
        raise click.UsageError(
            f"Rejected rows are written as CSV, as their file came: {one_line(output.name)} would"
            " be a CSV under a wrong name. Call it .csv, .tsv or .txt."
        )
    where = "on stdout" if to_stdout else f"in {one_line(str(output))}"
    try:
        listed, count, sending = run_to_end(_rejected(target, pipeline, output, replaces=force))
    except OtherContents:
        raise click.UsageError(
            f"{one_line(str(output))} exists and has other contents, such as rows that were"
            " corrected. Nothing was written: choose another name, or replace it with --force."
        ) from None
    if count == 0:
        sentence = f"Pipeline {pipeline} rejected no rows; nothing was written."
    elif listed < count:
        sentence = (
            f"The first {listed:,} of {count:,} rejected rows, each with its reason, {where}: there"
            " was no room for more in their list. Mend what they have in common first."
        )
    else:
        sentence = f"{pluralize(count, 'rejected row')}, each with its reason, {where}."
    # On stdout the rows stand alone.
    click.echo(sentence, err=to_stdout)
    if count:
        click.echo(sending, err=to_stdout)


async def _rejected(
    target: Target, pipeline_id: int, output: Path, *, replaces: bool
) -> tuple[int, int, str]:
    """How many rejected rows are written, how many there are, and how to send them again."""
    async with target.client() as client:
        count = await save_rejected_rows(client, pipeline_id, output, replaces=replaces)
        jobs = await client.jobs_of_pipeline(pipeline_id)
    listed = sum(rejected_of(job).listed for job in jobs)
    types = {job.job_type for job in jobs}
    if types & CHECK_JOBS:
        return listed, count, _OF_CHECKS
    return listed, count, _OF_ENTRIES if types & ENTRY_JOBS else _OF_TABLES


async def save_rejected_rows(
    client: ContractClient, pipeline_id: int, output: Path, *, replaces: bool = True
) -> int:
    """Write the file if there are rejected rows. Returns how many there are.

    `replaces` as `written_file` has it.
    """
    noted = [rejected_of(job) for job in await client.jobs_of_pipeline(pipeline_id)]
    blobs = [rows.blob for rows in noted if rows.blob]
    if not blobs:
        return 0
    with written_file(output, replaces=replaces) as file:
        header = b""
        for blob in blobs:
            # Parts of one file have its header; it stands once above the rows of all.
            begun, at_header = b"", True
            async for chunk in client.download_blob(blob):
                begun += chunk
                if at_header and len(begun) < len(header):
                    continue
                file.write(begun.removeprefix(header) if at_header else begun)
                if not header:
                    header = begun[: begun.find(b"\n") + 1]
                begun, at_header = b"", False
            file.write(begun)
    return sum(rows.count for rows in noted)
