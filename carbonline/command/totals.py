"""`carbonline totals`: shows the totals of a year, and what is missing from them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from itertools import chain

import click

from carbonline.client.pending import report_and_pending, totals_and_pending
from carbonline.client.report_gaps import (
    gaps,
    gaps_of_years,
    has_gaps,
    no_totals_sentence,
    stale_sentences,
)
from carbonline.client.report_rows import sums_row
from carbonline.client.totals_frame import none_sentence
from carbonline.command.asynchronous import run_to_end
from carbonline.command.columns import Column, Kind, Row
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.exit_codes import ExitCode
from carbonline.command.names import module_name, type_name
from carbonline.command.options import MODULE, YEAR, left_out_sentences, own_option
from carbonline.command.output import PLAIN, Output, output_options, show_rows
from carbonline.command.printing import moment_of
from carbonline.command.row_files import in_order
from carbonline.command.safe_text import one_line
from carbonline.command.totals_by import GROUPINGS
from carbonline.command.ways_out import ways_out
from carbonline.pluralize import pluralize
from carbonline.v1 import ledger_pb2

WITHOUT_KG = "entries_without_kg"
COLUMNS = (
    Column("unit", kind=Kind.WORD),
    Column("unit_name", "name"),
    Column("module", once_if_same=True),
    Column("entries", kind=Kind.NUMBER),
    Column(WITHOUT_KG, "without kg", Kind.NUMBER),
    Column("total_kg", "kg CO2eq", Kind.NUMBER),
    Column("ghg_scope_1_kg", in_tables=False),
    Column("ghg_scope_2_kg", in_tables=False),
    Column("ghg_scope_3_kg", in_tables=False),
    Column("by_emission_type_kg", in_tables=False),
    Column("by_additional_value", in_tables=False),
    Column("outcomes", in_tables=False),
    Column("computed_at", in_tables=False),
)


@click.command(
    short_help="Show a year's totals by unit and module.",
    epilog=examples(
        "carbonline totals --year 2024",
        "carbonline totals --year 2024 --unit 0828",
        "carbonline totals --year 2024 --unit SCI --below",
        "carbonline totals --by year",
        "carbonline totals --year 2024 -o totals.xlsx",
        "carbonline totals --year 2024 --strict || echo incomplete",
    ),
)
@click.option("--year", type=YEAR, help="The accounting year; the current year by default.")
@click.option("--module", type=MODULE, default=None, help="Only this module.")
@click.option("--unit", default="", help="Only this unit.")
@click.option("--below", is_flag=True, help="With --unit: all units below it, too.")
@own_option
@click.option(
    "--by",
    type=click.Choice(list(GROUPINGS), case_sensitive=False),
    default=None,
    help="Show sums instead; `tree` is the tree of emission types, `unit_tree` that of units.",
)
@click.option(
    "--strict",
    is_flag=True,
    help="Exit with code 7 unless there are totals and nothing is missing from them.",
)
@output_options
@connection_options
def totals(  # noqa: PLR0913  click gives each option
    *,
    target: Target,
    output: Output,
    year: int | None,
    module: int | None,
    unit: str,
    below: bool,
    own: bool,
    by: str | None,
    strict: bool,
) -> None:
    """Show a year's totals by unit and module, in kilograms of CO2-equivalent.

    With --by, show sums of these, beside the year before. Lines below the table say what is
    missing: entries without kilograms, and changes that the totals do not include yet (STALE).
    """
    if by == "year" and year:
        raise click.UsageError("--by year shows every year: leave out --year.")
    if below and not unit:
        raise click.UsageError("--below needs --unit: without it, all units are shown.")
    wanted = year or datetime.now(UTC).year
    of, alone = (module or 0, unit, below, own), "" if below else unit
    if by:
        reports, unknown = run_to_end(_reports(target, wanted, *of, every_year=by == "year"))
        show_sums(reports, wanted, by, output)
        out = [
            _ways_out(one.freshness, [one.whole], at, target, alone) for at, one in reports.items()
        ]
        complete = not any(map(has_gaps, reports.values()))
    else:
        answer, unknown = run_to_end(_totals(target, wanted, *of))
        show_totals(answer, wanted, output, unit=unit, module=module or 0)
        out = [_ways_out(answer.freshness, answer.module_totals, wanted, target, alone)]
        complete = is_whole(answer)
    for sentence in chain(*out):
        click.echo(sentence, err=not output.is_table)
    for sentence in (*unknown, *left_out_sentences(own=own)):
        click.echo(one_line(sentence), err=True)
    if strict and (unknown or not complete):
        raise SystemExit(ExitCode.INCOMPLETE)


def _ways_out(
    freshness: Sequence[ledger_pb2.TotalsFreshness],
    sums: Iterable[ledger_pb2.ModuleTotals | ledger_pb2.ReportSums],
    year: int,
    target: Target,
    unit: str,
) -> Iterator[str]:
    without_kg = any(one.entries_without_kg for one in sums)
    return ways_out(freshness, year, target, without_kg=without_kg, unit=unit)


async def _reports(
    target: Target,
    year: int,
    module: int,
    unit: str,
    below: bool,
    own: bool,
    *,
    every_year: bool,
) -> tuple[Mapping[int, ledger_pb2.GetReportResponse], list[str]]:
    """The year's report by its year, or those of all years that have totals, if any has."""
    async with target.client() as client:
        report_of = partial(
            report_and_pending, client, module=module, unit=unit, below=below, own=own
        )
        report, unknown = await report_of(year=year)
        if not (every_year and report.years):
            return {year: report}, unknown
        found = {}
        for one in report.years:
            found[one.year], unknown = await report_of(year=one.year)
        return found, unknown


async def _totals(
    target: Target, year: int, module: int, unit: str, below: bool, own: bool
) -> tuple[ledger_pb2.GetTotalsResponse, list[str]]:
    async with target.client() as client:
        return await totals_and_pending(client, year, module, unit, below=below, own=own)


def is_whole(answer: ledger_pb2.GetTotalsResponse) -> bool:
    """Whether there are totals, all are fresh, and all entries have kilograms."""
    return (
        bool(answer.module_totals)
        and all(module.fresh for module in answer.freshness)
        and not any(one.entries_without_kg for one in answer.module_totals)
    )


def show_totals(
    answer: ledger_pb2.GetTotalsResponse,
    year: int,
    output: Output = PLAIN,
    *,
    unit: str = "",
    module: int = 0,
) -> None:
    """Print a row per unit and module, the institution's sum, and what is missing.

    `unit` and `module` are what the caller asked for, "" and 0 for all.
    """
    rows = [_row(one) for one in answer.module_totals]
    show_rows(
        _without_zeros(COLUMNS, rows),
        rows,
        output,
        total=_sum(answer),
        about={
            "year": year,
            "years_with_totals": list(answer.years),
            "freshness": [freshness_row(one) for one in answer.freshness],
        },
        if_none=one_line(none_sentence(answer, year, unit, module)),
    )
    for sentence in (*_without_kilograms(answer), *stale_sentences(answer.freshness)):
        click.echo(one_line(sentence), err=not output.is_table)


def show_sums(
    reports: Mapping[int, ledger_pb2.GetReportResponse],
    year: int,
    by: str,
    output: Output = PLAIN,
) -> None:
    """Print a row for each group, the whole below them, and what is missing.

    `by` is one of GROUPINGS. There is a report for each year that is shown; the last one has the
    rows.
    """
    grouping = GROUPINGS[by]
    *_, report = reports.values()
    rows = grouping.rows(report) if by == "year" or report.HasField("whole") else []
    show_rows(
        _without_zeros(grouping.columns, rows),
        rows,
        output,
        total=(
            {grouping.columns[0].name: "all", **sums_row(report.whole)}
            if grouping.has_sum and report.HasField("whole")
            else None
        ),
        about={
            "year": None if by == "year" else year,
            "by": by,
            "years_with_totals": [one.year for one in report.years],
            "freshness": [
                {"year": at, **freshness_row(one)}
                for at, of_year in reports.items()
                for one in of_year.freshness
            ],
            "modules_without_data": [module_name(one) for one in report.modules_without_data],
        },
        if_none=one_line(no_totals_sentence(report, year)),
    )
    missing = gaps_of_years(reports) if by == "year" else gaps(report, year)
    for sentence in missing if rows else ():
        click.echo(one_line(sentence), err=not output.is_table)


def _without_zeros(columns: Sequence[Column], rows: Sequence[Row]) -> list[Column]:
    # Nothing but zeros says nothing to people.
    missing = any(one.get(WITHOUT_KG) for one in rows)
    return [
        replace(one, in_tables=one.in_tables and (missing or one.name != WITHOUT_KG))
        for one in columns
    ]


def freshness_row(one: ledger_pb2.TotalsFreshness) -> Row:
    """The freshness of a module, for JSON."""
    return {
        "module": module_name(one.module),
        "fresh": one.fresh,
        "reason": one.reason,
        "stale_types": [type_name(number) for number in one.stale_types],
        "since": moment_of(one.since),
    }


def _row(one: ledger_pb2.ModuleTotals) -> Row:
    return {
        "unit": one.unit,
        "unit_name": one.unit_name,
        "module": module_name(one.module),
        "entries": one.entry_count,
        WITHOUT_KG: one.entries_without_kg,
        "total_kg": Decimal(one.total_kg_exact),
        "ghg_scope_1_kg": one.ghg_scope_1_kg,
        "ghg_scope_2_kg": one.ghg_scope_2_kg,
        "ghg_scope_3_kg": one.ghg_scope_3_kg,
        "by_emission_type_kg": in_order(one.by_emission_type),
        "by_additional_value": in_order(one.by_additional_value),
        "outcomes": in_order(one.outcome_counts),
        "computed_at": moment_of(one.computed_at),
    }


def _sum(answer: ledger_pb2.GetTotalsResponse) -> Row | None:
    if answer.HasField("institution"):
        whole = answer.institution
    elif answer.HasField("with_units_below"):
        whole = answer.with_units_below
    else:
        return None
    return {
        "unit": "all",
        "entries": whole.entry_count,
        WITHOUT_KG: whole.entries_without_kg,
        "total_kg": Decimal(whole.total_kg_exact),
        "ghg_scope_1_kg": whole.ghg_scope_1_kg,
        "ghg_scope_2_kg": whole.ghg_scope_2_kg,
        "ghg_scope_3_kg": whole.ghg_scope_3_kg,
    }


def _without_kilograms(answer: ledger_pb2.GetTotalsResponse) -> Iterator[str]:
    missing = sum(one.entries_without_kg for one in answer.module_totals)
    if missing:
        whole = sum(one.entry_count for one in answer.module_totals)
        have, are = ("has", "is") if missing == 1 else ("have", "are")
        of_all = f"{missing:,} of {pluralize(whole, 'entry', 'entries')}"
        yield f"{of_all} {have} no kilograms and {are} missing from these totals."
