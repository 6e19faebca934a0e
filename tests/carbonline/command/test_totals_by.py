"""Totals by unit, module, year, institution and node of the tree, and what is said below."""

import json
from typing import Any

import pytest

from carbonline.client.report_gaps import gaps, has_gaps
from carbonline.command.output import JSON, Output
from carbonline.command.totals import show_sums
from carbonline.v1 import ledger_pb2, types_pb2

TRAVEL, PURCHASE = types_pb2.MODULE_PROFESSIONAL_TRAVEL, types_pb2.MODULE_PURCHASE


def sums(kg: float = 329.005, **more: Any) -> ledger_pb2.ReportSums:
    given: dict[str, Any] = {
        "ghg_scope_1_kg": 100,
        "ghg_scope_2_kg": 27.456,
        "ghg_scope_3_kg": kg - 127.456,
        "total_kg": kg,
        "total_kg_exact": str(kg),
        "last_year_kg": 82.4,
        "it_total_kg": 27.456,
        "largest_category": "food",
        "largest_category_kg": 120,
        "entry_count": 5,
        "outcome_counts": {"computed": 5},
        **more,
    }
    return ledger_pb2.ReportSums(**given)


def report(**more: Any) -> ledger_pb2.GetReportResponse:
    given: dict[str, Any] = {
        "whole": sums(fte=0.8, kg_per_fte=500),
        "units": [ledger_pb2.UnitReport(unit="0828", unit_name="Physics", sums=sums())],
        "modules": [ledger_pb2.ModuleReport(module=TRAVEL, sums=sums())],
        "nodes": [
            ledger_pb2.NodeReport(path="professional_travel", kg=81.5, ghg_scope=3),
            ledger_pb2.NodeReport(path="professional_travel.plane", kg=81.5, ghg_scope=3),
        ],
        "years": [
            ledger_pb2.YearReport(year=2023, total_kg=82.4, total_kg_exact="82.4"),
            ledger_pb2.YearReport(year=2024, total_kg=329.005, total_kg_exact="329.005"),
        ],
        **more,
    }
    return ledger_pb2.GetReportResponse(**given)


def shown(capsys: pytest.CaptureFixture[str], by: str, **more: Any) -> list[str]:
    show_sums({2024: report(**more)}, 2024, by)
    return capsys.readouterr().out.splitlines()


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")


def test_units_stand_above_the_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, "unit") == [
        "unit  name     entries  kg CO2eq  last year kg  FTE  t per FTE",
        "──────────────────────────────────────────────────────────────",
        "0828  Physics        5   329.005            82",
        "──────────────────────────────────────────────────────────────",
        "all                  5   329.005            82  0.8       0.50",
    ]


def test_modules_have_their_scopes(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, "module")
    assert lines[2].split() == ["professional_travel", "100", "27", "202", "329", "82"]


def test_a_large_university_has_a_table_of_its_modules_at_80_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    large = sums(12_345_678.9, ghg_scope_1_kg=1_234_567, ghg_scope_2_kg=1_234_567)
    large.entries_without_kg, large.last_year_kg = 1_234, 12_345_678
    longest = types_pb2.MODULE_EXTERNAL_CLOUD_AND_AI
    modules = [ledger_pb2.ModuleReport(module=one, sums=large) for one in (TRAVEL, longest)]
    lines = shown(capsys, "module", whole=large, modules=modules)
    assert "─" * 70 in "".join(lines)


def test_years_stand_without_a_sum(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, "year")
    assert [line.split()[0] for line in lines[2:]] == ["2023", "2024"]


def test_the_institution_is_one_row(capsys: pytest.CaptureFixture[str]) -> None:
    text = "\n".join(shown(capsys, "institution"))
    for part in ("329.005", "0.50", "27.456", "food", "120.000", "computed: 5"):
        assert part in text


def test_nodes_are_set_in_by_their_depth(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, "tree")
    assert [line.split("  ")[0] for line in lines[2:]] == ["professional_travel", "· plane"]


def test_units_are_set_in_below_those_above_them(capsys: pytest.CaptureFixture[str]) -> None:
    tree = [
        ledger_pb2.UnitTreeNode(
            unit=unit,
            unit_name=name,
            parent_unit=parent,
            level=level,
            own_kg_exact=own,
            with_units_below=sums(),
        )
        for unit, name, parent, level, own in (
            ("SCI", "Science", "", 0, "0"),
            ("0828", "Physics", "SCI", 1, "329.005"),
        )
    ]
    assert shown(capsys, "unit_tree", unit_tree=tree) == [
        "unit    name     own kg  with units below kg  last year kg  FTE  t per FTE",
        "──────────────────────────────────────────────────────────────────────────",
        "SCI     Science       0                  329            82",
        "· 0828  Physics     329                  329            82",
        "──────────────────────────────────────────────────────────────────────────",
        "all                                      329            82  0.8       0.50",
    ]
    show_sums({2024: report(unit_tree=tree)}, 2024, "unit_tree", Output(JSON))
    science, physics = json.loads(capsys.readouterr().out)["rows"]
    assert (science["unit"], science["parent_unit_id"], science["level"]) == ("SCI", None, 0)
    assert (physics["parent_unit_id"], physics["own_kg"], physics["level"]) == ("SCI", 329.005, 1)


def test_all_values_are_in_files_under_names_that_stay(capsys: pytest.CaptureFixture[str]) -> None:
    show_sums({2024: report()}, 2024, "unit", Output(JSON))
    written = json.loads(capsys.readouterr().out)
    [row] = written["rows"]
    assert row["last_year_kg"] == 82.4
    assert row["fte"] is None
    assert (row["it_total_kg"], row["largest_category"]) == (27.456, "food")
    assert written["total"]["t_per_fte"] == 0.5
    assert (written["year"], written["by"]) == (2024, "unit")


def test_nothing_is_said_where_nothing_is_missing() -> None:
    assert gaps(report(), 2024) == []
    assert not has_gaps(report())


def test_all_that_is_missing_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    missing: dict[str, Any] = {
        "whole": sums(outcome_counts={"computed": 2, "no_factor": 1}, entries_without_kg=1),
        "freshness": [ledger_pb2.TotalsFreshness(module=TRAVEL, reason="1 upload waits")],
        "modules_without_data": [PURCHASE],
        "units_without_data": [f"u{number}" for number in range(20)],
        "units_without_data_count": 1_234,
    }
    ten = ", ".join(f"u{number}" for number in range(10))
    assert shown(capsys, "module", **missing)[-5:] == [
        "STALE: professional_travel: 1 upload waits.",
        "1 of 5 entries has no kilograms and is missing from these totals: 1 no_factor.",
        "No data for 2024: purchase.",
        f"1,234 units have no totals for 2024: {ten} and 1,224 more.",
        "Kilograms per FTE are unknown: there are no members of staff.",
    ]
    assert has_gaps(report(**missing))
    assert has_gaps(report(freshness=missing["freshness"]))
    assert has_gaps(report(whole=missing["whole"]))


def test_a_year_without_totals_says_which_years_have_some(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_sums({2025: report(whole=None)}, 2025, "unit")
    heard = capsys.readouterr()
    assert heard.out == ""
    assert heard.err.startswith("There are no totals for 2025; there are totals for 2023, 2024.")
    assert has_gaps(report(whole=None))
