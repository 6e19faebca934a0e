"""Uploads of builds that stored values in one object are read, patched and compared like others."""

import pytest

from carbonline.client.json_struct import values_of
from carbonline.v1 import types_pb2
from tests.worker_service.steps.conftest import (
    CDG,
    FACTORS,
    GVA_CDG_KG,
    GVA_JFK_KG,
    JFK,
    WorkerHarness,
    flights,
)
from tests.worker_service.steps.test_repeated_people import UNITS, load

# What an upload looks like after the migration: no columns, and digests of another make.
AS_BEFORE = (
    """
    UPDATE carbon.entries AS e
    SET extra = carbon.entry_values(e, s.text_keys, s.number_keys),
        text_1 = NULL, text_2 = NULL, text_3 = NULL, text_4 = NULL, text_5 = NULL, text_6 = NULL,
        number_1 = NULL, number_2 = NULL, number_3 = NULL
    FROM carbon.entry_sets AS s
    WHERE s.tenant = e.tenant AND s.entry_set = e.entry_set
    """,
    "UPDATE carbon.entry_sets SET text_keys = '{}', number_keys = '{}'",
    "UPDATE carbon.row_digests SET made_by = 'polars-1.0.0'",
)
SHORT = "short,economy,0.2906"
FROM_SCRATCH = "UPDATE carbon.emission_sets SET formula_version = 'x' WHERE state = 'PUBLISHED'"


async def become_those_of_before(harness: WorkerHarness) -> None:
    for statement in AS_BEFORE:
        await harness.rows(statement)


async def test_one_recalculation_reads_both(harness: WorkerHarness) -> None:
    await harness.load_flights(flights(CDG, "0829,GVA,JFK,3,economy,1,12.5"))
    await become_those_of_before(harness)
    await harness.load_flights(flights(JFK), source="other")
    await harness.rows(FROM_SCRATCH)
    await harness.recalculate()
    assert await harness.kg() == pytest.approx({"0828": GVA_CDG_KG, "0829": GVA_JFK_KG + 12.5})


async def test_a_new_value_of_a_factor_patches_both(harness: WorkerHarness) -> None:
    await harness.load_flights(flights(CDG))
    await become_those_of_before(harness)
    await harness.load_flights(flights(CDG, JFK), source="other")
    view = await harness.load_factors(FACTORS.replace(SHORT, "short,economy,0.3"))
    stats = values_of(view.in_order()[1].stats)
    assert (stats["rows"], stats["sets_computed"], stats["sets_kept"]) == (2, 2, 0)
    kg = {"0828": 2 * GVA_CDG_KG * 0.3 / 0.2906, "0829": GVA_JFK_KG}
    assert await harness.kg() == pytest.approx(kg)


async def test_rows_are_compared_with_them(harness: WorkerHarness) -> None:
    await harness.load_flights(flights(CDG, JFK))
    await become_those_of_before(harness)
    view = await harness.load_flights(flights(JFK), source="other")
    [shared] = values_of(view.in_order()[0].stats)["shared_rows"]
    assert (shared["rows"], shared["row"], shared["other_row"]) == (1, 1, 2)


async def test_people_are_found_in_them(harness: WorkerHarness) -> None:
    await harness.load_units(UNITS)
    await load(harness, "0828,Ann,51,A1,0.5\n", "one")
    await become_those_of_before(harness)
    job = await load(harness, "0828,Ann B.,51,A1,0.5\n", "two")
    assert job.result == types_pb2.JOB_RESULT_WARNING
    assert values_of(job.stats)["people_in_other_uploads"] == 1
