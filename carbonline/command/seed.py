"""`carbonline seed`: loads a folder of units, places, factors and activity data to its totals."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import click

from carbonline.client.contract_client import ContractClient
from carbonline.client.errors import ServerError
from carbonline.client.pending import report_and_pending
from carbonline.client.report_gaps import gaps
from carbonline.client.view import PipelineView
from carbonline.command.asynchronous import run_to_end
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, command_line, connection_options
from carbonline.command.exit_codes import ExitCode
from carbonline.command.follow import exit_code_of
from carbonline.command.jobs_of_files import (
    check_size,
    consenting,
    file_kind_of,
    in_its_module,
    mode_of,
    submit_file,
)
from carbonline.command.names import message_words, status_word
from carbonline.command.printing import kilograms
from carbonline.command.safe_text import one_line
from carbonline.command.seed_manifest import Seed, SeedFile, marked, read_manifest
from carbonline.local.seed_rows import SeedRows, cannot_compare, differing_sentences
from carbonline.pluralize import pluralize


@click.command(
    short_help="Load a folder with a manifest, to its totals.",
    epilog=examples(
        "carbonline seed examples/university",
        "carbonline seed examples/university --yes",
    ),
)
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--yes",
    is_flag=True,
    help="Replace files by much smaller ones, and halve or double the kilograms.",
)
@connection_options
def seed(*, target: Target, folder: Path, yes: bool) -> None:
    """Load the files of FOLDER, and wait until their totals are there.

    The file seed.toml in it says which file is what: [[units]], [[locations]], [[rates]],
    [[rooms]], [[factors]] and [[activity]]. They are submitted in this order, each like any other
    file; a file that has been loaded before changes nothing.
    """
    found = read_manifest(folder)
    raise SystemExit(run_to_end(_seeded(target, folder.resolve(), found, yes=yes)))


async def _seeded(target: Target, folder: Path, found: Seed, *, yes: bool) -> ExitCode:
    async with target.client() as client:
        await _check(client, found)
        await _refuse_differing_rows(folder, found)
        for part in found.parts:
            code = await _load(client, part, target, yes=yes)
            if code is not ExitCode.SUCCESS:
                click.echo("What comes after these files was not loaded.", err=True)
                return code
        return await _totals(client, found.years, target)


async def _check(client: ContractClient, found: Seed) -> None:
    """Raise click.UsageError before the first upload if the ledger would refuse a file."""
    catalogue = await client.list_modules()
    refused = []
    for file in (file for part in found.parts for file in part):
        try:
            check_size(file.job, catalogue.file_bytes_max)
            if file.job.data_entry_type:
                in_its_module(file.job, catalogue)
        except click.UsageError as error:
            refused.append(f"  {file.title}: {error.message}")
    refused += await _refused_mappings(client, found)
    if refused:
        raise click.UsageError("Nothing was loaded:\n" + "\n".join(refused))


async def _refused_mappings(client: ContractClient, found: Seed) -> Sequence[str]:
    """What is wrong with the mappings, as the ledger says it. Their files are not looked at."""
    refused = []
    for file in (file for part in found.parts for file in part):
        if mapping := file.job.extra.get("mapping"):
            try:
                kind = file_kind_of(file.job)
                of = file.job.data_entry_type
                await client.check_mapping(of, mapping, kind, mode_of(file.job))
            except ServerError as error:
                wrong = {name: why for name, why in error.fields.items() if name != "name"}
                if not error.fields:
                    raise
                refused += [f"  {file.title}: {name} {why}" for name, why in wrong.items()]
    return refused


async def _refuse_differing_rows(folder: Path, found: Seed) -> None:
    """Raise click.UsageError if two files give the same unit, place or row other values: each run
    would change it twice.
    """
    files: dict[tuple[str, str], list[SeedRows]] = {}
    for job in (file.job for part in found.parts for file in part):
        if job.file is None or job.data_entry_type:
            continue
        kind, mode, name = file_kind_of(job), mode_of(job), str(job.file.relative_to(folder))
        mapping, sheet = job.extra.get("mapping", {}), str(job.extra.get("sheet", ""))
        rows = SeedRows(name, kind, mode, job.file, mapping, sheet)
        same = files.setdefault((kind, mode), [])
        # The units of several years may stand in one file.
        if rows not in same:
            same.append(rows)
    several = [same for same in files.values() if len(same) > 1]
    if several and (sentence := cannot_compare()):
        click.echo(sentence, err=True)
        return
    differing = [
        f"  {one_line(sentence)}"
        for same in several
        for sentence in await asyncio.to_thread(differing_sentences, same)
    ]
    if differing:
        told = "\n".join(differing)
        advice = "Leave each of these rows in one of the files, or give it the same values in all."
        raise click.UsageError(f"Nothing was loaded:\n{told}\n{advice}")


@dataclass(frozen=True, slots=True)
class _Submitted:
    file: SeedFile
    pipeline_id: int


async def _load(
    client: ContractClient, part: Sequence[SeedFile], target: Target, *, yes: bool
) -> ExitCode:
    """Submit all files of a part, then wait for each. Returns the first code but success."""
    submitted = []
    for file in part:
        # A file of units removes none.
        consents = yes and file.job.job_type != "unit_sync"
        job = marked(consenting(file.job) if consents else file.job)
        submitted.append(_Submitted(file, await submit_file(client, job)))
    worst = ExitCode.SUCCESS
    for one in submitted:
        view = PipelineView()
        async for event in client.watch(one.pipeline_id):
            view.apply(event)
        code = exit_code_of(view.pipeline)
        _print_end(one, view, target)
        if worst is ExitCode.SUCCESS:
            worst = code
    return worst


def _print_end(one: _Submitted, view: PipelineView, target: Target) -> None:
    assert view.pipeline is not None
    first, *_ = view.in_order()
    status = status_word(view.pipeline)
    click.echo(one_line(f"{one.file.title}: {status}. {message_words(first)}".strip()))
    if exit_code_of(view.pipeline) is not ExitCode.SUCCESS:
        click.echo(f"  To see why: {command_line(f'jobs {one.pipeline_id}', target)}")


async def _totals(client: ContractClient, years: Sequence[int], target: Target) -> ExitCode:
    """Print the totals of each year, and what is missing from them."""
    stale = False
    for year in years:
        report, unknown = await report_and_pending(client, year)
        kg = kilograms(Decimal(report.whole.total_kg_exact or "0"))
        units = sum(1 for one in report.units if one.sums.entry_count)
        click.echo(f"{year}: {kg} kg CO2eq over {pluralize(units, 'unit')}.")
        for sentence in (*gaps(report, year), *unknown):
            click.echo(f"  {one_line(sentence)}")
        stale = stale or any(not one.fresh for one in report.freshness)
    if years:
        wanted = f"report --year {max(years)} -o report.html"
        click.echo(f"To see it as a page: {command_line(wanted, target)}")
    return ExitCode.PARTIAL if stale else ExitCode.SUCCESS
