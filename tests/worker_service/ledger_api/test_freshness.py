"""What is missing from totals is said in words: by the answer, and by the command."""

import asyncio
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from carbonline.v1 import ledger_pb2, types_pb2
from tests.worker_service.ledger.ledger_driver import PLANE, SLICE, TENANT, YEAR, LedgerDriver
from tests.worker_service.ledger.test_freshness import aggregate
from tests.worker_service.ledger_api.conftest import Client
from worker_service.carbon.catalogue import declaration
from worker_service.ledger.emission_sets import load_outcome_counts, publish_emissions
from worker_service.ledger.freshness import Computable, ModuleState, TypeState, computable_types
from worker_service.ledger.units import save_units
from worker_service.ledger_api.freshness import answer_freshness

TRAVEL = types_pb2.MODULE_PROFESSIONAL_TRAVEL
PLANE_2 = Computable(TRAVEL, PLANE, "plane", "plane-2", ("locations",))
NOON = datetime(2024, 3, 31, 12, tzinfo=UTC)
FORMULA = declaration(PLANE).formula.version


def state(**differing: Any) -> TypeState:
    nothing: dict[str, Any] = {
        "of": PLANE_2,
        "waiting": 0,
        "waiting_rows": 0,
        "waiting_since": None,
        "left_over": 0,
        "with_other_entries": 0,
        "with_other_factors": 0,
        "with_other_references": 0,
        "other_formulas": (),
        "computed_sets": 1,
        "computed_at": NOON,
    }
    return TypeState(**{**nothing, **differing})


@pytest.mark.parametrize(
    ("differing", "reason"),
    [
        ({"waiting": 1, "waiting_rows": 1}, "1 upload of plane (1 row) is not computed yet"),
        (
            {"waiting": 2, "waiting_rows": 1234},
            "2 uploads of plane (1,234 rows) are not computed yet",
        ),
        (
            {"left_over": 1},
            "1 upload of plane is still in the totals and no longer counts",
        ),
        ({"with_other_entries": 1}, "entries of plane changed since they were computed"),
        ({"with_other_factors": 3}, "factors of plane changed since"),
        ({"with_other_references": 3}, "locations of plane changed since"),
        (
            {"other_formulas": ("plane-1",)},
            "plane was computed by another formula (plane-1; now plane-2)",
        ),
        (
            {"of": Computable(TRAVEL, 21, "train", "", ()), "waiting": 1},
            "this release cannot compute train",
        ),
    ],
)
def test_each_reason_is_a_sentence(differing: dict[str, Any], reason: str) -> None:
    one = state(**differing)
    answer = answer_freshness(ModuleState(TRAVEL, [one], summed=False, unsummed_since=None))
    assert (answer.fresh, answer.reason) == (False, reason)
    assert answer.stale_types == [one.of.data_entry_type]
    assert not answer.HasField("since")


def test_sums_that_are_not_renewed_are_told_with_the_moment() -> None:
    answer = answer_freshness(ModuleState(TRAVEL, [state()], summed=False, unsummed_since=NOON))
    assert (answer.fresh, answer.reason) == (False, "the sums have not been recomputed yet")
    assert answer.since.ToDatetime(UTC) == NOON
    assert not answer.stale_types


def test_what_is_fresh_has_no_reason() -> None:
    answer = answer_freshness(ModuleState(TRAVEL, [state()], summed=True, unsummed_since=None))
    assert answer == ledger_pb2.TotalsFreshness(module=TRAVEL, fresh=True)


def test_every_type_is_looked_at_as_this_release_computes_it() -> None:
    known = {one.data_entry_type: one for one in computable_types(None)}
    assert known.keys() == set(types_pb2.DataEntryType.values()) - {0}
    assert (known[PLANE].formula_version, known[PLANE].references) == (FORMULA, ("locations",))
    assert {one.module for one in computable_types(TRAVEL)} == {TRAVEL}


async def typed(folder: Path, *words: str) -> tuple[int, str]:
    """`carbonline WORDS` for the ledger process of the folder: exit code and stdout."""
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "carbonline.command.main", *words),
        *("--ledger", f"unix:{folder}/s", "--data-folder", str(folder)),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await program.communicate()
    assert program.returncode is not None
    return program.returncode, out.decode()


async def test_totals_say_what_is_missing_from_them(
    driver: LedgerDriver, book_client: Client, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    strict = ("totals", "--year", "2024", "--strict")
    assert await typed(tmp_path, *strict) == (7, "")
    assert capfd.readouterr().err.startswith("There are no totals for 2024.\n")
    await driver.upload(10, ["0828", "0828"])
    code, out = await typed(tmp_path, *strict)
    assert code == 7
    waiting = "STALE: professional_travel: 1 upload of plane (2 rows) is not computed yet (since "
    assert out.startswith(waiting)
    assert "recalculate --year 2024 --type plane" in out
    await driver.recalculate(20, formula_version=FORMULA)
    await aggregate(driver, 30)
    code, out = await typed(tmp_path, *strict)
    # There is no scheduler here to ask.
    assert (code, "STALE" in out, "without kg" in out) == (7, False, False)
    unknown = "Whether a change is still being processed is not known: "
    assert unknown in capfd.readouterr().err
    await driver.upload(40, ["0828"])
    code, out = await typed(tmp_path, "totals", "--year", "2024")
    assert code == 0
    assert "(1 row) is not computed yet, 1 upload of plane is still in the totals" in out
    assert "2.000" in out
    assert (await typed(tmp_path, *strict))[0] == 7
    answer = json.loads((await typed(tmp_path, *strict, "--json"))[1])
    [module] = answer["freshness"]
    assert (module["fresh"], module["stale_types"]) == (False, ["plane"])


async def test_entries_without_kilograms_are_a_column_and_a_line(
    driver: LedgerDriver, book_client: Client, tmp_path: Path
) -> None:
    await driver.upload(10, ["0828", "0828", "0828"])
    plan = await driver.plan(FORMULA)
    await driver.load_computed(20, plan, kg=1.0)
    counts = [(10, "0828", "computed", 2), (10, "0828", "unknown_place", 1)]
    async with driver.ledger.session() as conn:
        await load_outcome_counts(conn, TENANT, 20, counts)
    await driver.publish(20, SLICE.ledger_scope, lambda c: publish_emissions(c, SLICE, 20, plan))
    await aggregate(driver, 30)
    code, out = await typed(tmp_path, "totals", "--year", str(YEAR), "--strict")
    assert (code, "without kg" in out, "STALE" in out) == (7, True, False)
    assert "1 of 3 entries has no kilograms and is missing from these totals." in out


async def test_an_unknown_unit_and_another_year_are_said(
    driver: LedgerDriver, book_client: Client, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    await driver.upload(10, ["0828"])
    await driver.recalculate(20, formula_version=FORMULA)
    await aggregate(driver, 30)
    await driver.publish(40, "units", lambda c: save_units(c, TENANT, ["0829"], ["Law"], 40))
    assert await typed(tmp_path, "totals", "--unit", "82", "--year", "2024") == (2, "")
    said = "82 is not a unit of the institution."
    assert said in capfd.readouterr().err
    assert await typed(tmp_path, "totals", "--tenant", "nobody", "--year", "2024") == (2, "")
    assert "may not act for tenant 'nobody'" in capfd.readouterr().err
    assert await typed(tmp_path, "totals", "--year", "2030") == (0, "")
    said = "There are no totals for 2030; there are totals for 2024.\n"
    assert capfd.readouterr().err.startswith(said)
    assert await typed(tmp_path, "totals", "--unit", "0829", "--year", "2024") == (0, "")
    said = "Unit 0829 has no totals for 2024, nor for any other year.\n"
    assert capfd.readouterr().err.startswith(said)
    assert await typed(tmp_path, "totals", "--unit", "0828", "--year", "2030") == (0, "")
    said = "Unit 0828 has no totals for 2030; it has totals for 2024.\n"
    assert capfd.readouterr().err.startswith(said)
