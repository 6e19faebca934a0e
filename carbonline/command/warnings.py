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
from carbonline.command.job_stats import NotedRows, shared_of, warned_of
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

    A table shows only the first rows; JSON, CSV and files have all that are listed: of rows that
    another upload has, too, and of doubtful units, the first 10,000. The command says how many rows
    there are if the list does not have all.
    """
    noted, rows = run_to_end(_warnings(target, pipeline))
    shown = rows[:ROWS_SHOWN] if output.is_table else rows
    listed = [f"{len(rows):,} lines; -o FILE writes them"] if len(shown) < len(rows) else []
    show_rows(
        COLUMNS,
        shown,
        output,
        about={"pipeline": pipeline},
        if_none=f"Pipeline {pipeline} has no row with a warning.",
        more=". ".join([*listed, *_left_out(noted)]),
    )


def _left_out(noted: Sequence[NotedRows]) -> Iterator[str]:
    """How many rows there are where a job listed the first of them only."""
    for one in noted:
        if one.listed < one.count:
            yield f"Of {one.count:,} rows with a warning, the first {one.listed:,} are listed"


async def _warnings(target: Target, pipeline_id: int) -> tuple[Sequence[NotedRows], Sequence[Row]]:
    async with target.client() as client:
        jobs = await client.jobs_of_pipeline(pipeline_id)
        both = [noted for job in jobs for noted in (warned_of(job), shared_of(job))]
        blobs = [noted.blob for noted in both if noted.blob]
        return both, [row for blob in blobs for row in _rows_of(await _text_of(client, blob))]


async def _text_of(client: ContractClient, blob: str) -> str:
    return b"".join([chunk async for chunk in client.download_blob(blob)]).decode()


def _rows_of(text: str) -> Iterator[Row]:
    for one in csv.DictReader(io.StringIO(text, newline="")):
        yield {**one, "row": int(one["row"])}
