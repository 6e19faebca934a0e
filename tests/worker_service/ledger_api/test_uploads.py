"""Uploads as a page: what counts, what did, and what became of it."""

import io
from itertools import product
from pathlib import Path
from typing import Any

import grpc.aio
import pytest

from carbonline.serving.logs import _log_to
from carbonline.v1 import ledger_pb2, types_pb2
from tests.carbonline.serving.crossings import LIMITS, Asked, ByName, Caller, outcome_of
from tests.worker_service.ledger.ledger_driver import MODULE, PLANE, TENANT, YEAR, LedgerDriver
from tests.worker_service.ledger_api.conftest import Client, as_caller, refused, settings_of
from worker_service.ledger.entry_sets import NewSet
from worker_service.ledger.units import save_units
from worker_service.ledger.uploads import Contents, publish_upload
from worker_service.ledger_api.server import running_ledger

COUNTS, REPLACED, WITHDRAWN = 1, 2, 3
LIST_UPLOADS = "/carbonline.v1.LedgerService/ListUploads"

TRAIN_OF_UPLOAD_20 = """
INSERT INTO carbon.emission_sums (tenant, emission_set, entry_set, unit, emission_type, kg)
VALUES ('local', 70, 20, '0828', 'professional_travel.train.class_1', 0.5)
"""


async def listed(client: Client, caller: str = "local", **wanted: Any) -> Any:
    request = ledger_pb2.ListUploadsRequest(**{"year": YEAR, **wanted})
    return await client.ledger.ListUploads(request, metadata=as_caller(caller))


async def numbers(client: Client, **wanted: Any) -> list[int]:
    return [upload.upload_id for upload in (await listed(client, **wanted)).uploads]


async def some_uploads(driver: LedgerDriver) -> None:
    """Of the year twice, from another source, of a unit, and one that was taken back."""
    await driver.publish(2, "units", lambda c: save_units(c, TENANT, ["0829"], ["Chemistry"], 2))
    await driver.upload(10, ["0828", "0829"])
    await driver.upload(20, ["0828", "0828"])
    await driver.upload(30, ["0828"], source="agency b")
    await driver.upload(40, ["0829"], unit="0829")
    await driver.upload(50, ["0828"], unit="0828")
    await driver.withdraw(60, 50)


async def test_an_upload_is_told_with_all_that_is_known_of_it(
    driver: LedgerDriver, book_client: Client
) -> None:
    new = NewSet(
        TENANT,
        10,
        MODULE,
        PLANE,
        YEAR,
        "0828",
        "blob:a",
        "agency b",
        "b.csv",
        7,
        "somebody",
        sheet="Trips",
    )
    await driver.load(new, ["0828", "0828"])
    contents = Contents(2, 2, "d", rows_rejected=3, rows_warned=4)
    await driver.publish(10, f"entries/{MODULE}/{YEAR}", lambda c: publish_upload(c, new, contents))
    await driver.recalculate(20, kg=1.5)
    [upload] = (await listed(book_client)).uploads
    assert upload.HasField("published_at")
    upload.ClearField("published_at")
    assert upload == ledger_pb2.Upload(
        upload_id=10,
        module=types_pb2.MODULE_PROFESSIONAL_TRAVEL,
        data_entry_type=types_pb2.DATA_ENTRY_TYPE_PLANE,
        year=YEAR,
        unit="0828",
        source="agency b",
        file_name="b.csv",
        blob="blob:a",
        entry_count=2,
        rows_rejected=3,
        rows_warned=4,
        pipeline_id=7,
        submitted_by="somebody",
        total_kg=3.0,
        entries_without_kg=0,
        state=ledger_pb2.UPLOAD_STATE_COUNTS,
        sheet="Trips",
    )


async def test_what_counts_is_listed_newest_first(
    driver: LedgerDriver, book_client: Client
) -> None:
    await some_uploads(driver)
    assert await numbers(book_client) == [40, 30, 20]


async def test_what_does_not_count_any_more_says_why(
    driver: LedgerDriver, book_client: Client
) -> None:
    await some_uploads(driver)
    uploads = (await listed(book_client, include_retired=True)).uploads
    assert [
        (one.upload_id, one.state, one.replaced_by, one.retired_by_pipeline) for one in uploads
    ] == [
        (50, WITHDRAWN, 0, 60),
        (40, COUNTS, 0, 0),
        (30, COUNTS, 0, 0),
        (20, COUNTS, 0, 0),
        (10, REPLACED, 20, 0),
    ]
    assert [one.HasField("retired_at") for one in uploads] == [True, False, False, False, True]


async def test_an_upload_that_was_not_computed_has_no_kilograms(
    driver: LedgerDriver, book_client: Client
) -> None:
    await some_uploads(driver)
    [upload] = (await listed(book_client, upload_id=40)).uploads
    assert not upload.HasField("total_kg")
    assert not upload.HasField("entries_without_kg")


async def test_kilograms_are_those_of_the_last_recalculation(
    driver: LedgerDriver, book_client: Client
) -> None:
    await some_uploads(driver)
    await driver.recalculate(70, kg=1.0)
    await driver.recalculate(80, kg=2.0, formula_version="2")
    uploads = (await listed(book_client)).uploads
    assert [one.total_kg for one in uploads] == [2.0, 2.0, 4.0]
    # An attempt that publishes nothing is nobody's kilograms.
    await driver.load_computed(90, await driver.plan("3"), kg=9.0)
    assert [one.total_kg for one in (await listed(book_client)).uploads] == [2.0, 2.0, 4.0]


async def test_uploads_are_chosen_by_a_node_of_the_tree_with_their_kilograms_there(
    driver: LedgerDriver, book_client: Client
) -> None:
    await some_uploads(driver)
    await driver.recalculate(70, kg=1.0)
    async with driver.ledger.session() as conn:
        await conn.execute(TRAIN_OF_UPLOAD_20)

    async def found(node: str) -> list[tuple[int, float]]:
        uploads = (await listed(book_client, emission_type=node)).uploads
        return [(one.upload_id, one.emission_type_kg) for one in uploads]

    assert await found("professional_travel") == [(40, 1.0), (30, 1.0), (20, 2.5)]
    assert await found("professional_travel.train") == [(20, 0.5)]
    assert await found("professional_travel.plane.eco") == [(40, 1.0), (30, 1.0), (20, 2.0)]
    assert await found("food") == []
    [first, *_] = (await listed(book_client)).uploads
    assert not first.HasField("emission_type_kg")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"unit": "0829"}, [40]),
        ({"source": " Agency B"}, [30]),
        ({"source": "default"}, [40, 20]),
        ({"module": MODULE, "data_entry_type": PLANE}, [40, 30, 20]),
        ({"module": types_pb2.MODULE_PURCHASE}, []),
        ({"data_entry_type": types_pb2.DATA_ENTRY_TYPE_TRAIN}, []),
        ({"year": YEAR + 1}, []),
        ({"year": 0, "upload_id": 10}, [10]),
        ({"upload_id": 11}, []),
    ],
)
async def test_each_filter_filters(
    driver: LedgerDriver, book_client: Client, wanted: dict[str, Any], found: list[int]
) -> None:
    await some_uploads(driver)
    assert await numbers(book_client, **wanted) == found


async def test_pages_follow_each_other(driver: LedgerDriver, book_client: Client) -> None:
    await some_uploads(driver)
    page = await listed(book_client, page_size=2)
    assert [one.upload_id for one in page.uploads] == [40, 30]
    page = await listed(book_client, page_size=2, page_token=page.next_page_token)
    assert [one.upload_id for one in page.uploads] == [20]
    assert page.next_page_token == ""


async def test_uploads_are_their_tenants(driver: LedgerDriver, book_client: Client) -> None:
    await some_uploads(driver)
    assert list((await listed(book_client, caller="other")).uploads) == []
    error = await refused(listed(book_client, caller="other", tenant="local"))
    assert (error.code, error.reason) == ("PERMISSION_DENIED", "OTHER_TENANT")


@pytest.mark.parametrize(
    ("wanted", "fields"),
    [
        ({"year": 0}, {"year"}),
        ({"year": 1, "upload_id": -1, "page_size": 1001}, {"year", "upload_id", "page_size"}),
        ({"page_token": "x", "source": "s" * 65}, {"page_token", "source"}),
        ({"emission_type": "food."}, {"emission_type"}),
    ],
)
async def test_all_fields_that_are_wrong_are_named(
    client: Client, wanted: dict[str, Any], fields: set[str]
) -> None:
    assert set((await refused(listed(client, **wanted))).fields) == fields


async def test_an_unknown_unit_is_an_error(client: Client) -> None:
    assert (await refused(listed(client, unit="828"))).reason == "UNIT_NOT_FOUND"


async def test_an_upload_that_is_named_by_its_number_is_told_within_its_callers_limits(
    driver: LedgerDriver, database_url: str, tmp_path: Path
) -> None:
    """Of all units, of the unit, and one that is not there."""
    await driver.upload(10, ["0828"])
    await driver.upload(20, ["0828"], unit="0828")
    settings = settings_of(database_url, tmp_path)
    found: dict[str, list[str]] = {limits: [] for limits in LIMITS}
    async with (
        running_ledger(settings, _log_to(io.StringIO(), "warning"), ByName()),
        grpc.aio.insecure_channel(settings.ledger_address) as channel,
    ):
        for limits, number in product(LIMITS, (10, 20, 30)):
            request = ledger_pb2.ListUploadsRequest(upload_id=number)
            asked, who = Asked([request.SerializeToString()]), Caller("operator", TENANT, limits)
            outcome, answer = await outcome_of(channel, LIST_UPLOADS, asked, who)
            told = ledger_pb2.ListUploadsResponse.FromString(answer).uploads
            found[limits].append(outcome)
            there = outcome == "answered" and number != 30
            assert [one.upload_id for one in told] == [number] * there
    all_of_it, none = ["answered"] * 3, ["denied", "denied", "answered"]
    own_unit = ["denied", "answered", "answered"]
    assert found == {
        "everything": all_of_it,
        "the module": all_of_it,
        "another module": none,
        "the unit": own_unit,
        "another unit": none,
        "the unit of the module": own_unit,
    }
