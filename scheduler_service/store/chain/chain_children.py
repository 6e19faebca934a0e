"""Chain: stages children under a live claim; they are no jobs before its Finish."""

from collections.abc import Collection, Sequence
from uuid import UUID

from scheduler_service.jobs.catalogue import MODULE_OF_TYPE
from scheduler_service.jobs.job_type_keys import SIGNED, SIGNED_BY
from scheduler_service.jobs.job_types import JOB_TYPES
from scheduler_service.jobs.requests import (
    Chained,
    Child,
    ChildDisposition,
    ChildRequest,
    Disposition,
    Refused,
    ones_own,
)
from scheduler_service.jobs.scope import Scope
from scheduler_service.jobs.stored_types import job_type_of
from scheduler_service.store.core.rows import JobRow, ScopeRow
from scheduler_service.store.core.statements import Connection, Row, statement
from scheduler_service.store.core.unit_of_work import UnitOfWork


async def chain_children(
    tx: UnitOfWork,
    worker_id: UUID,
    principal: str,
    job_id: int,
    claim_token: int,
    wanted: Sequence[ChildRequest],
    *,
    tenants: Collection[str],
    limit: int,
) -> Chained | Refused:
    """All of them or none. STALE_CLAIM when the claim does not hold the job, OTHER_TENANT when the
    job is of none of `tenants`. Raises TooManyChildren if the claim had more than `limit`, and
    JobTypeUnknown if the job's own is.
    """
    rows = await statement("lock_claimed_job").rows(
        tx.conn,
        _ParentRow,
        job_id=job_id,
        claim_token=claim_token,
        worker_id=worker_id,
        principal=principal,
    )
    if not rows or rows[0].tenant not in tenants:
        return await _why_no_parent(tx, tenants, job_id, claim_token)
    children = [_child(rows[0], request) for request in wanted]
    for child in children:
        refused = _why_not(rows[0], child)
        if refused is not None:
            return refused
    await _stage(tx, job_id, claim_token, children)
    (count,) = await statement("count_staged").rows(
        tx.conn, _CountRow, parent_job_id=job_id, claim_token=claim_token
    )
    if count.staged > limit:
        # Nothing of this call may stay: the caller is told so by the error, not by half a list.
        raise TooManyChildren(count.staged, limit)
    return Chained(count.staged, await provisional(tx.conn, children))


async def _why_no_parent(
    tx: UnitOfWork, tenants: Collection[str], job_id: int, claim_token: int
) -> Refused:
    found = await statement("peek_jobs").rows(tx.conn, JobRow, job_ids=[job_id])
    own = ones_own("job", job_id, found[0] if found else None, tenants)
    if isinstance(own, Refused) and found:
        return own
    return Refused("STALE_CLAIM", f"claim {claim_token} does not hold job {job_id}: stop")


class TooManyChildren(Exception):
    """A claim staged more children than it may; the transaction is rolled back."""

    def __init__(self, size: int, limit: int) -> None:
        """So many, of at most so many."""
        super().__init__(f"{size} of {limit}")
        self.size, self.limit = size, limit

    def refusal(self) -> Refused:
        """What the caller is told."""
        message = (
            f"this claim would have {self.size:,} children, and may have {self.limit:,} in all: "
            "chain fewer, each of which chains some of the others"
        )
        return Refused("TOO_LARGE", message, {"limit": f"{self.limit}", "size": f"{self.size}"})


def _child(parent: "_ParentRow", request: ChildRequest) -> Child:
    scope = Scope(
        parent.tenant,
        request.module if request.module is not None else parent.module,
        request.data_entry_type,
        request.year if request.year is not None else parent.year,
    )
    needs = JOB_TYPES[request.job_type].needs | JOB_TYPES[request.job_type].takes
    trimmed = Scope(
        scope.tenant,
        scope.module if "module" in needs else None,
        scope.data_entry_type,
        scope.year if "year" in needs else None,
        parent.unit if "unit" in needs else None,
    )
    payload = request.payload
    if request.job_type in SIGNED and parent.submitted_by:
        payload = {**(payload or {}), SIGNED_BY: parent.submitted_by}
    return Child(request.child_key, request.job_type, trimmed, payload)


def _why_not(parent: "_ParentRow", child: Child) -> Refused | None:
    fault = _fault(parent.job_type, child) or _other_year(parent, child)
    if fault is not None:
        return Refused("FIELD_INVALID", fault, {"field": f"children[{child.child_key}]"})
    year, child_type = child.scope.year, JOB_TYPES[child.job_type]
    if child_type.needs_provisioned_year and year not in parent.provisioned_years:
        return Refused(
            "YEAR_NOT_PROVISIONED",
            f"year {year} of {parent.tenant} is not provisioned, so nothing of it can be computed",
            {"year": str(year), "field": f"children[{child.child_key}]"},
        )
    return None


def _fault(parent_type: str, child: Child) -> str | None:
    """What is wrong with a child whose scope is complete."""
    if child.job_type not in job_type_of(parent_type).children:
        return f"{parent_type} may not chain {child.job_type}"
    row, scope = JOB_TYPES[child.job_type], child.scope
    missing = sorted(part for part in row.needs if getattr(scope, part) is None)
    if missing:
        return f"{child.job_type} needs {', '.join(missing)}"
    entry_type, module = scope.data_entry_type, scope.module
    if entry_type is not None and "data_entry_type" not in row.needs | row.takes:
        return f"{child.job_type} takes no data_entry_type: leave it out"
    if None not in (entry_type, module) and MODULE_OF_TYPE.get(entry_type or 0) != module:
        return f"data_entry_type {entry_type} does not belong to module {module}: name its module"
    return None


def _other_year(parent: "_ParentRow", child: Child) -> str | None:
    """What is wrong with the year of a child: a lock of that year would not find its parent."""
    year = JOB_TYPES[child.job_type].open_year(child.scope)
    if year is None or parent.year in (None, year):
        return None
    return f"a job of year {parent.year} may not chain {child.job_type} of year {year}"


async def _stage(tx: UnitOfWork, job_id: int, claim_token: int, children: Sequence[Child]) -> None:
    distinct = list({child.child_key: child for child in children}.values())
    await statement("stage_children").run(
        tx.conn,
        parent_job_id=job_id,
        claim_token=claim_token,
        child_keys=[c.child_key for c in distinct],
        job_types=[c.job_type for c in distinct],
        modules=[c.scope.module for c in distinct],
        data_entry_types=[c.scope.data_entry_type for c in distinct],
        years=[c.scope.year for c in distinct],
        units=[c.scope.unit for c in distinct],
        payloads=[c.payload for c in distinct],
    )


async def provisional(conn: Connection, children: Sequence[Child]) -> tuple[ChildDisposition, ...]:
    """What each child would become if its parent finished now; unlocked, so provisional."""
    types = [job_type_of(c.job_type) for c in children]
    rows = await statement("waiting_keys").rows(
        conn,
        _WaitingRow,
        coalesce_keys=[t.coalesce_key(c.scope) for t, c in zip(types, children, strict=True)],
        exclusive_keys=[t.exclusive_key(c.scope) for t, c in zip(types, children, strict=True)],
    )
    return tuple(
        ChildDisposition(child.child_key, _guess(row), row.duplicate or 0)
        for child, row in zip(children, rows, strict=True)
    )


def _guess(row: "_WaitingRow") -> Disposition:
    if row.duplicate is not None:
        return Disposition.JOINED
    return Disposition.QUEUED_BEHIND if row.is_taken else Disposition.CREATED


class _ParentRow(ScopeRow):
    __slots__ = ()
    job_id: int
    job_type: str
    claim_token: int
    submitted_by: str | None
    provisioned_years: list[int]


class _CountRow(Row):
    __slots__ = ()
    staged: int


class _WaitingRow(Row):
    """What stands under the keys of a child; `is_taken` is None if nobody ever used its key."""

    __slots__ = ()
    number: int
    duplicate: int | None
    is_taken: bool | None
