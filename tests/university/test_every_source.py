"""The same university has the same totals, whatever its files are and wherever they come from."""

import asyncio
import csv
import json
import math
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cases.conftest import Terminal, terminal_beside_a_stack
from tests.university.other_forms import as_of_another_program, as_workbooks
from tests.university.plain_account import FOLDER, accounts
from tests.worker_service.blobs.faulty_s3 import BUCKET, faulty_s3
from tests.worker_service.providers import fake_travel_api
from tests.worker_service.providers.fake_travel_api import FakeTravelApi, trip
from tests.worker_service.steps import test_unit_directory as unit_directory
from tests.worker_service.steps.test_unit_directory import PASSWORD, Directory

ACCOUNTS = accounts()
WITHIN = 1e-12
PLANES_OF_2024 = ("--type", "plane", "--year", "2024")


def assert_same_totals(terminal: Terminal) -> None:
    """Each unit and module of both years has the kilograms of the plain account."""
    for year, account in ACCOUNTS.items():
        typed = terminal.type("totals", "--year", str(year), "--json")
        assert typed.code == 0, typed
        found = json.loads(typed.out)["rows"]
        kg = {(one["unit"], one["module"]): one["total_kg"] for one in found if one["total_kg"]}
        sums = {key: math.fsum(parts) for key, parts in account.by_unit_and_module.items()}
        assert kg == pytest.approx({key: one for key, one in sums.items() if one}, rel=WITHIN)


@pytest.mark.parametrize("form", [as_workbooks, as_of_another_program])
def test_files_of_other_forms_have_the_same_totals(
    tmp_path: Path, form: Callable[[Path], Path]
) -> None:
    folder = form(tmp_path / "university")
    with terminal_beside_a_stack(tmp_path) as terminal:
        typed = terminal.type("seed", folder)
        assert typed.code == 0, typed
        assert_same_totals(terminal)
        if form is as_of_another_program:
            uploads = json.loads(terminal.type("uploads", "--year", "2024", "--json").out)["rows"]
            assert all(upload["mapping"] for upload in uploads)


async def test_files_in_an_object_store_and_rows_of_services_have_the_same_totals(
    tmp_path: Path,
) -> None:
    async with services() as (travel_api, settings):
        with faulty_s3() as s3:
            place = {"CARBONLINE_BLOB_FOLDER": f"s3://{BUCKET}/university"}
            all_settings = settings | s3.environment | place
            await asyncio.to_thread(_from_everywhere, tmp_path, travel_api, all_settings)


def _from_everywhere(folder: Path, travel_api: FakeTravelApi, settings: Mapping[str, str]) -> None:
    with terminal_beside_a_stack(folder, settings) as terminal:
        typed = terminal.type("seed", FOLDER)
        assert typed.code == 0, typed
        assert not (folder / "data" / "blobs").exists()
        assert_same_totals(terminal)
        typed = terminal.type("load", "units", "--from", "unit-directory", "--year", "2024")
        assert "0 new, 0 renamed, 15 unchanged" in typed.output, typed
        travel_api.records += trips_of_2024(terminal)
        [upload] = json.loads(terminal.type("uploads", *PLANES_OF_2024, "--json").out)["rows"]
        assert terminal.type("withdraw", str(upload["upload"]), "--yes").code == 0
        typed = terminal.type("submit", "--from", "travel-api", "--year", "2024")
        assert (typed.code, "23 rows accepted" in typed.output) == (0, True), typed.output
        assert_same_totals(terminal)


@asynccontextmanager
async def services() -> AsyncIterator[tuple[FakeTravelApi, dict[str, str]]]:
    """Fakes of the travel API and of the unit directory, and how a worker finds them."""
    with (FOLDER / "units.csv").open(encoding="utf-8", newline="") as file:
        units = [
            {"id": row["unit_institutional_id"], "name": row["name"]}
            for row in csv.DictReader(file)
        ]
    directory = Directory([units])
    async with (
        fake_travel_api.served(FakeTravelApi()) as travel_api,
        unit_directory.served(directory),
    ):
        prefix = "CARBONLINE_UNIT_DIRECTORY_"
        yield (
            travel_api,
            travel_api.environment()
            | {
                f"{prefix}URL": directory.access().url,
                f"{prefix}USER": "someone",
                f"{prefix}PASSWORD": PASSWORD,
                f"{prefix}FIRST_PAGE": "1",
            },
        )


def trips_of_2024(terminal: Terminal) -> list[dict[str, Any]]:
    """The flights of the file as records of the service. It sends the kilograms of those whose
    distance is known, since it has no other place for them, and a day for each.
    """
    [upload] = json.loads(terminal.type("uploads", *PLANES_OF_2024, "--json").out)["rows"]
    results = json.loads(terminal.type("results", str(upload["pipeline"]), "--json").out)["rows"]
    kg = {one["row"]: one["kg_co2eq"] for one in results}
    with (FOLDER / "activity" / "plane_2024.csv").open(encoding="utf-8", newline="") as file:
        return [
            trip(
                kg=kg[number] if row["distance_km"] else None,
                traveller=row["user_institutional_id"],
                centre=row["unit_institutional_id"],
                date=(row["departure_date"] or "2024-01-01").replace("-", ""),
                cabin=f"AIR {row['cabin_class'].upper()} CLASS",
                origin=row["origin_iata"],
                to=row["destination_iata"],
                ticket=str(number),
                trips=int(row["number_of_trips"]),
            )
            for number, row in enumerate(csv.DictReader(file), start=1)
        ]
