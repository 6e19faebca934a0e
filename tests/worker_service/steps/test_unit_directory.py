"""Units from the institution's directory: new, renamed, and gone but kept with their totals."""

import base64
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from aiohttp import web

from carbonline.client.json_struct import values_of
from carbonline.client.view import PipelineView
from carbonline.v1 import types_pb2
from tests.worker_service.steps.claims import claim
from tests.worker_service.steps.conftest import CDG, JFK, UNITS, YEAR, WorkerHarness, flights
from worker_service.mechanics.outcome import Outcome, RetryLater, Succeeded
from worker_service.mechanics.run import Run
from worker_service.providers.access import UnitDirectoryAccess
from worker_service.providers.secret import Secret
from worker_service.providers.unit_directory import UnitDirectory
from worker_service.steps.unit_sync import STEPS
from worker_service.worker import steps_of

PASSWORD = "a-password-that-nobody-may-see"
PHYSICS, LAW = {"id": "0828", "name": "Physics"}, {"id": "0829", "name": "Institute of Law"}
STALE = "SELECT unit FROM carbon.units WHERE stale ORDER BY unit"


@dataclass
class Directory:
    """A directory that answers `pages`; `status` in place of any answer. `before` comes before
    each answer.
    """

    pages: list[Any]
    status: int = 200
    asked: list[Mapping[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    port: int = 0
    before: Callable[[web.Request], Awaitable[None]] | None = None

    def environment(self) -> dict[str, str]:
        """The settings of a worker that asks it."""
        prefix = "CARBONLINE_UNIT_DIRECTORY_"
        return {
            f"{prefix}URL": f"http://127.0.0.1:{self.port}/api/units",
            f"{prefix}USER": "someone",
            f"{prefix}PASSWORD": PASSWORD,
            f"{prefix}FIRST_PAGE": "1",
        }

    def access(self, password: str = PASSWORD, **more: str) -> UnitDirectoryAccess:
        return UnitDirectoryAccess(
            url=f"http://127.0.0.1:{self.port}/api/units",
            user="someone",
            password=Secret("CARBONLINE_UNIT_DIRECTORY_PASSWORD", password),
            first_page=1,
            first_pause_seconds=0.001,
            **more,  # type: ignore[arg-type]
        )

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(dict(request.query))
        self.paths.append(request.path)
        if self.before is not None:
            await self.before(request)
        credentials = base64.b64encode(f"someone:{PASSWORD}".encode()).decode()
        if request.headers["Authorization"] != f"Basic {credentials}":
            return web.Response(status=401)
        if self.status != 200:
            return web.json_response({"message": f"no: {credentials}"}, status=self.status)
        number = int(request.query.get("page", 1)) - 1
        units = self.pages[number] if number < len(self.pages) else []
        return web.json_response({"units": units} if isinstance(units, list) else units)


@asynccontextmanager
async def served(directory: Directory) -> AsyncIterator[None]:
    app = web.Application()
    app.router.add_get("/api/units", directory.answer)
    app.router.add_get("/api/units/", directory.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    directory.port = runner.addresses[0][1]
    try:
        yield
    finally:
        await runner.cleanup()


class Synced:
    """A harness whose worker asks the directory."""

    def __init__(self, harness: WorkerHarness, directory: Directory) -> None:
        self.harness, self.directory = harness, directory
        self.asks(directory.access())

    def asks(self, access: UnitDirectoryAccess) -> None:
        """The worker has these settings from now on."""
        providers = [UnitDirectory(access)]
        self.step = dict(steps_of(self.harness.stores, providers))["unit_sync"]
        # The worker is told once which steps there are.
        self.harness.steps["unit_sync"] = self._step_of_now

    async def _step_of_now(self, run: Run) -> Outcome:
        return await self.step(run)

    async def sync(self) -> PipelineView:
        payload = {"provider": "unit-directory"}
        return await self.harness.ended(
            await self.harness.submit("unit_sync", None, payload=payload, year=YEAR)
        )


@pytest.fixture
async def synced(idle_harness: WorkerHarness) -> AsyncIterator[Synced]:
    directory = Directory([[PHYSICS], [LAW]])
    async with served(directory):
        synced = Synced(idle_harness, directory)
        async with idle_harness.working():
            yield synced


def job_of(view: PipelineView) -> types_pb2.Job:
    [job] = view.in_order()
    return job


async def stale(harness: WorkerHarness) -> Sequence[str]:
    return [row["unit"] for row in await harness.rows(STALE)]


async def test_units_come_page_by_page_until_one_is_empty(synced: Synced) -> None:
    job = job_of(await synced.sync())
    assert job.result == types_pb2.JOB_RESULT_SUCCESS
    assert job.message == (
        "2 units accepted. 2 new, 0 renamed, 0 unchanged. The year 2024 is provisioned."
    )
    assert synced.directory.asked == [{"page": str(n), "pageSize": "500"} for n in (1, 2, 3)]


async def test_a_directory_without_pages_and_with_any_address_is_asked_once(synced: Synced) -> None:
    synced.directory.pages = [[PHYSICS, LAW]]
    access = replace(synced.directory.access(), first_page=None)
    synced.asks(replace(access, url=f"{access.url}/"))
    held = claim("unit_sync", 1_000_000, payload={"provider": "unit-directory"})
    assert "2 units accepted." in str(await synced.step(held.run))
    assert synced.directory.asked == [{}]
    assert synced.directory.paths == ["/api/units/"]


async def test_a_unit_that_vanished_is_kept_and_flagged_and_its_totals_stand(
    synced: Synced,
) -> None:
    harness = synced.harness
    await synced.sync()
    await harness.load_places()
    await harness.load_factors()
    await harness.load_flights(flights(CDG, JFK))
    before = await harness.totals()
    synced.directory.pages = [[PHYSICS]]
    job = job_of(await synced.sync())
    assert "1 unit not in the list: flagged as stale, and kept with their totals." in job.message
    assert values_of(job.stats)["units_stale"] == 1
    assert await stale(harness) == ["0829"]
    assert await harness.totals() == before
    await harness.load_flights(flights(CDG, JFK), source="again")
    assert (await harness.totals())["0829"].entry_count == 2
    synced.directory.pages = [[PHYSICS, LAW]]
    assert values_of(job_of(await synced.sync()).stats)["units_stale"] == 0
    assert await stale(harness) == []


async def test_a_unit_whose_row_is_rejected_has_not_vanished(synced: Synced) -> None:
    await synced.sync()
    synced.directory.pages = [[PHYSICS, {"id": " 0829 ", "name": None}]]
    job = job_of(await synced.sync())
    assert (values_of(job.stats)["rows_rejected"], values_of(job.stats)["units_stale"]) == (1, 0)
    assert await stale(synced.harness) == []


async def test_a_directory_may_tell_the_unit_above_each(synced: Synced) -> None:
    above = "SELECT unit, parent_key FROM carbon.units WHERE parent_key IS NOT NULL"
    synced.directory.pages = [[PHYSICS, {**LAW, "upper": "0828"}]]
    await synced.sync()
    assert await synced.harness.rows(above) == []
    synced.asks(synced.directory.access(parent="upper"))
    held = claim("unit_sync", 1_000_000, payload={"provider": "unit-directory"})
    assert "1 unit moved in the tree of units." in str(await synced.step(held.run))
    assert [tuple(row) for row in await synced.harness.rows(above)] == [("0829", "0828")]


async def test_a_file_flags_the_others_only_if_it_has_all_units(synced: Synced) -> None:
    harness = synced.harness
    await harness.load_units(UNITS)
    one = "unit_institutional_id,name\n0828,Institute of Physics\n"
    await harness.load_units(one)
    assert await stale(harness) == []
    await harness.ended(
        await harness.submit("unit_sync", one, payload={"are_all": "yes"}, year=YEAR)
    )
    assert await stale(harness) == ["0829"]


async def test_records_without_an_id_are_counted_and_doubtful_rows_are_those_of_a_file(
    synced: Synced,
) -> None:
    synced.directory.pages = [[PHYSICS, {"name": "Nobody"}, {"id": 829.0, "name": None}]]
    job = job_of(await synced.sync())
    stats = values_of(job.stats)
    assert (stats["rows_accepted"], stats["rows_rejected"]) == (1, 1)
    assert stats["dropped"] == {"no id": 1}
    assert "1 record of the service was left out: 1 with no id." in job.message


async def test_a_record_that_cannot_be_one_costs_no_other(synced: Synced) -> None:
    await synced.sync()
    long = "x" * ((1 << 20) + 1)
    odd = ["0829", None, {"id": [1], "name": "x"}, {"id": math.nan, "name": "x"}]
    bad = [{"id": "0829", "name": {"en": "Law"}}, {"id": "0830", "name": long}]
    synced.directory.pages = [[PHYSICS, *odd, *bad]]
    job = job_of(await synced.sync())
    stats = values_of(job.stats)
    assert (stats["rows_accepted"], stats["rows_rejected"]) == (1, 2), job.message
    assert stats["dropped"] == {"no fields": 2, "no id": 2}
    assert await stale(synced.harness) == []


async def test_a_parent_that_cannot_be_one_is_told_and_not_taken_for_none(synced: Synced) -> None:
    synced.asks(synced.directory.access(parent="upper"))
    synced.directory.pages = [[PHYSICS, {**LAW, "upper": {"id": "0828"}}]]
    held = claim("unit_sync", 1_000_000, payload={"provider": "unit-directory"})
    outcome = await synced.step(held.run)
    assert isinstance(outcome, Succeeded)
    assert outcome.warnings
    [warned] = outcome.stats["warned_rows"]
    assert (warned["column"], warned["value"]) == ("parent_unit_id", "{…}")


@pytest.mark.parametrize(
    ("pages", "cause"),
    [
        ([], "no_rows"),
        ([[PHYSICS], [PHYSICS]], "pages_repeat"),
        ([{"people": []}], "answer_unreadable"),
        ([{"units": ["0828"]}], "answer_unreadable"),
    ],
)
async def test_a_list_that_cannot_be_used_changes_nothing(
    synced: Synced, pages: list[Any], cause: str
) -> None:
    await synced.sync()
    synced.directory.pages = pages
    job = job_of(await synced.sync())
    assert (job.result, job.error_cause) == (types_pb2.JOB_RESULT_ERROR, cause)
    assert await stale(synced.harness) == []


async def test_a_wrong_password_is_a_clear_error_that_does_not_repeat_it(synced: Synced) -> None:
    synced.asks(synced.directory.access("wrong-" + PASSWORD))
    step = synced.step
    outcome = await step(claim("unit_sync", 1, payload={"provider": "unit-directory"}).run)
    assert "The directory of units refused the user or the password. Nothing" in str(outcome)
    assert PASSWORD not in str(outcome)
    synced.asks(synced.directory.access())
    synced.directory.status = 403
    job = job_of(await synced.sync())
    assert job.error_cause == "service_refused"
    assert "no: ***" in job.message


async def test_a_directory_that_cannot_answer_now_makes_the_job_wait(synced: Synced) -> None:
    synced.directory.status = 503
    run = claim("unit_sync", 1, payload={"provider": "unit-directory"}).run
    assert isinstance(await synced.step(run), RetryLater)


async def test_units_of_a_page_that_was_lost_change_nothing(synced: Synced) -> None:
    run = claim("unit_sync", 1, payload={"provider": "unit-directory"}).run
    # An empty page ends the list, also where a proxy answers it for a full one.
    synced.directory.pages = [{"units": [PHYSICS], "total": 2}]
    outcome = await synced.step(run)
    assert isinstance(outcome, RetryLater)
    assert 'tells a "total" of 2 units, and 1 came' in str(outcome)
    synced.asks(synced.directory.access(total="of another thing"))
    assert job_of(await synced.sync()).error_cause == ""
    # The last answer is of the list as it is by then, and what is not a number tells nothing.
    synced.asks(synced.directory.access())
    last = {"units": [], "total": 1}
    synced.directory.pages = [{"units": [PHYSICS], "total": 2}, last]
    assert job_of(await synced.sync()).error_cause == ""
    synced.directory.pages = [{"units": [PHYSICS], "total": "many"}]
    assert job_of(await synced.sync()).error_cause == ""


async def test_the_four_steps_are_named_as_progress(synced: Synced) -> None:
    told: list[str] = []

    def progress(_done: int, _total: int = 0, phase: str = "", _message: str = "") -> None:
        told.append(phase)

    held = claim("unit_sync", 1, payload={"provider": "unit-directory"})
    held.run.progress = progress  # type: ignore[method-assign,assignment]
    await synced.step(held.run)
    assert list(dict.fromkeys(told)) == list(STEPS)
