"""What is known of the totals of each module and year of a tenant."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from scheduler_service.jobs.catalogue import MODULE_OF_TYPE
from scheduler_service.jobs.freshness import TypeTokens
from scheduler_service.jobs.job_types import JOB_TYPES
from scheduler_service.jobs.scope import Scope
from scheduler_service.jobs.stale_stats import AggregationJob, ChangedType, ModuleState
from scheduler_service.jobs.states import JobResult
from scheduler_service.store.core.statements import Connection, Row, statement
from scheduler_service.store.reads.readers import Readers

AGGREGATION = JOB_TYPES["aggregation"]


async def read_module_states(
    readers: Readers, tenant: str, year: int | None
) -> tuple[list[ModuleState], datetime | None]:
    """By year and module, those with data that changed; and the moment of the snapshot, None if
    there are none.
    """
    async with readers.snapshot() as conn:
        return await module_states(conn, tenant, year)


async def module_states(
    conn: Connection, tenant: str, year: int | None
) -> tuple[list[ModuleState], datetime | None]:
    """The same, in the snapshot of a connection."""
    changed = await statement("changed_types").rows(conn, _ChangedTypeRow, tenant=tenant, year=year)
    types = _by_module(changed)
    scopes = [Scope(tenant, module, None, of_year) for of_year, module in sorted(types)]
    rows = await statement("last_aggregations").rows(
        conn,
        _AggregationRow,
        tenant=tenant,
        modules=[scope.module for scope in scopes],
        years=[scope.year for scope in scopes],
        slot_keys=[AGGREGATION.slot_key(scope) for scope in scopes],
        exclusive_keys=[AGGREGATION.exclusive_key(scope) for scope in scopes],
    )
    states = [_state(row, types[row.year, row.module]) for row in rows]
    return states, rows[0].now if rows else None


def _by_module(
    rows: "Iterable[_ChangedTypeRow]",
) -> Mapping[tuple[int, int], Sequence[ChangedType]]:
    types: dict[tuple[int, int], list[ChangedType]] = {}
    for row in rows:
        tokens = TypeTokens(
            row.data_entry_type, row.changed_token, row.recalc_claim, row.recalc_end
        )
        of_module = types.setdefault((row.year, MODULE_OF_TYPE[row.data_entry_type]), [])
        of_module.append(ChangedType(tokens, row.changed_at))
    return types


class _ChangedTypeRow(Row):
    __slots__ = ()
    data_entry_type: int
    year: int
    changed_token: int
    changed_at: datetime | None
    recalc_claim: int
    recalc_end: int


class _AggregationRow(Row):
    __slots__ = ()
    module: int
    year: int
    now: datetime
    agg_claim: int
    aggregated_at: datetime | None
    newest_job_id: int | None
    newest_pipeline_id: int
    newest_created_at: datetime
    newest_result: str | None
    live_job_id: int | None
    live_pipeline_id: int
    live_created_at: datetime


def _state(row: _AggregationRow, types: Sequence[ChangedType]) -> ModuleState:
    newest = live = None
    if row.newest_job_id is not None:
        result = JobResult(row.newest_result) if row.newest_result is not None else None
        newest = AggregationJob(
            row.newest_job_id, row.newest_pipeline_id, row.newest_created_at, result
        )
    if row.live_job_id is not None:
        live = AggregationJob(row.live_job_id, row.live_pipeline_id, row.live_created_at, None)
    return ModuleState(row.module, row.year, types, row.agg_claim, row.aggregated_at, newest, live)
