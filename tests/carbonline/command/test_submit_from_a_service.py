"""`carbonline submit --from`: a worker asks the service, and the person sees what became of it."""

import asyncio
from pathlib import Path

import pytest

from carbonline import Client
from carbonline.client.reports import PipelineReport
from tests.carbonline.command.terminal import Terminal
from tests.carbonline.command.test_commands import FACTORS, PLACES
from tests.carbonline.command.test_typing import usage_error
from tests.worker_service.providers.fake_travel_api import SECRET, FakeTravelApi, served, trip

UNITS = "unit_institutional_id,name\n0828,Physics\n"
YEAR = ("--year", "2024")


def asked_by_a_script(data_folder: Path) -> PipelineReport:
    with Client.local(data_folder) as client:
        assert client.load_units_from("directory", year=2024).status == "failed"
        return client.submit_from("travel-api", "plane", year=2024)


async def test_flights_come_from_the_service_to_totals(tmp_path: Path) -> None:
    async with served(FakeTravelApi([trip(), trip(transport="Train")])) as fake:
        terminal = Terminal(tmp_path)
        terminal.environment |= fake.environment()
        with terminal.stack():
            await asyncio.to_thread(
                terminal.load_for_planes, 2024, units=UNITS, places=PLACES, factors=FACTORS
            )
            words = ("submit", "--from", "travel-api", *YEAR)
            first = await asyncio.to_thread(terminal.type, *words)
            assert first.code == 0, first
            assert "api_ingest plane: SUCCESS" in first.out + first.err
            assert "1 row accepted. 1 record of the service was left out: 1 with no flight." in (
                " ".join((first.out + first.err).split())
            )
            fake.records.append(trip(ticket="2"))
            again = await asyncio.to_thread(terminal.type, *words)
            assert "This replaces 1 plane entry of travel-api_2024.csv" in again.err
            unknown = await asyncio.to_thread(
                terminal.type, "submit", "--from", "agency", "--type", "plane", *YEAR
            )
            assert unknown.code == 4
            assert "no settings for a provider agency" in " ".join(unknown.out.split())
            add = ("schedule", "add", "flights", "15 2 * * *", "--from", "travel-api")
            scheduled = await asyncio.to_thread(terminal.type, *add)
            assert "Schedule flights: api_ingest from travel-api at" in scheduled.out, scheduled
            totals = await asyncio.to_thread(terminal.type, "totals", *YEAR)
            assert "301.000" in totals.out
            uploads = await asyncio.to_thread(terminal.type, "uploads", *YEAR, "--json")
            assert '"source": "travel-api"' in uploads.out
            report = await asyncio.to_thread(asked_by_a_script, tmp_path / "data")
            assert (report.status, report.rows_accepted) == ("success", 2)
            for shown in (first, again, unknown, uploads):
                assert SECRET not in shown.out + shown.err


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ((), "Name a FILE, or a service with --from."),
        ((__file__, "--from", "travel-api"), "FILE cannot be combined with --from."),
        (
            ("--from", "travel-api", "--unit", "0828", "--source", "me"),
            "--unit and --source cannot be combined with --from.",
        ),
        (("--from", "agency"), "Missing option '--type'."),
    ],
)
def test_what_a_service_is_not_asked_with(words: tuple[str, ...], complaint: str) -> None:
    assert complaint in usage_error("submit", *words, *YEAR)


def test_a_schedule_of_an_unknown_service_says_of_which_type() -> None:
    words = ("schedule", "add", "nightly", "15 2 * * *", "--from", "agency")
    assert "Missing option '--type'." in usage_error(*words)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ((), "Name either a FILE, or a service with --from."),
        ((__file__, "--from", "unit-directory"), "Name either a FILE, or a service with --from."),
        (("--from", "unit-directory", "--all"), "--all is for a FILE."),
        (("--from", "unit-directory", "--sheet", "S"), "--sheet and a mapping are for a FILE."),
    ],
)
def test_where_units_come_from_is_said_once(words: tuple[str, ...], complaint: str) -> None:
    assert complaint in usage_error("load", "units", *words, *YEAR)
