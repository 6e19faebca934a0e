"""Freshness as tokens: what changed, what the last recalculation and aggregation have seen."""

from collections.abc import Sequence

from scheduler_service.jobs.requests import Child
from scheduler_service.store.ends import End
from scheduler_service.store.statements import statement
from scheduler_service.store.transaction import Transaction

RECALCULATION = "emission_recalc"
AGGREGATION = "aggregation"


async def record_changes(tx: Transaction, children: Sequence[Child]) -> None:
    """A recalculation of these types is released: their data changed."""
    scopes = sorted(
        {
            (c.scope.tenant, c.scope.data_entry_type, c.scope.year)
            for c in children
            if c.job_type == RECALCULATION
            and c.scope.data_entry_type is not None
            and c.scope.year is not None
        }
    )
    if scopes:
        await statement("mark_changed").run(
            tx.conn,
            tenants=[tenant for tenant, _, _ in scopes],
            data_entry_types=[entry_type for _, entry_type, _ in scopes],
            years=[year for _, _, year in scopes],
        )


async def record_ends(tx: Transaction, ends: Sequence[End]) -> None:
    """What recalculations and aggregations have seen, and that they are over.

    A recalculation that ended in the dark may have written too: its end counts, its claim not.
    """
    recalculations = sorted(
        (e.scope.tenant, e.scope.data_entry_type or 0, e.scope.year or 0, e.token if e.done else 0)
        for e in ends
        if e.row["job_type"] == RECALCULATION and (e.done or e.dark_token is not None)
    )
    if recalculations:
        await statement("mark_recalculated").run(
            tx.conn,
            tenants=[r[0] for r in recalculations],
            data_entry_types=[r[1] for r in recalculations],
            years=[r[2] for r in recalculations],
            claim_tokens=[r[3] for r in recalculations],
        )
    aggregations = sorted(
        (e.scope.tenant, e.scope.module or 0, e.scope.year or 0, e.token)
        for e in ends
        if e.row["job_type"] == AGGREGATION and e.done
    )
    if aggregations:
        await statement("mark_aggregated").run(
            tx.conn,
            tenants=[a[0] for a in aggregations],
            modules=[a[1] for a in aggregations],
            years=[a[2] for a in aggregations],
            claim_tokens=[a[3] for a in aggregations],
        )
