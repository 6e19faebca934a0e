"""Units of measure: each spelling is of the kind it stands under, and conversions are exact."""

from fractions import Fraction
from typing import Any

import pint
import polars as pl
import pytest

from worker_service.carbon.units_of_measure import (
    SPELLINGS,
    spellings_of,
    units_in,
    what_it_measures,
)

# What pint calls the spellings that it does not know, or knows as something else.
_PINT = {
    "mwh": "megawatt_hour",
    "gwh": "gigawatt_hour",
    "mj": "megajoule",
    "gj": "gigajoule",
    "tj": "terajoule",
    "btu": "Btu",
    "kbtu": "kiloBtu",
    "mmbtu": "megaBtu",
    "therms": "therm",
    "wh": "watt_hour",
    "kwh": "kilowatt_hour",
    "m3": "meter ** 3",
    "m³": "meter ** 3",
    "litres": "liter",
    "liters": "liter",
    "l": "liter",
    "hl": "hectoliter",
    "ft3": "cubic_foot",
    "ft³": "cubic_foot",
    "t": "metric_ton",
    "tonne": "metric_ton",
    "tonnes": "metric_ton",
    "lbs": "pound",
    "miles": "mile",
}
_ONE = {"energy": "joule", "volume": "liter", "mass": "gram", "length": "meter"}


def test_each_unit_is_what_pint_says_and_measures_what_it_stands_under() -> None:
    registry: pint.UnitRegistry[Any] = pint.UnitRegistry(non_int_type=Fraction)
    for kind, of in SPELLINGS.items():
        for spelling, size in of.items():
            one = registry.Quantity(Fraction(1), _PINT.get(spelling, spelling))
            assert one.to(_ONE[kind]).magnitude == size, spelling
            assert spelling == spelling.casefold()


@pytest.mark.parametrize(
    ("unit", "into", "number"),
    [
        ("mwh", "kwh", 1_000),
        ("gj", "kwh", 1_000 / 3.6),
        ("therm", "kbtu", 100),
        ("mmbtu", "kbtu", 1_000),
        ("kbtu", "kwh", 1_055.056 / 3_600),
        ("m3", "l", 1_000),
        ("t", "kg", 1_000),
        ("lb", "kg", 0.45359237),
        ("mi", "km", 1.609344),
        ("ster", "ster", 1),
    ],
)
def test_a_unit_is_so_many_of_another(unit: str, into: str, number: float) -> None:
    assert units_in(unit, into) == pytest.approx(number, rel=1e-15)
    assert units_in(into, unit) == pytest.approx(1 / number, rel=1e-15)


@pytest.mark.parametrize(
    ("unit", "into"), [("kg", "kwh"), ("km", "l"), ("ster", "m3"), ("kwh", "ster")]
)
def test_what_measures_something_else_or_is_not_known_has_no_number(unit: str, into: str) -> None:
    assert units_in(unit, into) is None


def test_what_a_unit_measures_is_said_in_words() -> None:
    words = pl.Series(["kg", "kwh", "bags", None], dtype=pl.String).to_frame("unit")
    said = words.select(what_it_measures(pl.col("unit"))).to_series().to_list()
    assert said == ["a mass", "an energy", None, None]
    assert {"kg", "km"} <= set(spellings_of("mass", "length"))
