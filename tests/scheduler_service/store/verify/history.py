"""All that VerifyHistory finds, over all pages and tenants."""

from uuid import UUID

from scheduler_service.jobs.invariants import Finding
from scheduler_service.store.store import Store
from scheduler_service.store.verify.verify_history import NO_REQUEST, Place

PAGE = 1_000


async def history_of(store: Store, pipelines_max: int = PAGE) -> list[Finding]:
    """What breaks an invariant, in every tenant."""
    tenants = await store.pool.fetch("SELECT DISTINCT tenant FROM scheduler.pipelines")
    found: list[Finding] = []
    for row in tenants:
        found += await _history_of_tenant(store, row["tenant"], pipelines_max)
    return found


async def _history_of_tenant(store: Store, tenant: str, pipelines_max: int) -> list[Finding]:
    found: list[Finding] = []
    first = Place(0)
    last: Place | UUID | None = first
    while isinstance(last, Place):
        page = await store.verify_pipelines(tenant, last, pipelines_max, with_claims=last == first)
        found += page.findings
        last = page.last
    return [*found, *(await store.verify_requests(tenant, NO_REQUEST, PAGE)).findings]
