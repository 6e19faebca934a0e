"""`carbonline pause` and `carbonline resume`: stop and restart the claiming of a job type."""

import click

from carbonline.command.asynchronous import run_to_end
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, command_line, connection_options
from carbonline.command.printing import moment
from carbonline.command.reasons import is_dropped
from carbonline.command.safe_text import one_line
from carbonline.v1 import interventions_pb2

Pause = interventions_pb2.JobTypePause

all_tenants_option = click.option(
    "--all-tenants", is_flag=True, help="Apply to all institutions that you may act for."
)


@click.command(
    short_help="Stop jobs of a type from being claimed.",
    epilog=examples('carbonline pause csv_ingest --reason "the disk is full"'),
)
@click.argument("job_type", metavar="JOB_TYPE")
@click.option("--reason", default="", help="The reason, shown to whoever finds it paused.")
@all_tenants_option
@connection_options
def pause(*, target: Target, job_type: str, reason: str, all_tenants: bool) -> None:
    """Pause JOB_TYPE: its jobs wait until `carbonline resume`. Running jobs continue.

    The pause outlives restarts. `carbonline status` shows it.
    """
    answer = run_to_end(_pause(target, job_type, reason, all_tenants=all_tenants))
    for one in answer.pauses:
        click.echo(f"{pause_words(one, named=all_tenants)}.")
    if any(is_dropped(reason, one.reason) for one in answer.pauses):
        click.echo(
            "It was paused before, so your reason was not recorded. To change it, resume and "
            "pause again.",
            err=True,
        )
    click.echo(f"To resume it: {_resume_line(target, job_type, all_tenants=all_tenants)}", err=True)


@click.command(
    short_help="Let jobs of a paused type be claimed again.",
    epilog=examples("carbonline resume csv_ingest"),
)
@click.argument("job_type", metavar="JOB_TYPE")
@all_tenants_option
@connection_options
def resume(*, target: Target, job_type: str, all_tenants: bool) -> None:
    """Resume JOB_TYPE: its waiting jobs can be claimed again."""
    answer = run_to_end(_resume(target, job_type, all_tenants=all_tenants))
    for one in answer.pauses:
        since = f"It had been paused since {moment(one.paused_at)} UTC"
        click.echo(one_line(f"{_about(one, named=all_tenants)} is resumed. {since}."))
    if not answer.pauses:
        click.echo(f"{one_line(job_type)} is not paused.")


async def _pause(
    target: Target, job_type: str, reason: str, *, all_tenants: bool
) -> interventions_pb2.PauseJobTypeResponse:
    async with target.client() as client:
        return await client.pause_job_type(job_type, reason, all_tenants=all_tenants)


async def _resume(
    target: Target, job_type: str, *, all_tenants: bool
) -> interventions_pb2.ResumeJobTypeResponse:
    async with target.client() as client:
        return await client.resume_job_type(job_type, all_tenants=all_tenants)


def pause_words(pause: Pause, *, named: bool = False) -> str:
    """Such as "csv_ingest is paused since 2026-11-24 18:40:35 UTC, by local: the disk is full".

    `named` adds the institution.
    """
    reason = f": {pause.reason}" if pause.reason else ""
    since = f"is paused since {moment(pause.paused_at)} UTC, by {pause.paused_by}"
    return one_line(f"{_about(pause, named=named)} {since}{reason}")


def _about(pause: Pause, *, named: bool) -> str:
    return f"{pause.job_type} of {pause.tenant}" if named else pause.job_type


def _resume_line(target: Target, job_type: str, *, all_tenants: bool) -> str:
    return command_line(f"resume {job_type}{' --all-tenants' if all_tenants else ''}", target)
