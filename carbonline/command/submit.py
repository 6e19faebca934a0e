"""`carbonline submit`: uploads activity data, submits it and watches the pipeline to its end."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import click

from carbonline.client.contract_client import ContractClient
from carbonline.client.submission import Submitted, submit_with_consent
from carbonline.command.asynchronous import run_to_end
from carbonline.command.check_file import check_options, check_to_the_end
from carbonline.command.check_several_types import check_several_types_to_the_end
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, command_line, connection_options
from carbonline.command.consent import (
    UNLESS_YES,
    Answer,
    ask,
    declined,
    is_watched,
    question_of,
)
from carbonline.command.consequence import (
    Consequence,
    ask_first,
    of_submission,
    yes_option,
)
from carbonline.command.exit_codes import ExitCode
from carbonline.command.follow import follow, print_the_end
from carbonline.command.jobs_of_files import (
    FileJob,
    consenting,
    entries_job,
    fetching_job,
    mapped,
    of_sheet,
    routed_job,
    send_file,
)
from carbonline.command.kilograms import Kilograms, print_kilograms
from carbonline.command.names import type_numbers
from carbonline.command.options import (
    FILE,
    YEAR,
    module_option,
    no_watch_option,
    optional_type_option,
    priority_option,
    sheet_option,
    type_is_missing,
)
from carbonline.command.output import Output
from carbonline.command.saved_mapping import MappingChoice, mapping_choice

# What a provider that ships with the product brings; with others, --type says it.
_BROUGHT: Mapping[str, str] = MappingProxyType({"travel-api": "plane"})
TYPE_NUMBERS = type_numbers()

_EXAMPLES = examples(
    "carbonline submit trips.csv --type plane --year 2024",
    "carbonline submit physics.csv --type plane --year 2024 --unit 0828",
    "carbonline submit agency_b.csv --type plane --year 2024 --source agency_b",
    "carbonline submit travel.xlsx --type plane --year 2024 --sheet Flights",
    "carbonline submit a.csv --type plane --year 2024 --map Von=origin_iata",
    "carbonline submit b.csv --type plane --year 2024 --mapping agency",
    "zcat trips.csv.gz | carbonline submit - --type plane --year 2024",
    "carbonline submit purchases.csv --module purchase --year 2024",
    "carbonline submit trips.csv --type plane --year 2024 --check",
    "carbonline submit --from travel-api --year 2024",
)


@click.command(
    short_help="Submit a file of activity data and watch it to its end.",
    epilog=_EXAMPLES,
)
@click.argument("file", type=FILE, required=False)
@click.option(
    "--from",
    "provider",
    default="",
    metavar="PROVIDER",
    help="Have a worker ask this service instead of a FILE, such as travel-api.",
)
@optional_type_option("Required with a FILE, unless --module says that it has several types.")
@module_option
@click.option("--year", type=YEAR, required=True, help="The accounting year.")
@click.option("--unit", default="", help="The file covers only this unit, not all units.")
@click.option(
    "--source",
    default="",
    help="Who reports the file, such as agency_b. Files of other sources stay.  [default: default]",
)
@sheet_option
@mapping_choice
@priority_option
@yes_option
@no_watch_option
@check_options
@connection_options
def submit(  # noqa: PLR0913  click gives each option
    *,
    target: Target,
    file: Path | None,
    provider: str,
    module: int,
    data_entry_type: int,
    year: int,
    unit: str,
    source: str,
    sheet: str,
    choice: MappingChoice,
    priority: int | None,
    yes: bool | None,
    no_watch: bool,
    check: Output | None,
) -> None:
    """Submit a file of activity data, or what a service has, and watch it to its end.

    It is a CSV, plain, gzipped or alone in a zip archive, or a workbook (.xlsx, .xls, .ods).

    The file replaces what the same source sent before for the same type, year and unit (or all
    units). Files of other sources and units stay. The command first says what it replaces, and in
    a terminal asks if that is more than half of the rows or kilograms. With --from, the service is
    the source, and brings the rows of all units of the year.

    A file of another program is read with --map, --set, --value, --decimal and --dates, or with a
    saved --mapping, which stand with the upload.

    With --module instead of --type, the file has rows of several types, and a column says of which
    each is, such as purchase_category. With --check, the command only says what would come of it.
    """
    if file is not None and not provider:
        of_file = _of_file(file, (module, data_entry_type), year, unit, source)
        mapping = choice.mapping(target, data_entry_type, may_save=check is None)
        job = mapped(of_sheet(of_file, sheet), mapping)
    else:
        given = {"FILE": file, "--unit": unit, "--source": source, "--sheet": sheet}
        job = _fetching(provider, module, data_entry_type, year, {**given, "a mapping": choice})
    queued = replace(job, priority=priority)
    raise SystemExit(_checked_or_submitted(target, queued, check, watch=not no_watch, yes=yes))


def _checked_or_submitted(
    target: Target, job: FileJob, check: Output | None, *, watch: bool, yes: bool | None
) -> int:
    if check is not None:
        return only_checked(target, job, check, watch=watch, yes=yes)
    return asked_and_submitted(target, job, watch=watch, yes=yes)


def only_checked(
    target: Target, job: FileJob, check: Output, *, watch: bool, yes: bool | None
) -> int:
    """Have a job's file checked. Raises click.UsageError for options that are for a submission."""
    if yes is not None or not watch:
        raise click.UsageError("--check neither asks nor goes on alone: leave out the other.")
    if job.job_type == "routed_ingest":
        return check_several_types_to_the_end(target, job, check)
    return check_to_the_end(target, job, check)


def asked_and_submitted(
    target: Target, job: FileJob, *, watch: bool, yes: bool | None, goes: Consequence | None = None
) -> int:
    """Say what the job would replace, or what `goes` by it, ask if it must be asked, and submit."""
    goes = goes or run_to_end(of_submission(target, job))
    if ask_first(goes, yes=yes):
        job = consenting(job)
    code = submit_to_the_end(target, job, watch=watch, before=goes.before, yes=yes)
    if code is ExitCode.FAILED and goes.sentence:
        # Asked, and not concluded: what was said before is what people fear for.
        still = run_to_end(of_submission(target, replace(job, file=None)))
        if still.sentence == goes.sentence:
            click.echo("Nothing was replaced: what counted before still counts.", err=True)
    return code


def _of_file(file: Path, of: tuple[int, int], year: int, unit: str, source: str) -> FileJob:
    """The job of a file of a type, or, without one, of several types of a module."""
    module, data_entry_type = of
    if data_entry_type or not module:
        needed = data_entry_type or type_is_missing()
        return entries_job(file, module, needed, year, unit, source)
    return routed_job(file, module, year, unit, source)


def _fetching(
    provider: str,
    module: int,
    data_entry_type: int,
    year: int,
    only_for_files: Mapping[str, object],
) -> FileJob:
    if not provider:
        raise click.UsageError("Name a FILE, or a service with --from.")
    if given := [name for name, value in only_for_files.items() if value]:
        raise click.UsageError(f"{' and '.join(given)} cannot be combined with --from.")
    return fetching_job(provider, module, brought_type(provider, data_entry_type), year)


def brought_type(provider: str, data_entry_type: int) -> int:
    """The type whose rows a provider is asked for: the one of --type, or what it is known to bring.

    Raises click.UsageError if --type is missing.
    """
    return data_entry_type or TYPE_NUMBERS.get(_BROUGHT.get(provider, "")) or type_is_missing()


def submit_to_the_end(
    target: Target,
    job: FileJob,
    *,
    watch: bool,
    before: Kilograms | None = None,
    yes: bool | None = None,
) -> ExitCode:
    """Upload, submit and, if `watch`, watch the pipeline. Prints the totals before and after.

    If the worker refuses for lack of consent, asks on a terminal and submits again. `yes` is the
    answer if it was given beforehand.
    """
    ended = run_to_end(_submit(target, job, watch=watch, before=before))
    if not ended.question or (yes is None and not is_watched()):
        return ended.code
    # Asked outside of the event loop, which takes Ctrl-C for itself.
    answer = ask(ended.question) if yes is None else declined(ended.question)
    if answer is Answer.YES:
        return run_to_end(_submit_again(target, ended.submitted, before)).code
    click.echo("Nothing was changed.", err=True)
    return ended.code if answer is Answer.NOT_ASKED else UNLESS_YES[answer]


@dataclass(frozen=True, slots=True)
class _Ended:
    """`question` is what to ask where the pipeline was refused for want of consent, else ""."""

    submitted: Submitted
    code: ExitCode
    question: str = ""


async def _submit(target: Target, job: FileJob, *, watch: bool, before: Kilograms | None) -> _Ended:
    async with target.client() as client:
        submitted = await send_file(client, job)
        if watch:
            return await _watched(client, target, submitted, before)
        click.echo(str(submitted.pipeline_id))
        return _Ended(submitted, ExitCode.SUCCESS)


async def _submit_again(target: Target, refused: Submitted, before: Kilograms | None) -> _Ended:
    async with target.client() as client:
        submitted = await submit_with_consent(client, refused)
        return await _watched(client, target, submitted, before)


async def _watched(
    client: ContractClient, target: Target, submitted: Submitted, before: Kilograms | None
) -> _Ended:
    number = submitted.pipeline_id
    watched = command_line(f"watch {number}", target)
    click.echo(
        f"Submitted pipeline {number}. To watch it from another terminal: {watched}", err=True
    )
    view = await follow(client, number, target)
    code = print_the_end(view, target)
    if before is not None and code is ExitCode.SUCCESS:
        await print_kilograms(client, before, view)
    return _Ended(submitted, code, question_of(view))
