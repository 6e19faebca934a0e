"""The written form of a formula and its expression agree on random rows, where it is a product."""

import math
import re

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


def test_most_written_forms_are_products() -> None:
    assert {"homeworking", "energy_combustion", "services", "external_clouds"} <= set(PRODUCTS)
    assert len(PRODUCTS) >= 14
