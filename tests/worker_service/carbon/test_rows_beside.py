"""What becomes of a row depends on no row beside it, though most work is left out if none needs it.

And places that were prepared before are those that are given.
"""

import random

import polars as pl
import pytest

from tests.worker_service.carbon.plane_files import (
    AIRPORTS,
    ECONOMY,
    GOOD,
    PLANE,
    emissions_of,
    entries_of,
    factors_of,
    locations_of,
    parsed,
)
from worker_service.carbon.compute import Computed, compute

# One factor, none, two, or a stale one beside a new one.
FACTORS = (
    ECONOMY,
    {**ECONOMY, "category": "long", "min_distance": 5_000, "max_distance": ""},
    *({**ECONOMY, "category": name, "cabin_class": "business"} for name in "ab"),
    {**ECONOMY, "category": "old", "max_distance": 600},
)
STALE = "old"


def random_rows(chance: random.Random) -> list[dict[str, object]]:
    return [
        {
            **GOOD,
            "origin_iata": chance.choice([*AIRPORTS, "XXX", "LON", ""]),
            "destination_iata": chance.choice([*AIRPORTS, "\u0421DG"]),
            "cabin_class": chance.choice(["economy", "economy", "business", "first"]),
            "distance_km": chance.choice(["", "", "", "400", "3"]),
            "kg_co2eq": chance.choice(["", "", "", "7"]),
        }
        for _ in range(chance.randint(1, 12))
    ]


def computed(entries: pl.DataFrame) -> Computed:
    # Each from a file of its own, as bands of one file may not overlap.
    each = (
        factors_of([row]).with_columns(factor_id=pl.lit(at, pl.Int64))
        for at, row in enumerate(FACTORS)
    )
    factors = pl.concat(each)
    is_stale = pl.col("category") == STALE
    factors = factors.with_columns(stale=is_stale, stale_token=is_stale.cast(pl.Int64))
    return compute(PLANE, entries, factors, {"locations": locations_of()})


@pytest.mark.parametrize("seed", range(8))
def test_a_row_alone_comes_to_what_it_comes_to_among_others(seed: int) -> None:
    entries = entries_of(parsed(random_rows(random.Random(seed))).accepted)
    together = computed(entries)
    alone = [computed(entries[at]) for at in range(entries.height)]
    for name in ("emissions", "outcomes", "doubtful"):
        whole = getattr(together, name)
        parts = pl.concat([getattr(one, name) for one in alone])
        order = [one for one in ("row_number", "factor_id", "column") if one in whole.columns]
        assert whole.sort(order).equals(parts.sort(order)), name


def test_a_row_with_two_factors_does_not_make_up_for_one_without() -> None:
    rows = [{**GOOD, "cabin_class": cabin} for cabin in ("business", "first")]
    found = computed(entries_of(parsed(rows).accepted))
    assert found.outcomes["outcome"].to_list() == ["ambiguous_factor", "no_factor"]
    assert found.emissions.is_empty()


def test_other_places_are_other_distances() -> None:
    [near] = emissions_of([GOOD]).emissions["additional_value"]
    [far] = emissions_of([GOOD], airports={**AIRPORTS, "GVA": (50, 6.1)}).emissions[
        "additional_value"
    ]
    assert far != near
    assert emissions_of([GOOD]).emissions["additional_value"].to_list() == [near]
