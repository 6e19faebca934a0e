"""`carbonline withdraw`: withdraws an upload."""

import click

from carbonline.command.asynchronous import run_to_end
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, command_line, connection_options
from carbonline.command.consequence import (
    Consequence,
    ask_first,
    of_withdrawal,
    yes_option,
)
from carbonline.command.exit_codes import ExitCode
from carbonline.command.follow import follow, print_the_end
from carbonline.command.kilograms import print_kilograms
from carbonline.command.options import ID, no_watch_option
from carbonline.command.printing import moment
from carbonline.v1 import ledger_pb2


@click.command(
    short_help="Withdraw an upload.",
    epilog=examples("carbonline uploads --year 2024", "carbonline withdraw 12"),
)
@click.argument("upload", type=ID)
@yes_option
@no_watch_option
@connection_options
def withdraw(*, target: Target, upload: int, yes: bool | None, no_watch: bool) -> None:
    """Withdraw UPLOAD: its entries no longer count, and the totals are recomputed.

    `carbonline uploads --year Y` lists the uploads that count. What the upload had replaced does
    not come back: submit that file again.
    """
    found, consequence = run_to_end(_look(target, upload))
    ask_first(consequence, yes=yes)
    raise SystemExit(run_to_end(_withdraw(target, found, consequence, watch=not no_watch)))


async def _look(target: Target, number: int) -> tuple[ledger_pb2.Upload, Consequence]:
    async with target.client() as client:
        answer = await client.list_uploads(ledger_pb2.ListUploadsRequest(upload_id=number))
        if not answer.uploads:
            listed = command_line("uploads --year YEAR", target)
            raise click.UsageError(f"There is no upload {number}. To list uploads: {listed}")
        (found,) = answer.uploads
        if found.state != ledger_pb2.UPLOAD_STATE_COUNTS:
            raise click.UsageError(_gone(found))
        return found, await of_withdrawal(client, found)


async def _withdraw(
    target: Target, upload: ledger_pb2.Upload, consequence: Consequence, *, watch: bool
) -> ExitCode:
    async with target.client() as client:
        submitted = await client.withdraw_upload(
            upload.upload_id,
            module=upload.module,
            data_entry_type=upload.data_entry_type,
            year=upload.year,
        )
        if not watch:
            click.echo(str(submitted.pipeline_id))
            return ExitCode.SUCCESS
        view = await follow(client, submitted.pipeline_id, target)
        code = print_the_end(view, target)
        if code is ExitCode.SUCCESS:
            await print_kilograms(client, consequence.before, view)
        return code


def _gone(upload: ledger_pb2.Upload) -> str:
    when = moment(upload.retired_at)
    if upload.state == ledger_pb2.UPLOAD_STATE_REPLACED:
        why = f"upload {upload.replaced_by} replaced it at {when} UTC"
    else:
        why = f"it was withdrawn at {when} UTC"
    return f"Upload {upload.upload_id} no longer counts: {why}."
