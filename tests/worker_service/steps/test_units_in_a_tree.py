"""A file of units makes a tree, and what would be none changes nothing."""

from collections.abc import Mapping

import pytest

from carbonline.client.json_struct import values_of
from carbonline.v1 import types_pb2
from tests.worker_service.steps.conftest import WorkerHarness
from worker_service.carbon.parse import unit_places, units

HEADER = "unit_institutional_id,name,parent_unit_id\n"
TREE = """
SELECT u.unit, p.unit AS parent FROM carbon.units AS u
JOIN carbon.units AS p ON p.tenant = u.tenant AND p.unit_key = u.parent_key
"""


async def loaded(harness: WorkerHarness, rows: str) -> types_pb2.Job:
    [job] = (await harness.load_units(HEADER + rows)).in_order()
    return job


async def tree(harness: WorkerHarness) -> Mapping[str, str]:
    return {row["unit"]: row["parent"] for row in await harness.rows(TREE)}


async def test_units_stand_below_each_other_and_are_moved(harness: WorkerHarness) -> None:
    job = await loaded(harness, "SCI,Science,\n0828,Physics,sci\n0829,Law,\n")
    assert job.result == types_pb2.JOB_RESULT_SUCCESS
    assert " moved in the tree of units." in job.message
    assert await tree(harness) == {"0828": "SCI"}
    job = await loaded(harness, "0828,Physics,\n0829,Law,SCI\n")
    assert "0 new, 0 renamed, 0 unchanged. 2 units moved in the tree of units." in job.message
    assert values_of(job.stats)["units_moved"] == 2
    assert await tree(harness) == {"0829": "SCI"}


async def test_an_unknown_parent_is_a_warning_and_the_unit_counts(harness: WorkerHarness) -> None:
    await loaded(harness, "SCI,Science,\n0828,Physics,SCI\n")
    job = await loaded(harness, "0828,Physics,SIC\n0830,Art,nowhere\n")
    assert job.result == types_pb2.JOB_RESULT_WARNING
    assert values_of(job.stats)["rows_warned"] == 2
    assert "row 1, parent_unit_id: is not a unit, so the unit stays where it is" in job.message
    assert await tree(harness) == {"0828": "SCI"}
    assert "0830" in [row["unit"] for row in await harness.rows("SELECT unit FROM carbon.units")]


async def test_of_many_units_with_a_warning_all_are_counted_and_it_is_said_how_many_are_listed(
    harness: WorkerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unit_places, "DOUBTFUL_UNITS_MAX", 2)
    monkeypatch.setattr(units, "DOUBTFUL_UNITS_MAX", 1)
    await loaded(harness, "0828,Physics,\n0829,Law,\n")
    job = await loaded(
        harness, "828,Physics,no\n829,Law,no\nART,Art,no\nBIO,Biology,no\nCHE,Chemistry,0828\n"
    )
    assert "4 rows with a warning; the first: row 1, unit_institutional_id: " in job.message
    stats = values_of(job.stats)
    assert (stats["rows_warned"], stats["rows_warned_listed"]) == (4, 2)
    assert [row["row"] for row in stats["warned_rows"]] == [1, 1, 2]


async def test_a_file_that_makes_a_ring_is_refused(harness: WorkerHarness) -> None:
    await loaded(harness, "SCI,Science,\n0828,Physics,SCI\n")
    job = await loaded(harness, "SCI,Sciences,0828\n0831,New,\n")
    assert (job.result, job.error_cause) == (types_pb2.JOB_RESULT_ERROR, "units_not_a_tree")
    assert job.message.startswith(
        "Nothing was changed: 0828 is below SCI, SCI is below 0828: no unit can be below itself."
    )
    assert await tree(harness) == {"0828": "SCI"}
    names = await harness.rows("SELECT name FROM carbon.units WHERE unit IN ('SCI', '0831')")
    assert [row["name"] for row in names] == ["Science"]


async def test_a_unit_with_units_below_it_is_not_removed_without_them(
    harness: WorkerHarness,
) -> None:
    await loaded(harness, "SCI,Science,\nBIO,Biology,SCI\n")

    async def remove(*units: str) -> types_pb2.Job:
        scope = harness.client.scope()
        answer = await harness.client.submit("unit_removal", scope, {"units": list(units)})
        [job] = (await harness.ended(answer.pipeline_id)).in_order()
        return job

    job = await remove("sci")
    assert (job.result, job.error_cause) == (types_pb2.JOB_RESULT_ERROR, "units_have_units_below")
    assert job.message.startswith("Nothing was changed: BIO is below SCI. Remove")
    assert await tree(harness) == {"BIO": "SCI"}
    assert (await remove("sci", "bio")).result == types_pb2.JOB_RESULT_SUCCESS
