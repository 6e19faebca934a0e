"""Units of measure: how they are written, what they measure, and what one is in another."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from types import MappingProxyType

import polars as pl

# How many units of the factor one unit of the entry is.
FACTOR_UNITS = "factor_units_per_unit"

# What is measured -> spelling, as keys are compared -> how many J, l, g or m it is, exactly.
# Capital letters make no difference in a file, so no unit is here whose prefix they would change.
# Sources: the foot (0.3048 m) and the pound are those of the international agreement of 1959, the
# Btu (ISO) is 1,055.056 J, a therm is 100,000 Btu. The tests compare each with the library pint.
SPELLINGS: Mapping[str, Mapping[str, Fraction]] = MappingProxyType(
    {
        "energy": {
            "wh": Fraction(3_600),
            "kwh": Fraction(3_600_000),
            "mwh": Fraction(3_600 * 10**6),
            "gwh": Fraction(3_600 * 10**9),
            "mj": Fraction(10**6),
            "gj": Fraction(10**9),
            "tj": Fraction(10**12),
            "btu": Fraction("1055.056"),
            "kbtu": Fraction("1055.056") * 10**3,
            "mmbtu": Fraction("1055.056") * 10**6,
            "therm": Fraction("1055.056") * 10**5,
            "therms": Fraction("1055.056") * 10**5,
        },
        "volume": {
            "m3": Fraction(1_000),
            "m³": Fraction(1_000),
            "l": Fraction(1),
            "litre": Fraction(1),
            "litres": Fraction(1),
            "liter": Fraction(1),
            "liters": Fraction(1),
            "hl": Fraction(100),
            "ft3": Fraction("3.048") ** 3,
            "ft³": Fraction("3.048") ** 3,
        },
        "mass": {
            "g": Fraction(1),
            "kg": Fraction(1_000),
            "t": Fraction(10**6),
            "tonne": Fraction(10**6),
            "tonnes": Fraction(10**6),
            "lb": Fraction("453.59237"),
            "lbs": Fraction("453.59237"),
        },
        "length": {
            "m": Fraction(1),
            "km": Fraction(1_000),
            "mi": Fraction("1609.344"),
            "mile": Fraction("1609.344"),
            "miles": Fraction("1609.344"),
        },
    }
)
# How they are shown, if not by their key.
_SHOWN = MappingProxyType(
    {
        "wh": "Wh",
        "kwh": "kWh",
        "mwh": "MWh",
        "gwh": "GWh",
        "mj": "MJ",
        "gj": "GJ",
        "tj": "TJ",
        "btu": "Btu",
        "kbtu": "kBtu",
        "mmbtu": "MMBtu",
    }
)
_WITH_ARTICLE = MappingProxyType(
    {"energy": "an energy", "volume": "a volume", "mass": "a mass", "length": "a length"}
)


@dataclass(frozen=True, slots=True, eq=False)
class Conversion:
    """Where the units of a quantity are: a column of entries, and an expression over factors.

    An entry without a unit has the factor's.
    """

    entry_unit: str
    factor_unit: pl.Expr


def in_factor_units(quantity: str) -> pl.Expr:
    """A column's quantity in the unit of the factor, once `with_factor_units` has been there."""
    return pl.col(quantity) * pl.col(FACTOR_UNITS)


def with_factor_units(pairs: pl.DataFrame, units: Conversion) -> pl.DataFrame:
    """Entries beside factors, without pairs whose units measure different things.

    FACTOR_UNITS is added. It is found once for each pair of units. Factors in the very unit of the
    entry are preferred to those in others.
    """
    pairs = pairs.with_columns(units.factor_unit.alias("_into"))
    distinct = pairs.select(units.entry_unit, "_into").unique()
    found = distinct.with_columns(
        pl.Series(FACTOR_UNITS, [_units_per(*pair) for pair in distinct.rows()], pl.Float64)
    )
    converted = pairs.join(
        found, on=[units.entry_unit, "_into"], nulls_equal=True, maintain_order="left"
    ).drop("_into")
    fitting = converted.filter(pl.col(FACTOR_UNITS).is_not_null())
    is_same = pl.col(FACTOR_UNITS) == 1
    return fitting.filter(is_same == is_same.any().over("key_id"))


def difference(pairs: pl.DataFrame, units: Conversion) -> pl.DataFrame:
    """Pairs with `aside`: why their units do not fit, such as "kg is a mass and the factor is per
    kwh, an energy".
    """
    pairs = pairs.with_columns(units.factor_unit.alias("_into"))
    distinct = pairs.select(units.entry_unit, "_into").unique()
    found = distinct.with_columns(
        pl.Series("aside", [_unlike(*pair) for pair in distinct.rows()], pl.String)
    )
    return pairs.join(
        found, on=[units.entry_unit, "_into"], nulls_equal=True, maintain_order="left"
    ).drop("_into")


def is_unit(text: str) -> bool:
    """Whether this is the key of a known unit."""
    return _kind(text) is not None


def shown_unit(unit: str) -> str:
    """A unit as people write it: "MWh" for the key mwh."""
    return _SHOWN.get(unit, unit)


def spellings_of(*measured: str) -> list[str]:
    """All spellings of units that measure one of these, such as "energy"."""
    return [spelling for one in measured for spelling in SPELLINGS[one]]


def what_it_measures(unit: pl.Expr) -> pl.Expr:
    """What a unit measures, in words such as "a mass". Null for a unit that is not known."""
    words = {one: _WITH_ARTICLE[kind] for kind, of in SPELLINGS.items() for one in of}
    return unit.replace_strict(words, default=None, return_dtype=pl.String)


@cache
def units_in(unit: str, into: str) -> float | None:
    """How many `into` one `unit` is. None if one is not known, or they measure different things.

    Fractions are exact: 1 MWh is 1,000 kWh, and not a little less.
    """
    if unit == into:
        return 1.0
    kind = _kind(unit)
    if kind is None or kind != _kind(into):
        return None
    return float(SPELLINGS[kind][unit] / SPELLINGS[kind][into])


def _units_per(unit: str | None, into: str) -> float | None:
    return 1.0 if unit is None else units_in(unit, into)


def _kind(unit: str) -> str | None:
    return next((kind for kind, of in SPELLINGS.items() if unit in of), None)


def _unlike(unit: str | None, into: str) -> str | None:
    if unit is None or units_in(unit, into) is not None:
        return None
    ours, factors = _kind(unit), _kind(into)
    if ours is None:
        return f"{unit} is not a known unit, and the factor is per {into}"
    if factors is None:
        return f"the factor is per {into}, which is not a known unit"
    return f"{unit} is {_WITH_ARTICLE[ours]} and the factor is per {into}, {_WITH_ARTICLE[factors]}"
