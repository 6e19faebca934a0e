"""A removal is done once: later claims of its job report it, and repeat and refuse nothing."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

import polars as pl
import pytest

from tests.worker_service.ledger.ledger_driver import TENANT, LedgerDriver
from tests.worker_service.steps.claims import Claim, claim
from tests.worker_service.steps.conftest import FACTORS, PLACES, WorkerHarness
from worker_service.ledger.locations import PlacesFile, save_locations
from worker_service.ledger.pool import Connection
from worker_service.ledger.units import save_units
from worker_service.mechanics.outcome import Failed, Outcome, Succeeded, Written

LATER, BETWEEN, LATEST = 1_000_000, 1_000_001, 1_000_002
JFK = pl.DataFrame(
    {"code": ["jfk"], "country": [""], "name": [""], "latitude": [40.6], "longitude": [-73.8]}
)


async def _load_place(conn: Connection) -> None:
    await save_locations(conn, PlacesFile(TENANT, "plane", JFK, "", ""), BETWEEN, replace=False)


async def _load_unit(conn: Connection) -> None:
    await save_units(conn, TENANT, ["0829"], ["Law"], BETWEEN)


class Removal(NamedTuple):
    """What is removed by name, the payload's list of names, and how somebody loads it again."""

    job_type: str
    names: str
    payload: dict[str, Any]
    scope: str
    load_again: Callable[[Connection], Awaitable[None]]
    left: str

    async def run(
        self, harness: WorkerHarness, token: int, attempt: int, names: Sequence[str]
    ) -> tuple[Claim, Outcome]:
        """One claim of the job."""
        one = claim(
            self.job_type,
            token,
            job_id=LATER,
            payload={**self.payload, self.names: list(names)},
            reference_kind="locations",
            attempt=attempt,
        )
        return one, await harness.steps[self.job_type](one.run)

    async def known(self, harness: WorkerHarness) -> Sequence[str]:
        """What is there, by name."""
        return [row[0].upper() for row in await harness.rows(self.left)]


REMOVALS = {
    "JFK": Removal(
        "reference_ingest",
        "codes",
        {"mode": "remove", "transport_mode": "plane"},
        "reference/locations",
        _load_place,
        "SELECT code FROM carbon.locations ORDER BY code",
    ),
    "0829": Removal(
        "unit_removal",
        "units",
        {},
        "units",
        _load_unit,
        "SELECT unit FROM carbon.units ORDER BY unit",
    ),
}


# An expiry that costs no attempt makes the next claim's attempt the same as the last one's.
@pytest.mark.parametrize("attempt", [1, 2])
@pytest.mark.parametrize("name", REMOVALS)
async def test_a_claim_after_the_commit_reports_the_removal_and_removes_nothing_more(
    harness: WorkerHarness, name: str, attempt: int
) -> None:
    removal = REMOVALS[name]
    before = await removal.known(harness)
    _, first = await removal.run(harness, LATER, 1, [name])
    assert isinstance(first, Succeeded), first
    assert await removal.known(harness) == [one for one in before if one != name]
    await LedgerDriver(harness.ledger).publish(BETWEEN, removal.scope, removal.load_again)
    _, second = await removal.run(harness, LATEST, attempt, [name])
    assert second == first
    assert await removal.known(harness) == before


@pytest.mark.parametrize("attempt", [1, 2])
@pytest.mark.parametrize("name", REMOVALS)
async def test_a_name_that_nobody_has_removed_is_refused_in_each_attempt(
    harness: WorkerHarness, name: str, attempt: int
) -> None:
    removal = REMOVALS[name]
    before = await removal.known(harness)
    one, outcome = await removal.run(harness, LATER, attempt, [name, "misspelt"])
    assert isinstance(outcome, Failed), outcome
    assert outcome.message.startswith("Nothing was changed: misspelt is not ")
    assert one.held.written is Written.NOTHING
    assert await removal.known(harness) == before


@pytest.mark.parametrize("names", [[], [""], ["x", " "], ["x"] * 1_001])
@pytest.mark.parametrize("name", REMOVALS)
async def test_a_list_that_names_nothing_or_too_much_is_refused(
    harness: WorkerHarness, name: str, names: Sequence[str]
) -> None:
    removal = REMOVALS[name]
    _, outcome = await removal.run(harness, LATER, 1, names)
    assert isinstance(outcome, Failed), outcome
    assert f"payload.{removal.names} must name the " in outcome.message
    assert "to remove: 1 to 1,000 of them." in outcome.message


STALE: dict[str, tuple[str, dict[str, Any], str]] = {
    "places": (
        "reference_ingest",
        {"mode": "remove_stale", "transport_mode": "plane"},
        "locations",
    ),
    "factors": ("factor_ingest", {"mode": "remove_stale"}, "factors"),
}


@pytest.mark.parametrize("what", STALE)
async def test_what_became_stale_after_the_commit_is_left_to_another_removal(
    harness: WorkerHarness, what: str
) -> None:
    await harness.load_places(PLACES + "XXA,1,2\n", file_name="own.csv")
    await harness.load_places(PLACES, file_name="own.csv")
    await harness.load_factors(FACTORS + "long,first,0.5,1,0,\n")
    await harness.load_factors(FACTORS)
    job_type, payload, table = STALE[what]
    outcomes = []
    for token in (LATER, LATEST):
        one = claim(job_type, token, job_id=LATER, payload=payload, reference_kind="locations")
        outcomes.append(await harness.steps[job_type](one.run))
        async with harness.ledger.session() as conn:
            await conn.execute(f"UPDATE carbon.{table} SET stale = true")
    assert outcomes[0] == outcomes[1]
    assert f"1 stale {what.removesuffix('s')} " in str(outcomes)
    [left] = await harness.rows(
        f"SELECT count(*) FROM carbon.{table} WHERE stale"
        + (" AND removed_at IS NULL" if what == "factors" else "")
    )
    assert left[0] >= 2
