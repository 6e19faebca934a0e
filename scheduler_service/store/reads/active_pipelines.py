"""Which pipelines work on the modules of a year."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scheduler_service.jobs.active import keys_of_year, slots_of_year
from scheduler_service.store.core.statements import Row, statement
from scheduler_service.store.reads.readers import Readers
from scheduler_service.store.reads.rows import PipelineRow


@dataclass(frozen=True, slots=True)
class ActivePipelines:
    """Per module the newest active pipeline, and the last failed one; and those of no module."""

    active: Mapping[int, PipelineRow]
    failed: Mapping[int, PipelineRow]
    year_wide: Sequence[PipelineRow]


async def read_active_pipelines(
    readers: Readers,
    tenant: str,
    year: int,
    modules: Sequence[int],
    *,
    with_failed: bool,
) -> ActivePipelines:
    """A module without such a pipeline is left out."""
    slots = slots_of_year(tenant, year, modules) if with_failed else []
    async with readers.snapshot() as conn:
        live = await statement("live_pipelines_of_keys").rows(
            conn, _LivePipelineRow, keys=keys_of_year(tenant, year, modules)
        )
        failed_rows = await statement("failed_in_slots").rows(
            conn, _FailedPipelineRow, slot_keys=slots
        )
        active: dict[int, int] = {}
        wide: set[int] = set()
        for row in live:
            # Units and reference data have one key for all years.
            if row.year not in (None, year):
                continue
            if row.module is None:
                wide.add(row.pipeline_id)
            else:
                active[row.module] = max(row.pipeline_id, active.get(row.module, 0))
        failed: dict[int, int] = {}
        for one in failed_rows:
            failed[one.module] = max(one.pipeline_id, failed.get(one.module, 0))
        ids = sorted({*active.values(), *failed.values(), *wide})
        rows = await statement("pipelines_by_id").rows(conn, PipelineRow, pipeline_ids=ids)
    pipelines = {row.pipeline_id: row for row in rows}
    return ActivePipelines(
        {module: pipelines[active[module]] for module in sorted(active)},
        {module: pipelines[failed[module]] for module in sorted(failed)},
        [pipelines[number] for number in sorted(wide, reverse=True)],
    )


class _LivePipelineRow(Row):
    __slots__ = ()
    module: int | None
    year: int | None
    pipeline_id: int


class _FailedPipelineRow(Row):
    __slots__ = ()
    module: int
    pipeline_id: int
