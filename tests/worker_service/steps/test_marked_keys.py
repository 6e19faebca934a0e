"""Keys with the apostrophe by which spreadsheets mark text are told, whatever file they are in."""

from collections.abc import Mapping
from typing import Any

import pytest

from carbonline.client.json_struct import values_of
from carbonline.v1 import types_pb2
from tests.worker_service.steps.conftest import FACTORS, HEADER, TRAVEL, YEAR, WorkerHarness

PLANES: Mapping[str, Any] = {
    "module": TRAVEL,
    "data_entry_type": types_pb2.DATA_ENTRY_TYPE_PLANE,
    "year": YEAR,
}
PLACES, ROOMS, RATES = ({"reference_kind": kind} for kind in ("locations", "rooms", "rates"))
PLACED = "latitude,longitude\n"
OF_ROOMS = "building_name,room_name,surface_m2\n"
SAID = "begins with an apostrophe, as spreadsheets mark text"

FILES: Mapping[str, tuple[str, str, Mapping[str, Any], str, str]] = {
    "trips": ("csv_ingest", f"{HEADER}0828,'GVA,CDG,1,economy,1,\n", PLANES, "origin_iata", "GVA"),
    "factors": (
        "factor_ingest",
        FACTORS.replace("short,", "'short,"),
        PLANES,
        "category",
        "short",
    ),
    "airports": ("reference_ingest", f"iata,{PLACED}'ZRH,47.4,8.5\n", PLACES, "iata", "ZRH"),
    "stations": (
        "reference_ingest",
        f"name,country,{PLACED}'Bern,CH,46,7\n",
        PLACES,
        "name",
        "Bern",
    ),
    "countries": (
        "reference_ingest",
        f"name,country,{PLACED}Bern, 'CH,46,7\n",
        PLACES,
        "country",
        "CH",
    ),
    "buildings": ("reference_ingest", f"{OF_ROOMS}'Bât A,1,9\n", ROOMS, "building_name", "Bât A"),
    "rooms": ("reference_ingest", f"{OF_ROOMS}Bât A,'01,9\n", ROOMS, "room_name", "01"),
    "units": (
        "unit_sync",
        "unit_institutional_id,name\n'PHYS,Physics\n",
        {"year": YEAR},
        "unit_institutional_id",
        "PHYS",
    ),
}


@pytest.mark.parametrize("of", FILES)
async def test_a_key_that_begins_with_an_apostrophe_is_told(
    harness: WorkerHarness, of: str
) -> None:
    job_type, text, scope, column, meant = FILES[of]
    mode = {"transport_mode": "train" if "name,country" in text else "plane"}
    payload = mode if scope is PLACES else {}
    sent = await harness.submit(job_type, text, payload=payload, **scope)
    job = (await harness.ended(sent)).in_order()[0]
    assert job.result == types_pb2.JOB_RESULT_WARNING
    stats = values_of(job.stats)
    assert (stats["rows_accepted"], stats["rows_warned"]) == (len(text.splitlines()) - 1, 1)
    [said] = [row for row in stats["warned_rows"] if row["reason"].startswith(SAID)]
    assert (said["row"], said["column"], said["value"]) == (1, column, f"'{meant}")
    assert f"counts as another one than {meant}: leave the apostrophe out" in said["reason"]
    assert f"the first: row 1, {column}: {SAID}" in job.message


@pytest.mark.parametrize("of", ["currencies", "parents"])
async def test_a_word_that_is_none_with_an_apostrophe_is_told_too(
    harness: WorkerHarness, of: str
) -> None:
    files: dict[str, tuple[str, str, dict[str, Any], str]] = {
        "currencies": (
            "reference_ingest",
            f"currency,year,units_per_eur\n'CHF,{YEAR},0.95\nUSD,{YEAR},1.1\n",
            RATES,
            f"row 1, currency: {SAID}: write chf.",
        ),
        "parents": (
            "unit_sync",
            "unit_institutional_id,name,parent_unit_id\n0828,Physics,'0829\n",
            {"year": YEAR},
            "row 1, parent_unit_id: ",
        ),
    }
    job_type, text, scope, message = files[of]
    [job, *_] = (await harness.ended(await harness.submit(job_type, text, **scope))).in_order()
    assert job.result == types_pb2.JOB_RESULT_WARNING
    assert message in job.message
