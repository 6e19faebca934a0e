"""`carbonline submit --check` of a file of several types: what would come of each type's rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from carbonline.client.check_findings import check_findings
from carbonline.client.check_report import CheckReport, check_report
from carbonline.command.asynchronous import run_to_end
from carbonline.command.check_file import about_of, check_code, show_check, summary_of
from carbonline.command.columns import Row
from carbonline.command.connection import Target
from carbonline.command.exit_codes import ExitCode
from carbonline.command.follow import follow, print_the_end
from carbonline.command.job_stats import CHECKS, count_of
from carbonline.command.jobs_of_files import FileJob, check_routed, send_file
from carbonline.command.names import type_name
from carbonline.command.output import Output
from carbonline.command.safe_text import one_line
from carbonline.pluralize import pluralize


@dataclass(frozen=True, slots=True)
class _Found:
    """What the checks found, by the name of the type. Row numbers are those of the whole file."""

    rows: int
    rows_without_type: int
    types: Mapping[str, CheckReport]
    findings: Sequence[Mapping[str, Any]]

    @property
    def is_good(self) -> bool:
        """Whether every row has a type, and would count with kilograms."""
        return not self.rows_without_type and all(one.is_good for one in self.types.values())


def check_several_types_to_the_end(target: Target, job: FileJob, output: Output) -> ExitCode:
    """Have a file divided by type, and each part checked, and show what was found."""
    found, code = run_to_end(_checked(target, job))
    if found is None:
        return code
    name = one_line(job.file.name) if job.file else ""
    show_check(_summary(found, name, job.year), found.findings, _about(found), output)
    return code


async def _checked(target: Target, job: FileJob) -> tuple[_Found | None, ExitCode]:
    """None if the file could not be read, or no row has a type; and the exit code.

    Raises click.UsageError if no column tells the types of the module apart.
    """
    async with target.client() as client:
        check_routed(job, await client.list_modules())
        submitted = await send_file(client, replace(job, job_type=CHECKS[job.job_type]))
        view = await follow(client, submitted.pipeline_id, target)
        divided, *parts = view.in_order()
        if not parts:
            return None, print_the_end(view, target)
        reports = {
            type_name(one.scope.data_entry_type): check_report(
                one, await check_findings(client, one)
            )
            for one in parts
        }
        findings: list[Mapping[str, Any]] = [*await check_findings(client, divided)]
    for report in reports.values():
        findings += report.findings
    findings.sort(key=lambda one: int(one["row"]))
    without = count_of(divided, "rows_rejected")
    found = _Found(count_of(divided, "rows"), without, reports, findings)
    refused = all(one.error_cause for one in reports.values())
    return found, check_code(view.pipeline, is_good=found.is_good, is_refused=refused)


def _summary(found: _Found, name: str, year: int) -> Iterator[tuple[str, str]]:
    yield "file", f"{name}, {pluralize(found.rows, 'row')}; nothing was written"
    if found.rows_without_type:
        yield "of no type", f"{found.rows_without_type:,}, rejected"
    for of, report in found.types.items():
        _, *said = summary_of(report, of, f"{of} {year}")
        yield "type", f"{of}, {pluralize(report.rows, 'row')}"
        yield from said
        if report.error_cause and not report.rows:
            yield "refused", one_line(report.message)


def _about(found: _Found) -> Row:
    return {
        "good": found.is_good,
        "rows": found.rows,
        "rows_without_type": found.rows_without_type,
        "types": {name: about_of(report) for name, report in found.types.items()},
    }
