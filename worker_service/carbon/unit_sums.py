"""Kilograms of a factor that its file leaves out: those of a unit's own totals."""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

import polars as pl

from worker_service.carbon.declarations import UnitSums

# Unit -> column of the factor -> kg CO2eq. A unit without totals has no columns.
SumsOfUnits = Mapping[str, Mapping[str, float]]


class ModuleKilograms(NamedTuple):
    """The kilograms of a unit in one module: `total` is exact, those of nodes include children."""

    total: Decimal
    by_emission_type: Mapping[str, float]


def sums_of(declared: UnitSums, modules: Iterable[ModuleKilograms]) -> dict[str, float]:
    """The columns of a factor, from the totals of its unit, in any order. Empty without any.

    A unit with totals that have nothing of a node has 0 kg of it.
    """
    found = list(modules)
    if not found:
        return {}
    return {
        column: math.fsum(kg for one in found for kg in _kilograms(one, nodes))
        for column, nodes in declared.columns
    }


def _kilograms(of: ModuleKilograms, nodes: tuple[str, ...]) -> list[float]:
    if not nodes:
        return [float(of.total)]
    return [of.by_emission_type.get(node, 0.0) for node in nodes]


def with_sums(declared: UnitSums, factors: pl.DataFrame, sums: SumsOfUnits) -> pl.DataFrame:
    """Factors, in the same order, with the sums of their units where they have no value."""
    names = [column for column, _ in declared.columns]
    schema = {declared.unit: pl.String, **dict.fromkeys(names, pl.Float64)}
    rows = [{declared.unit: unit, **of_unit} for unit, of_unit in sums.items()]
    joined = factors.join(
        pl.DataFrame(rows, schema=schema),
        on=declared.unit,
        how="left",
        maintain_order="left",
        suffix="_of_unit",
    )
    filled = joined.with_columns(pl.coalesce(name, f"{name}_of_unit") for name in names)
    return filled.drop(f"{name}_of_unit" for name in names)


def number_of(sums: SumsOfUnits) -> int:
    """A number that is another one for other sums. 0 if no factor needs any."""
    if not sums:
        return 0
    text = json.dumps({unit: dict(of_unit) for unit, of_unit in sums.items()}, sort_keys=True)
    # As a bigint of PostgreSQL, which has a sign.
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
