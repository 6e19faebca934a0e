"""Which jobs leave a batch, because somebody else has locked what their end needs."""

from collections.abc import Collection

from scheduler_service.store.core.run_units import UnitRunner
from scheduler_service.store.core.statements import Row, statement
from scheduler_service.store.core.unit_of_work import UnitOfWork


async def locked_jobs(units: UnitRunner, job_ids: Collection[int]) -> set[int]:
    """Those of the jobs whose rows, pipelines or keys somebody else has locked now.

    Raises LockNotAvailableError if not even that can be found out, as under the lock of a table.
    """

    async def look(tx: UnitOfWork) -> set[int]:
        rows = await statement("locked_jobs").rows(tx.conn, _JobRow, job_ids=sorted(job_ids))
        return {row.job_id for row in rows}

    return await units.run_shared(look)


class _JobRow(Row):
    __slots__ = ()
    job_id: int
