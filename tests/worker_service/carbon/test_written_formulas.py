"""The written form of a formula and its expression agree on random rows."""

import math
import re
from collections.abc import Mapping
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.worker_service.carbon.written_formula import Values, kilograms, may_be_empty
from worker_service.carbon.catalogue import MODULES
from worker_service.carbon.declarations import DataEntryType

_PRODUCT = re.compile(r"kg = ([a-z][a-z0-9_]*(?: \* [a-z][a-z0-9_]*)*)(?:;|$)")
# What a written form calls by one name, as a product or quotient of columns.
_DERIVED = {
    "quantity_in_factor_units": ("quantity", "factor_units_per_unit", None),
    "amount_in_factor_currency": (None, "units_per_eur_of_factor", "units_per_eur"),
}
_CURRENCIES = {"currency": "chf", "currency_of_factor": "eur"}


def factors_of(declared: DataEntryType) -> list[str] | None:
    """The columns whose product the written form is; None if it says more than that."""
    written = _PRODUCT.match(declared.formula.written)
    names = written[1].split(" * ") if written else []
    expression = declared.formula.rows[0].kg
    known = {*expression.meta.root_names(), *_DERIVED}
    return names if names and set(names) <= known else None


PRODUCTS = {
    one.name: one
    for module in MODULES
    for one in module.types
    if isinstance(one, DataEntryType) and factors_of(one)
}


def by_hand(names: list[str], values: dict[str, float], amount: str) -> float:
    parts = []
    for name in names:
        if name not in _DERIVED:
            parts.append(values[name])
            continue
        own, times, over = _DERIVED[name]
        parts.append(values[own or amount] * values[times] / (values[over] if over else 1))
    return math.prod(parts)


@pytest.mark.parametrize("declared", PRODUCTS.values(), ids=PRODUCTS)
@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_the_written_form_is_the_product_that_is_computed(
    declared: DataEntryType, data: st.DataObject
) -> None:
    names, kg = factors_of(declared), declared.formula.rows[0].kg
    assert names is not None
    numbers = [name for name in kg.meta.root_names() if name not in _CURRENCIES]
    values = {name: data.draw(st.floats(0.001, 10_000), label=name) for name in numbers}
    amount = next((name for name in numbers if "spent" in name), "")
    computed = pl.DataFrame([{**values, **_CURRENCIES}]).select(kg).item()
    assert computed == pytest.approx(by_hand(names, values, amount), rel=1e-12)


# The hours of a week and the choices that formulas read; all else is any number.
DRAWN: Mapping[str, st.SearchStrategy[Any]] = {
    "active_usage_hours_per_week": st.integers(0, 168),
    "standby_usage_hours_per_week": st.integers(0, 168),
    "active_usage_hours_per_week_of_factor": st.integers(0, 168),
    "standby_usage_hours_per_week_of_factor": st.integers(0, 168),
    "requests_per_user_per_day": st.sampled_from(("1_5", "5_20", "20_100", "gt_100")),
    "energy_type": st.sampled_from(("electric", "thermal")),
    "total_use": st.just(0.0) | st.floats(0.001, 10_000),
}
OTHERS = {
    one.name: one
    for module in MODULES
    for one in module.types
    if isinstance(one, DataEntryType) and one.name not in PRODUCTS
}
# What the written form of rooms says in words: the node's own kWh, and c.
NODE_OF_ROOMS = re.compile(r"buildings\.rooms\.(\w+)\.office")


def named_by_words(declared: DataEntryType, at: int, values: Values) -> Values:
    """The values by the names of the written form, where it has others than the columns."""
    if "factor_units_per_unit" in values:
        distance, times = values["distance"], values["factor_units_per_unit"]
        assert isinstance(distance, float)
        assert isinstance(times, float)
        return {**values, "distance_in_factor_units": distance * times}
    if declared.name != "building":
        return values
    node = declared.formula.rows[at].emission_type
    of_node = NODE_OF_ROOMS.fullmatch(pl.DataFrame({"room_type": ["office"]}).select(node).item())
    assert of_node is not None
    of_use, _, energy = of_node[1].partition("_")
    kwh = values[f"{of_use}_kwh_per_square_meter"]
    c: float | str | None = 1.0
    if energy:
        of_row = {"elec": "electric", "thermal": "thermal"}[energy] == values["energy_type"]
        given = values["conversion_factor"]
        c = (1.0 if given is None else given) if of_row else 0.0
    return {**values, "kwh_per_square_meter": kwh, "c": c}


@pytest.mark.parametrize("declared", OTHERS.values(), ids=OTHERS)
@settings(deadline=None, max_examples=100)
@given(data=st.data())
def test_the_written_form_in_words_is_what_is_computed(
    declared: DataEntryType, data: st.DataObject
) -> None:
    formula = declared.formula
    empty = may_be_empty(formula.written)
    empty |= {"conversion_factor"} & {one.name for one in declared.factors.values}
    defaults = {one.field: one.default for one in (*declared.columns, *declared.factors.values)}
    for at, row in enumerate(formula.rows):
        values: dict[str, float | str | None] = {}
        for name in dict.fromkeys(row.kg.meta.root_names()):
            any_value = DRAWN.get(name, st.floats(0.001, 10_000))
            is_summed = name.startswith("kg_co2eq_sum_")
            optional = st.none() | any_value if name in empty or is_summed else any_value
            values[name] = data.draw(optional, label=name)
        # A file's empty field has its default before the formula sees it.
        filled = {n: defaults.get(n) if v is None else v for n, v in values.items()}
        schema = {n: pl.String if isinstance(v, str) else pl.Float64 for n, v in filled.items()}
        computed = pl.DataFrame([filled], schema=schema).select(row.kg).item()
        written = kilograms(formula.written, named_by_words(declared, at, values))
        assert computed == (None if written is None else pytest.approx(written, rel=1e-12))


def test_each_written_form_is_compared() -> None:
    assert {"homeworking", "energy_combustion", "services", "external_clouds"} <= set(PRODUCTS)
    assert {"plane", "train", "road_travel", "scientific", "building", "external_ai"} <= set(OTHERS)
    declared = {one.name for module in MODULES for one in module.types}
    assert set(PRODUCTS) | set(OTHERS) == declared
