"""Kill -9 of the worker in the middle of what a person types: the old or the new counts, and the
command says what its own file has done.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import xlsxwriter

from tests.acceptance.acceptance_run import AcceptanceRun
from tests.acceptance.conftest import OpenRun
from tests.acceptance.faults import until, with_a_faulty_worker
from tests.worker_service.blobs.faulty_s3 import BUCKET, faulty_s3

COMMAND = (sys.executable, "-m", "carbonline.command.main")
YEAR = 2024
OF_YEAR = ("--year", str(YEAR))
PLANES = ("--type", "plane", *OF_YEAR)
SECONDS_MAX = 90
# The file that says where the worker is killed.
PLACE = "place"
FILES = {
    "units.csv": "unit_institutional_id,name\nU1,Physics\n",
    "places.csv": "iata,latitude,longitude\nGVA,46.2381,6.1090\nCDG,49.0097,2.5479\n",
    "factors.csv": "category,cabin_class,ef_kg_co2eq_per_km\nall,economy,0.2\n",
    "factors_twice.csv": "category,cabin_class,ef_kg_co2eq_per_km\nall,economy,0.4\n",
}
HEADER = "unit_institutional_id,origin_iata,destination_iata,user_institutional_id,cabin_class"
# Its row is rejected.
HAMMOCK = "U1,GVA,CDG,a,hammock"
# A later upload is the workbook of another program.
MAPPING = ("--map", "Von=origin_iata")
# The places of the stack, and another file of entries.
SEED = """
[[units]]
file = "units.csv"
years = 2024
[[factors]]
file = "factors_twice.csv"
type = "plane"
years = 2024
[[activity]]
file = "four.csv"
type = "plane"
years = 2024
"""
KG_OF_A_TRIP = 407.5926178213096 * 0.2


@dataclass
class Killing:
    """A stack whose first worker is killed once a command, and a terminal beside it."""

    run: AcceptanceRun
    folder: Path
    marker: Path
    place: str

    async def type(self, *words: str) -> str:
        """All that the command says; it must succeed."""
        typed = await asyncio.create_subprocess_exec(
            *(*COMMAND, *words),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=self.folder,
            env={**os.environ, "CARBONLINE_DATA_FOLDER": str(self.folder / "stack")},
        )
        async with asyncio.timeout(SECONDS_MAX):
            said, _ = await typed.communicate()
        assert typed.returncode == 0, said.decode()
        return " ".join(said.decode().split())

    async def type_and_kill(self, *words: str, kg: float, place: str | None = None) -> str:
        """The same, where the worker is killed on the way and another one takes its place.

        `kg` is what must count in between, whichever upload that is. `place` is that of this kill.
        """
        (self.folder / PLACE).write_text(place or self.place)
        await self.run.stack.stop("worker-2")
        self.marker.unlink(missing_ok=True)
        await self.run.stack.start("worker-1")
        typing = asyncio.create_task(self.type(*words))
        worker = self.run.stack.child("worker-1")
        await until(lambda: self.marker.exists() and not worker.running, "nobody was killed")
        assert (await self.run.client.get_totals(YEAR)).institution.total_kg == pytest.approx(kg)
        await self.run.stack.start("worker-2")
        return await typing

    async def kg(self) -> float:
        """The year's total, of which nothing may be missing."""
        answer = await self.run.client.get_totals(YEAR)
        assert [one.fresh for one in answer.freshness] == [True]
        assert answer.institution.entries_without_kg == 0
        return answer.institution.total_kg


@asynccontextmanager
async def killing(open_run: OpenRun, folder: Path, place: str) -> AsyncIterator[Killing]:
    """With units, places, factors and four trips."""
    for name, text in FILES.items():
        (folder / name).write_text(text)
    trips = [f"U1,GVA,CDG,a{number},economy" for number in range(4)]
    (folder / "four.csv").write_text("\n".join([HEADER, *trips, HAMMOCK, ""]))
    with xlsxwriter.Workbook(folder / "three.xlsx") as book:
        sheet = book.add_worksheet()
        for at, row in enumerate((HEADER.replace("origin_iata", "Von"), *trips[:3], HAMMOCK)):
            sheet.write_row(at, 0, row.split(","))
    marker = folder / "killed"
    marker.touch()
    faulty = with_a_faulty_worker(folder / PLACE, "kill", marker, "upload_or_factors")
    quick = {"lease_seconds": 3.0, "beat_seconds": 0.5, "sweep_seconds": 0.3}
    async with open_run(programs=faulty, supervise=False, prepared=False, **quick) as run:
        await run.stack.stop("worker-1")
        stack = Killing(run, folder, marker, place)
        await stack.type("load", "units", "units.csv", *OF_YEAR)
        await stack.type("load", "locations", "places.csv")
        await stack.type("load", "factors", "factors.csv", *PLANES)
        await stack.type("submit", "four.csv", *PLANES)
        assert await stack.kg() == pytest.approx(4 * KG_OF_A_TRIP)
        yield stack


@pytest.mark.parametrize(
    "place",
    [
        pytest.param("before_publication", marks=pytest.mark.slow),
        pytest.param("inside_publication", marks=pytest.mark.slow),
        "after_commit",
    ],
)
async def test_a_killed_worker_leaves_the_old_or_the_new_and_its_successor_says_what_was_done(
    open_run: OpenRun, tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its files are in an object store, so none of them is on the machine of the next worker."""
    with faulty_s3() as s3:
        place_of_files = {"CARBONLINE_BLOB_FOLDER": f"s3://{BUCKET}/of/carbonline"}
        for name, value in (s3.environment | place_of_files).items():
            monkeypatch.setenv(name, value)
        await must_leave_the_old_or_the_new(open_run, tmp_path, place)


async def must_leave_the_old_or_the_new(open_run: OpenRun, tmp_path: Path, place: str) -> None:
    async with killing(open_run, tmp_path, place) as stack:
        four, three = 4 * KG_OF_A_TRIP, 3 * KG_OF_A_TRIP
        workbook = ("submit", "three.xlsx", *PLANES, *MAPPING)
        said = await stack.type_and_kill(*workbook, kg=four, place="while_reading")
        assert "3 rows accepted, in place of 4 rows of four.csv (pipeline 4), 1 rejected" in said
        assert f"{four:,.3f} kg before, {three:,.3f} kg now" in said
        assert await stack.kg() == pytest.approx(three)

        said = await stack.type_and_kill("load", "factors", "factors_twice.csv", *PLANES, kg=three)
        assert f"{three:,.3f} kg before, {2 * three:,.3f} kg now" in said
        assert "0 are new or changed" not in said
        assert await stack.kg() == pytest.approx(2 * three)

        answer = await stack.type("uploads", *OF_YEAR, "--format", "csv")
        upload = answer.split()[1].split(",")[0]
        said = await stack.type_and_kill("withdraw", upload, kg=2 * three)
        assert "for all units from source default no longer count" in said
        assert f"{2 * three:,.3f} kg before, 0.000 kg now" in said
        uploads = await stack.type("uploads", *OF_YEAR)
        assert uploads == f"No uploads of {YEAR} count."

        said = await stack.type_and_kill("restore", upload, kg=0)
        assert "3 rows accepted" in said
        assert await stack.kg() == pytest.approx(2 * three)

        answer = await stack.type("uploads", *OF_YEAR, "--format", "csv")
        upload = answer.split()[1].split(",")[0]
        await stack.type("load", "units", "units.csv", "--year", "2025")
        said = await stack.type_and_kill("copy", upload, "--year", "2025", kg=2 * three)
        assert "3 rows accepted" in said
        copies = json.loads(await stack.type("uploads", "--year", "2025", "--json"))["rows"]
        assert [copy["entries"] for copy in copies] == [3]

        (tmp_path / "seed.toml").write_text(SEED)
        said = await stack.type_and_kill("seed", ".", "--yes", kg=2 * three)
        assert "activity plane 2024: SUCCESS" in said
        assert f"2024: {2 * four:,.3f} kg CO2eq over 1 unit." in said
        again = await stack.type("seed", ".")
        assert f"2024: {2 * four:,.3f} kg CO2eq over 1 unit." in again
        assert await stack.kg() == pytest.approx(2 * four)
