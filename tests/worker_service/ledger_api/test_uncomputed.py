"""Entries without kilograms as a page: filters checked, columns as they were kept."""

from typing import Any

import pytest

from carbonline.serving import pages
from carbonline.v1 import ledger_pb2, types_pb2
from tests.worker_service.ledger.ledger_driver import PLANE, TENANT, YEAR, LedgerDriver
from tests.worker_service.ledger.test_uncomputed import compute_none
from tests.worker_service.ledger_api.conftest import Client, as_caller, refused
from worker_service.ledger.units import save_units

TRAVEL = types_pb2.MODULE_PROFESSIONAL_TRAVEL


async def listed(client: Client, caller: str = "local", **wanted: Any) -> Any:
    request = ledger_pb2.ListUncomputedRequest(**{"year": YEAR, **wanted})
    return await client.ledger.ListUncomputed(request, metadata=as_caller(caller))


async def upload(driver: LedgerDriver, data: str = '{"origin_iata": "XXX"}') -> None:
    """Two entries of 0828 and one of 0829, none with kilograms."""
    await driver.publish(2, "units", lambda c: save_units(c, TENANT, ["0829"], ["Chemistry"], 2))
    await driver.upload(10, ["0828", "0828", "0829"])
    async with driver.ledger.session() as conn:
        await conn.execute(
            "UPDATE carbon.entries SET extra = CAST(CAST($1 AS text) AS jsonb)", data
        )
    await compute_none(driver, 20)


async def test_an_entry_is_told_with_its_columns(driver: LedgerDriver, book_client: Client) -> None:
    await upload(
        driver,
        '{"origin_iata": "XXX", "number_of_trips": 2, "__kg_co2eq_override__": 0.5, "note": null}',
    )
    first, *_ = (await listed(book_client)).entries
    assert first == ledger_pb2.UncomputedEntry(
        upload_id=10,
        row_number=1,
        module=TRAVEL,
        data_entry_type=types_pb2.DATA_ENTRY_TYPE_PLANE,
        unit="0828",
        outcome="unknown_place",
        detail="reason 1",
        columns={"origin_iata": "XXX", "number_of_trips": "2", "kg_co2eq": "0.5"},
    )


async def test_codes_of_places_are_in_capitals_and_other_words_as_they_are_kept(
    driver: LedgerDriver, book_client: Client
) -> None:
    await upload(
        driver,
        '{"origin_iata": "gva", "destination_iata": "zürich hb", "cabin_class": "eco",'
        ' "note": "xyz"}',
    )
    first, *_ = (await listed(book_client)).entries
    assert first.columns == {
        "origin_iata": "GVA",
        "destination_iata": "zürich hb",
        "cabin_class": "eco",
        "note": "xyz",
    }


async def test_pages_follow_each_other(driver: LedgerDriver, book_client: Client) -> None:
    await upload(driver)
    rows, token = [], ""
    for _ in range(3):
        page = await listed(book_client, page_size=1, page_token=token)
        rows += [entry.row_number for entry in page.entries]
        token = page.next_page_token
    assert rows == [1, 2, 3]
    assert (await listed(book_client, page_size=1, page_token=token)).entries == []
    assert (await listed(book_client)).next_page_token == ""


@pytest.mark.parametrize(
    ("wanted", "rows"),
    [
        ({"unit": "0829"}, [3]),
        ({"outcome": "no_factor"}, [2]),
        ({"outcome": "nothing"}, []),
        ({"module": TRAVEL, "data_entry_type": PLANE, "upload_id": 10}, [1, 2, 3]),
        ({"module": types_pb2.MODULE_PURCHASE}, []),
        ({"module": types_pb2.MODULE_PURCHASE, "data_entry_type": PLANE}, []),
        ({"data_entry_type": types_pb2.DATA_ENTRY_TYPE_TRAIN}, []),
        ({"upload_id": 11}, []),
        ({"year": YEAR + 1}, []),
    ],
)
async def test_each_filter_filters(
    driver: LedgerDriver,
    book_client: Client,
    wanted: dict[str, Any],
    rows: list[int],
) -> None:
    await upload(driver)
    assert [entry.row_number for entry in (await listed(book_client, **wanted)).entries] == rows


async def test_another_tenant_sees_nothing(driver: LedgerDriver, book_client: Client) -> None:
    await upload(driver)
    assert (await listed(book_client, "other")).entries == []
    error = await refused(listed(book_client, "other", tenant="local"))
    assert (error.code, error.reason) == ("PERMISSION_DENIED", "OTHER_TENANT")


@pytest.mark.parametrize(
    ("wanted", "fields"),
    [
        ({"year": 0}, {"year"}),
        ({"module": 99, "data_entry_type": 99}, {"module", "data_entry_type"}),
        ({"unit": "a\0", "outcome": "x" * 65}, {"unit", "outcome"}),
        ({"upload_id": -1, "page_size": 1001}, {"upload_id", "page_size"}),
        ({"page_token": "x"}, {"page_token"}),
        ({"page_token": pages.page_token(1, 2)}, {"page_token"}),
        ({"page_token": pages.page_token(1 << 15, 2, 3)}, {"page_token"}),
        ({"page_token": pages.page_token(1, 2, 1 << 31)}, {"page_token"}),
        ({"page_token": pages.page_token(1, -2, 3)}, {"page_token"}),
    ],
)
async def test_all_that_is_wrong_is_named(
    client: Client,
    wanted: dict[str, Any],
    fields: set[str],
) -> None:
    error = await refused(listed(client, **wanted))
    assert (error.code, set(error.fields)) == ("INVALID_ARGUMENT", fields)


async def test_an_unknown_unit_is_said(client: Client) -> None:
    error = await refused(listed(client, unit="0282"))
    assert (error.code, error.reason) == ("NOT_FOUND", "UNIT_NOT_FOUND")


def test_an_answer_weighs_what_a_client_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [ledger_pb2.UncomputedEntry(detail="x" * 40) for _ in range(5)]
    monkeypatch.setattr(pages, "ANSWER_BYTES_MAX", 100)
    assert len(pages.first_page(entries)) == 2
    monkeypatch.setattr(pages, "ANSWER_BYTES_MAX", 10)
    assert len(pages.first_page(entries)) == 1
