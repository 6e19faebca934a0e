"""`carbonline download`: writes the file of an upload, as it was sent."""

from pathlib import Path

import click

from carbonline.client.errors import FileGone
from carbonline.client.uploads import sent_file
from carbonline.command.asynchronous import run_to_end
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.found_upload import upload_or_usage
from carbonline.command.names import type_name
from carbonline.command.options import ID
from carbonline.command.output_file import OtherContents, is_stdout, written_file
from carbonline.command.safe_text import one_line
from carbonline.v1 import ledger_pb2


@click.command(
    short_help="Write the file of an upload.",
    epilog=examples("carbonline uploads --year 2024", "carbonline download 12 -o trips.csv"),
)
@click.argument("upload", type=ID)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False, writable=True, allow_dash=True),
    required=True,
    help="The file to write; - for stdout.",
)
@click.option("--force", is_flag=True, help="Replace a file of that name that has other contents.")
@connection_options
def download(target: Target, upload: int, output: Path, *, force: bool) -> None:
    """Write the file of UPLOAD as it was sent: a workbook stays one, and so does a gzipped CSV.

    Of a file of several types it is the whole file while its pipeline is kept, and then the part
    with the rows of UPLOAD's type. `carbonline uploads --all` also lists uploads that were replaced
    or withdrawn. Their files stay for as long as the retention keeps them.
    """
    try:
        found, size, is_part = run_to_end(_downloaded(target, upload, output, replaces=force))
    except OtherContents:
        raise click.UsageError(
            f"{one_line(str(output))} exists and has other contents. Nothing was written: choose"
            " another name, or replace it with --force."
        ) from None
    where = "on stdout" if is_stdout(output) else f"in {one_line(str(output))}"
    name = one_line(found.file_name) or "the file"
    if is_part:
        kind = type_name(found.data_entry_type)
        click.echo(
            f"{name} was divided by type and is no longer kept as it was sent: its {kind} rows of"
            f" upload {upload}, {size:,} bytes, {where}.",
            err=True,
        )
        return
    click.echo(f"{name} of upload {upload}, {size:,} bytes as they were sent, {where}.", err=True)


async def _downloaded(
    target: Target, number: int, output: Path, *, replaces: bool
) -> tuple[ledger_pb2.Upload, int, bool]:
    """The upload, how many bytes were written, and whether they are a part of what was sent."""
    size = 0
    async with target.client() as client:
        found = await upload_or_usage(client, target, number)
        try:
            sent = await sent_file(client, found)
        except FileGone as gone:
            raise click.UsageError(str(gone)) from gone
        with written_file(output, replaces=replaces) as file:
            async for chunk in client.download_blob(sent.blob):
                size += len(chunk)
                file.write(chunk)
    return found, size, sent.is_part
