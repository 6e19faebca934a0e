"""The two addresses for pages that poll: their shapes, and what they refuse."""

import pytest

from carbonline.v1 import types_pb2
from tests.gateway.http_client import HttpClient
from tests.scheduler_service.rpc.conftest import BLOB, Client
from tests.scheduler_service.rpc.test_totals import ingested

TRAVEL = types_pb2.Scope(
    module=types_pb2.MODULE_PROFESSIONAL_TRAVEL,
    data_entry_type=types_pb2.DATA_ENTRY_TYPE_PLANE,
    year=2024,
)


async def test_active_pipelines_are_a_sparse_map_of_texts(http: HttpClient, driver: Client) -> None:
    await driver.provision()
    number = (await driver.submit("csv_ingest", TRAVEL, {"blob": BLOB})).pipeline_id
    module = str(int(TRAVEL.module))
    asked = "/v1/sync/active-pipelines"
    assert (await http.get(f"{asked}?year=2024&modules=1,2,3")).json == {module: str(number)}
    assert (await http.get(f"{asked}/year/2024")).json == {module: str(number)}
    assert (await http.get(f"{asked}?year=2024&modules=1")).json == {}
    assert (await http.get(f"{asked}?year=2023")).json == {}
    assert (await http.get(asked)).status == 400


async def test_stale_totals_come_with_their_reason(http: HttpClient, driver: Client) -> None:
    await driver.provision()
    await ingested(driver, TRAVEL)
    (found,) = (await http.get("/v1/sync/health/stale-stats")).json
    assert found.keys() == {
        "module_type_id",
        "module",
        "year",
        "why_stale",
        "stale_since",
        "aggregated_at",
        "job_id",
        "pipeline_id",
    }
    assert (found["module_type_id"], found["year"]) == (int(TRAVEL.module), 2024)
    assert found["why_stale"] == "no_aggregation_ever"
    assert (await http.get("/v1/sync/health/stale-stats?older_than_minutes=60")).json == []


@pytest.mark.parametrize("minutes", ["-1", "x", "99999999999", "1.5", ""])
async def test_minutes_that_cannot_be_read_are_refused(http: HttpClient, minutes: str) -> None:
    answer = await http.get(f"/v1/sync/health/stale-stats?older_than_minutes={minutes}")
    assert (answer.status, answer.json["reason"]) == (400, "FIELD_INVALID")
