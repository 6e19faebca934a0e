"""Chain takes only children that can be computed."""

import pytest

from scheduler_service.jobs.catalogue import MODULE_OF_TYPE
from scheduler_service.jobs.requests import Chained, ChildRequest, Refused
from scheduler_service.jobs.scope import Scope
from tests.scheduler_service.store.store_driver import (
    INGEST,
    PLANE,
    RECALC,
    TENANT,
    TRAVEL,
    YEAR,
    StoreDriver,
)

FOREIGN = next(kind for kind, module in MODULE_OF_TYPE.items() if module != TRAVEL)
PLACES = Scope(TENANT, reference_kind="locations")
GOOD = ChildRequest("good", "emission_recalc", PLANE, TRAVEL, YEAR, None)


@pytest.mark.parametrize(
    ("job_type", "scope", "child", "reason", "said"),
    [
        (
            "csv_ingest",
            INGEST,
            ChildRequest("c", "emission_recalc", FOREIGN, None, None, None),
            "FIELD_INVALID",
            "does not belong to module 2",
        ),
        (
            "csv_ingest",
            INGEST,
            ChildRequest("c", "aggregation", None, None, None, None),
            "FIELD_INVALID",
            "csv_ingest may not chain aggregation",
        ),
        (
            "csv_ingest",
            INGEST,
            ChildRequest("c", "emission_recalc", PLANE, TRAVEL, YEAR + 1, None),
            "FIELD_INVALID",
            f"a job of year {YEAR} may not chain emission_recalc of year {YEAR + 1}",
        ),
        (
            "reference_ingest",
            PLACES,
            ChildRequest("c", "emission_recalc", PLANE, None, None, None),
            "FIELD_INVALID",
            "emission_recalc needs module, year",
        ),
        (
            "reference_ingest",
            PLACES,
            ChildRequest("c", "emission_recalc", PLANE, TRAVEL, 2031, None),
            "YEAR_NOT_PROVISIONED",
            "year 2031 of uni is not provisioned",
        ),
        (
            "emission_recalc",
            RECALC,
            ChildRequest("c", "aggregation", PLANE, None, None, None),
            "FIELD_INVALID",
            "aggregation takes no data_entry_type",
        ),
    ],
)
async def test_a_child_that_cannot_be_computed_is_refused_with_all_beside_it(
    driver: StoreDriver,
    job_type: str,
    scope: Scope,
    child: ChildRequest,
    reason: str,
    said: str,
) -> None:
    await driver.submit(job_type, scope)
    claim = await driver.claim(job_type)
    beside = [GOOD] if job_type != "emission_recalc" else []
    refused = await driver.chain_all(claim, *beside, child)
    assert isinstance(refused, Refused)
    assert (refused.reason, refused.metadata["field"]) == (reason, "children[c]")
    assert said in refused.message
    assert (await driver.finish(claim)).children == ()


async def test_a_child_is_completed_from_its_parent(driver: StoreDriver) -> None:
    await driver.submit("csv_ingest", INGEST)
    claim = await driver.claim("csv_ingest")
    assert isinstance(await driver.chain(claim, ("emission_recalc", PLANE)), Chained)
    await driver.finish(claim)
    (job,) = await driver.jobs_of("emission_recalc")
    assert (job["module"], job["year"]) == (TRAVEL, YEAR)
