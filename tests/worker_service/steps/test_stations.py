"""Train trips from files to totals: stations are loaded, moved, and removed only with consent."""

from typing import Any

import pytest

from carbonline.client.view import PipelineView
from carbonline.v1 import types_pb2
from tests.worker_service.steps.conftest import TRAVEL, YEAR, WorkerHarness

TRAIN = types_pb2.DATA_ENTRY_TYPE_TRAIN
STATIONS = (
    "name,country,latitude,longitude\n"
    "Geneva,CH,46.2104,6.1428\nLausanne,CH,46.5167,6.6322\nParis,FR,48.8443,2.3743\n"
)
FACTORS = "country_code,ef_kg_co2eq_per_km,detour_ratio\nCH,0.006,1.2\nFR,0.004,\n"
TRIPS = (
    "unit_institutional_id,origin_name,origin_country_code,destination_name,"
    "destination_country_code,user_institutional_id,cabin_class,number_of_trips\n"
    "0828,Geneva,CH,Lausanne,CH,1,2nd,1\n0829,geneva,ch,PARIS,fr,1,first,2\n"
)


async def stations(harness: WorkerHarness, text: str | None, **payload: object) -> PipelineView:
    return await harness.load_places(text, transport_mode="train", **payload)


async def test_trips_follow_their_stations_and_used_ones_stay_without_consent(
    harness: WorkerHarness,
) -> None:
    scope: dict[str, Any] = {"module": TRAVEL, "data_entry_type": TRAIN, "year": YEAR}
    await stations(harness, STATIONS)
    for job_type, text in (("factor_ingest", FACTORS), ("csv_ingest", TRIPS)):
        view = await harness.ended(await harness.submit(job_type, text, **scope))
        assert {job.result for job in view.in_order()} == {types_pb2.JOB_RESULT_SUCCESS}
    assert await harness.kg() == pytest.approx({"0828": 0.365023, "0829": 3.908482}, rel=2e-6)

    [refused] = (await stations(harness, None, mode="remove", codes=["Paris, FR"])).in_order()
    assert refused.error_cause == "places_in_use"
    assert refused.message == (
        "Nothing was changed: 1 place would be removed, and 1 entry uses PARIS, FR. Correct the"
        " entries first, or allow the removal with --yes."
    )

    [empty] = (await stations(harness, STATIONS.splitlines()[0], mode="replace")).in_order()
    assert empty.result == types_pb2.JOB_RESULT_ERROR
    await stations(harness, "name,country,latitude,longitude\nLausanne,CH,46.2104,6.1428\n")
    assert await harness.kg() == pytest.approx({"0828": 0, "0829": 3.908482}, rel=2e-6)

    await stations(harness, None, mode="remove", codes=["Paris, FR"], take_away="yes")
    assert await harness.kg() == pytest.approx({"0828": 0, "0829": 0})
    details = await harness.rows("SELECT DISTINCT detail FROM carbon.uncomputed_entries")
    assert [row["detail"] for row in details] == ["unknown station Paris, FR"]
