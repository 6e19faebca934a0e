"""Rows of reference data with the files that brought them, page by page."""

from typing import Any

import pytest

from carbonline.serving import pages
from carbonline.v1 import reference_pb2
from tests.worker_service.carbon.plane_files import opening
from tests.worker_service.ledger.ledger_driver import TENANT, YEAR, LedgerDriver
from tests.worker_service.ledger_api.conftest import Client, as_caller, refused
from worker_service.carbon.parse.reference_rows import read_reference_rows
from worker_service.carbon.reference_kinds import REFERENCE_KINDS
from worker_service.ledger.reference_rows import RowsFile, save_rows

RATES = f"currency,year,units_per_eur\nCHF,{YEAR},0.95\nUSD,{YEAR},1.08\nCHF,{YEAR - 1},0.97\n"
ROOMS = "building_name,room_name,surface_m2\nCE,CE 1 100,42.5\nCM,2,\n"


async def rows(client: Client, caller: str = "local", **wanted: Any) -> Any:
    request = reference_pb2.ListReferenceRowsRequest(**{"kind": "rates", **wanted})
    return await client.ledger.ListReferenceRows(request, metadata=as_caller(caller))


async def load(driver: LedgerDriver, token: int, kind: str, text: str, name: str = "own") -> None:
    parsed = read_reference_rows(REFERENCE_KINDS[kind], opening(text))
    file = RowsFile(TENANT, kind, parsed.accepted, name, f"blob:{token}")
    await driver.publish(
        token, f"reference/{kind}", lambda c: save_rows(c, file, token, replace=False)
    )


async def test_a_row_is_told_with_its_file(driver: LedgerDriver, book_client: Client) -> None:
    await load(driver, 10, "rates", RATES)
    await load(driver, 20, "rooms", ROOMS)
    rate = (await rows(book_client)).rows[1]
    assert rate.changed_at.ToDatetime().year >= 2024
    rate.ClearField("changed_at")
    assert rate == reference_pb2.ReferenceRow(
        key=f"CHF, {YEAR}",
        year=YEAR,
        values={"currency": "CHF", "year": str(YEAR), "units_per_eur": "0.95"},
        file_name="own",
        blob="blob:10",
        claim_token=10,
        version=1,
    )
    found = (await rows(book_client, kind="rooms")).rows
    assert [(room.key, room.year, dict(room.values)) for room in found] == [
        (
            "CE, CE 1 100",
            0,
            {"building_name": "CE", "room_name": "CE 1 100", "surface_m2": "42.5"},
        ),
        ("CM, 2", 0, {"building_name": "CM", "room_name": "2"}),
    ]


@pytest.mark.parametrize(
    ("wanted", "keys"),
    [
        ({}, [f"CHF, {YEAR - 1}", f"CHF, {YEAR}", f"USD, {YEAR}"]),
        ({"keys": [f" chf, {YEAR} ", "XXX"]}, [f"CHF, {YEAR}"]),
        ({"text": "us"}, [f"USD, {YEAR}"]),
        ({"text": "%"}, []),
        ({"year": YEAR - 1}, [f"CHF, {YEAR - 1}"]),
        ({"stale_only": True}, [f"USD, {YEAR}"]),
        ({"kind": "rooms"}, []),
    ],
)
async def test_rows_are_found(
    driver: LedgerDriver, book_client: Client, wanted: dict[str, Any], keys: list[str]
) -> None:
    await load(driver, 10, "rates", RATES)
    await load(driver, 20, "rates", f"currency,year,units_per_eur\nCHF,{YEAR},0.95\n")
    assert [one.key for one in (await rows(book_client, **wanted)).rows] == keys
    assert (await rows(book_client, "other", **wanted)).rows == []


async def test_rows_come_page_by_page(driver: LedgerDriver, book_client: Client) -> None:
    await load(driver, 10, "rates", RATES)
    keys, token = [], ""
    for _ in range(3):
        page = await rows(book_client, page_size=1, page_token=token)
        keys += [one.key for one in page.rows]
        token = page.next_page_token
    assert (keys, token) == ([f"CHF, {YEAR - 1}", f"CHF, {YEAR}", f"USD, {YEAR}"], "")


@pytest.mark.parametrize(
    ("wanted", "fields"),
    [
        ({"kind": ""}, {"kind"}),
        ({"kind": "locations"}, {"kind"}),
        ({"keys": ["a"] * 101}, {"keys"}),
        ({"keys": ["a", "\0"], "text": "x" * 129}, {"keys[1]", "text"}),
        ({"year": 24}, {"year"}),
        ({"page_size": 1001}, {"page_size"}),
        ({"page_token": pages.page_token(1)}, {"page_token"}),
    ],
)
async def test_what_is_wrong_with_a_list_of_rows_is_named(
    client: Client, wanted: dict[str, Any], fields: set[str]
) -> None:
    error = await refused(rows(client, **wanted))
    assert (error.code, set(error.fields)) == ("INVALID_ARGUMENT", fields)
