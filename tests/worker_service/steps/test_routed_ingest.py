"""A file of several types is divided by a column or by its factors: as a file of each would be."""

from collections.abc import Mapping
from typing import Any

import pytest

from carbonline.client.json_struct import values_of
from carbonline.client.view import PipelineView
from carbonline.v1 import types_pb2
from tests.worker_service.carbon.plane_files import opening
from tests.worker_service.steps.conftest import YEAR, WorkerHarness
from worker_service.blobs.reference import read_reference
from worker_service.carbon.csv_source.refusal import RefusedFile
from worker_service.carbon.parse.routed_rows import read_routed
from worker_service.carbon.routes import routes_of

PURCHASE = types_pb2.MODULE_PURCHASE
SERVICES = types_pb2.DATA_ENTRY_TYPE_SERVICES
VEHICLES = types_pb2.DATA_ENTRY_TYPE_VEHICLES
HEADER = (
    "unit_institutional_id,name,total_spent_amount,purchase_institutional_code,purchase_category\n"
)
CLEANING, VAN = "0828,Cleaning,100,s1,services\n", "0829,Van,1000,v1,vehicles\n"
COMPUTED = (
    "SELECT s.data_entry_type, e.row_number, m.kg, s.file_name, s.source_name, s.submitted_by"
    " FROM carbon.entry_sets AS s JOIN carbon.entries AS e USING (entry_set)"
    " JOIN carbon.emissions AS m USING (entry_set, row_number)"
    " WHERE s.state = 'PUBLISHED' ORDER BY 1, 2"
)


def of(**scope: int) -> Mapping[str, Any]:
    return {"module": PURCHASE, "year": YEAR, **scope}


async def load_purchase_factors(harness: WorkerHarness, *extra: str) -> None:
    await harness.load_units()
    header = "purchase_institutional_code,currency,ef_kg_co2eq_per_currency\n"
    for data_entry_type, rows in ((SERVICES, "s1,chf,0.5\n"), (VEHICLES, "v1,chf,0.2\n")):
        scope = of(data_entry_type=data_entry_type)
        text = header + rows + "".join(extra)
        await harness.ended(await harness.submit("factor_ingest", text, **scope))


async def route(harness: WorkerHarness, *rows: str, **scope: str) -> PipelineView:
    payload = {"file_name": "purchases.csv", "source": "erp"}
    wanted = {"module": PURCHASE, "year": YEAR, **scope}
    text = HEADER + "".join(rows)
    return await harness.ended(
        await harness.submit("routed_ingest", text, payload=payload, **wanted)
    )


def first_job(view: PipelineView) -> types_pb2.Job:
    return view.in_order()[0]


async def test_rows_of_two_types_are_computed_each_with_its_own_factor(
    harness: WorkerHarness,
) -> None:
    await load_purchase_factors(harness)

    view = await route(harness, CLEANING, VAN, "0828,Advice,10,S1, Services \n")

    assert first_job(view).message == "3 rows routed: 2 services, 1 vehicles."
    assert view.pipeline is not None
    assert view.pipeline.status == types_pb2.PIPELINE_STATUS_SUCCESS
    assert await harness.kg() == {"0828": 55.0, "0829": 200.0}


async def test_a_batch_is_what_its_items_are(harness: WorkerHarness) -> None:
    await load_purchase_factors(harness)
    await route(harness, CLEANING, VAN)
    at_once = await harness.kg()
    for data_entry_type, row in ((SERVICES, "0828,Cleaning,40,s1,\n"), (VEHICLES, VAN)):
        scope = of(data_entry_type=data_entry_type)
        said = {"source": "erp", "take_away": "yes"}
        sent = await harness.submit("csv_ingest", HEADER + row, payload=said, **scope)
        await harness.ended(sent)

    # The services of the source were replaced, and nothing was added beside the van.
    assert at_once == {"0828": 50.0, "0829": 200.0}
    assert await harness.kg() == {"0828": 20.0, "0829": 200.0}


async def test_a_type_that_a_later_file_lacks_stays(harness: WorkerHarness) -> None:
    await load_purchase_factors(harness)
    await route(harness, CLEANING, VAN)
    await route(harness, "0828,Cleaning,80,s1,services\n")
    assert await harness.kg() == {"0828": 40.0, "0829": 200.0}


async def test_the_parts_say_the_file_its_rows_source_and_sender(harness: WorkerHarness) -> None:
    await load_purchase_factors(harness)
    await route(harness, CLEANING, VAN)
    rows = [tuple(row) for row in await harness.rows(COMPUTED)]
    assert rows == [
        (SERVICES, 1, 50.0, "purchases.csv", "erp", "local"),
        (VEHICLES, 2, 200.0, "purchases.csv", "erp", "local"),
    ]


async def test_a_row_of_no_type_is_rejected_with_the_types_there_are(
    harness: WorkerHarness,
) -> None:
    await load_purchase_factors(harness)

    view = await route(harness, CLEANING, "0828,Odd,1,s1,sevrices\n", VAN)

    job = first_job(view)
    assert job.result == types_pb2.JOB_RESULT_WARNING
    [rejected] = values_of(job.stats)["rejected_rows"]
    assert (rejected["row"], rejected["column"], rejected["value"]) == (
        2,
        "purchase_category",
        "sevrices",
    )
    assert rejected["reason"].startswith("is not a type: write one of scientific_equipment, it_e")
    assert await harness.kg() == {"0828": 50.0, "0829": 200.0}


async def test_an_empty_value_is_routed_by_the_factors_of_the_year(harness: WorkerHarness) -> None:
    await load_purchase_factors(harness, "both,chf,1\n")

    view = await route(
        harness, "0828,A,100,S1,\n", "0828,B,1,both,\n", "0828,C,1,none,\n", "0829,D,1000,v1,\n"
    )

    assert await harness.kg() == {"0828": 50.0, "0829": 200.0}
    reasons = [row["reason"] for row in values_of(first_job(view).stats)["rejected_rows"]]
    about = "of this year for purchase_institutional_code"
    assert reasons[0].startswith(
        f"is empty, and there are factors of services and vehicles {about} both: write one of "
    )
    assert reasons[1].startswith(f"is empty, and there is no factor {about} none: write one of ")


async def test_a_file_without_the_column_is_routed_by_its_factors(harness: WorkerHarness) -> None:
    await load_purchase_factors(harness)
    text = "unit_institutional_id,name,total_spent_amount,purchase_institutional_code\n"
    text += "0828,Cleaning,100,s1\n0829,Van,1000,v1\n"
    scope = of()
    await harness.ended(await harness.submit("routed_ingest", text, **scope))
    assert await harness.kg() == {"0828": 50.0, "0829": 200.0}


async def test_a_file_of_one_unit_is_divided_for_this_unit(harness: WorkerHarness) -> None:
    await load_purchase_factors(harness)
    await route(harness, CLEANING.replace("0828", ""), VAN.replace("0829", ""), unit="0828")
    assert await harness.kg() == {"0828": 250.0}
    # Whose part it is decides who may read it.
    parts = [
        read_reference("local", one["blob"])
        for one in await harness.rows("SELECT blob FROM carbon.entry_sets")
    ]
    units = [harness.stores.blobs.summary(one).scope["unit"] for one in parts]
    assert units == ["0828", "0828"]


async def test_rows_without_any_type_change_nothing(harness: WorkerHarness) -> None:
    await load_purchase_factors(harness)
    await route(harness, CLEANING)

    view = await route(harness, "0828,Odd,1,s1,x\n")

    job = first_job(view)
    assert (job.result, job.error_cause) == (types_pb2.JOB_RESULT_ERROR, "no_valid_rows")
    assert await harness.kg() == {"0828": 50.0}


def test_names_of_another_program_are_told_to_be_changed_in_the_file() -> None:
    routes = routes_of(5)
    assert routes is not None
    text = HEADER.replace("total_spent_amount", "Betrag") + CLEANING
    with pytest.raises(RefusedFile, match=r"lacks the column total_spent_amount; .* by type and"):
        read_routed(routes, opening(text), of_one_unit=False)


async def test_a_module_whose_types_nothing_tells_apart_is_refused(harness: WorkerHarness) -> None:
    await harness.load_units()
    scope = of(module=types_pb2.MODULE_HEADCOUNT)
    view = await harness.ended(await harness.submit("routed_ingest", HEADER + VAN, **scope))
    assert first_job(view).error_cause == "not_routed"
    assert "tells the types of headcount apart" in first_job(view).message


async def test_a_file_of_one_type_with_rows_of_another_has_row_errors(
    harness: WorkerHarness,
) -> None:
    await load_purchase_factors(harness)
    scope = of(data_entry_type=SERVICES)
    view = await harness.ended(await harness.submit("csv_ingest", HEADER + CLEANING + VAN, **scope))
    [rejected] = values_of(first_job(view).stats)["rejected_rows"]
    assert (rejected["row"], rejected["column"]) == (2, "purchase_category")
