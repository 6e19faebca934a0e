"""States what a submission removes before it is sent, and asks if that is much."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import click

from carbonline.client.contract_client import ContractClient
from carbonline.client.errors import ServerError
from carbonline.command.connection import Target
from carbonline.command.consent import MOST_WOULD_GO, UNLESS_YES, Answer, ask, declined, is_watched
from carbonline.command.jobs_of_files import FileJob, check_routed, check_size, in_its_module
from carbonline.command.kilograms import Kilograms, kilograms_of, kilograms_of_all_years
from carbonline.command.mended_file import is_mended
from carbonline.command.names import type_name
from carbonline.command.printing import kilograms
from carbonline.command.record_count import count_records
from carbonline.command.safe_text import one_line
from carbonline.command.uploads import all_uploads
from carbonline.pluralize import pluralize
from carbonline.v1 import ledger_pb2, types_pb2

yes_option = click.option(
    "--yes/--no",
    default=None,
    help="Do not ask whether more than half may be removed: it may, or may not.",
)

NOBODY_TO_ASK = (
    "There is no terminal to ask at: this goes on as with --yes, even if more than half is "
    "removed. To have that refused, give --no."
)


@dataclass(frozen=True, slots=True)
class Consequence:
    """What a submission will remove.

    `sentence` says it ("" for nothing). `is_much` is true if it removes more than half, or if the
    `question` must be asked for another reason. `before` has the totals that may change. If
    `is_mended`, the file has only rows that were rejected before; the worker then decides whether
    they would replace others, and the question comes after its answer.
    """

    sentence: str = ""
    is_much: bool = False
    before: Kilograms = field(default_factory=Kilograms)
    is_mended: bool = False
    question: str = MOST_WOULD_GO


async def of_submission(target: Target, job: FileJob) -> Consequence:
    """What a file of activity data would replace, according to the ledger now.

    `is_much` if the file has fewer than half as many lines as there are entries. Only the worker
    can count the usable rows and their kilograms.
    """
    async with target.client() as client:
        catalogue = await client.list_modules()
        check_size(job, catalogue.file_bytes_max)
        if job.job_type == "routed_ingest":
            check_routed(job, catalogue)
            return await _of_routed(client, job)
        job = in_its_module(job, catalogue)
        wanted = ledger_pb2.ListUploadsRequest(
            year=job.year,
            module=types_pb2.Module.ValueType(job.module),
            data_entry_type=types_pb2.DataEntryType.ValueType(job.data_entry_type),
            unit=job.unit,
            source=job.source,
        )
        found, _ = await all_uploads(client, wanted)
        goes = next((one for one in found if bool(one.unit) == bool(job.unit)), None)
        before = await kilograms_of(client, job.module, job.year, job.unit)
    mended = job.file is not None and is_mended(job.file)
    if goes is None:
        return Consequence(before=before, is_mended=mended)
    # An upload that is told to be of another file may be asked about: count only then.
    records = count_records(job.file) if job.file else None
    return Consequence(
        f"This replaces {_entries(goes)}.",
        records is not None and 2 * records < goes.entry_count,
        before,
        mended,
    )


async def _of_routed(client: ContractClient, job: FileJob) -> Consequence:
    """What a file of several types may replace. Only the worker knows which types it has."""
    wanted = ledger_pb2.ListUploadsRequest(
        year=job.year,
        module=types_pb2.Module.ValueType(job.module),
        unit=job.unit,
        source=job.source,
    )
    found, _ = await all_uploads(client, wanted)
    types = {type_name(one.data_entry_type) for one in found if bool(one.unit) == bool(job.unit)}
    said = f"This replaces {', '.join(sorted(types))}, as far as the file has rows of them."
    before = await kilograms_of(client, job.module, job.year, job.unit)
    return Consequence(said if types else "", before=before)


async def of_load(target: Target, job: FileJob) -> Kilograms:
    """The totals that a file of factors or places may change.

    They are those of one module and year, or of all years. A file of units changes none.
    """
    async with target.client() as client:
        catalogue = await client.list_modules()
        check_size(job, catalogue.file_bytes_max)
        if job.reference_kind:
            return await kilograms_of_all_years(client)
        if job.job_type == "routed_factor_ingest":
            check_routed(job, catalogue)
            return await kilograms_of(client, job.module, job.year)
        if not job.data_entry_type:
            return Kilograms()
        job = in_its_module(job, catalogue)
        return await kilograms_of(client, job.module, job.year)


async def of_withdrawal(client: ContractClient, upload: ledger_pb2.Upload) -> Consequence:
    """What withdrawing an upload removes. `is_much`: more than half of its type and year, as far as
    the caller may see them.
    """
    return Consequence(
        f"This removes {_entries(upload)}.",
        _is_most(upload, await _beside(client, upload)),
        await kilograms_of(client, upload.module, upload.year, upload.unit),
    )


async def _beside(client: ContractClient, upload: ledger_pb2.Upload) -> Sequence[ledger_pb2.Upload]:
    """The uploads of its type and year that count, with itself. A caller who may not see them gets
    those of its unit.
    """
    wanted = ledger_pb2.ListUploadsRequest(
        year=upload.year, module=upload.module, data_entry_type=upload.data_entry_type
    )
    try:
        counting, _ = await all_uploads(client, wanted)
    except ServerError as refused:
        if refused.code != "PERMISSION_DENIED" or not upload.unit:
            raise
        wanted.unit = upload.unit
        counting, _ = await all_uploads(client, wanted)
    return counting


def ask_first(consequence: Consequence, *, yes: bool | None) -> bool:
    """Print the consequence and, if it is large, ask on a terminal. Exit unless the answer is yes.

    `yes` is the answer if it was given beforehand. Returns whether the answer also consents to what
    the worker may find later: true with --yes, after a yes, and if nobody is there to ask (stderr
    then says so); false with --no, and for mended rows without --yes.
    """
    if consequence.sentence:
        click.echo(one_line(consequence.sentence), err=True)
    if yes:
        return True
    if consequence.is_mended:
        return False
    if yes is None and not is_watched():
        if consequence.sentence:
            click.echo(NOBODY_TO_ASK, err=True)
        return True
    if not consequence.is_much:
        return False
    answer = ask(consequence.question) if yes is None else declined(consequence.question)
    if answer is Answer.YES:
        return True
    click.echo("Nothing was submitted.", err=True)
    raise SystemExit(UNLESS_YES[answer])


def _is_most(upload: ledger_pb2.Upload, counting: Sequence[ledger_pb2.Upload]) -> bool:
    entries = sum(one.entry_count for one in counting)
    kg = sum(one.total_kg for one in counting)
    return 2 * upload.entry_count > entries or 2 * upload.total_kg > kg > 0


def _entries(upload: ledger_pb2.Upload) -> str:
    """Such as "328,521 entries of trips_a.csv (pipeline 8), 110,161,851 kg"."""
    name = f" of {upload.file_name}" if upload.file_name else ""
    pipeline = f" (pipeline {upload.pipeline_id})" if upload.pipeline_id else ""
    kg = f", {kilograms(upload.total_kg)} kg" if upload.HasField("total_kg") else ""
    what = type_name(upload.data_entry_type)
    return (
        f"{pluralize(upload.entry_count, f'{what} entry', f'{what} entries')}{name}{pipeline}{kg}"
    )
