"""`carbonline restore`: has an upload that was replaced or withdrawn count again."""

import click

from carbonline.command.command_group import examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.consequence import yes_option
from carbonline.command.found_upload import upload_with_file
from carbonline.command.jobs_of_files import again_job
from carbonline.command.options import ID, no_watch_option
from carbonline.command.submit import asked_and_submitted
from carbonline.v1 import ledger_pb2


@click.command(
    short_help="Have a replaced or withdrawn upload count again.",
    epilog=examples("carbonline uploads --year 2024 --all", "carbonline restore 12"),
)
@click.argument("upload", type=ID)
@yes_option
@no_watch_option
@connection_options
def restore(*, target: Target, upload: int, yes: bool | None, no_watch: bool) -> None:
    """Submit the file of UPLOAD once more, as it was: for its year, type, unit, source, sheet and
    mapping. That takes a wrong replacement or withdrawal back.

    It becomes a new upload, and replaces what counts in its place now, which is said first. The
    file is kept for some time only; without it, submit the file itself again.
    """
    found = upload_with_file(target, upload)
    if found.state == ledger_pb2.UPLOAD_STATE_COUNTS:
        raise click.UsageError(f"Upload {upload} counts: there is nothing to restore.")
    job = again_job(found, found.year)
    raise SystemExit(asked_and_submitted(target, job, watch=not no_watch, yes=yes))
