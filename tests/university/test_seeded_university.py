"""The seeded university has the totals of an independent account, and seeding it again changes
nothing."""

import asyncio
import json
import math
from typing import Any

import pytest

from carbonline.v1 import ledger_pb2
from tests.cases.conftest import Terminal
from tests.university.plain_account import FOLDER, accounts
from tests.university.plain_tree import PARENTS, path_of, with_units_below

ACCOUNTS = accounts()
YEARS = sorted(ACCOUNTS)
# Doubles of a single row differ in the last digit at most, and sums are exact on both sides.
WITHIN = 1e-12


def report_of(terminal: Terminal, year: int, **of: Any) -> ledger_pb2.GetReportResponse:
    async def ask() -> ledger_pb2.GetReportResponse:
        async with terminal.client() as client:
            return await client.get_report(year, **of)

    return asyncio.run(ask())


def rows(terminal: Terminal, *words: str) -> list[dict[str, Any]]:
    typed = terminal.type(*words, "--json")
    assert typed.code == 0, typed
    found: list[dict[str, Any]] = json.loads(typed.out)["rows"]
    return found


def test_the_account_has_the_totals_that_its_page_shows() -> None:
    shown = (FOLDER / "README.md").read_text("utf-8")
    for year, account in ACCOUNTS.items():
        assert f"| {year} | {account.total:,.3f} |" in shown


@pytest.mark.parametrize("year", YEARS)
def test_each_unit_and_module_has_the_kilograms_of_the_plain_account(
    seeded: Terminal, year: int
) -> None:
    found = rows(seeded, "totals", "--year", str(year))
    kg = {(one["unit"], one["module"]): one["total_kg"] for one in found if one["total_kg"]}
    sums = {key: math.fsum(kg) for key, kg in ACCOUNTS[year].by_unit_and_module.items()}
    assert kg == pytest.approx({key: one for key, one in sums.items() if one}, rel=WITHIN)


@pytest.mark.parametrize("year", YEARS)
def test_each_node_and_scope_has_the_kilograms_of_the_plain_account(
    seeded: Terminal, year: int
) -> None:
    account, report = ACCOUNTS[year], report_of(seeded, year)
    kg = {one.path: one.kg for one in report.nodes if one.kg}
    nodes = {path: math.fsum(parts) for path, parts in account.by_node.items()}
    assert kg == pytest.approx({path: one for path, one in nodes.items() if one}, rel=1e-9)
    whole = report.whole
    scopes = {1: whole.ghg_scope_1_kg, 2: whole.ghg_scope_2_kg, 3: whole.ghg_scope_3_kg}
    assert scopes == pytest.approx(
        {scope: math.fsum(parts) for scope, parts in account.by_scope.items()}, rel=WITHIN
    )
    assert whole.total_kg == pytest.approx(account.total, rel=WITHIN)
    assert (whole.entry_count, whole.entries_without_kg) == (account.entries, account.without_kg)
    assert whole.fte == pytest.approx(math.fsum(account.fte))
    bought = "purchases.goods_and_services.it_equipment"
    it = sum(nodes[path] for path in ("equipment.it", bought, "external.clouds", "external.ai"))
    assert whole.it_total_kg == pytest.approx(it, rel=1e-9)


@pytest.mark.parametrize("year", YEARS)
def test_each_unit_has_the_sum_of_all_units_below_it(seeded: Terminal, year: int) -> None:
    account, found = (
        ACCOUNTS[year],
        rows(seeded, "totals", "--year", f"{year}", "--by", "unit_tree"),
    )
    kg = {one["unit"]: one["total_kg"] for one in found if one["total_kg"]}
    assert kg == pytest.approx(with_units_below(account), rel=WITHIN)
    assert {one["unit"]: one["parent_unit_id"] or "" for one in found} == PARENTS
    assert {one["level"] for one in found} == {0, 1, 2}
    top = math.fsum(one["total_kg"] for one in found if one["level"] == 0)
    assert top == pytest.approx(account.total, rel=WITHIN)
    science = report_of(seeded, year, unit="SCI", below=True)
    assert science.whole.total_kg == pytest.approx(kg["SCI"], rel=WITHIN)
    assert {one.unit for one in science.unit_tree} == {
        unit for unit in PARENTS if "SCI" in path_of(unit)
    }
    typed = seeded.type("report", "--year", f"{year}", "--unit", "sci", "--below")
    assert "SCI Faculty of Science and all units below it" in typed.out


def test_the_years_stand_beside_each_other(seeded: Terminal) -> None:
    before, now = (ACCOUNTS[year].total for year in YEARS)
    whole = report_of(seeded, YEARS[1]).whole
    assert (whole.last_year_kg, whole.total_kg) == pytest.approx((before, now), rel=WITHIN)
    by_year = rows(seeded, "totals", "--by", "year")
    assert {one["year"]: one["total_kg"] for one in by_year} == pytest.approx(
        dict(zip(YEARS, (before, now), strict=True)), rel=WITHIN
    )


def test_every_module_has_data_and_what_is_missing_is_said(seeded: Terminal) -> None:
    report = report_of(seeded, 2024)
    assert list(report.modules_without_data) == []
    assert all(one.fresh for one in report.freshness)
    typed = seeded.type("report", "--year", "2024")
    assert "1 of 159 entries has no kilograms" in typed.output
    typed = seeded.type("report", "--year", "2024", "--strict", "-o", "report.html")
    assert typed.code == 7
    assert (seeded.folder / "report.html").read_text("utf-8").startswith("<!doctype html>")


def test_seeding_again_changes_nothing(seeded: Terminal) -> None:
    lists = [
        ("totals", "--year", "2023"),
        ("totals", "--year", "2024"),
        ("uploads", "--year", "2023"),
        ("uploads", "--year", "2024"),
        ("units",),
        ("locations",),
        ("references", "rates"),
        ("references", "rooms"),
        *(("factors", "--type", name, "--year", "2024") for name in ("plane", "member", "it")),
    ]

    def everything() -> list[Any]:
        found = [rows(seeded, *words) for words in lists]
        # When totals were computed says nothing about what they are.
        return [[{**one, "computed_at": None} for one in part] for part in found]

    before = everything()
    typed = seeded.type("seed", FOLDER)
    assert typed.code == 0, typed
    assert everything() == before
    assert seeded.type("verify").code == 0


def test_the_jobs_of_a_seed_are_marked(seeded: Terminal) -> None:
    typed = seeded.type("job", "1")
    assert "is_seed_run: yes" in typed.output


def test_what_cannot_be_loaded_is_said_before_anything_is(seeded: Terminal) -> None:
    folder = seeded.folder / "wrong"
    folder.mkdir()
    (folder / "rooms.csv").write_text("building_name\n")
    (folder / "seed.toml").write_text(
        '[[units]]\nfile = "rooms.csv"\nyears = [2024]\n'
        '[[factors]]\ntype = "plain"\nyears = 2024\nfile = "rooms.csv"\n'
    )
    typed = seeded.type("seed", folder)
    assert typed.code == 2
    assert "[[factors]] 1: type plain is not known: did you mean plane" in typed.output
    # To seed these again would rename the unit twice.
    (folder / "units.csv").write_text("unit_institutional_id,name\nSCI,Science\n")
    (folder / "rooms.csv").write_text("unit_institutional_id,name\nNEW,New\nsci,Sciences\n")
    (folder / "seed.toml").write_text(
        '[[units]]\nfile = "units.csv"\nyears = [2023, 2024]\n'
        '[[units]]\nfile = "rooms.csv"\nyears = [2023]\n'
    )
    typed = seeded.type("seed", folder)
    assert typed.code == 2
    assert "units.csv row 1 and rooms.csv row 2: of sci, name is Science and Sciences" in typed.err
    assert "NEW" not in str(rows(seeded, "units"))


def test_nothing_is_loaded_after_a_file_that_fails(seeded: Terminal) -> None:
    folder = seeded.folder / "failing"
    folder.mkdir()
    (folder / "units.csv").write_text("unit_institutional_id,name\nSCI,Faculty of Science\n")
    (folder / "factors.csv").write_text("category,ef_kg_co2eq_per_fte_hour\nheating,much\n")
    (folder / "hours.csv").write_text("unit_institutional_id,fte,hours_per_fte\nSCI,1,1000\n")
    of_type = 'type = "homeworking"\nyears = 2022\n'
    (folder / "seed.toml").write_text(
        '[[units]]\nfile = "units.csv"\nyears = [2022]\n'
        f'[[factors]]\n{of_type}file = "factors.csv"\n'
        f'[[activity]]\n{of_type}file = "hours.csv"\n'
    )
    typed = seeded.type("seed", folder)
    assert typed.code == 4
    assert "factors homeworking 2022: FAILED." in typed.out
    assert "What comes after these files was not loaded." in typed.err
    assert rows(seeded, "uploads", "--year", "2022") == []
