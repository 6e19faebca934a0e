"""Totals as they are stored, summed exactly; the catalogue as it is declared."""

import csv
import io
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from carbonline.v1 import ledger_pb2, types_pb2
from tests.worker_service.ledger_api.conftest import Client, as_caller, refused, settings_of
from worker_service.carbon.catalogue import MODULES
from worker_service.ledger.fences import Publication, publication
from worker_service.ledger.pool import Ledger, open_ledger
from worker_service.ledger.totals import TotalsSlice, UnitRow, replace_totals
from worker_service.ledger.units import save_units
from worker_service.settings import Settings

TRAVEL = types_pb2.MODULE_PROFESSIONAL_TRAVEL
PURCHASE = types_pb2.MODULE_PURCHASE
# Neither a double nor Python's usual 28 digits have room for their sum.
LARGE, SMALL = Decimal(10**30), Decimal("0.1")


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


def unit_row(unit: str, scope3: Decimal, scope1: Decimal = Decimal(0)) -> UnitRow:
    return UnitRow(
        unit=unit,
        scope1=scope1,
        scope2=Decimal(0),
        scope3=scope3,
        total=scope1 + scope3,
        by_emission_type={"professional_travel": float(scope3)},
        by_additional_value={"professional_travel": 12.5},
        entry_count=3,
        outcome_counts={"computed": 2, "no_factor": 1},
    )


async def store(
    ledger: Ledger,
    module: int,
    rows: Sequence[UnitRow],
    *,
    tenant: str = "local",
    year: int = 2024,
) -> None:
    of = TotalsSlice(tenant, module, year, types=())
    wanted = Publication(tenant, [of.ledger_scope], claim_token=77, seconds_left=lambda: 30.0)
    async with publication(ledger, wanted) as conn:
        await save_units(conn, tenant, ["U1", "U2"], ["Physics", "Chemistry"], claim_token=77)
        await replace_totals(conn, of, rows, {}, claim_token=77)


async def read(client: Client, caller: str = "local", **wanted: Any) -> Any:
    request = ledger_pb2.GetTotalsRequest(**{"year": 2024, **wanted})
    return await client.ledger.GetTotals(request, metadata=as_caller(caller))


async def test_a_units_totals_are_told_whole(client: Client, ledger: Ledger) -> None:
    await store(ledger, TRAVEL, [unit_row("U1", Decimal("12.25"), scope1=Decimal("0.5"))])
    (of_module,) = (await read(client)).module_totals
    assert (of_module.unit, of_module.unit_name) == ("U1", "Physics")
    assert of_module.module == TRAVEL
    scopes = (of_module.ghg_scope_1_kg, of_module.ghg_scope_2_kg, of_module.ghg_scope_3_kg)
    assert (*scopes, of_module.total_kg) == (0.5, 0, 12.25, 12.75)
    assert of_module.total_kg_exact == "12.75"
    assert of_module.by_emission_type == {"professional_travel": 12.25}
    assert of_module.by_additional_value == {"professional_travel": 12.5}
    assert of_module.entry_count == 3
    assert of_module.outcome_counts == {"computed": 2, "no_factor": 1}
    assert of_module.claim_token == 77
    assert of_module.computed_at.ToDatetime().year >= 2024


async def test_units_and_modules_are_summed_exactly(client: Client, ledger: Ledger) -> None:
    await store(ledger, TRAVEL, [unit_row("U2", SMALL), unit_row("U1", LARGE)])
    await store(ledger, PURCHASE, [unit_row("U1", SMALL, scope1=SMALL)])
    answer = await read(client)
    by_module = [(one.unit, one.module) for one in answer.module_totals]
    assert by_module == sorted([("U1", TRAVEL), ("U1", PURCHASE), ("U2", TRAVEL)])
    of_units = [(one.unit, one.unit_name, one.total_kg_exact) for one in answer.unit_totals]
    assert of_units == [
        ("U1", "Physics", f"{10**30}.2"),
        ("U2", "Chemistry", "0.1"),
    ]
    assert answer.institution.total_kg_exact == f"{10**30}.3"
    assert answer.institution.entry_count == 9
    assert (answer.institution.unit, answer.institution.ghg_scope_1_kg) == ("", 0.1)


async def test_a_unit_alone_has_no_institution(client: Client, ledger: Ledger) -> None:
    await store(ledger, TRAVEL, [unit_row("U1", SMALL), unit_row("U2", LARGE)])
    answer = await read(client, unit="u2")
    assert [one.unit for one in answer.module_totals] == ["U2"]
    assert [one.unit for one in answer.unit_totals] == ["U2"]
    assert not answer.HasField("institution")


async def test_a_module_alone_is_summed_alone(client: Client, ledger: Ledger) -> None:
    await store(ledger, TRAVEL, [unit_row("U1", SMALL)])
    await store(ledger, PURCHASE, [unit_row("U1", LARGE)])
    answer = await read(client, module=TRAVEL)
    assert [one.module for one in answer.module_totals] == [TRAVEL]
    assert answer.institution.total_kg_exact == "0.1"


async def test_years_and_tenants_are_kept_apart(client: Client, ledger: Ledger) -> None:
    await store(ledger, TRAVEL, [unit_row("U1", SMALL)])
    await store(ledger, TRAVEL, [unit_row("U1", LARGE)], tenant="other")
    assert (await read(client)).institution.total_kg_exact == "0.1"
    assert (await read(client, "other")).institution.total_kg_exact == str(10**30)
    assert await read(client, year=2023) == ledger_pb2.GetTotalsResponse(years=[2024])
    error = await refused(read(client, "other", tenant="local"))
    assert (error.code, error.reason) == ("PERMISSION_DENIED", "OTHER_TENANT")


async def test_entries_without_kilograms_are_counted_in_every_sum(
    client: Client, ledger: Ledger
) -> None:
    await store(ledger, TRAVEL, [unit_row("U1", SMALL), unit_row("U2", SMALL)])
    await store(ledger, PURCHASE, [unit_row("U1", SMALL)])
    answer = await read(client)
    assert [one.entries_without_kg for one in answer.module_totals] == [1, 1, 1]
    of_units = [(one.entries_without_kg, dict(one.outcome_counts)) for one in answer.unit_totals]
    assert of_units == [
        (2, {"computed": 4, "no_factor": 2}),
        (1, {"computed": 2, "no_factor": 1}),
    ]
    assert answer.institution.entries_without_kg == 3
    assert answer.institution.outcome_counts == {"computed": 6, "no_factor": 3}


async def test_the_years_are_told_that_have_what_this_one_lacks(
    client: Client, ledger: Ledger
) -> None:
    await store(ledger, TRAVEL, [unit_row("U1", SMALL)])
    await store(ledger, TRAVEL, [unit_row("U2", SMALL)], year=2022)
    assert (await read(client)).years == []
    assert (await read(client, year=2026)).years == [2022, 2024]
    assert (await read(client, year=2026, unit="u1")).years == [2024]
    assert (await read(client, module=PURCHASE)).years == []
    assert (await read(client, "other", year=2026)).years == []


async def test_an_unknown_unit_is_not_a_unit_without_totals(client: Client, ledger: Ledger) -> None:
    error = await refused(read(client, unit="U1"))
    assert (error.code, error.reason) == ("NOT_FOUND", "UNIT_NOT_FOUND")
    assert error.message.endswith("It has no units yet: load them first.")
    await store(ledger, TRAVEL, [unit_row("U1", SMALL)])
    assert (await read(client, unit="u2")).module_totals == []
    error = await refused(read(client, unit="00u1"))
    assert (error.code, error.reason) == ("NOT_FOUND", "UNIT_NOT_FOUND")
    assert error.message == "00u1 is not a unit of the institution. Did you mean U1?"
    error = await refused(read(client, unit="Astronomy\n"))
    assert error.message == "Astronomy\\n is not a unit of the institution."


async def test_all_that_is_wrong_is_said_at_once(client: Client) -> None:
    error = await refused(read(client, year=24, module=99, unit="a\0b"))
    assert (error.code, error.reason) == ("INVALID_ARGUMENT", "FIELD_INVALID")
    assert set(error.fields) == {"year", "module", "unit"}
    assert "MODULE_PROFESSIONAL_TRAVEL" in error.fields["module"]


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"year": 1989}, "year"),
        ({"year": 2101}, "year"),
        ({"year": -(2**31)}, "year"),
        ({"module": -1}, "module"),
        ({"module": 2**31 - 1}, "module"),
        ({"unit": "\0"}, "unit"),
        ({"unit": "x" * 129}, "unit"),
    ],
)
async def test_each_wrong_field_is_named(
    client: Client, wanted: dict[str, Any], field: str
) -> None:
    error = await refused(read(client, **wanted))
    assert (error.code, list(error.fields)) == ("INVALID_ARGUMENT", [field])


async def test_the_catalogue_has_every_module_and_type(client: Client) -> None:
    catalogue = await client.ledger.ListModules(ledger_pb2.ListModulesRequest())
    assert [(one.module, one.name) for one in catalogue.modules] == sorted(
        (module.id, module.name) for module in MODULES
    )
    of_types = {
        known.data_entry_type for one in catalogue.modules for known in one.data_entry_types
    }
    assert of_types == set(types_pb2.DataEntryType.values()) - {0}


async def test_the_catalogue_tells_how_planes_are_sent_and_computed(client: Client) -> None:
    catalogue = await client.ledger.ListModules(ledger_pb2.ListModulesRequest())
    (plane,) = (
        known
        for module in catalogue.modules
        for known in module.data_entry_types
        if known.data_entry_type == types_pb2.DATA_ENTRY_TYPE_PLANE
    )
    assert (plane.name, plane.supported) == ("plane", True)
    header, example = csv.reader(io.StringIO(plane.template_csv))
    assert header == [column.name for column in plane.columns]
    assert len(example) == len(header)
    needed = [column.required for column in plane.columns]
    assert needed == sorted(needed, reverse=True)
    cabin = next(column for column in plane.columns if column.name == "cabin_class")
    assert (cabin.kind, "economy" in cabin.choices) == ("choice", True)
    assert "ef_kg_co2eq_per_km" in plane.factor_template_csv
    assert all((plane.formula, plane.formula_version, plane.formula_source))
