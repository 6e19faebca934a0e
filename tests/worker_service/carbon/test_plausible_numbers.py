"""A number beyond a bound of its column counts with a warning, in every type."""

import csv
import io
import random
from collections.abc import Iterator, Mapping

import pytest

from tests.worker_service.carbon.type_files import read_factor_rows, read_rows
from worker_service.carbon.catalogue import MODULES, declaration
from worker_service.carbon.declarations import (
    COMMON_COLUMNS,
    Column,
    ColumnKind,
    DataEntryType,
    Plausible,
)
from worker_service.carbon.describe import describe_catalogue, template
from worker_service.carbon.reference_kinds import REFERENCE_KINDS

_DECLARED = [t for m in MODULES for t in m.types if isinstance(t, DataEntryType)]
_NUMBERS = {ColumnKind.NUMBER, ColumnKind.INTEGER}
# An upper end that no flight reaches says that there is none: 99999.
_WITHOUT_BOUND = {"max_distance"}
_MORE = " is more than "


def files() -> Iterator[tuple[str, tuple[Column, ...]]]:
    """All files that the product reads: what they are of, and their columns."""
    for declared in _DECLARED:
        yield declared.name, (*declared.columns, *COMMON_COLUMNS)
        of = declared.factors
        yield f"factors of {declared.name}", (*of.classification, *of.values)
    for kind in REFERENCE_KINDS.values():
        yield kind.name, kind.columns


@pytest.mark.parametrize(("_of", "columns"), list(files()), ids=lambda one: str(one)[:40])
def test_each_number_of_a_file_has_a_bound_that_rejects_or_warns(
    _of: str, columns: tuple[Column, ...]
) -> None:
    without = {
        column.name
        for column in columns
        if column.kind in _NUMBERS and column.maximum is None and not column.plausible
    }
    assert without <= _WITHOUT_BOUND


def of_template(declared: DataEntryType) -> dict[str, str]:
    [row] = csv.DictReader(io.StringIO(template(declared)))
    return {**row, "unit_institutional_id": "0828"}


def near(chance: random.Random, column: Column, most: float) -> float:
    """A number below, at or beyond a bound."""
    number = chance.choice([most / 2, most, most, most * 1.001, most * 3, most + 1])
    return float(int(number)) if column.kind is ColumnKind.INTEGER else number


def is_beyond(row: Mapping[str, str], column: Column, of: Plausible) -> bool:
    """The rule in plain Python, for the units and currencies that the declaration names."""
    most = dict(of.mosts).get(row.get(of.by, "").casefold(), of.most)
    number = float(row[column.name] or 0)
    if of.per:
        pieces = float(row[of.per] or 0)
        return pieces > 0 and number / pieces > most
    return number > most


@pytest.mark.parametrize("declared", _DECLARED, ids=lambda t: t.name)
@pytest.mark.parametrize("seed", [1, 2])
def test_the_warned_rows_are_those_beyond_a_bound_and_all_of_them_count(
    declared: DataEntryType, seed: int
) -> None:
    chance = random.Random(seed)
    bounds = [
        (column, of) for column in (*declared.columns, *COMMON_COLUMNS) for of in column.plausible
    ]
    rows = []
    for number in range(120):
        row = of_template(declared)
        if "unit" in row:
            # Converted bounds are told one by one below.
            row["unit"] = {"MWh": "kWh", "l": "m3"}.get(row["unit"], row["unit"])
        if "user_institutional_id" in row:
            row["user_institutional_id"] = str(number)
        column, of = chance.choice(bounds)
        if of.by:
            row[of.by] = chance.choice([*dict(of.mosts), row[of.by]])
        if of.per:
            row[of.per] = chance.choice(["", "0", "1", "10"])
        near_to = dict(of.mosts).get(row.get(of.by, "").casefold(), of.most)
        row[column.name] = f"{near(chance, column, near_to):.6f}".rstrip("0").rstrip(".")
        rows.append(row)
    batch = read_rows(declared, rows)
    # Some units are of no use to a type: electricity in kg.
    assert set(batch.rejected["column"]) <= {"unit"}
    rejected = set(batch.rejected["row"])
    assert set(batch.accepted["row_number"]) == set(range(1, len(rows) + 1)) - rejected
    beyond = [
        (number, column.name)
        for number, row in enumerate(rows, start=1)
        for column, of in bounds
        if number not in rejected and is_beyond(row, column, of)
    ]
    told = batch.warned.filter(batch.warned["reason"].str.contains(_MORE))
    assert sorted(told.select("row", "column").rows()) == sorted(beyond)
    assert beyond


@pytest.mark.parametrize(
    ("type_id", "changed", "reason"),
    [
        (33, {"quantity": 400_000, "unit": "MWh"}, "400,000 MWh in one row is more than 300,000"),
        (33, {"quantity": 400_000, "unit": "kWh"}, ""),
        (
            *(33, {"quantity": 1e10, "unit": "MJ"}),
            "10,000,000,000 MJ in one row is more than 1,080,000,000",
        ),
        (33, {"quantity": 250_000, "unit": "MWh"}, ""),
        (
            *(31, {"quantity": 30_000_001, "unit": "litres"}),
            "30,000,001 litres in one row is more than 30,000,000",
        ),
        (
            *(31, {"quantity": 2e9, "unit": ""}),
            "2,000,000,000 of its unit in one row is more than 1,000,000,000",
        ),
        (
            22,
            {"distance": 150_000, "distance_unit": "mi"},
            "150,000 mi in one row is more than 124,000",
        ),
        (22, {"distance": 150_000, "distance_unit": "km"}, ""),
        (
            *(67, {"annual_consumption": 11_000, "unit": "T"}),
            "11,000 t in one row is more than 10,000",
        ),
        (3, {"hours_per_fte": 8_784.5}, "8,784.5 hours in one row is more than 8,784"),
        (64, {"total_spent_amount": 2e9, "currency": "JPY"}, ""),
        (
            *(64, {"total_spent_amount": 2e8, "currency": "CHF"}),
            "200,000,000 CHF in one row is more than 100,000,000",
        ),
        (
            *(64, {"total_spent_amount": 9e7, "quantity": 3}),
            "30,000,000 CHF per unit of quantity is more than 20,000,000",
        ),
        (64, {"total_spent_amount": 9e7, "quantity": 9}, ""),
        (64, {"total_spent_amount": 9e7, "quantity": 0}, ""),
    ],
)
def test_a_bound_is_that_of_the_unit_and_the_currency_of_the_row(
    type_id: int, changed: Mapping[str, object], reason: str
) -> None:
    declared = declaration(type_id)
    batch = read_rows(declared, [{**of_template(declared), **changed}])
    assert batch.accepted.height == 1
    said = [f"{reason}: is that correct?"] if reason else []
    assert batch.warned["reason"].to_list() == said


def test_a_factor_in_grams_is_warned_of_by_its_unit() -> None:
    electricity = {"carrier": "electricity", "ef_kg_co2eq_per_unit": 200}
    of = declaration(33)
    per_mwh = read_factor_rows(of, [{**electricity, "unit": "MWh"}])
    assert per_mwh.warnings.is_empty()
    per_kwh = read_factor_rows(of, [{**electricity, "unit": "kWh"}])
    assert per_kwh.warnings["reason"].to_list() == [
        "200 kg per kWh in one row is more than 10: is that correct?"
    ]


def test_the_catalogue_says_what_is_doubtful_and_why() -> None:
    described = {t.name: t for module in describe_catalogue() for t in module.types}
    doubtful = {one.name: one.doubtful for one in described["plane"].columns}
    assert doubtful["number_of_trips"].startswith("more than 1,000 trips: who travels each ")
    assert doubtful["cabin_class"] == ""
    [quantity] = [c for c in described["purchased_energy"].columns if c.name == "quantity"]
    assert quantity.doubtful.startswith(
        "more than 1,000,000,000 of its unit, 300,000,000 kWh, 30,000,000 m3, "
    )
