"""Each data-entry type goes from its files to totals: the first worked example, by its commands."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cases.conftest import UNITS, Terminal

SHEETS = Path(__file__).parents[1] / "worker_service/carbon/worked_examples"
YEAR = 2035
# It has a form of its own, and the other cases.
IN_ROWS = sorted(path.stem for path in SHEETS.glob("*.yaml") if path.stem != "plane")


def sheet_of(name: str) -> dict[str, Any]:
    sheet: dict[str, Any] = yaml.safe_load((SHEETS / f"{name}.yaml").read_text("utf-8"))
    return sheet


def csv_of(rows: Sequence[Mapping[str, object]]) -> str:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


@pytest.fixture(scope="module")
def year(terminal: Terminal) -> Iterator[Terminal]:
    units = terminal.folder / "units_of_types.csv"
    units.write_text(UNITS, "utf-8")
    assert terminal.type("load", "units", units, "--year", str(YEAR)).code == 0
    yield terminal
    assert terminal.type("verify").code == 0


def test_the_modules_are_listed_with_what_their_files_need(terminal: Terminal) -> None:
    rows = {row["data_entry_type"]: row for row in json.loads(listed(terminal, "--json"))["rows"]}
    assert {name for name, row in rows.items() if row["computed"]} == {*IN_ROWS, "plane"}
    fuels = rows["energy_combustion"]
    assert (fuels["module"], fuels["columns"]) == (
        "buildings",
        ["unit_institutional_id", "name", "quantity"],
    )
    assert "ef_kg_co2eq_per_unit" in fuels["factor_columns"]
    assert fuels["formula_version"] == "energy_combustion-1"
    assert "research_facilities" in listed(terminal)


def listed(terminal: Terminal, *words: str) -> str:
    typed = terminal.type("modules", *words)
    assert typed.code == 0, typed
    return typed.out


@pytest.mark.parametrize("name", IN_ROWS)
def test_a_type_goes_from_its_files_to_totals(year: Terminal, name: str) -> None:
    sheet, before = sheet_of(name), year.kg(YEAR)
    for_type = ("--type", name, "--year", str(YEAR))
    if stations := sheet.get("references", {}).get("train"):
        places = year.folder / "stations.csv"
        places.write_text(csv_of(stations), "utf-8")
        assert year.type("load", "locations", places, "--transport-mode", "train").code == 0
    for kind in ("rates", "rooms"):
        if rows := sheet.get("references", {}).get(kind):
            file = year.folder / f"{kind}.csv"
            of_year = {"year": YEAR} if kind == "rates" else {}
            file.write_text(csv_of([{**of_year, **row} for row in rows]), "utf-8")
            assert year.type("load", kind, file).code in {0, 3}
    factors = year.folder / f"factors_{name}.csv"
    factors.write_text(csv_of(sheet["factors"]), "utf-8")
    assert year.type("load", "factors", factors, *for_type).code == 0
    first = sheet["cases"][0]
    entries = first.get("entries", [first.get("entry", {})])
    rows = [{"unit_institutional_id": "0828", **sheet["entry"], **entry} for entry in entries]
    activity = year.folder / f"{name}.csv"
    activity.write_text(csv_of(rows), "utf-8")

    typed = year.type("submit", activity, *for_type)

    assert typed.code == 0, typed
    expected = sum(first["kg"].values())
    assert year.kg(YEAR) - before == pytest.approx(expected, rel=first.get("within", 1e-9))


def test_a_file_of_several_types_is_sent_by_its_module(year: Terminal) -> None:
    factors = year.folder / "routed_factors.csv"
    row = {"currency": "chf", "ef_kg_co2eq_per_currency": 0.5}
    kinds = [("s1", "services"), ("v1", "vehicles")]
    said = [{"purchase_institutional_code": code, "purchase_category": of} for code, of in kinds]
    factors.write_text(csv_of([{**row, **one} for one in said]), "utf-8")
    of_module = ("--module", "purchase", "--year", str(YEAR))
    assert year.type("load", "factors", factors, *of_module).code in {0, 3}
    columns = ("name", "total_spent_amount", "purchase_institutional_code", "purchase_category")
    purchases = year.folder / "purchases.csv"
    bought = [("A", 100, "s1", "services"), ("B", 200, "v1", ""), ("C", -1, "v1", "vehicles")]
    rows = [dict(zip(columns, one, strict=True)) for one in [*bought, ("D", 1, "s1", "food")]]
    purchases.write_text(csv_of([{"unit_institutional_id": "0828", **row} for row in rows]))
    before = year.kg(YEAR)
    at = ("--year", str(YEAR), "--source", "erp", "--yes")

    checked = year.type("submit", purchases, *of_module, "--check")
    assert checked.code == 10, checked
    for line in (
        "file           purchases.csv, 4 rows; nothing was written",
        "of no type     1, rejected",
        "type           vehicles, 2 rows",
    ):
        assert line in checked.out.splitlines(), checked.out
    assert year.kg(YEAR) == before

    typed = year.type("submit", purchases, "--module", "purchase", *at)

    assert typed.code == 0, typed
    assert "3 rows routed: 1 services, 2 vehicles; 1 row rejected" in typed.output
    assert year.kg(YEAR) - before == pytest.approx(150)
    header, *rejected = year.rejected(typed).splitlines()
    assert header.endswith("purchase_category,rejected_row,rejected_reason")
    assert [line.split(",")[1] for line in rejected] == ["D", "C"]
    again = year.type("submit", purchases, "--module", "purchase", *at)
    assert "This replaces services, vehicles, as far as the file has rows of them." in again.output
    assert year.kg(YEAR) - before == pytest.approx(150)
    refused = year.type("submit", purchases, "--module", "headcount", *at)
    assert refused.code == 2
    assert "A file of headcount is of one type: name it with --type." in refused.output


def test_rates_are_listed_with_their_use_and_removed_with_consent(year: Terminal) -> None:
    rates = year.folder / "own_rates.csv"
    rates.write_text(csv_of([{"currency": "SEK", "year": YEAR, "units_per_eur": 11.5}]), "utf-8")
    assert year.type("load", "rates", rates).code == 0
    for_type = ("--type", "services", "--year", str(YEAR))
    factors = year.folder / "factors_in_crowns.csv"
    factors.write_text(csv_of(sheet_of("services")["factors"]), "utf-8")
    assert year.type("load", "factors", factors, *for_type).code in {0, 3}
    row = {"unit_institutional_id": "0828", **sheet_of("services")["entry"], "currency": "SEK"}
    activity = year.folder / "in_crowns.csv"
    activity.write_text(csv_of([row]), "utf-8")
    assert year.type("submit", activity, *for_type, "--source", "crowns").code == 0

    listed = year.type("references", "rates", f"SEK, {YEAR}", "--used", "--json")
    [rate] = json.loads(listed.out)["rows"]
    assert (rate["key"], rate["values"], rate["entries"]) == (
        f"SEK, {YEAR}",
        {"units_per_eur": "11.5"},
        1,
    )
    refused = year.type("remove", "references", "rates", f"SEK, {YEAR}")
    assert refused.code == 4
    assert "1 exchange rate would be removed, and 1 entry uses SEK" in refused.out
    gone = year.type("remove", "references", "rates", f"SEK, {YEAR}", "--yes")
    assert gone.code in {0, 3}, gone
    missing = year.type("uncomputed", "--year", str(YEAR))
    assert "outcome: no_rate" in missing.out
