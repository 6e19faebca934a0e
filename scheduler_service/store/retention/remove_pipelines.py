"""Deletes pipelines that ended long ago, each with all that belongs to it."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic

from scheduler_service.store.core.removed import Removed
from scheduler_service.store.core.run_units import UnitRunner
from scheduler_service.store.core.set_aside import Step
from scheduler_service.store.core.statements import Row, statement
from scheduler_service.store.core.unit_of_work import Needs, UnitOfWork
from scheduler_service.store.sweep.set_asides import DueRow, SetAsides

BATCH_MAX = 100
# Pipelines that joined each other's jobs go in one transaction.
TOGETHER_MAX = 2_000
# What is left then goes with the next look.
LOOK_SECONDS_MAX = 30.0


@dataclass(slots=True)
class RemovePipelines:
    """Deletes what ended more than `kept_seconds` ago. Looks from `after_pipeline_id` on."""

    units: UnitRunner
    set_asides: SetAsides
    kept_seconds: float
    after_pipeline_id: int = 0

    async def remove(self) -> Removed:
        """What one look has deleted. It ends when no older pipeline is left to look at, and the
        next one begins with the oldest again; or after LOOK_SECONDS_MAX, and the next one goes on.
        """
        removed, is_all, ends_at = Removed(), False, monotonic() + LOOK_SECONDS_MAX
        while not is_all and monotonic() < ends_at:
            old = [row for row in await self._page() if row.is_old]
            due = [row for row in old if row.is_due]
            removed = await self.set_asides.do_each(Step.REMOVE, due, self._remove, removed)
            is_all = len(old) < BATCH_MAX
            self.after_pipeline_id = 0 if is_all else old[-1].pipeline_id
        return removed + Removed(is_all=is_all)

    async def _page(self) -> "list[_OldRow]":
        async with self.units.pool.acquire() as conn:
            return await statement("old_pipelines").rows(
                conn,
                _OldRow,
                kept_seconds=self.kept_seconds,
                after_pipeline_id=self.after_pipeline_id,
                pipelines_max=BATCH_MAX,
            )

    async def _remove(self, tx: UnitOfWork, old: "Sequence[_OldRow]") -> Removed:
        """Delete those of these pipelines that nothing needs, with those that joined their jobs."""
        pipeline_ids = {row.pipeline_id for row in old}
        await tx.lock(Needs())
        linked = await statement("linked_pipelines").rows(
            tx.conn,
            _PipelineRow,
            pipeline_ids=sorted(pipeline_ids),
            kept_seconds=self.kept_seconds,
            pipelines_max=TOGETHER_MAX,
        )
        locked = await statement("lock_old_pipelines").rows(
            tx.conn,
            _PipelineRow,
            pipeline_ids=sorted(pipeline_ids.union(_numbers(linked))),
            kept_seconds=self.kept_seconds,
        )
        ids = _numbers(locked)
        # Under the locks: a retry that came first is seen.
        needed = await statement("needed_pipelines").rows(tx.conn, _PipelineRow, pipeline_ids=ids)
        joined = await statement("joined_pipelines").rows(tx.conn, _JoinedRow, pipeline_ids=ids)
        joined_by: dict[int, set[int]] = {}
        for row in joined:
            joined_by.setdefault(row.pipeline_id, set()).add(row.joined_by)
        going = removable(ids, set(_numbers(needed)), joined_by)
        if not going:
            return Removed()
        (counts,) = await statement("remove_pipelines").rows(
            tx.conn, _CountsRow, pipeline_ids=going
        )
        return Removed(counts.pipelines, counts.jobs, counts.links, counts.events, counts.requests)


def removable(
    pipeline_ids: Iterable[int], needed: Collection[int], joined_by: Mapping[int, Collection[int]]
) -> list[int]:
    """Those of the pipelines that are not needed, and whose jobs were joined by none that stays."""
    going = set(pipeline_ids).difference(needed)
    while stays := {one for one in going if not going.issuperset(joined_by.get(one, ()))}:
        going -= stays
    return sorted(going)


def _numbers(rows: "Iterable[_PipelineRow]") -> list[int]:
    return [row.pipeline_id for row in rows]


class _PipelineRow(Row):
    __slots__ = ()
    pipeline_id: int


class _OldRow(DueRow):
    __slots__ = ()
    pipeline_id: int
    is_old: bool
    is_due: bool | None


class _JoinedRow(Row):
    __slots__ = ()
    pipeline_id: int
    joined_by: int


class _CountsRow(Row):
    __slots__ = ()
    pipelines: int
    jobs: int
    links: int
    events: int
    requests: int
