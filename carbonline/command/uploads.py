"""`carbonline uploads`: lists the files that the entries of a year come from."""

from collections.abc import Sequence
from dataclasses import replace

import click

from carbonline.client.contract_client import ContractClient
from carbonline.client.json_struct import values_of
from carbonline.client.paging import read_pages
from carbonline.command.asynchronous import run_to_end
from carbonline.command.columns import Column, Kind, Row
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.mapping_options import name_or_words
from carbonline.command.names import module_name, type_name
from carbonline.command.options import (
    DATA_ENTRY_TYPE,
    EMISSION_TYPE,
    MODULE,
    YEAR,
    left_out_sentences,
    own_option,
)
from carbonline.command.output import Output, output_options, show_rows
from carbonline.command.printing import moment_of
from carbonline.v1 import ledger_pb2, types_pb2

UPLOADS_MAX = 100_000
WITHOUT_KG, MAPPING, OF_NODE = "entries_without_kg", "mapping", "emission_type_kg"
COLUMNS = (
    Column("upload", kind=Kind.NUMERAL),
    Column("module", in_tables=False),
    Column("type", once_if_same=True),
    Column("year", kind=Kind.WORD, in_tables=False),
    Column("unit", kind=Kind.WORD, in_tables=False),
    Column("unit_words", "unit", Kind.WORD, once_if_same=True, in_files=False),
    Column("source", once_if_same=True),
    Column("file_name", "file"),
    Column("sheet", in_tables=False),
    Column("entries", kind=Kind.NUMBER),
    Column(WITHOUT_KG, "without kg", Kind.NUMBER),
    Column("total_kg", "kg CO2eq", Kind.NUMBER),
    Column(OF_NODE, "of the node", Kind.NUMBER),
    Column("rows_rejected", in_tables=False),
    Column("rows_warned", in_tables=False),
    Column("pipeline", kind=Kind.NUMERAL),
    Column("submitted_by", in_tables=False),
    Column("published_at", in_tables=False),
    Column("state", in_tables=False),
    Column("replaced_by", in_tables=False),
    Column("retired_at", in_tables=False),
    Column("retired_by_pipeline", in_tables=False),
    Column("blob", in_tables=False),
    Column(MAPPING),
    Column("until", in_files=False),
)
STATES = {
    ledger_pb2.UPLOAD_STATE_COUNTS: "counts",
    ledger_pb2.UPLOAD_STATE_REPLACED: "replaced",
    ledger_pb2.UPLOAD_STATE_WITHDRAWN: "withdrawn",
}


@click.command(
    short_help="List the uploads that count in a year.",
    epilog=examples(
        "carbonline uploads --year 2024",
        "carbonline uploads --year 2024 --type plane --all",
        "carbonline uploads --year 2024 -o uploads.csv",
    ),
)
@click.option("--year", type=YEAR, required=True, help="The accounting year.")
@click.option("--module", type=MODULE, default=0, help="Only this module.")
@click.option("--type", "data_entry_type", type=DATA_ENTRY_TYPE, default=0, help="Only this type.")
@click.option("--unit", default="", help="Only files of this unit.")
@click.option("--source", default="", help="Only files of this source.")
@own_option
@EMISSION_TYPE
@click.option("--all", "gone", is_flag=True, help="Include replaced and withdrawn uploads.")
@output_options
@connection_options
def uploads(  # noqa: PLR0913  click gives each option
    *,
    target: Target,
    output: Output,
    year: int,
    module: int,
    data_entry_type: int,
    unit: str,
    source: str,
    own: bool,
    emission_type: str,
    gone: bool,
) -> None:
    """List the uploads that count in a year, newest first.

    Kilograms are from the last recalculation. `carbonline download UPLOAD` writes the file of one,
    and `copy` submits it for another year, too. `carbonline withdraw UPLOAD` withdraws one, and
    `restore` has one that was withdrawn or replaced count again.
    """
    wanted = ledger_pb2.ListUploadsRequest(
        year=year,
        module=types_pb2.Module.ValueType(module),
        data_entry_type=types_pb2.DataEntryType.ValueType(data_entry_type),
        unit=unit,
        source=source,
        emission_type=emission_type,
        include_retired=gone,
        leave_out_others=own,
    )
    found, more = run_to_end(_listed(target, wanted))
    said = {
        WITHOUT_KG: any(upload.entries_without_kg for upload in found),
        MAPPING: any(upload.HasField("mapping") for upload in found),
        OF_NODE: any(upload.HasField("emission_type_kg") for upload in found),
    }
    left_out = [name for name, is_said in said.items() if not is_said]
    show_rows(
        # Nothing but zeros says nothing to people.
        [replace(one, in_tables=one.in_tables and one.name not in left_out) for one in COLUMNS],
        [row_of(upload) for upload in found],
        output,
        about={"year": year},
        if_none=f"No such uploads of {year} count."
        if unit or source or own or module or data_entry_type or emission_type
        else f"No uploads of {year} count.",
        more="choose with --module, --type, --unit or --source" if more else "",
    )
    for sentence in left_out_sentences(own=own):
        click.echo(sentence, err=True)


async def all_uploads(
    client: ContractClient, wanted: ledger_pb2.ListUploadsRequest
) -> tuple[Sequence[ledger_pb2.Upload], bool]:
    """At most UPLOADS_MAX uploads, and whether there are more."""
    return await read_pages(client.list_uploads, wanted, lambda page: page.uploads, UPLOADS_MAX)


async def _listed(
    target: Target, wanted: ledger_pb2.ListUploadsRequest
) -> tuple[Sequence[ledger_pb2.Upload], bool]:
    async with target.client() as client:
        return await all_uploads(client, wanted)


def row_of(upload: ledger_pb2.Upload) -> Row:
    """An upload as a row of COLUMNS. None for what is not known."""
    known = upload.HasField("total_kg")
    return {
        "upload": upload.upload_id,
        "module": module_name(upload.module),
        "type": type_name(upload.data_entry_type),
        "year": upload.year,
        "unit": upload.unit or None,
        "unit_words": upload.unit or "all",
        "source": upload.source,
        "file_name": upload.file_name or None,
        "sheet": upload.sheet or None,
        "entries": upload.entry_count,
        WITHOUT_KG: upload.entries_without_kg if known else None,
        "total_kg": upload.total_kg if known else None,
        OF_NODE: upload.emission_type_kg if upload.HasField("emission_type_kg") else None,
        "rows_rejected": upload.rows_rejected,
        "rows_warned": upload.rows_warned,
        "pipeline": upload.pipeline_id or None,
        "submitted_by": upload.submitted_by or None,
        "published_at": moment_of(upload.published_at),
        "state": STATES.get(upload.state),
        "replaced_by": upload.replaced_by or None,
        "retired_at": moment_of(upload.retired_at),
        "retired_by_pipeline": upload.retired_by_pipeline or None,
        "blob": upload.blob,
        MAPPING: name_or_words(values_of(upload.mapping)) or None,
        "until": _until(upload),
    }


def _until(upload: ledger_pb2.Upload) -> str | None:
    match upload.state:
        case ledger_pb2.UPLOAD_STATE_REPLACED:
            return f"replaced by {upload.replaced_by}"
        case ledger_pb2.UPLOAD_STATE_WITHDRAWN:
            return "withdrawn"
        case _:
            return None
