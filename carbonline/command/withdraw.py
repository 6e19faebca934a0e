"""`carbonline withdraw`: withdraws an upload."""

import click

from carbonline.client.contract_client import ContractClient
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
from carbonline.command.found_upload import upload_or_usage
from carbonline.command.kilograms import print_kilograms
from carbonline.command.options import ID, no_watch_option
from carbonline.command.printing import moment
from carbonline.command.safe_text import one_line
from carbonline.command.uploads import all_uploads
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
    not come back by itself: `carbonline restore` has it count again, and the command says so.
    """
    found, consequence = run_to_end(_look(target, upload))
    ask_first(consequence, yes=yes)
    raise SystemExit(run_to_end(_withdraw(target, found, consequence, watch=not no_watch)))


async def _look(target: Target, number: int) -> tuple[ledger_pb2.Upload, Consequence]:
    async with target.client() as client:
        found = await upload_or_usage(client, target, number)
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
            unit=upload.unit,
        )
        if not watch:
            click.echo(str(submitted.pipeline_id))
            return ExitCode.SUCCESS
        view = await follow(client, submitted.pipeline_id, target)
        code = print_the_end(view, target)
        if code is ExitCode.SUCCESS:
            await print_kilograms(client, consequence.before, view)
            await _print_what_counted_before(client, target, upload)
        return code


async def _print_what_counted_before(
    client: ContractClient, target: Target, upload: ledger_pb2.Upload
) -> None:
    wanted = ledger_pb2.ListUploadsRequest(
        year=upload.year,
        module=upload.module,
        data_entry_type=upload.data_entry_type,
        unit=upload.unit,
        source=upload.source,
        include_retired=True,
    )
    found, _ = await all_uploads(client, wanted)
    for one in found:
        if one.replaced_by == upload.upload_id:
            back = command_line(f"restore {one.upload_id}", target)
            name = f" of {one_line(one.file_name)}" if one.file_name else ""
            click.echo(f"It had replaced upload {one.upload_id}{name}. To have that back: {back}")


def _gone(upload: ledger_pb2.Upload) -> str:
    when = moment(upload.retired_at)
    if upload.state == ledger_pb2.UPLOAD_STATE_REPLACED:
        why = f"upload {upload.replaced_by} replaced it at {when} UTC"
    else:
        why = f"it was withdrawn at {when} UTC"
    return f"Upload {upload.upload_id} no longer counts: {why}."
