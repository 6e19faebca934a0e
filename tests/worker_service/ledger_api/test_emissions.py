"""Every row says its kilograms, the factor that was used then, and whether it still counts."""

from typing import Any

import pytest

from carbonline.serving import pages
from carbonline.v1 import emissions_pb2, types_pb2
from tests.worker_service.ledger.ledger_driver import PLANE, TENANT, YEAR, LedgerDriver
from tests.worker_service.ledger.test_uncomputed import compute_none
from tests.worker_service.ledger_api.conftest import Client, as_caller, refused
from worker_service.ledger.freshness import computable_types
from worker_service.ledger.input_versions import factors_input, mark_changed

PIPELINE = 7
FACTORS = factors_input(PLANE, YEAR)
FORMULA = next(
    one.formula_version for one in computable_types(None) if one.data_entry_type == PLANE
)
FACTOR = """
INSERT INTO carbon.factors (tenant, factor_id, data_entry_type, year, emission_type,
    classification, kind, factor_values, version, changed_token)
OVERRIDING SYSTEM VALUE
VALUES ('local', 1, 20, 2024, 'a', '{}', 'eco', '{"ef": 0.9}', 2, 5)
"""
VERSIONS = """
INSERT INTO carbon.factor_versions (tenant, factor_id, version, kind, factor_values, blob,
    claim_token, made_at, file_name)
VALUES ('local', 1, 1, 'eco', '{"ef": 0.5}', 'blob:a', 4, now(), 'old.csv'),
    ('local', 1, 2, 'eco', '{"ef": 0.9}', 'blob:b', 5, now(), 'new.csv')
"""


TRAIN_OF_ROW_2 = """
UPDATE carbon.emissions SET emission_type = 'professional_travel.train.class_1'
WHERE row_number = 2
"""
TRAIN_OF_ROW_1 = """
INSERT INTO carbon.emissions (tenant, emission_set, entry_set, row_number, part, scope,
    factor_version, overridden, kg, unit, emission_type)
VALUES ('local', 20, 10, 1, 9, 3, 1, false, 7, '0828', 'professional_travel.train.class_1')
"""


async def listed(client: Client, caller: str = "local", **wanted: Any) -> Any:
    request = emissions_pb2.ListEmissionsRequest(**{"pipeline_id": PIPELINE, **wanted})
    return await client.ledger.ListEmissions(request, metadata=as_caller(caller))


async def upload(driver: LedgerDriver, token: int = 10) -> None:
    await driver.upload(token, ["0828", "0828", "0829"], pipeline_id=PIPELINE)


async def states(client: Client, **wanted: Any) -> set[str]:
    return {row.state for row in (await listed(client, **wanted)).rows}


async def test_a_row_says_the_factor_in_the_version_that_was_used(
    driver: LedgerDriver, book_client: Client
) -> None:
    await upload(driver)
    async with driver.ledger.session() as conn:
        await conn.execute(FACTOR)
        await conn.execute(VERSIONS)
    await driver.recalculate(20, kg=2.5, formula_version=FORMULA)
    first, *_ = (await listed(book_client)).rows
    assert (first.upload_id, first.row_number, first.unit) == (10, 1, "0828")
    assert (first.module, first.data_entry_type) == (
        types_pb2.MODULE_PROFESSIONAL_TRAVEL,
        types_pb2.DATA_ENTRY_TYPE_PLANE,
    )
    assert (first.state, first.outcome, first.formula_version) == ("counts", "computed", FORMULA)
    [emission] = first.emissions
    assert (emission.kg, emission.additional_value, emission.ghg_scope) == (2.5, 1.0, 3)
    assert emission.factor == emissions_pb2.UsedFactor(
        factor_id=1, version=1, kind="eco", values={"ef": "0.5"}, file_name="old.csv"
    )


async def test_a_row_without_kilograms_says_why(driver: LedgerDriver, book_client: Client) -> None:
    await upload(driver)
    await compute_none(driver, 20)
    first, *_ = (await listed(book_client)).rows
    assert (first.outcome, first.detail) == ("unknown_place", "reason 1")
    assert not first.emissions


async def test_what_a_row_is_worth_now_is_said(driver: LedgerDriver, book_client: Client) -> None:
    await upload(driver)
    assert await states(book_client) == {"waiting"}
    await driver.recalculate(20, formula_version=FORMULA)
    assert await states(book_client) == {"counts"}
    await driver.publish(21, FACTORS, lambda c: mark_changed(c, TENANT, FACTORS, 21))
    assert await states(book_client) == {"stale"}
    await driver.upload(30, ["0828"], pipeline_id=8)
    assert await states(book_client) == {"replaced"}
    assert await states(book_client, pipeline_id=8) == {"waiting"}
    await driver.withdraw(40, 30)
    assert await states(book_client, pipeline_id=8) == {"withdrawn"}


async def test_deleted_rows_are_said(driver: LedgerDriver, book_client: Client) -> None:
    await upload(driver)
    await driver.withdraw(20, 10)
    assert list((await listed(book_client)).deleted_upload_ids) == []
    async with driver.ledger.session() as conn:
        await conn.execute("UPDATE carbon.entry_sets SET collected_at = now()")
        await conn.execute("DELETE FROM carbon.entries")
    answer = await listed(book_client)
    assert (list(answer.rows), list(answer.deleted_upload_ids)) == ([], [10])


async def test_pages_follow_each_other(driver: LedgerDriver, book_client: Client) -> None:
    await upload(driver)
    await driver.recalculate(20)
    rows, token = [], ""
    for _ in range(3):
        page = await listed(book_client, page_size=1, page_token=token)
        rows += [row.row_number for row in page.rows]
        token = page.next_page_token
    assert (rows, token) == ([1, 2, 3], "")


async def test_another_tenant_sees_nothing(driver: LedgerDriver, book_client: Client) -> None:
    await upload(driver)
    assert (await listed(book_client, "other")).rows == []
    error = await refused(listed(book_client, "other", tenant="local"))
    assert (error.code, error.reason) == ("PERMISSION_DENIED", "OTHER_TENANT")


async def two_nodes(driver: LedgerDriver) -> None:
    """Rows 1 and 3 flew in eco, row 2 took a train, and row 1 a train, too."""
    await upload(driver)
    await driver.recalculate(20, kg=2.5)
    async with driver.ledger.session() as conn:
        await conn.execute(TRAIN_OF_ROW_2)
        await conn.execute(TRAIN_OF_ROW_1)


async def test_a_node_of_the_tree_leads_to_its_emissions(
    driver: LedgerDriver, book_client: Client
) -> None:
    await two_nodes(driver)

    async def found(node: str) -> list[tuple[int, list[float]]]:
        rows = (await listed(book_client, emission_type=node)).rows
        return [(row.row_number, [one.kg for one in row.emissions]) for row in rows]

    assert await found("professional_travel.plane.eco") == [(1, [2.5]), (3, [2.5])]
    assert await found("professional_travel.train") == [(1, [7.0]), (2, [2.5])]
    assert await found("professional_travel") == [(1, [2.5, 7.0]), (2, [2.5]), (3, [2.5])]
    assert await found("professional_travel.plane.first") == []
    assert await found("food") == []


async def test_few_rows_of_a_node_are_found_without_looking_at_all_in_one_page(
    driver: LedgerDriver, book_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker_service.ledger.row_results.LOOKED_AT_MAX", 1)
    await two_nodes(driver)
    pages_, token = [], ""
    for _ in range(3):
        page = await listed(
            book_client, emission_type="professional_travel.plane", page_token=token
        )
        pages_.append([row.row_number for row in page.rows])
        token = page.next_page_token
    assert (pages_, token) == ([[1], [], [3]], "")


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        ({"upload_id": 10, "pipeline_id": 0}, 3),
        ({"upload_id": 11}, 0),
        ({"pipeline_id": 9}, 0),
        ({"module": types_pb2.MODULE_PURCHASE}, 0),
    ],
)
async def test_each_filter_filters(
    driver: LedgerDriver, book_client: Client, wanted: dict[str, Any], count: int
) -> None:
    await upload(driver)
    assert len((await listed(book_client, **wanted)).rows) == count


@pytest.mark.parametrize(
    ("wanted", "fields"),
    [
        ({"pipeline_id": 0}, {"pipeline_id"}),
        ({"module": 99, "page_size": 1001}, {"module", "page_size"}),
        ({"emission_type": "professional_travel.rocket"}, {"emission_type"}),
        ({"page_token": pages.page_token(1, 1 << 31)}, {"page_token"}),
    ],
)
async def test_all_that_is_wrong_is_named(
    client: Client, wanted: dict[str, Any], fields: set[str]
) -> None:
    error = await refused(listed(client, **wanted))
    assert (error.code, set(error.fields)) == ("INVALID_ARGUMENT", fields)
