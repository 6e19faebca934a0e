"""`carbonline warnings`: lists accepted rows that look doubtful."""

import csv
import io
from collections.abc import Iterator, Sequence

import click

from carbonline.client.contract_client import ContractClient
from carbonline.command.asynchronous import run_to_end
from carbonline.command.columns import Column, Kind, Row
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.job_stats import shared_of, warned_of
from carbonline.command.options import ID
from carbonline.command.output import Output, output_options, show_rows

# A table of more is for nobody's eyes; files have all rows.
ROWS_SHOWN = 50
COLUMNS = (
    Column("row", kind=Kind.NUMERAL),
    Column("column", once_if_same=True),
    Column("value"),
    Column("reason"),
)


@click.command(
    short_help="List the rows of PIPELINE that look doubtful.",
    epilog=examples("carbonline warnings 4", "carbonline warnings 4 -o warnings.csv"),
)
@click.argument("pipeline", type=ID)
@output_options
@connection_options
def warnings(target: Target, output: Output, pipeline: int) -> None:
    """List which rows of PIPELINE count but look doubtful, and why.

    A table shows only the first rows; JSON, CSV and files have all of them. Of rows that another
    upload has, too, the first 10,000 are listed.
    """
    rows = run_to_end(_warnings(target, pipeline))
    shown = rows[:ROWS_SHOWN] if output.is_table else rows
    show_rows(
        COLUMNS,
        shown,
        output,
        about={"pipeline": pipeline},
        if_none=f"Pipeline {pipeline} has no row with a warning.",
        more=f"{len(rows):,} in total; -o FILE writes all" if len(shown) < len(rows) else "",
    )


async def _warnings(target: Target, pipeline_id: int) -> Sequence[Row]:
    async with target.client() as client:
        answer = await client.get_pipeline(pipeline_id)
        blobs = [
            noted.blob
            for job in answer.jobs
            for noted in (warned_of(job), shared_of(job))
            if noted.blob
        ]
        return [row for blob in blobs for row in _rows_of(await _text_of(client, blob))]


async def _text_of(client: ContractClient, blob: str) -> str:
    return b"".join([chunk async for chunk in client.download_blob(blob)]).decode()


def _rows_of(text: str) -> Iterator[Row]:
    for one in csv.DictReader(io.StringIO(text, newline="")):
        yield {**one, "row": int(one["row"])}
