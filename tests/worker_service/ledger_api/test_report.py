"""The report of a year: sums of stored totals, people who count now, and what is missing."""

from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from carbonline.v1 import ledger_pb2, types_pb2
from tests.worker_service.ledger_api.conftest import Client, as_caller, refused, settings_of
from tests.worker_service.ledger_api.test_totals import LARGE, SMALL, store, unit_row
from worker_service.ledger.entry_sets import NewSet, entry_rows, load_entries, open_set
from worker_service.ledger.fences import Publication, publication
from worker_service.ledger.frames import frame_bytes
from worker_service.ledger.pool import Ledger, open_ledger
from worker_service.ledger.uploads import Contents, Withdrawal, publish_upload, withdraw_upload
from worker_service.settings import Settings

HEADCOUNT, TRAVEL = types_pb2.MODULE_HEADCOUNT, types_pb2.MODULE_PROFESSIONAL_TRAVEL
PURCHASE = types_pb2.MODULE_PURCHASE
MEMBER = types_pb2.DATA_ENTRY_TYPE_MEMBER


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """A ledger process on a database that this test may write."""
    return settings_of(database_url, tmp_path)


@pytest.fixture
async def ledger(database_url: str) -> AsyncIterator[Ledger]:
    """The ledger as a worker has it."""
    opened = await open_ledger(database_url, application_name="test")
    yield opened
    await opened.close()


async def read(client: Client, caller: str = "local", **wanted: Any) -> Any:
    request = ledger_pb2.GetReportRequest(**{"year": 2024, **wanted})
    return await client.ledger.GetReport(request, metadata=as_caller(caller))


async def load_people(
    ledger: Ledger,
    token: int,
    people: Sequence[tuple[str, str]],
    *,
    year: int = 2024,
    data_entry_type: int = MEMBER,
    published: bool = True,
) -> None:
    """Entries of (unit, JSON), which count or are still being loaded."""
    new = NewSet("local", token, HEADCOUNT, data_entry_type, year, None, "blob:a", "default")
    rows = pl.DataFrame(
        {
            "row_number": range(1, len(people) + 1),
            "unit": [unit for unit, _ in people],
            "extra": [data for _, data in people],
        },
        schema_overrides={"row_number": pl.Int32},
    )
    async with ledger.transaction() as conn:
        await open_set(conn, new)
        await load_entries(conn, new, frame_bytes(entry_rows(new, rows)))
    if published:
        contents = Contents(len(people), len(people), "")
        async with publication(ledger, of_entries(token, year)) as conn:
            await publish_upload(conn, new, contents, may_take_most=True)


def of_entries(token: int, year: int = 2024) -> Publication:
    scope = f"entries/{HEADCOUNT}/{year}"
    return Publication("local", [scope], token, seconds_left=lambda: 30.0)


async def test_units_and_modules_are_summed_exactly_beside_the_year_before(
    client: Client, ledger: Ledger
) -> None:
    await store(ledger, TRAVEL, [unit_row("U1", LARGE), unit_row("U2", SMALL)])
    await store(ledger, PURCHASE, [unit_row("U1", SMALL, scope1=SMALL)])
    await store(ledger, TRAVEL, [unit_row("U2", Decimal("0.5"))], year=2023)
    answer = await read(client)
    whole = answer.whole
    assert whole.total_kg_exact == f"{10**30}.3"
    assert (whole.ghg_scope_1_kg, whole.ghg_scope_2_kg) == (0.1, 0)
    assert (whole.last_year_kg, whole.entry_count, whole.entries_without_kg) == (0.5, 9, 3)
    assert whole.outcome_counts == {"computed": 6, "no_factor": 3}
    assert whole.largest_category == "professional_travel"
    of_units = [(one.unit, one.unit_name, one.sums.total_kg_exact) for one in answer.units]
    assert of_units == [("U1", "Physics", f"{10**30}.2"), ("U2", "Chemistry", "0.1")]
    assert [one.sums.HasField("last_year_kg") for one in answer.units] == [False, True]
    assert [(one.module, one.sums.entry_count) for one in answer.modules] == [
        (TRAVEL, 6),
        (PURCHASE, 3),
    ]
    [node] = answer.nodes
    assert (node.path, node.additional_value, node.ghg_scope) == ("professional_travel", 37.5, 3)
    assert (node.kg, node.last_year_kg) == (float(LARGE), 0.5)


async def test_a_unit_that_vanished_has_zeros(client: Client, ledger: Ledger) -> None:
    await store(ledger, TRAVEL, [unit_row("U1", SMALL), unit_row("U2", SMALL)], year=2023)
    await store(ledger, TRAVEL, [unit_row("U1", SMALL), unit_row("U2", SMALL)])
    await store(ledger, TRAVEL, [unit_row("U1", SMALL)])
    answer = await read(client)
    found = {one.unit: (one.sums.total_kg, one.sums.last_year_kg) for one in answer.units}
    assert found == {"U1": (0.1, 0.1), "U2": (0, 0.1)}
    assert answer.whole.total_kg == 0.1
    assert (answer.units_without_data, answer.units_without_data_count) == (["U2"], 1)


async def test_years_are_told_with_what_is_missing_from_each(
    client: Client, ledger: Ledger
) -> None:
    await store(ledger, TRAVEL, [unit_row("U1", SMALL), unit_row("U2", SMALL)], year=2021)
    await store(ledger, TRAVEL, [unit_row("U1", LARGE)])
    await store(ledger, TRAVEL, [unit_row("U1", LARGE)], tenant="other", year=2020)
    await load_people(ledger, 10, [("U1", '{"fte":0.5}')], year=2021)
    answer = await read(client)
    assert [(one.year, one.total_kg_exact, one.entry_count) for one in answer.years] == [
        (2021, "0.2", 6),
        (2024, str(10**30), 3),
    ]
    assert [one.entries_without_kg for one in answer.years] == [2, 1]
    assert [one.fte for one in answer.years] == [0.5, 0]
    assert answer.years[0].kg_per_fte == 0.4
    assert not answer.years[1].HasField("kg_per_fte")
    of_unit = await read(client, unit="u2")
    assert [(one.year, one.total_kg_exact) for one in of_unit.years] == [(2021, "0.1")]


async def test_members_who_count_are_the_full_time_equivalents(
    client: Client, ledger: Ledger
) -> None:
    await store(ledger, TRAVEL, [unit_row("U1", Decimal(120)), unit_row("U2", Decimal(30))])
    people = [("U1", '{"fte":0.8,"name":"A"}'), ("U1", '{"fte":0.1}'), ("U2", '{"fte":0.1}')]
    await load_people(ledger, 10, [*people, ("U2", '{"name":"B"}')])
    await load_people(ledger, 20, [("U1", '{"fte":100}')], published=False)
    await load_people(ledger, 30, [("U1", '{"fte":7}')], data_entry_type=2)
    answer = await read(client)
    assert (answer.whole.fte, answer.whole.kg_per_fte) == (1, 150)
    assert [(one.unit, one.sums.fte) for one in answer.units] == [("U1", 0.9), ("U2", 0.1)]
    assert not answer.modules[0].sums.HasField("fte")
    assert (await read(client, unit="U2")).whole.kg_per_fte == 300
    async with publication(ledger, of_entries(40)) as conn:
        await withdraw_upload(conn, Withdrawal("local", 10, HEADCOUNT, MEMBER, 2024, 1), 40)
    answer = await read(client)
    assert not answer.whole.HasField("fte")
    assert not answer.whole.HasField("kg_per_fte")


async def test_modules_without_data_are_named_and_those_that_wait_are_stale(
    client: Client, ledger: Ledger
) -> None:
    await store(ledger, TRAVEL, [unit_row("U1", SMALL)])
    await load_people(ledger, 10, [("U1", '{"fte":1}')])
    answer = await read(client)
    names = [types_pb2.Module.Name(number) for number in answer.modules_without_data]
    assert names == [
        "MODULE_BUILDINGS",
        "MODULE_EQUIPMENT",
        "MODULE_PURCHASE",
        "MODULE_RESEARCH_FACILITIES",
        "MODULE_EXTERNAL_CLOUD_AND_AI",
        "MODULE_PROCESS_EMISSIONS",
    ]
    fresh = {one.module: one.fresh for one in answer.freshness}
    assert fresh == {HEADCOUNT: False, TRAVEL: True}
    of_module = await read(client, module=PURCHASE)
    assert list(of_module.modules_without_data) == [PURCHASE]
    assert not of_module.HasField("whole")


async def test_tenants_and_units_are_kept_apart(client: Client, ledger: Ledger) -> None:
    await store(ledger, TRAVEL, [unit_row("U1", SMALL), unit_row("U2", LARGE)])
    await store(ledger, TRAVEL, [unit_row("U1", LARGE)], tenant="other")
    assert (await read(client, "other")).whole.total_kg_exact == str(10**30)
    of_unit = await read(client, unit="u1")
    assert (of_unit.whole.total_kg_exact, len(of_unit.units)) == ("0.1", 1)
    assert of_unit.units_without_data_count == 0
    error = await refused(read(client, "other", tenant="local"))
    assert (error.code, error.reason) == ("PERMISSION_DENIED", "OTHER_TENANT")
    error = await refused(read(client, unit="00u1"))
    assert (error.code, error.reason) == ("NOT_FOUND", "UNIT_NOT_FOUND")


async def test_all_that_is_wrong_is_said_at_once(client: Client) -> None:
    error = await refused(read(client, year=24, module=99, unit="a\0b"))
    assert (error.code, error.reason) == ("INVALID_ARGUMENT", "FIELD_INVALID")
    assert set(error.fields) == {"year", "module", "unit"}
