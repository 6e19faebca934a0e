"""`carbonline load ... --check`: says what a load would do, and has nothing written."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any

from carbonline.client.load_check_report import (
    LoadCheckReport,
    load_check_report,
    nothing_found,
    of_several_types,
)
from carbonline.client.load_findings import load_findings
from carbonline.command.asynchronous import run_to_end
from carbonline.command.check_file import (
    COLUMNS,
    check_code,
    checked,
    print_proposal,
    show_check,
)
from carbonline.command.columns import Column, Kind
from carbonline.command.connection import Target
from carbonline.command.exit_codes import ExitCode
from carbonline.command.follow import follow, print_the_end
from carbonline.command.job_stats import CHECKS
from carbonline.command.jobs_of_files import FileJob, check_routed, send_file
from carbonline.command.names import type_name
from carbonline.command.output import Output
from carbonline.command.printing import kilograms
from carbonline.command.safe_text import one_line
from carbonline.pluralize import pluralize

# Of findings of several types: of a row that has none it is empty.
_WITH_TYPE = (*COLUMNS[:1], Column("type", kind=Kind.WORD), *COLUMNS[1:])


def check_load_to_the_end(target: Target, job: FileJob, output: Output) -> ExitCode:
    """Have the file of a load checked, and show what was found."""
    name = one_line(job.file.name) if job.file else "the airports of the package"
    if job.job_type == "routed_factor_ingest":
        report, code = run_to_end(_divided_and_checked(target, job))
        if report is not None:
            _show_types(report, name, output)
        return code
    report, code = run_to_end(checked(target, job, load_check_report))
    if report is None:
        return code
    about = _about(report)
    show_check(_summary(report, name), report.findings, about, output)
    print_proposal(job, report.proposed_mapping, report.proposed_sheet, report.left_open)
    return code


def check_each_to_the_end(
    target: Target, name: str, jobs: Sequence[FileJob], output: Output
) -> ExitCode:
    """Have the file of each type of a set checked, and show what was found of all of them."""
    report, code = run_to_end(_each_checked(target, jobs))
    _show_types(report, name, output)
    return code


async def _divided_and_checked(
    target: Target, job: FileJob
) -> tuple[LoadCheckReport | None, ExitCode]:
    """None if the file could not be read, or no row has a type; and the exit code.

    Raises click.UsageError if no column tells the types of the module apart.
    """
    async with target.client() as client:
        check_routed(job, await client.list_modules())
        submitted = await send_file(client, replace(job, job_type=CHECKS[job.job_type]))
        view = await follow(client, submitted.pipeline_id, target)
        report = await load_findings(client, view.in_order())
    if not report.types:
        return None, print_the_end(view, target)
    refused = bool(report.error_cause)
    return report, check_code(view.pipeline, is_good=report.is_good, is_refused=refused)


async def _each_checked(
    target: Target, jobs: Sequence[FileJob]
) -> tuple[LoadCheckReport, ExitCode]:
    """One after the other, whatever was found of those before, and the exit code of all.

    Their files are other files, so rows of two types may have the same number.
    """
    types: dict[str, LoadCheckReport] = {}
    codes: list[ExitCode] = []
    async with target.client() as client:
        for job in jobs:
            submitted = await send_file(client, replace(job, job_type=CHECKS[job.job_type]))
            view = await follow(client, submitted.pipeline_id, target)
            report = await load_findings(client, view.in_order())
            types[type_name(job.data_entry_type)] = report
            codes.append(check_code(view.pipeline, is_good=report.is_good))
    found = of_several_types(nothing_found(sum(one.rows for one in types.values())), types)
    return found, _code_of_all(codes)


def _code_of_all(codes: Sequence[ExitCode]) -> ExitCode:
    """Of some types that are refused, and others that are not, as of a file of several types."""
    ended = {ExitCode.SUCCESS, ExitCode.FLAWED, ExitCode.FAILED}
    if left := [code for code in codes if code not in ended]:
        return left[0]
    return codes[0] if len(set(codes)) == 1 else ExitCode.FLAWED


def _show_types(report: LoadCheckReport, name: str, output: Output) -> None:
    show_check(_summary_of_types(report, name), report.findings, _about(report), output, _WITH_TYPE)


def _about(report: LoadCheckReport) -> dict[str, Any]:
    """What programs read: the report without its findings, which are the rows."""
    about = asdict(replace(report, findings=(), types={}))
    del about["findings"], about["types"]
    about["good"] = report.is_good
    if report.types:
        about["types"] = {name: _about(one) for name, one in report.types.items()}
    return about


def _summary_of_types(report: LoadCheckReport, name: str) -> Iterator[tuple[str, str]]:
    types = report.types
    yield "file", f"{name}, {pluralize(report.rows, 'row')}; nothing was written"
    without = report.rows_rejected - sum(one.rows_rejected for one in types.values())
    if without:
        yield "of no type", f"{without:,}, rejected"
    for of, found in types.items():
        _, *said = _summary(found, of)
        yield "type", f"{of}, {pluralize(found.rows, 'row')}"
        yield from said
        if found.error_cause and not found.rows:
            yield "refused", one_line(found.message)


def _summary(report: LoadCheckReport, name: str) -> Iterator[tuple[str, str]]:
    yield "file", f"{name}, {pluralize(report.rows, 'row')}; nothing was written"
    yield "accepted", f"{report.rows_accepted:,}"
    yield "rejected", f"{report.rows_rejected:,}"
    if report.rows_warned:
        yield "doubtful", f"{report.rows_warned:,}"
    if report.unread_columns:
        yield "not read", f"columns: {', '.join(map(one_line, report.unread_columns))}"
    if report.error_cause:
        yield "changes", "nothing: the file would be refused"
        return
    yield "changes", ", ".join(f"{count:,} {change}" for change, count in report.changes.items())
    if report.needs_consent:
        yield "consent", f"needed (--yes): {report.needs_consent}"
    for of in report.kilograms:
        before, after = kilograms(of["kg_before"]), kilograms(of["kg_after"])
        without = int(of["entries_without_kg"])
        entries = f"; {pluralize(without, 'entry', 'entries')} without kg" if without else ""
        what = f"{one_line(of['type'])} {int(of['year'])}"
        yield what, f"{before} kg now, {after} kg with the file{entries}"
