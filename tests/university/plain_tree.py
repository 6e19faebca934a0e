"""The tree of the university's units, and sums along it, without the product."""

import math
from collections import defaultdict

from tests.university.plain_account import Account, rows_of

PARENTS = {row["unit_institutional_id"]: row["parent_unit_id"] for row in rows_of("units.csv")}


def path_of(unit: str) -> list[str]:
    """A unit and those above it, up to the top."""
    return [unit, *path_of(PARENTS[unit])] if unit else []


def with_units_below(account: Account) -> dict[str, float]:
    """The kilograms of each unit and of all units below it; only of those that have some."""
    found: dict[str, list[float]] = defaultdict(list)
    for (unit, _), parts in account.by_unit_and_module.items():
        for one in path_of(unit):
            found[one] += parts
    return {unit: math.fsum(parts) for unit, parts in found.items() if any(parts)}
