"""A factor with a new value changes the rows that used it, and no others; all else is computed."""

import random
from collections.abc import Callable, Sequence

import pytest

from carbonline.client.json_struct import values_of
from carbonline.client.view import PipelineView
from tests.worker_service.steps.conftest import (
    CDG,
    FACTORS,
    GVA_CDG_KG,
    GVA_JFK_KG,
    GVA_JFK_KM,
    JFK,
    WorkerHarness,
    flights,
)

ROWS = """
SELECT m.entry_set, m.row_number, m.part, m.scope, m.unit, m.emission_type, m.factor_id,
    m.factor_version, m.overridden, m.kg, m.additional_value
FROM carbon.emissions AS m JOIN carbon.emission_sets AS s USING (tenant, emission_set, entry_set)
WHERE s.state = 'PUBLISHED'
ORDER BY m.entry_set, m.row_number, m.part
"""
UNCOMPUTED = """
SELECT u.entry_set, u.row_number, u.outcome, u.detail
FROM carbon.uncomputed_entries AS u
JOIN carbon.emission_sets AS s USING (tenant, emission_set, entry_set)
WHERE s.state = 'PUBLISHED'
ORDER BY u.entry_set, u.row_number
"""
TOTALS = """
SELECT unit, scope3_kg::text, total_kg::text, by_emission_type, by_additional_value, entry_count,
    outcome_counts
FROM carbon.totals ORDER BY unit
"""
# Where each row stands, and who wrote it last: a row that is written again gets another xmin.
WRITTEN = """
SELECT m.row_number, m.emission_set, m.xmin::text AS written_by
FROM carbon.emissions AS m JOIN carbon.emission_sets AS s USING (tenant, emission_set, entry_set)
WHERE s.state = 'PUBLISHED'
ORDER BY m.entry_set, m.row_number
"""
SHORT, LONG = "short,economy,0.2906", "long,economy,0.1902"
MORE = "0828,CDG,JFK,4,economy,2,\n0829,GVA,XXX,5,economy,1,\n0829,CDG,GVA,6,first,1,\n"


async def state(harness: WorkerHarness) -> list[list[tuple[object, ...]]]:
    """All that counts, to the last digit."""
    return [
        [tuple(row) for row in await harness.rows(query)] for query in (ROWS, UNCOMPUTED, TOTALS)
    ]


async def from_scratch(harness: WorkerHarness) -> None:
    """Computes and sums everything again."""
    await harness.rows(
        "UPDATE carbon.emission_sets SET formula_version = 'other' WHERE state = 'PUBLISHED'"
    )
    await harness.recalculate()


def computed(view: PipelineView) -> tuple[object, object, object]:
    """Rows, sets computed and sets kept of the recalculation."""
    stats = values_of(view.in_order()[1].stats)
    return stats["rows"], stats["sets_computed"], stats["sets_kept"]


async def test_only_rows_of_the_changed_factor_are_written(harness: WorkerHarness) -> None:
    await harness.load_flights(flights(CDG, JFK, CDG))
    await harness.load_flights(flights(JFK), source="other")
    before = await harness.rows(WRITTEN)
    view = await harness.load_factors(FACTORS.replace(SHORT, "short,economy,0.3"))
    after = await harness.rows(WRITTEN)
    same = [old == new for old, new in zip(before, after, strict=True)]
    assert same == [False, True, False, True]
    assert [row["emission_set"] for row in after] == [row["emission_set"] for row in before]
    assert computed(view) == (2, 1, 1)
    gone = await harness.rows("SELECT FROM carbon.emission_sets WHERE state <> 'PUBLISHED'")
    assert not gone
    assert await harness.kg() == pytest.approx(
        {"0828": 2 * GVA_CDG_KG * 0.3 / 0.2906, "0829": 2 * GVA_JFK_KG}
    )
    [one, _] = await harness.rows(
        "SELECT total_kg FROM carbon.emission_sets WHERE state = 'PUBLISHED' ORDER BY entry_set"
    )
    assert one["total_kg"] == pytest.approx(2 * GVA_CDG_KG * 0.3 / 0.2906 + GVA_JFK_KG)


@pytest.mark.parametrize(
    "factors",
    [
        pytest.param(FACTORS.replace(",0,800", ",0,900").replace(",800,", ",900,"), id="band"),
        pytest.param(FACTORS.replace(f"{LONG},1.35,800,\n", ""), id="stale"),
        pytest.param(f"{FACTORS}other,first,0.5,1,,\n", id="new"),
    ],
)
async def test_sets_whose_entries_may_find_another_factor_are_computed_whole(
    harness: WorkerHarness, factors: str
) -> None:
    await harness.load_flights(flights(CDG, JFK))
    before = await harness.rows(WRITTEN)
    view = await harness.load_factors(factors)
    assert computed(view) == (2, 1, 0)
    after = await harness.rows(WRITTEN)
    assert not {row["emission_set"] for row in before} & {row["emission_set"] for row in after}


async def test_a_set_of_an_older_release_is_computed_whole_and_then_patched(
    harness: WorkerHarness,
) -> None:
    await harness.load_flights(flights(CDG, JFK))
    await harness.rows("UPDATE carbon.emission_sets SET factors_digest = NULL")
    first = await harness.load_factors(FACTORS.replace(SHORT, "short,economy,0.3"))
    second = await harness.load_factors(FACTORS.replace(SHORT, "short,economy,0.31"))
    assert (computed(first), computed(second)) == ((2, 1, 0), (1, 1, 0))


async def test_a_value_that_gives_no_number_takes_the_emission_and_the_next_one_brings_another(
    harness: WorkerHarness,
) -> None:
    await harness.load_flights(flights(CDG, JFK))
    await harness.rows(
        "UPDATE carbon.factors SET version = version + 1,"
        " factor_values = factor_values - 'ef_kg_co2eq_per_km' WHERE kind = 'long'"
    )
    await harness.rows("UPDATE carbon.emission_sets SET factors_token = 0")
    view = await harness.recalculate()
    assert values_of(view.in_order()[0].stats)["outcomes"] == {"computed": 1, "missing_value": 1}
    assert (await harness.kg())["0829"] == 0
    await harness.load_factors(take_away="yes")
    assert await harness.kg() == pytest.approx({"0828": GVA_CDG_KG, "0829": GVA_JFK_KG})


async def test_a_patch_too_large_is_computed_whole(
    harness: WorkerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker_service.ledger.emission_patches.PATCH_ENTRIES_MAX", 1)
    await harness.load_flights(flights(CDG, JFK, CDG))
    view = await harness.load_factors(FACTORS.replace(SHORT, "short,economy,0.3"))
    assert computed(view) == (3, 1, 0)
    view = await harness.load_factors(FACTORS.replace(LONG, "long,economy,0.2"), take_away="yes")
    assert computed(view) == (3, 1, 0)
    view = await harness.load_factors(FACTORS.replace(LONG, "long,economy,0.3"), take_away="yes")
    assert computed(view) == (1, 1, 0)
    assert (await harness.kg())["0829"] == pytest.approx(GVA_JFK_KM * 0.3 * 1.35)


def _factor_files(chance: random.Random, count: int) -> list[tuple[str, str]]:
    """Files and their modes: each adds, changes, leaves out or moves a factor, most only a value.

    Few factors over the same distances, so that some fit together.
    """
    header = FACTORS.splitlines()[0] + ",detour_km"
    factors = {
        ("short", "economy"): ["0.2906", "1.35", "0", "800", ""],
        ("long", "economy"): ["0.1902", "1.35", "800", "", ""],
        ("any", "first"): ["0.9", "", "", "", ""],
    }
    files = []
    for _ in range(count):
        key = chance.choice([*factors, ("more", "economy"), ("long", "first")])
        values = factors.setdefault(key, ["0.2", "1", "0", "", ""])
        match chance.choice(["value"] * 5 + ["band", "detour", "gone"]):
            case "value":
                values[0] = f"{chance.uniform(0.1, 0.4):.{chance.randint(1, 17)}f}"
                values[1] = chance.choice(["", "1", "1.9", "1.1234567"])
            case "band":
                values[2:4] = chance.choice([["0", "800"], ["800", ""], ["0", "6000"], ["", ""]])
            case "detour":
                values[4] = chance.choice(["", "0", "95"])
            case "gone" if len(factors) > 1:
                del factors[key]
        rows = [",".join((*names, *given)) for names, given in factors.items()]
        files.append(("\n".join([header, *rows, ""]), chance.choice(["add", "add", "replace"])))
    return files


async def _equals_scratch(harness: WorkerHarness, files: Sequence[tuple[str, str]]) -> None:
    for text, mode in files:
        await harness.load_factors(text, mode=mode, take_away="yes")
        there = await state(harness)
        await from_scratch(harness)
        assert await state(harness) == there, text


@pytest.fixture
def lists(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Makes sets of any size list the rows that use a factor, if at most `most` do."""

    def list_uses(most: int) -> None:
        monkeypatch.setattr("worker_service.ledger.factor_uses.LISTED_SET_ROWS_MIN", 1)
        monkeypatch.setattr("worker_service.ledger.factor_uses.PATCH_ENTRIES_MAX", most)
        monkeypatch.setattr("worker_service.ledger.factor_uses.USES_PER_CHUNK", 2)

    return list_uses


async def test_the_rows_of_a_listed_factor_are_not_searched(
    harness: WorkerHarness, lists: Callable[[int], None]
) -> None:
    lists(2)
    await harness.load_flights(flights(CDG, JFK, CDG))
    before = await harness.rows(WRITTEN)
    # What is not listed is not looked for, so that who searches all rows is found out.
    await harness.rows("UPDATE carbon.factor_uses SET row_numbers = '{3,3}' WHERE chunk = 0")
    view = await harness.load_factors(FACTORS.replace(SHORT, "short,economy,0.3"))
    after = await harness.rows(WRITTEN)
    same = [old == new for old, new in zip(before, after, strict=True)]
    assert (computed(view), same) == ((1, 1, 0), [True, True, False])
    await from_scratch(harness)


async def test_a_factor_that_many_rows_use_is_computed_whole(
    harness: WorkerHarness, lists: Callable[[int], None]
) -> None:
    lists(1)
    await harness.load_flights(flights(CDG, JFK, CDG))
    view = await harness.load_factors(FACTORS.replace(SHORT, "short,economy,0.3"))
    assert computed(view) == (3, 1, 0)
    view = await harness.load_factors(
        FACTORS.replace(SHORT, "short,economy,0.3").replace(LONG, "long,economy,0.2"),
        take_away="yes",
    )
    assert computed(view) == (1, 1, 0)


@pytest.mark.parametrize(("seed", "most"), [(0, None), (1, None), (2, 1), (3, 3), (4, 100)])
async def test_totals_equal_a_computation_from_scratch_to_the_last_digit(
    harness: WorkerHarness, lists: Callable[[int], None], seed: int, most: int | None
) -> None:
    if most is not None:
        lists(most)
    await harness.load_flights(flights(CDG, JFK) + MORE)
    await harness.load_flights(flights(CDG, "0828,GVA,JFK,9,first,1,7.5", JFK), source="other")
    await harness.load_flights(flights(JFK), unit="0829")
    await _equals_scratch(harness, _factor_files(random.Random(seed), 14))
