"""`carbonline copy`: submits the file of an upload for another year, too."""

from dataclasses import replace

import click

from carbonline.client.check_report import CheckReport, check_report
from carbonline.command.asynchronous import run_to_end
from carbonline.command.check_file import check_options, checked
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.consequence import Consequence, of_submission, yes_option
from carbonline.command.found_upload import upload_with_file
from carbonline.command.jobs_of_files import again_job
from carbonline.command.options import ID, YEAR, no_watch_option
from carbonline.command.output import Output
from carbonline.command.safe_text import one_line
from carbonline.command.submit import asked_and_submitted, only_checked
from carbonline.pluralize import pluralize

LEFT_OUT = "These rows would not count. Continue?"


@click.command(
    "copy",
    short_help="Submit an upload's file for another year, too.",
    epilog=examples(
        "carbonline uploads --year 2023",
        "carbonline copy 12 --year 2024",
        "carbonline copy 12 --year 2024 --check",
    ),
)
@click.argument("upload", type=ID)
@click.option("--year", type=YEAR, required=True, help="The year that the file is also for.")
@yes_option
@no_watch_option
@check_options
@connection_options
def copy_upload(
    *,
    target: Target,
    upload: int,
    year: int,
    yes: bool | None,
    no_watch: bool,
    check: Output | None,
) -> None:
    """Submit the file of UPLOAD for YEAR, too, with its type, unit, source, sheet and mapping.

    It is checked first: rows that cannot count in YEAR, such as those with a date of another year,
    are told before anything is submitted, and in a terminal the command asks. It says what the file
    replaces, as `carbonline submit` does. With --check, it only says what would come of it.
    """
    found = upload_with_file(target, upload)
    if found.year == year:
        raise click.UsageError(f"Upload {upload} is of {year} already: name another --year.")
    job = again_job(found, year)
    if check is not None:
        raise SystemExit(only_checked(target, job, check, watch=not no_watch, yes=yes))
    report, code = run_to_end(checked(target, job, check_report))
    if report is None or report.error_cause:
        if report is not None:
            click.echo(one_line(report.message))
        click.echo("Nothing was submitted.", err=True)
        raise SystemExit(code)
    goes = _with_what_is_left_out(run_to_end(of_submission(target, job)), report)
    raise SystemExit(asked_and_submitted(target, job, watch=not no_watch, yes=yes, goes=goes))


def _with_what_is_left_out(goes: Consequence, report: CheckReport) -> Consequence:
    if not report.rows_rejected:
        return goes
    rows = f"{report.rows_rejected:,} of {pluralize(report.rows, 'row')}"
    sentence = f"{goes.sentence} This leaves out {rows}{_first(report)}.".strip()
    return replace(goes, sentence=sentence, is_much=True, question=LEFT_OUT)


def _first(report: CheckReport) -> str:
    for one in report.findings:
        if one["finding"] == "rejected":
            reason = str(one["reason"]).removesuffix(".")
            return f"; the first: row {one['row']}, {one['column']}: {reason}"
    return ""
