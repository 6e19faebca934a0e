"""`carbonline report`: shows a year on one page, for people."""

from datetime import UTC, datetime
from pathlib import Path

import click

from carbonline.client.pending import report_and_pending
from carbonline.client.report_gaps import has_gaps, no_totals_sentence
from carbonline.command.asynchronous import run_to_end
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.exit_codes import ExitCode
from carbonline.command.options import YEAR
from carbonline.command.output_file import STDOUT, is_stdout, written_file
from carbonline.command.printing import print_lines, print_nothing, table_width
from carbonline.command.report_html import report_html
from carbonline.command.report_page import Page, page_of
from carbonline.command.report_text import report_lines
from carbonline.command.safe_text import one_line
from carbonline.command.ways_out import ways_out
from carbonline.v1 import ledger_pb2

# By the suffix of the file.
HTML, TEXT = (".html", ".htm"), (".txt",)


@click.command(
    short_help="Show a year on one page, for people.",
    epilog=examples(
        "carbonline report --year 2024",
        "carbonline report --year 2024 -o report.html",
        "carbonline report --year 2024 --unit 0828 -o physics.html",
    ),
)
@click.option("--year", type=YEAR, required=True, help="The accounting year.")
@click.option("--unit", default="", help="Report on this unit instead of the institution.")
@click.option(
    "--strict",
    is_flag=True,
    help="Exit with code 7 unless there are totals and nothing is missing from them.",
)
@click.option(
    "-o",
    "--output",
    "file",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    default=STDOUT,
    help="Write to this file: .html (one file, with charts) or .txt.",
)
@connection_options
def report(*, target: Target, year: int, unit: str, strict: bool, file: Path) -> None:
    """Show a year's emissions on one page, in tonnes of CO2-equivalent.

    The page compares the year with the one before, and says first what is missing from its
    figures: stale totals, entries without kilograms, modules and units without data. An HTML page
    needs no other file and no network, and prints on A4.
    """
    as_html = file.suffix.lower() in HTML
    if not (as_html or is_stdout(file) or file.suffix.lower() in TEXT):
        raise click.UsageError(f"The suffix of {file.name} is not {' or '.join((*HTML, *TEXT))}.")
    found, unknown = run_to_end(_report(target, year, unit))
    if found.HasField("whole"):
        page = page_of(found, year, datetime.now(UTC), unknown, unit_of(found, unit))
        _show(page, file, as_html=as_html)
        out = ways_out(
            found.freshness, year, target, without_kg=bool(found.whole.entries_without_kg)
        )
        for sentence in out:
            click.echo(sentence, err=True)
    else:
        print_nothing(one_line(no_totals_sentence(found, year)))
    if strict and (unknown or has_gaps(found)):
        raise SystemExit(ExitCode.INCOMPLETE)


async def _report(
    target: Target, year: int, unit: str
) -> tuple[ledger_pb2.GetReportResponse, list[str]]:
    async with target.client() as client:
        return await report_and_pending(client, year, 0, unit)


def unit_of(found: ledger_pb2.GetReportResponse, asked: str) -> str:
    """The unit that was asked for, with its name; "" if none was."""
    if not asked:
        return ""
    [one] = found.units
    return one_line(f"{one.unit} {one.unit_name}".strip())


def _show(page: Page, file: Path, *, as_html: bool) -> None:
    if is_stdout(file):
        print_lines(report_lines(page, table_width()))
        return
    text = report_html(page) if as_html else "\n".join(report_lines(page, 80)) + "\n"
    with written_file(file) as written:
        written.write(text.encode())
    click.echo(f"The report of {page.year} is in {file}.", err=True)
