"""`carbonline download`: writes the file of an upload, as it was sent."""

from pathlib import Path

import click

from carbonline.command.asynchronous import run_to_end
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.found_upload import upload_with_file
from carbonline.command.options import ID
from carbonline.command.output_file import OtherContents, is_stdout, written_file
from carbonline.command.safe_text import one_line


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

    Of a file of several types, each type's upload has the part with its rows. `carbonline uploads
    --all` also lists uploads that were replaced or withdrawn. Their files stay for as long as the
    retention keeps them.
    """
    found = upload_with_file(target, upload)
    try:
        size = run_to_end(_downloaded(target, found.blob, output, replaces=force))
    except OtherContents:
        raise click.UsageError(
            f"{one_line(str(output))} exists and has other contents. Nothing was written: choose"
            " another name, or replace it with --force."
        ) from None
    where = "on stdout" if is_stdout(output) else f"in {one_line(str(output))}"
    name = one_line(found.file_name) or "the file"
    click.echo(f"{name} of upload {upload}, {size:,} bytes as they were sent, {where}.", err=True)


async def _downloaded(target: Target, blob: str, output: Path, *, replaces: bool) -> int:
    size = 0
    async with target.client() as client:
        with written_file(output, replaces=replaces) as file:
            async for chunk in client.download_blob(blob):
                size += len(chunk)
                file.write(chunk)
    return size
