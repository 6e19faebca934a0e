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
from carbonline.command.options import YEAR, left_out_sentences, own_option
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
        "carbonline report --year 2024 --unit SCI --below",
    ),
)
@click.option("--year", type=YEAR, required=True, help="The accounting year.")
@click.option("--unit", default="", help="Report on this unit instead of the institution.")
@click.option("--below", is_flag=True, help="With --unit: report on all units below it, too.")
@own_option
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
def report(
    *, target: Target, year: int, unit: str, below: bool, own: bool, strict: bool, file: Path
) -> None:
    """Show a year's emissions on one page, in tonnes of CO2-equivalent.

    The page compares the year with the one before, and says first what is missing from its
    figures: stale totals, entries without kilograms, modules and units without data. An HTML page
    needs no other file and no network, and prints on A4.
    """
    as_html = file.suffix.lower() in HTML
    if not (as_html or is_stdout(file) or file.suffix.lower() in TEXT):
        raise click.UsageError(f"The suffix of {file.name} is not {' or '.join((*HTML, *TEXT))}.")
    if below and not unit:
        raise click.UsageError("--below needs --unit: without it, the report is on all units.")
    found, unknown = run_to_end(_report(target, year, unit, below=below, own=own))
    if found.HasField("whole"):
        page = page_of(found, year, datetime.now(UTC), unknown, unit_of(found, unit, below=below))
        _show(page, file, as_html=as_html)
        without_kg = bool(found.whole.entries_without_kg)
        alone = "" if below else unit
        out = ways_out(found.freshness, year, target, without_kg=without_kg, unit=alone)
        for sentence in out:
            click.echo(sentence, err=True)
    else:
        print_nothing(one_line(no_totals_sentence(found, year)))
    for sentence in left_out_sentences(own=own):
        click.echo(sentence, err=True)
    if strict and (unknown or has_gaps(found)):
        raise SystemExit(ExitCode.INCOMPLETE)


async def _report(
    target: Target, year: int, unit: str, *, below: bool, own: bool
) -> tuple[ledger_pb2.GetReportResponse, list[str]]:
    async with target.client() as client:
        return await report_and_pending(client, year, 0, unit, below=below, own=own)


def unit_of(found: ledger_pb2.GetReportResponse, asked: str, *, below: bool = False) -> str:
    """The unit that was asked for, with its name, and those `below` it; "" if none was."""
    if not asked:
        return ""
    # The unit itself may have no totals; then it is the first of the tree, which has some.
    one = found.unit_tree[0] if found.unit_tree else found.units[0]
    units = " and all units below it" if below else ""
    return one_line(f"{one.unit} {one.unit_name}".strip() + units)


def _show(page: Page, file: Path, *, as_html: bool) -> None:
    if is_stdout(file):
        print_lines(report_lines(page, table_width()))
        return
    text = report_html(page) if as_html else "\n".join(report_lines(page, 80)) + "\n"
    with written_file(file) as written:
        written.write(text.encode())
    click.echo(f"The report of {page.year} is in {file}.", err=True)
