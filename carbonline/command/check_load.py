"""`carbonline load ... --check`: says what a load would do, and has nothing written."""

from collections.abc import Iterator
from dataclasses import asdict

from carbonline.client.load_check_report import LoadCheckReport, load_check_report
from carbonline.command.asynchronous import run_to_end
from carbonline.command.check_file import checked, print_proposal, show_check
from carbonline.command.connection import Target
from carbonline.command.exit_codes import ExitCode
from carbonline.command.jobs_of_files import FileJob
from carbonline.command.output import Output
from carbonline.command.printing import kilograms
from carbonline.command.safe_text import one_line
from carbonline.pluralize import pluralize


def check_load_to_the_end(target: Target, job: FileJob, output: Output) -> ExitCode:
    """Have the file of a load checked, and show what was found."""
    report, code = run_to_end(checked(target, job, load_check_report))
    if report is None:
        return code
    name = one_line(job.file.name) if job.file else "the airports of the package"
    about = asdict(report)
    about["good"] = report.is_good
    found = about.pop("findings")
    show_check(_summary(report, name), found, about, output)
    print_proposal(job, report.proposed_mapping, report.proposed_sheet, report.left_open)
    return code


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
