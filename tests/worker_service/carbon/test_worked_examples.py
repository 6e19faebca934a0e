"""The worked examples that an accountant can read, through files, storage and formula."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from tests.worker_service.carbon.plane_files import ECONOMY, GOOD, emissions_of, parsed
from tests.worker_service.carbon.type_files import (
    computed_from,
    read_factor_rows,
    read_rows,
    references_of,
)
from worker_service.carbon.catalogue import MODULES
from worker_service.carbon.declarations import DataEntryType
from worker_service.carbon.emission_tree import SCOPES

_FOLDER = Path(__file__).parent / "worked_examples"
_DECLARED = {
    one.name: one for module in MODULES for one in module.types if isinstance(one, DataEntryType)
}
# Planes have airports, bands and reported distances: a form of their own.
_IN_ROWS = sorted(set(_DECLARED) - {"plane"})
_CASES_MIN = 3


def _sheet(name: str) -> dict[str, Any]:
    sheet: dict[str, Any] = yaml.safe_load((_FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    return sheet


_PLANE = _sheet("plane")


def _cases() -> Iterator[Any]:
    for name in _IN_ROWS:
        sheet = _sheet(name)
        for case in sheet["cases"]:
            yield pytest.param(_DECLARED[name], sheet, case, id=f"{name}: {case['says']}")


@pytest.mark.parametrize(("declared", "sheet", "case"), list(_cases()))
def test_a_worked_example(
    declared: DataEntryType, sheet: dict[str, Any], case: dict[str, Any]
) -> None:
    factors = case.get("factors", sheet["factors"])
    if "rejected_factor" in case:
        rejected = read_factor_rows(declared, factors).rejected
        assert rejected["column"].to_list() == [case["rejected_factor"]]
        assert case.get("reason") in (None, *rejected["reason"])
        return
    entries = case.get("entries", [case.get("entry", {})])
    rows = [{**sheet["entry"], **entry} for entry in entries]
    if "rejected" in case:
        batch = read_rows(declared, rows)
        assert batch.rejected["column"].to_list() == [case["rejected"]]
        assert case.get("reason") in (None, *batch.rejected["reason"])
        assert batch.accepted.height == len(rows) - 1
        return
    warnings = {
        "warned": read_rows(declared, rows).warned,
        "warned_factor": read_factor_rows(declared, factors).warnings,
    }
    for of, warned in warnings.items():
        told = warned.filter(pl.col("reason").str.contains(" is more than "))
        said = [(case[of], case["warning"])] if of in case else []
        assert told.select("column", "reason").rows() == said
    references = references_of(sheet.get("references", {}))
    computed = computed_from(declared, rows, factors, references, case.get("totals", {}))
    assert set(computed.outcomes["outcome"]) == {case.get("outcome", "computed")}
    assert set(computed.outcomes["detail"]) == {case.get("detail")}
    doubts = [(case["doubted"], case["doubt"])] if "doubted" in case else []
    assert computed.doubtful.select("column", "reason").rows() == doubts
    of_nodes = computed.emissions.group_by("emission_type")
    emissions = of_nodes.agg(pl.col("kg", "additional_value").sum()).to_dicts()
    kg = {emission["emission_type"]: emission["kg"] for emission in emissions}
    assert kg == pytest.approx(case.get("kg", {}), rel=case.get("within", 1e-12), abs=5.1e-8)
    for node, value in case.get("additional", {}).items():
        [of_node] = [one for one in emissions if one["emission_type"] == node]
        assert of_node["additional_value"] == pytest.approx(value)
    overridden = case.get("outcome") == "overridden"
    assert computed.emissions.height == case.get("rows", len(kg))
    for emission in computed.emissions.to_dicts():
        assert emission["scope"] == SCOPES[emission["emission_type"]]
        assert emission["overridden"] == (emission["factor_id"] is None) == overridden


def test_every_type_that_computes_has_worked_examples_and_no_others_have() -> None:
    assert {path.stem for path in _FOLDER.iterdir()} == set(_DECLARED)
    for name in _DECLARED:
        assert len(_sheet(name)["cases"]) >= _CASES_MIN


@pytest.mark.parametrize("case", _PLANE["cases"], ids=lambda case: case["says"])
def test_a_worked_example_of_planes(case: dict[str, Any]) -> None:
    entry = {**dict.fromkeys(GOOD, ""), **GOOD, **case["entry"]}
    if "rejected" in case:
        batch = parsed([entry])
        assert batch.rejected["column"].to_list() == [case["rejected"]]
        assert case.get("reason") in (None, *batch.rejected["reason"])
        assert batch.accepted.is_empty()
        return
    computed = emissions_of([entry], case.get("factors", [ECONOMY]), _PLANE["airports"])
    [outcome] = computed.outcomes.to_dicts()
    assert outcome["outcome"] == case.get("outcome", "computed")
    assert outcome["detail"] == case.get("detail")
    if "kg" not in case:
        assert computed.emissions.is_empty()
        return
    [emission] = computed.emissions.to_dicts()
    near = {"rel": case["within"]} if "within" in case else {"rel": 0, "abs": 5.1e-7}
    assert emission["kg"] == pytest.approx(case["kg"], **near)
    if "km" in case:
        assert emission["additional_value"] == pytest.approx(case["km"], **near)
    else:
        assert emission["additional_value"] is None
    assert emission["emission_type"] == "professional_travel." + case["node"]
    assert emission["scope"] == 3
    assert emission["overridden"] == (outcome["outcome"] == "overridden")
    assert (emission["factor_id"] is None) == emission["overridden"]
