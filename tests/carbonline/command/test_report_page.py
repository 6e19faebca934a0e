"""One page of a year: the figures, what is missing from them, and the tables that add up."""

from datetime import UTC, datetime
from typing import Any

import pytest
from rich.cells import cell_len

from carbonline.command.report_page import Page, change, page_of, share, tonnes, words
from carbonline.command.report_text import report_lines
from carbonline.v1 import ledger_pb2, types_pb2
from tests.carbonline.command.a_report import TOTAL, a_report

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


def page(**more: Any) -> Page:
    return page_of(a_report(**more), 2024, NOW)


def test_the_figures_come_first() -> None:
    assert report_lines(page(), 80)[:10] == [
        "Greenhouse gas emissions 2024",
        "═════════════════════════════",
        "As of 2026-01-02 03:04 UTC. Tonnes (t) are tonnes of CO2-equivalent.",
        "",
        "Total: 2,000.0 t (-13.0 % against 2,300.0 t in 2023)",
        "Per full-time equivalent: 5.00 t (400.0 FTE)",
        "Largest category: Professional travel (1,234.6 t, 61.7 %)",
        "Information technology: 0.0 t (0.0 % of the total)",
        "Entries: 12,345 (all have kilograms)",
        "",
    ]


def test_each_table_adds_up_to_the_whole() -> None:
    for section in page().sections:
        if section.whole_kg is not None:
            top = sum(line.kg for line in section.lines if line.depth == 0)
            assert top == pytest.approx(TOTAL), section.title


def test_what_is_missing_is_said_before_the_tables() -> None:
    stale = ledger_pb2.TotalsFreshness(
        module=types_pb2.MODULE_BUILDINGS, reason="1 upload of energy_combustion is not computed"
    )
    text = "\n".join(
        report_lines(
            page(
                freshness=[stale],
                modules_without_data=[types_pb2.MODULE_PURCHASE],
                units_without_data=["0999"],
                units_without_data_count=1,
            ),
            80,
        )
    )
    before, _, _ = text.partition("By GHG scope")
    assert "STALE: buildings: 1 upload of energy_combustion is not computed." in before
    assert "No data for 2024: purchase." in before
    assert "1 unit has no totals for 2024: 0999." in before
    assert "Nothing is missing" not in text


def test_nothing_missing_is_said_too() -> None:
    assert "Nothing is missing from these figures." in report_lines(page(), 80)


def test_the_largest_stand_first_with_their_children() -> None:
    [categories] = [one for one in page().sections if one.title == "By category"]
    assert [(line.depth, line.label) for line in categories.lines] == [
        (0, "Professional travel"),
        (1, "Plane"),
        (1, "Train"),
        (0, "Buildings"),
        (1, "Combustion"),
        (0, "Food"),
        (1, "Non vegetarian"),
        (1, "Vegetarian"),
    ]


@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    lines = report_lines(page(), width)
    assert [line for line in lines if cell_len(line) > width] == []
    assert not any("\x1b" in line for line in lines)


def test_a_wide_terminal_has_bars() -> None:
    assert not any("█" in line for line in report_lines(page(), 80))
    [longest] = [line for line in report_lines(page(), 120) if "0828 Institute" in line]
    assert longest.endswith("█" * 24)


def test_a_first_year_has_nothing_to_compare_with() -> None:
    whole = ledger_pb2.ReportSums(total_kg=5, total_kg_exact="5", entry_count=1)
    units = [ledger_pb2.UnitReport(unit="0828", sums=whole)]
    text = "\n".join(report_lines(page(whole=whole, units=units, modules=[], nodes=[]), 80))
    assert "Total: 0.005 t (no totals for 2023)" in text
    assert "t in 2023" not in text


def test_the_page_of_a_unit_names_it() -> None:
    assert page_of(a_report(), 2024, NOW, unit="0828 Physics").title == (
        "Greenhouse gas emissions 2024: 0828 Physics"
    )


def test_what_the_scheduler_does_not_say_is_missing() -> None:
    assert page_of(a_report(), 2024, NOW, ["It does not answer."]).missing == (
        "It does not answer.",
    )


def test_numbers_are_rounded_once_and_compared_only_with_something() -> None:
    assert (tonnes(1_234_567.8, 1), tonnes(None, 1)) == ("1,234.6", "")
    assert (change(150, 100), change(50, 100), change(1, 0), change(1, None)) == (
        "+50.0 %",
        "-50.0 %",
        "",
        "",
    )
    assert (share(1, 3), share(1, 0), share(1, None)) == ("33.3 %", "", "")
    assert words("it") == "IT"
    assert words("external_cloud_and_ai") == "External cloud and AI"
