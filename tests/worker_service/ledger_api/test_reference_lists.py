"""Factors, places and units in force, with the files that brought them, page by page."""

from typing import Any

import pytest

from carbonline.serving import pages
from carbonline.v1 import reference_pb2, types_pb2
from tests.worker_service.ledger.ledger_driver import PLANE, TENANT, YEAR, LedgerDriver
from tests.worker_service.ledger.test_factors import LONG, SHORT, save
from tests.worker_service.ledger.test_locations import save_places
from tests.worker_service.ledger_api.conftest import Client, as_caller, refused
from worker_service.ledger.factors import FactorSlice, Origin, remove_factors
from worker_service.ledger.reference_lists import FactorFilter, list_factors
from worker_service.ledger.units import save_units


async def factors(client: Client, caller: str = "local", **wanted: Any) -> Any:
    given = {"year": YEAR, "data_entry_type": PLANE, **wanted}
    request = reference_pb2.ListFactorsRequest(**given)
    return await client.ledger.ListFactors(request, metadata=as_caller(caller))


async def places(client: Client, caller: str = "local", **wanted: Any) -> Any:
    request = reference_pb2.ListLocationsRequest(**wanted)
    return await client.ledger.ListLocations(request, metadata=as_caller(caller))


async def test_a_factor_is_told_with_its_file_and_what_uses_it(
    driver: LedgerDriver, book_client: Client
) -> None:
    await save(driver, 10, SHORT)
    [stored] = await driver.rows("SELECT factor_id FROM carbon.factors")
    await driver.upload(20, ["0828", "0828"])
    await driver.recalculate(30)
    await driver.rows("UPDATE carbon.emissions SET factor_id = $1", stored["factor_id"])
    [factor] = (await factors(book_client, with_usage=True)).factors
    assert factor.made_at.ToDatetime().year >= 2024
    factor.ClearField("made_at")
    assert factor == reference_pb2.Factor(
        factor_id=stored["factor_id"],
        emission_type="professional_travel.plane",
        classification={"category": "short"},
        values={"ef": "1.5", "rfi": "2"},
        version=1,
        file_name="file 10",
        blob="blob:10",
        claim_token=10,
        entries=2,
    )
    assert (await factors(book_client)).factors[0].entries == 0


async def test_stale_and_removed_factors_are_told_apart(
    driver: LedgerDriver, book_client: Client
) -> None:
    await save(driver, 10, SHORT, LONG)
    await save(driver, 20, LONG)
    told = [
        (one.classification["category"], one.stale) for one in (await factors(book_client)).factors
    ]
    assert sorted(told) == [("long", False), ("short", True)]
    [stale] = (await factors(book_client, stale_only=True)).factors
    of = FactorSlice(TENANT, PLANE, YEAR)
    origin = Origin("", "", 30)
    await driver.publish(
        30, f"factors/{YEAR}", lambda c: remove_factors(c, of, origin, [stale.factor_id])
    )
    assert len((await factors(book_client)).factors) == 1
    assert (await factors(book_client, stale_only=True)).factors == []
    every = (await factors(book_client, include_removed=True)).factors
    [removed] = [one for one in every if one.removed]
    assert (len(every), removed.stale, removed.version) == (2, False, 2)


async def test_factors_come_page_by_page(driver: LedgerDriver, book_client: Client) -> None:
    await save(driver, 10, SHORT, LONG)
    first = await factors(book_client, page_size=1)
    second = await factors(book_client, page_size=1, page_token=first.next_page_token)
    assert first.factors[0].factor_id < second.factors[0].factor_id
    assert (len(first.factors), second.next_page_token) == (1, "")
    weighed = await list_factors(driver.ledger, FactorFilter(TENANT, PLANE, YEAR), 0, 10, 1)
    assert (len(weighed.factors), weighed.more) == (1, True)


async def test_a_place_is_told_with_its_file_and_what_uses_it(
    driver: LedgerDriver, book_client: Client
) -> None:
    await save_places(driver, 10, "plane", "gva", "cdg", name="Somewhere")
    await driver.upload(20, ["0828", "0828", "0828"])
    for row, data in enumerate(
        (
            '{"origin_iata": "gva", "destination_iata": "cdg"}',
            '{"origin_iata": "gva", "destination_iata": "cdg", "distance_km": 7.5}',
            '{"origin_iata": "cdg", "destination_iata": "cdg"}',
        ),
        start=1,
    ):
        await driver.rows(
            "UPDATE carbon.entries SET extra = CAST(CAST($1 AS text) AS jsonb)"
            " WHERE row_number = $2",
            data,
            row,
        )
    found = await places(book_client, with_usage=True)
    assert [(one.code, one.entries) for one in found.locations] == [("CDG", 2), ("GVA", 1)]
    place = found.locations[0]
    assert (place.name, place.latitude, place.longitude) == ("Somewhere", 46.2381, -0.1)
    assert (place.file_name, place.blob, place.claim_token) == ("file 10", "blob:10", 10)
    assert place.changed_at.ToDatetime().year >= 2024
    assert (await places(book_client)).locations[0].entries == 0


@pytest.mark.parametrize(
    ("wanted", "codes"),
    [
        ({}, ["BRU", "CDG", "GVA"]),
        ({"codes": ["cdg", " GVA ", "XXX"]}, ["CDG", "GVA"]),
        ({"text": "br"}, ["BRU"]),
        ({"text": "SOMEWHERE"}, ["CDG", "GVA"]),
        ({"text": "%"}, []),
        ({"transport_mode": "plane", "text": "gv"}, ["GVA"]),
    ],
)
async def test_places_are_found(
    driver: LedgerDriver, book_client: Client, wanted: dict[str, Any], codes: list[str]
) -> None:
    await save_places(driver, 10, "plane", "gva", "cdg", name="Somewhere")
    await save_places(driver, 20, "plane", "bru", name="Elsewhere")
    assert [one.code for one in (await places(book_client, **wanted)).locations] == codes
    assert (await places(book_client, "other", **wanted)).locations == []


async def test_stale_places_and_changed_ones_are_told(
    driver: LedgerDriver, book_client: Client
) -> None:
    await save_places(driver, 10, "plane", "gva", "cdg", file_name="own.csv")
    await save_places(driver, 20, "plane", "gva", latitude=46.3, file_name="own.csv")
    found = await places(book_client)
    assert [(one.code, one.version, one.stale) for one in found.locations] == [
        ("CDG", 1, True),
        ("GVA", 2, False),
    ]
    assert [one.code for one in (await places(book_client, stale_only=True)).locations] == ["CDG"]


async def test_places_come_page_by_page(driver: LedgerDriver, book_client: Client) -> None:
    await save_places(driver, 10, "plane", "b\n", "a", "c")
    codes, token = [], ""
    for _ in range(3):
        page = await places(book_client, page_size=1, page_token=token)
        codes += [one.code for one in page.locations]
        token = page.next_page_token
    assert (codes, token) == (["A", "B\n", "C"], "")


@pytest.mark.parametrize(
    ("wanted", "fields"),
    [
        ({"year": 0, "data_entry_type": 0}, {"year", "data_entry_type"}),
        ({"data_entry_type": 99}, {"data_entry_type"}),
        ({"page_size": -1}, {"page_size"}),
        ({"page_token": pages.page_token("a")}, {"page_token"}),
        ({"page_token": pages.page_token(-1)}, {"page_token"}),
        ({"page_token": "bm8="}, {"page_token"}),
    ],
)
async def test_what_is_wrong_with_a_list_of_factors_is_named(
    client: Client, wanted: dict[str, Any], fields: set[str]
) -> None:
    error = await refused(factors(client, **wanted))
    assert (error.code, set(error.fields)) == ("INVALID_ARGUMENT", fields)


@pytest.mark.parametrize(
    ("wanted", "fields"),
    [
        ({"transport_mode": "boat"}, {"transport_mode"}),
        ({"codes": ["a"] * 101}, {"codes"}),
        ({"codes": ["a", "\0"], "text": "x" * 129}, {"codes[1]", "text"}),
        ({"page_size": 1001}, {"page_size"}),
        ({"page_token": pages.page_token("plane", "\0")}, {"page_token"}),
        ({"page_token": pages.page_token("plane", "\ud800")}, {"page_token"}),
        ({"page_token": pages.page_token(1, 2)}, {"page_token"}),
    ],
)
async def test_what_is_wrong_with_a_list_of_places_is_named(
    client: Client, wanted: dict[str, Any], fields: set[str]
) -> None:
    error = await refused(places(client, **wanted))
    assert (error.code, set(error.fields)) == ("INVALID_ARGUMENT", fields)


async def test_other_types_and_years_have_factors_of_their_own(
    driver: LedgerDriver, book_client: Client
) -> None:
    await save(driver, 10, SHORT)
    assert (await factors(book_client, year=YEAR + 1)).factors == []
    train = types_pb2.DATA_ENTRY_TYPE_TRAIN
    assert (await factors(book_client, data_entry_type=train)).factors == []
    assert (await factors(book_client, "other")).factors == []


async def units(client: Client, caller: str = "local", **wanted: Any) -> Any:
    request = reference_pb2.ListUnitsRequest(**wanted)
    return await client.ledger.ListUnits(request, metadata=as_caller(caller))


async def save_a_file_of_units(
    driver: LedgerDriver, token: int, *, are_all: bool = False, **units: str
) -> None:
    names = (list(units), list(units.values()))
    name, blob = f"file {token}", f"blob:{token}"
    await driver.publish(
        token,
        "units",
        lambda c: save_units(c, TENANT, *names, token, file_name=name, blob=blob, are_all=are_all),
    )


async def stale_units(client: Client) -> set[str]:
    """Of the unit of the driver, 0828, and those that a test has saved."""
    return {one.unit for one in (await units(client)).units if one.stale}


async def test_a_unit_that_a_list_of_all_units_lacks_is_told_as_stale(
    driver: LedgerDriver, book_client: Client
) -> None:
    await save_a_file_of_units(driver, 10, Phys="Physics", Chem="Chemistry")
    await save_a_file_of_units(driver, 11, are_all=True, Phys="Physics")
    assert await stale_units(book_client) == {"0828", "Chem"}
    await save_a_file_of_units(driver, 12, Chem="Chemistry")
    assert await stale_units(book_client) == {"0828"}


async def test_a_unit_is_told_with_its_file_and_its_entries(
    driver: LedgerDriver, book_client: Client
) -> None:
    await save_a_file_of_units(driver, 10, Phys="Physics", Chem="Chemistry")
    await save_a_file_of_units(driver, 11, PHYS="Physics", CHEM="Institute of Chemistry")
    await driver.upload(20, ["Phys", "Phys", "0828"])
    told = (await units(book_client, units=["phys", "chem"], with_usage=True)).units
    assert all(unit.changed_at.ToDatetime().year >= 2024 for unit in told)
    for unit in told:
        unit.ClearField("changed_at")
    assert list(told) == [
        reference_pb2.Unit(
            unit="Chem",
            name="Institute of Chemistry",
            file_name="file 11",
            blob="blob:11",
            claim_token=11,
        ),
        reference_pb2.Unit(
            unit="Phys",
            name="Physics",
            file_name="file 10",
            blob="blob:10",
            claim_token=10,
            entries=2,
        ),
    ]
    assert [one.entries for one in (await units(book_client)).units] == [0, 0, 0]


async def test_units_are_found_by_id_and_by_name_page_by_page(
    driver: LedgerDriver, book_client: Client
) -> None:
    await save_a_file_of_units(driver, 10, b2="Physics", a1="École de droit", B1="Physics too")
    first = await units(book_client, text=" PHYS ", page_size=2)
    assert [one.unit for one in first.units] == ["0828", "B1"]
    rest = await units(book_client, text=" PHYS ", page_size=2, page_token=first.next_page_token)
    assert ([one.unit for one in rest.units], rest.next_page_token) == (["b2"], "")
    assert [one.unit for one in (await units(book_client, text="B")).units] == ["B1", "b2"]
    for text in ("École", "ÉCOLE", "E\u0301cole"):
        assert [one.unit for one in (await units(book_client, text=text)).units] == ["a1"]
    assert (await units(book_client, caller="another")).units == []


async def test_what_is_wrong_with_a_list_of_units_is_named(client: Client) -> None:
    error = await refused(
        units(client, units=["x" * 129], text="x" * 129, page_size=-1, page_token="?")
    )
    assert error.code == "INVALID_ARGUMENT"
    assert set(error.fields) == {"units[0]", "text", "page_size", "page_token"}
    error = await refused(units(client, units=["x"] * 101))
    assert set(error.fields) == {"units"}
