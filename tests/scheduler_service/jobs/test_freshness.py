"""What fresh means, row by row: tokens count up, and 0 is never."""

import pytest

from scheduler_service.jobs.freshness import TypeTokens, is_seen, stale_types

PLANE, TRAIN, BUILDING = 20, 21, 30
TRAVEL, BUILDINGS = 2, 3


@pytest.mark.parametrize(
    ("changed", "recalc_claim", "recalc_end", "totals", "seen"),
    [
        pytest.param(1, 2, 3, 4, True, id="changed, recalculated, summed up"),
        pytest.param(1, 0, 0, 0, False, id="changed, and nothing since"),
        pytest.param(3, 2, 4, 5, False, id="changed while the recalculation ran"),
        pytest.param(5, 2, 3, 4, False, id="changed after the totals"),
        pytest.param(1, 2, 4, 3, False, id="the totals began before the recalculation ended"),
        pytest.param(1, 2, 3, 0, False, id="recalculated, never summed up"),
        pytest.param(1, 2, 5, 4, False, id="a later recalculation may have written in doubt"),
        pytest.param(0, 2, 3, 4, True, id="recalculated without a change"),
        pytest.param(0, 0, 3, 4, False, id="recalculated in doubt only"),
    ],
)
def test_a_change_is_seen_by_totals_after_a_recalculation_after_it(
    changed: int, recalc_claim: int, recalc_end: int, totals: int, seen: bool
) -> None:
    tokens = TypeTokens(PLANE, changed, recalc_claim, recalc_end)
    assert is_seen(tokens, totals) is seen
    assert stale_types([tokens], {TRAVEL: totals}) == {TRAVEL: () if seen else (PLANE,)}


def test_a_module_is_fresh_when_all_its_types_are() -> None:
    fresh, stale = (1, 2, 3), (9, 2, 3)
    types = [
        TypeTokens(BUILDING, *fresh),
        TypeTokens(TRAIN, *stale),
        TypeTokens(PLANE, *fresh),
    ]
    assert stale_types(types, {TRAVEL: 4, BUILDINGS: 4}) == {TRAVEL: (TRAIN,), BUILDINGS: ()}


def test_totals_of_one_module_say_nothing_of_another() -> None:
    types = [TypeTokens(PLANE, 1, 2, 3), TypeTokens(BUILDING, 1, 2, 3)]
    assert stale_types(types, {BUILDINGS: 4}) == {TRAVEL: (PLANE,), BUILDINGS: ()}


def test_a_type_that_a_live_job_may_change_is_stale() -> None:
    fresh = TypeTokens(PLANE, 1, 2, 3)
    assert stale_types([fresh], {TRAVEL: 4}, {TRAIN}) == {TRAVEL: (TRAIN,)}
    assert stale_types([fresh], {TRAVEL: 4}, {BUILDING}) == {TRAVEL: (), BUILDINGS: (BUILDING,)}
    assert stale_types([TypeTokens(PLANE, 9, 2, 3)], {TRAVEL: 4}, {PLANE}) == {TRAVEL: (PLANE,)}


def test_a_year_without_changes_names_no_module() -> None:
    assert stale_types([], {TRAVEL: 4}) == {}
