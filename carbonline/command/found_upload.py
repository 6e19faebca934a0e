"""Finds the upload that a command names by its number."""

import click

from carbonline.client.contract_client import ContractClient
from carbonline.client.errors import FileGone
from carbonline.client.uploads import kept_file
from carbonline.command.asynchronous import run_to_end
from carbonline.command.connection import Target, command_line
from carbonline.v1 import ledger_pb2


async def upload_or_usage(client: ContractClient, target: Target, number: int) -> ledger_pb2.Upload:
    """The upload of this number, whether it counts or not. Raises click.UsageError for none."""
    answer = await client.list_uploads(ledger_pb2.ListUploadsRequest(upload_id=number))
    for found in answer.uploads:
        return found
    listed = command_line("uploads --year YEAR", target)
    raise click.UsageError(f"There is no upload {number}. To list uploads: {listed}")


def upload_with_file(target: Target, number: int) -> ledger_pb2.Upload:
    """The upload of this number, whose file is kept. Raises click.UsageError."""
    return run_to_end(_with_file(target, number))


async def _with_file(target: Target, number: int) -> ledger_pb2.Upload:
    async with target.client() as client:
        found = await upload_or_usage(client, target, number)
        try:
            await kept_file(client, found)
        except FileGone as gone:
            raise click.UsageError(str(gone)) from gone
    return found
