"""`carbonline submit --check`: says what an upload would do, and has nothing written."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from carbonline.client.check_findings import check_findings
from carbonline.client.check_report import CheckReport, check_report
from carbonline.client.json_struct import values_of
from carbonline.client.load_check_report import LoadCheckReport
from carbonline.command.asynchronous import run_to_end
from carbonline.command.collected_options import Function, with_options
from carbonline.command.columns import Column, Kind, Row
from carbonline.command.connection import Target
from carbonline.command.exit_codes import ExitCode
from carbonline.command.follow import exit_code_of, follow, print_the_end
from carbonline.command.job_stats import CHECKS
from carbonline.command.jobs_of_files import FileJob, send_file
from carbonline.command.names import type_name
from carbonline.command.output import FORMATS, JSON, Output, chosen_output, show_rows
from carbonline.command.output_file import STDOUT
from carbonline.command.printing import kilograms, print_lines, table_width
from carbonline.command.safe_text import one_line
from carbonline.command.table import table_lines
from carbonline.mapping_flags import how_to_read_flags
from carbonline.pluralize import pluralize
from carbonline.v1 import types_pb2

Report = TypeVar("Report", CheckReport, LoadCheckReport)

# A table of more is for nobody's eyes; files have all rows.
ROWS_SHOWN = 50
SUMMARY = (Column("what", " "), Column("found", " "))
COLUMNS = (
    Column("row", kind=Kind.NUMERAL),
    Column("finding", kind=Kind.WORD),
    Column("column"),
    Column("value"),
    Column("reason"),
)


def check_options(function: Function) -> Function:
    """Add --check and its forms of output to a command, which gets the output as `check`.

    `check` is None without --check.
    """

    def collected(check: bool, form: str | None, as_json: bool, written: Path, **rest: Any) -> Any:
        if not check and (form or as_json or written != STDOUT):
            raise click.UsageError("--format, --json and -o are for --check.")
        output = chosen_output(JSON if as_json else form, written) if check else None
        return function(check=output, **rest)

    return with_options(function, collected, _OPTIONS)


_OPTIONS = (
    click.option(
        "--check",
        is_flag=True,
        help="Only say what would be accepted, rejected and replaced. Nothing is written.",
    ),
    click.option(
        "--format",
        "form",
        type=click.Choice(FORMATS, case_sensitive=False),
        default=None,
        help="With --check, the output format; a table by default.",
    ),
    click.option("--json", "as_json", is_flag=True, help="Short for --format json."),
    click.option(
        "-o",
        "--output",
        "written",
        type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
        default=STDOUT,
        help="With --check, write to this file: .csv, .json, .xlsx or .parquet.",
    ),
)


def check_to_the_end(target: Target, job: FileJob, output: Output) -> ExitCode:
    """Have the file of an upload checked, and show what was found.

    Raises click.UsageError for a job that is not the upload of a file of one type.
    """
    if job.job_type != "csv_ingest":
        raise click.UsageError("--check is for a FILE: name one.")
    report, code = run_to_end(checked(target, job, check_report))
    if report is None:
        return code
    name = one_line(job.file.name if job.file else str(job.extra.get("file_name", "")))
    of = f"{type_name(job.data_entry_type)} {job.year}"
    show_check(summary_of(report, name, of), report.findings, about_of(report), output)
    print_proposal(job, report.proposed_mapping, report.proposed_sheet, report.left_open)
    return code


def show_check(
    summary: Iterable[tuple[str, str]],
    found: Sequence[Mapping[str, Any]],
    about: Row,
    output: Output,
    columns: Sequence[Column] = COLUMNS,
) -> None:
    """Print what a check says of a file: a summary of words, and a row for each finding.

    `about` is what programs read in place of the summary.
    """
    if output.is_table:
        rows = [{"what": what, "found": said} for what, said in summary]
        print_lines(line for line in table_lines(SUMMARY, rows, table_width())[2:])
        if found:
            click.echo()
    shown = found[:ROWS_SHOWN] if output.is_table else found
    show_rows(
        columns,
        shown,
        output,
        about={"check": about},
        more=f"{len(found):,} in total; -o FILE writes all" if len(shown) < len(found) else "",
    )


def print_proposal(
    job: FileJob, proposed: Mapping[str, Any], sheet: str, left_open: Sequence[str]
) -> None:
    """How a file might be read, to be approved by typing it, and what is not sure of it.

    Nothing if there is no such way.
    """
    if proposed or sheet:
        lines = [one_line(flag) for flag in how_to_read_flags(sheet, proposed)]
        lines += ["--save-mapping NAME"] if proposed else []
        verb = "submit" if job.job_type == "csv_ingest" else "load"
        may = f"The file may have to be read so. If that is right, {verb} it with:"
        click.echo(f"\n{may}", err=True)
        click.echo(" \\\n".join(f"  {line}" for line in lines), err=True)
    if left_open:
        click.echo("\nNot proposed, since it is not sure:", err=True)
        for said in left_open:
            click.echo(f"  {one_line(said)}", err=True)


async def checked(
    target: Target,
    job: FileJob,
    report_of: Callable[[types_pb2.Job, Sequence[Mapping[str, Any]]], Report],
) -> tuple[Report | None, ExitCode]:
    """What the check of a job found, None if the file could not be read; and the exit code."""
    async with target.client() as client:
        submitted = await send_file(client, replace(job, job_type=CHECKS[job.job_type]))
        view = await follow(client, submitted.pipeline_id, target)
        [check] = view.in_order()
        if "rows" not in check.stats.fields:
            code = print_the_end(view, target)
            stats = values_of(check.stats)
            mapping, sheet = stats.get("proposed_mapping", {}), stats.get("proposed_sheet", "")
            print_proposal(job, mapping, sheet, stats.get("left_open", []))
            return None, code
        report = report_of(check, await check_findings(client, check))
    return report, check_code(view.pipeline, is_good=report.is_good)


def check_code(
    pipeline: types_pb2.Pipeline | None, *, is_good: bool, is_refused: bool = False
) -> ExitCode:
    """The exit code of a check that has ended, and of what it found.

    `is_refused`: all types of the file would be refused. A pipeline in which some are is PARTIAL,
    but of a check nothing was stored.
    """
    code = exit_code_of(pipeline)
    if code not in {ExitCode.SUCCESS, ExitCode.PARTIAL}:
        return code
    wrong = ExitCode.FAILED if is_refused else ExitCode.FLAWED
    return ExitCode.SUCCESS if is_good else wrong


def summary_of(report: CheckReport, name: str, of: str) -> Iterator[tuple[str, str]]:
    """What a check found, in words; `of` is the type and year, which has kilograms."""
    yield "file", f"{name}, {pluralize(report.rows, 'row')}; nothing was written"
    yield "accepted", f"{report.rows_accepted:,}"
    yield "rejected", f"{report.rows_rejected:,}"
    counts = ", ".join(f"{n:,} {outcome}" for outcome, n in sorted(report.outcomes.items()))
    yield "outcomes", counts or "none"
    if report.rows_warned:
        yield "doubtful", f"{report.rows_warned:,}"
    if report.rows_counted_twice:
        yield "twice", f"{pluralize(report.rows_counted_twice, 'row')} of other uploads, too"
    if report.unread_columns:
        yield "not read", f"columns: {', '.join(map(one_line, report.unread_columns))}"
    if report.kg_after is None:
        yield "replaces", "nothing: the file would be refused"
        return
    yield "replaces", _replaced(report)
    if report.needs_consent:
        yield "consent", f"needed (--yes): {report.needs_consent}"
    yield "kg CO2eq", f"{kilograms(report.kg_of_file or 0.0)} of the file"
    before, after = report.kg_before or 0.0, report.kg_after
    yield of, f"{kilograms(before)} kg now, {kilograms(after)} kg with the file"


def _replaced(report: CheckReport) -> str:
    if report.is_unchanged:
        return "nothing: the same rows count already"
    gone = report.replaces
    if not gone:
        return "nothing"
    name = f" of {one_line(str(gone['file_name']))}" if gone.get("file_name") else ""
    kg = gone.get("total_kg")
    with_kg = "" if kg is None else f", {kilograms(kg)} kg"
    return f"upload {int(gone['upload_id'])}, {pluralize(int(gone['rows']), 'row')}{name}{with_kg}"


def about_of(report: CheckReport) -> Row:
    """The same for programs."""
    return {
        "pipeline": report.pipeline_id,
        "good": report.is_good,
        "message": report.message,
        "error_cause": report.error_cause,
        "rows": report.rows,
        "rows_accepted": report.rows_accepted,
        "rows_rejected": report.rows_rejected,
        "rows_warned": report.rows_warned,
        "rows_without_kg": report.rows_without_kg,
        "outcomes": dict(report.outcomes),
        "unread_columns": list(report.unread_columns),
        "would_replace": dict(report.replaces),
        "unchanged": report.is_unchanged,
        "needs_consent": report.needs_consent,
        "kg_of_file": report.kg_of_file,
        "kg_before": report.kg_before,
        "kg_after": report.kg_after,
        "proposed_mapping": dict(report.proposed_mapping),
        "proposed_sheet": report.proposed_sheet,
        "left_open": list(report.left_open),
    }
