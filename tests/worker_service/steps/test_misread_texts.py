"""Names that were read in another encoding than they were written in are told, in all files."""

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
PLACES, ROOMS = ({"reference_kind": kind} for kind in ("locations", "rooms"))
PLACED, UNIT = "latitude,longitude\n", "unit_institutional_id,name\n"
OF_STATIONS = f"name,country,{PLACED}"

FILES: Mapping[str, tuple[str, str, Mapping[str, Any], str, str]] = {
    "trips": (
        "csv_ingest",
        HEADER.replace("kg_co2eq", "note") + "0828,GVA,CDG,1,economy,1,Zürich\n",
        PLANES,
        "note",
        "Zürich",
    ),
    "factors": (
        "factor_ingest",
        FACTORS.replace("short,", "été,"),
        PLANES,
        "category",
        "été",
    ),
    "airports": (
        "reference_ingest",
        f"iata,name,{PLACED}MLA,Málaga,36,-4\n",
        PLACES,
        "name",
        "Málaga",
    ),
    "stations": (
        "reference_ingest",
        f"{OF_STATIONS}Zürich HB,CH,47,8\n",
        PLACES,
        "name",
        "Zürich HB",
    ),
    "rooms": (
        "reference_ingest",
        "building_name,room_name,surface_m2\nBât A,1,9\n",
        ROOMS,
        "building_name",
        "Bât A",
    ),
    "units": ("unit_sync", f"{UNIT}PHYS,Hôpital\nMED,Cité\n", {"year": YEAR}, "name", "Cité"),
}


@pytest.mark.parametrize("encoding", ["mac-roman", "utf-8 twice"])
@pytest.mark.parametrize("of", FILES)
async def test_a_name_that_is_none_in_the_encoding_of_its_file_is_told(
    harness: WorkerHarness, of: str, encoding: str
) -> None:
    job_type, text, scope, column, meant = FILES[of]
    content = text.encode(encoding) if encoding == "mac-roman" else _twice(text)
    name = "Mac Roman" if encoding == "mac-roman" else "UTF-8"
    mode = {"transport_mode": "train" if "name,country" in text else "plane"}
    payload = mode if scope is PLACES else {}
    sent = await harness.submit(job_type, content, payload=payload, **scope)
    job = (await harness.ended(sent)).in_order()[0]
    assert job.result == types_pb2.JOB_RESULT_WARNING
    stats = values_of(job.stats)
    said = f"looks like {meant} in {name}, "
    [row] = [one for one in stats["warned_rows"] if one["reason"].startswith(said)]
    assert row["column"] == column
    assert row["reason"].endswith("was read as Windows-1252: save the whole file as CSV UTF-8")
    assert stats["rows_warned"] <= stats["rows_accepted"] == len(text.splitlines()) - 1


async def test_names_in_windows_1252_are_no_warning(harness: WorkerHarness) -> None:
    names = (
        "Škoda, “Été”",
        "KOŠICE",
        "l\u2019Hôpital\u2013Œuvre",
        "Müller†",
        "Ærø",
        "Curaçao… ¿Qué?",
    )
    rows = "".join(f'U{at},"{name}"\n' for at, name in enumerate(names))
    [sync] = (await harness.load_units((UNIT + rows).encode("cp1252"))).in_order()
    assert sync.result == types_pb2.JOB_RESULT_SUCCESS
    assert "was read as Windows-1252" in sync.message


def _twice(text: str) -> bytes:
    return text.encode().decode("cp1252").encode()
