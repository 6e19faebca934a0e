"""Which pipelines work on the modules of a year, and which have failed."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scheduler_service.jobs.active import keys_of_year, slots_of_year
from scheduler_service.store.core.statements import Connection, Row, statement
from scheduler_service.store.reads.filters import ActiveFilter
from scheduler_service.store.reads.readers import Readers
from scheduler_service.store.reads.rows import PipelineRow

# Of each module: how many failed uploads are looked at, and how many are found at most.
FAILED_LOOKED_AT_MAX, FAILED_UPLOADS_MAX = 1_000, 100


@dataclass(frozen=True, slots=True)
class ActivePipelines:
    """Per module the newest active pipeline, and those whose failure stands, newest first; and the
    active ones of no module.
    """

    active: Mapping[int, PipelineRow]
    failed: Mapping[int, Sequence[PipelineRow]]
    year_wide: Sequence[PipelineRow]


async def read_active_pipelines(readers: Readers, wanted: ActiveFilter) -> ActivePipelines:
    """A module without such a pipeline is left out."""
    place = wanted.tenant, wanted.year, wanted.modules
    slots = slots_of_year(*place) if wanted.with_failed else []
    async with readers.snapshot() as conn:
        live = await statement("live_pipelines_of_keys").rows(
            conn, _LivePipelineRow, keys=keys_of_year(*place), **wanted.limits()
        )
        failed = await _failed(conn, wanted, slots) if wanted.with_failed else {}
        active: dict[int, int] = {}
        wide: set[int] = set()
        for row in live:
            # Units and reference data have one key for all years.
            if row.year not in (None, wanted.year):
                continue
            if row.module is None:
                wide.add(row.pipeline_id)
            else:
                active[row.module] = max(row.pipeline_id, active.get(row.module, 0))
        ids = sorted({*active.values(), *wide}.union(*failed.values()))
        rows = await statement("pipelines_by_id").rows(conn, PipelineRow, pipeline_ids=ids)
    pipelines = {row.pipeline_id: row for row in rows}
    return ActivePipelines(
        {module: pipelines[active[module]] for module in sorted(active)},
        {
            module: [pipelines[number] for number in sorted(failed[module], reverse=True)]
            for module in sorted(failed)
        },
        [pipelines[number] for number in sorted(wide, reverse=True)],
    )


async def _failed(
    conn: Connection, wanted: ActiveFilter, slots: Sequence[str]
) -> Mapping[int, set[int]]:
    """By module the pipelines whose failure stands: of uploads, which may be of one unit or source,
    and of what has a slot, such as a sum.
    """
    rows = await statement("failed_in_slots").rows(conn, _FailedPipelineRow, slot_keys=slots)
    rows += await statement("failed_uploads").rows(
        conn,
        _FailedPipelineRow,
        tenant=wanted.tenant,
        year=wanted.year,
        modules=wanted.modules,
        looked_at_max=FAILED_LOOKED_AT_MAX,
        failed_max=FAILED_UPLOADS_MAX,
        **wanted.limits(),
    )
    found = defaultdict[int, set[int]](set)
    for row in rows:
        found[row.module].add(row.pipeline_id)
    return found


class _LivePipelineRow(Row):
    __slots__ = ()
    module: int | None
    year: int | None
    pipeline_id: int


class _FailedPipelineRow(Row):
    __slots__ = ()
    module: int
    pipeline_id: int
