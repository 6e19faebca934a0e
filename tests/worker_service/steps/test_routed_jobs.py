"""Files of factors of several types, of equipment, and checks of such files are divided alike."""

from collections.abc import Mapping
from typing import Any

import pytest

from carbonline.client.json_struct import values_of
from carbonline.client.view import PipelineView
from carbonline.v1 import types_pb2
from tests.worker_service.steps.conftest import YEAR, WorkerHarness
from tests.worker_service.steps.test_csv_check import ledger
from tests.worker_service.steps.test_load_check import NEVER_THE_SAME
from tests.worker_service.steps.test_routed_ingest import (
    CLEANING,
    HEADER,
    PURCHASE,
    VAN,
    load_purchase_factors,
    route,
)

EQUIPMENT = types_pb2.MODULE_EQUIPMENT
OF_FACTORS = "purchase_institutional_code,currency,ef_kg_co2eq_per_currency,purchase_category\n"
OF_EQUIPMENT_FACTORS = (
    "equipment_class,active_power_w,standby_power_w,active_usage_hours_per_week,"
    "standby_usage_hours_per_week,ef_kg_co2eq_per_kwh,equipment_category\n"
)
ROWS = "SELECT count(*) FROM carbon.entries"


async def run(
    harness: WorkerHarness, job_type: str, text: str, module: int = PURCHASE, **payload: str
) -> PipelineView:
    number = await harness.submit(job_type, text, payload=payload, module=module, year=YEAR)
    return await harness.ended(number)


def rejected(job: types_pb2.Job) -> list[tuple[int, str, str]]:
    found: list[Mapping[str, Any]] = values_of(job.stats)["rejected_rows"]
    return [(one["row"], one["column"], one["reason"]) for one in found]


async def test_factors_of_several_types_are_loaded_as_a_file_of_each(
    harness: WorkerHarness,
) -> None:
    await harness.load_units()
    factors = "s1,chf,0.5,services\nv1,chf,-1,vehicles\nv1,chf,0.2, Vehicles\nx,chf,1,\n"
    view = await run(harness, "routed_factor_ingest", OF_FACTORS + factors)
    divided, *loads = view.in_order()
    assert divided.message == (
        "3 rows routed: 1 services, 2 vehicles; 1 row rejected; the first: row 4,"
        " purchase_category: is empty: write one of scientific_equipment, it_equipment,"
        " consumable_accessories, biological_chemical_gaseous_product, services, vehicles,"
        " other_purchases."
    )
    results = {
        (job.job_type, job.scope.data_entry_type): job.result
        for job in loads
        if job.job_type == "factor_ingest"
    }
    assert results == {
        ("factor_ingest", types_pb2.DATA_ENTRY_TYPE_SERVICES): types_pb2.JOB_RESULT_SUCCESS,
        ("factor_ingest", types_pb2.DATA_ENTRY_TYPE_VEHICLES): types_pb2.JOB_RESULT_WARNING,
    }
    [of_vehicles] = [job for job in loads if job.result == types_pb2.JOB_RESULT_WARNING]
    assert rejected(of_vehicles) == [(2, "ef_kg_co2eq_per_currency", "must be at least 0")]
    await route(harness, CLEANING, VAN)
    assert await harness.kg() == {"0828": 50.0, "0829": 200.0}


async def test_a_file_of_factors_without_the_column_is_refused(harness: WorkerHarness) -> None:
    await harness.load_units()
    text = "purchase_institutional_code,currency,ef_kg_co2eq_per_currency\ns1,chf,1\n"
    [refused] = (await run(harness, "routed_factor_ingest", text)).in_order()
    assert refused.error_cause == "missing_columns"
    assert "purchase_category" in refused.message


async def test_equipment_is_routed_by_its_category_or_by_the_factors(
    harness: WorkerHarness,
) -> None:
    await harness.load_units()
    factors = "laptop,100,10,40,128,0.1,it\nfreezer,200,0,168,0,0.1,other\n"
    await run(harness, "routed_factor_ingest", OF_EQUIPMENT_FACTORS + factors, EQUIPMENT)
    text = (
        "unit_institutional_id,equipment_id,name,equipment_class,equipment_category\n"
        "0828,1,A,laptop,it\n0829,2,B,freezer,\n0829,3,C,freezer,fridge\n"
    )
    view = await run(harness, "routed_ingest", text, EQUIPMENT)
    first = view.in_order()[0]
    assert first.message.startswith("2 rows routed: 1 it, 1 other; 1 row rejected")
    assert rejected(first) == [
        (3, "equipment_category", "is not a type: write one of scientific, it, other")
    ]
    assert await harness.kg() == {
        "0828": pytest.approx(27.456),
        "0829": pytest.approx(168 * 200 * 52 / 1000 * 0.1),
    }


async def test_a_check_of_factors_of_several_types_tells_what_the_load_does_and_writes_nothing(
    harness: WorkerHarness,
) -> None:
    await load_purchase_factors(harness)
    await route(harness, CLEANING, VAN)
    before, ids = await ledger(harness), NEVER_THE_SAME
    factors = "s1,chf,0.75,services\nv1,chf,-1,vehicles\nv1,chf,0.3, Vehicles\nx,chf,1,food\n"
    divided, *checks = (
        await run(harness, "routed_factor_check", OF_FACTORS + factors, mode="replace")
    ).in_order()
    assert await ledger(harness) == before
    assert rejected(divided)[0][:2] == (4, "purchase_category")
    assert {job.job_type for job in checks} == {"factor_check"}
    told = {job.scope.data_entry_type: values_of(job.stats) for job in checks}
    kg = {
        of: [(one["kg_before"], one["kg_after"]) for one in stats["kilograms"]]
        for of, stats in told.items()
    }
    assert kg == {
        types_pb2.DATA_ENTRY_TYPE_SERVICES: [(50.0, 75.0)],
        types_pb2.DATA_ENTRY_TYPE_VEHICLES: [(200.0, pytest.approx(300.0))],
    }
    loaded, *loads = (
        await run(harness, "routed_factor_ingest", OF_FACTORS + factors, mode="replace")
    ).in_order()
    assert (divided.message, values_of(divided.stats)) == (loaded.message, values_of(loaded.stats))
    for job in loads:
        if job.job_type == "factor_ingest":
            said = told[job.scope.data_entry_type]
            assert {k: v for k, v in said.items() if k not in ids} == values_of(job.stats)
    assert await harness.kg() == {"0828": 75.0, "0829": pytest.approx(300.0)}


async def test_a_check_of_several_types_checks_each_and_writes_nothing(
    harness: WorkerHarness,
) -> None:
    await load_purchase_factors(harness)
    bad = "0829,Cart,-1,v1,vehicles\n0829,Nothing,1,none,food\n"
    text = HEADER + CLEANING + VAN + bad
    divided, *checks = (await run(harness, "routed_check", text, source="erp")).in_order()
    assert rejected(divided)[0][:2] == (4, "purchase_category")
    told = {job.scope.data_entry_type: values_of(job.stats) for job in checks}
    assert {job.job_type for job in checks} == {"csv_check"}
    kg = {of: (stats["kg_before"], stats["kg_after"]) for of, stats in told.items()}
    assert kg == {
        types_pb2.DATA_ENTRY_TYPE_SERVICES: (0.0, 50.0),
        types_pb2.DATA_ENTRY_TYPE_VEHICLES: (0.0, 200.0),
    }
    of_vehicles = told[types_pb2.DATA_ENTRY_TYPE_VEHICLES]["rejected_rows"]
    assert [(one["row"], one["column"]) for one in of_vehicles] == [(3, "total_spent_amount")]
    assert await harness.kg() == {}
    [counted] = await harness.rows(ROWS)
    assert counted["count"] == 0
