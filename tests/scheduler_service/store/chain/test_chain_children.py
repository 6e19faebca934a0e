"""Chain takes only children that can be computed."""

from scheduler_service.jobs.catalogue import MODULE_OF_TYPE
from scheduler_service.jobs.requests import Chained, Refused
from tests.scheduler_service.store.store_driver import INGEST, PLANE, TRAVEL, StoreDriver


async def test_a_type_of_another_module_is_refused(driver: StoreDriver) -> None:
    await driver.submit("csv_ingest", INGEST)
    claim = await driver.claim("csv_ingest")
    foreign = next(kind for kind, module in MODULE_OF_TYPE.items() if module != TRAVEL)
    refused = await driver.chain(claim, ("emission_recalc", PLANE), ("emission_recalc", foreign))
    assert isinstance(refused, Refused)
    assert refused.reason == "FIELD_INVALID"
    assert isinstance(await driver.chain(claim, ("emission_recalc", PLANE)), Chained)
