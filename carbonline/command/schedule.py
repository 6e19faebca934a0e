"""`carbonline schedule`: jobs that the scheduler submits by itself, such as a nightly sync."""

from collections.abc import Iterator

import click

from carbonline.client.json_struct import struct_of
from carbonline.command.asynchronous import run_to_end
from carbonline.command.collected_options import Function
from carbonline.command.command_group import CommandGroup, examples
from carbonline.command.connection import Target, command_line, connection_options
from carbonline.command.names import scope_words
from carbonline.command.options import WholeNumber, priority_option
from carbonline.command.output import Output, output_options, show_rows
from carbonline.command.printing import moment, print_lines, table_width
from carbonline.command.reasons import is_dropped
from carbonline.command.safe_text import one_line
from carbonline.command.schedule_words import (
    COLUMNS,
    last_words,
    paused_words,
    provider_of,
    schedule_row,
    trouble_of,
)
from carbonline.command.scheduled_job import ScheduledJob, scheduled_job_options
from carbonline.command.table import wrapped
from carbonline.v1 import schedules_pb2 as pb

MISSED = {"run-once": pb.MISSED_TICKS_RUN_ONCE, "skip": pb.MISSED_TICKS_SKIP}
_WHEN = (
    click.option(
        "--time-zone",
        default="UTC",
        show_default=True,
        metavar="ZONE",
        help="The time zone of CRON, such as Europe/Zurich.",
    ),
    click.option(
        "--missed",
        type=click.Choice(sorted(MISSED)),
        default="run-once",
        show_default=True,
        help="What happens once schedulers are back, if none was there at a tick.",
    ),
    click.option(
        "--jitter",
        type=WholeNumber(0, 3600),
        default=None,
        metavar="SECONDS",
        help="Submit up to so much later, so that schedules spread.  [default: 300]",
    ),
)


def _when_options(function: Function) -> Function:
    """Add the options that say when it is submitted."""
    for option in reversed(_WHEN):
        function = option(function)
    return function


@click.group(
    cls=CommandGroup,
    short_help="Have jobs submitted at set times.",
    epilog=examples(
        'carbonline schedule add nightly-units "15 2 * * *" --from unit-directory',
        "carbonline schedule list",
    ),
)
def schedule() -> None:
    """Have the scheduler submit jobs by itself, such as a sync of the units each night."""


@schedule.command(
    short_help="Add a schedule.",
    epilog=examples(
        'carbonline schedule add units "15 2 * * *" --from unit-directory',
        'carbonline schedule add flights "30 3 * * MON" --from travel-api --year 2024',
        'carbonline schedule add units "15 2 * * *" --from hr-system --units',
        "carbonline schedule add fleet @daily --run fleet_check --with depot=north",
        'carbonline schedule add flights "30 3 * * MON" --from travel-api --check',
    ),
)
@click.argument("name")
@click.argument("cron", metavar="CRON")
@scheduled_job_options
@_when_options
@priority_option
@click.option("--check", is_flag=True, help="Only say when it would tick.")
@connection_options
def add(  # noqa: PLR0913  click gives each option
    *,
    target: Target,
    name: str,
    cron: str,
    job: ScheduledJob,
    time_zone: str,
    missed: str,
    jitter: int | None,
    priority: int | None,
    check: bool,
) -> None:
    """Add the schedule NAME: a job is submitted at each tick of CRON.

    CRON has five fields: minute, hour, day of month, month, day of week. Each tick is submitted
    once, however many schedulers run, and not while the pipeline of an earlier tick runs. The job
    reads units from unit-directory or with --units (unit_sync), and activity data of --type from
    other services (api_ingest). With --run it is of any type that may be scheduled and needs no
    file, such as one that your deployment declares; `carbonline job-types` lists what each needs.
    """
    request = pb.CreateScheduleRequest(
        name=name,
        cron=cron,
        time_zone=time_zone,
        job_type=job.job_type,
        payload=struct_of(job.payload),
        missed=MISSED[missed],
        validate_only=check,
        priority=priority,
    )
    if jitter is not None:
        request.jitter.FromSeconds(jitter)
    answer = run_to_end(_add(target, request, job))
    if not check:
        click.echo(f"Schedule {one_line(answer.schedule.name)}: {_what(answer.schedule)}.")
    if answer.schedule.HasField("paused_at"):
        click.echo(one_line(f"It {paused_words(answer.schedule)}."))
    else:
        click.echo(f"Next ticks (UTC): {', '.join(moment(tick) for tick in answer.next_ticks)}.")
    if not check:
        shown = command_line(f"schedule show {name}", target)
        click.echo(f"To see what becomes of them: {shown}", err=True)


@schedule.command("list", short_help="List schedules.", epilog=examples("carbonline schedule list"))
@output_options
@connection_options
def list_(*, target: Target, output: Output) -> None:
    """List the schedules, with their next tick and what became of the last one."""
    answer = run_to_end(_list(target))
    rows = [schedule_row(one) for one in answer.schedules]
    show_rows(COLUMNS, rows, output, if_none="There are no schedules.")


@schedule.command(
    short_help="Show a schedule.", epilog=examples("carbonline schedule show nightly-units")
)
@click.argument("name")
@output_options
@connection_options
def show(*, target: Target, output: Output, name: str) -> None:
    """Show the schedule NAME: its job, its next ticks, and what became of the last one."""
    answer = run_to_end(_show(target, name))
    if not output.is_table:
        ticks = [moment(tick) for tick in answer.next_ticks]
        show_rows(COLUMNS, [schedule_row(answer.schedule)], output, about={"next_ticks": ticks})
        return
    width = table_width()
    print_lines(
        piece
        for label, value in _facts(answer)
        if value
        for piece in wrapped(one_line(f"{label}: {value}"), width)
    )


@schedule.command(
    short_help="Let a schedule submit nothing for a while.",
    epilog=examples('carbonline schedule pause nightly-units --reason "the directory moves"'),
)
@click.argument("name")
@click.option("--reason", default="", help="The reason, shown to whoever finds it paused.")
@connection_options
def pause(*, target: Target, name: str, reason: str) -> None:
    """Pause the schedule NAME. Ticks that come meanwhile are passed over.

    What it has submitted goes on. The pause outlives restarts.
    """
    answer = run_to_end(_pause(target, name, reason))
    click.echo(one_line(f"Schedule {name} {paused_words(answer.schedule)}."))
    if is_dropped(reason, answer.schedule.pause_reason):
        click.echo("It was paused before, so your reason was not recorded.", err=True)
    click.echo(f"To resume it: {command_line(f'schedule resume {name}', target)}", err=True)


@schedule.command(
    short_help="Let a paused schedule go on.",
    epilog=examples("carbonline schedule resume nightly-units"),
)
@click.argument("name")
@connection_options
def resume(*, target: Target, name: str) -> None:
    """Resume the schedule NAME: it goes on with its next tick."""
    answer = run_to_end(_resume(target, name))
    click.echo(one_line(f"Schedule {name} goes on at {moment(answer.schedule.next_tick_at)} UTC."))


@schedule.command(
    short_help="Remove a schedule.", epilog=examples("carbonline schedule remove nightly-units")
)
@click.argument("name")
@connection_options
def remove(*, target: Target, name: str) -> None:
    """Remove the schedule NAME. Its pipelines stay, and go on."""
    run_to_end(_remove(target, name))
    click.echo(one_line(f"Schedule {name} is removed."))


def _what(one: pb.Schedule) -> str:
    """Such as "unit_sync from unit-directory at 15 2 * * * (Europe/Zurich)"."""
    provider = provider_of(one)
    asked = f" from {provider}" if provider else ""
    return one_line(f"{one.job_type}{asked} at {one.cron} ({one.time_zone})")


def _facts(answer: pb.GetScheduleResponse) -> Iterator[tuple[str, str]]:
    one = answer.schedule
    yield one.name, _what(one)
    yield "scope", scope_words(one.scope)
    year = "" if one.scope.year else "the year of each tick"
    yield "year", year
    yield "next ticks (UTC)", ", ".join(moment(tick) for tick in answer.next_ticks)
    yield "next submit (UTC)", moment(one.next_due_at)
    yield "last tick (UTC)", moment(one.last_tick_at)
    yield "trouble" if trouble_of(one) else "last", last_words(one)
    yield "paused", paused_words(one).removeprefix("is paused ")
    yield "if missed", "skip" if one.missed == pb.MISSED_TICKS_SKIP else "run once"
    yield "created", f"{moment(one.created_at)} UTC, by {one.created_by}"


async def _add(
    target: Target, request: pb.CreateScheduleRequest, job: ScheduledJob
) -> pb.CreateScheduleResponse:
    async with target.client() as client:
        request.scope.CopyFrom(await job.scope(client))
        return await client.create_schedule(request)


async def _list(target: Target) -> pb.ListSchedulesResponse:
    async with target.client() as client:
        return await client.list_schedules()


async def _show(target: Target, name: str) -> pb.GetScheduleResponse:
    async with target.client() as client:
        return await client.get_schedule(name)


async def _pause(target: Target, name: str, reason: str) -> pb.PauseScheduleResponse:
    async with target.client() as client:
        return await client.pause_schedule(name, reason)


async def _resume(target: Target, name: str) -> pb.ResumeScheduleResponse:
    async with target.client() as client:
        return await client.resume_schedule(name)


async def _remove(target: Target, name: str) -> None:
    async with target.client() as client:
        await client.delete_schedule(name)
