"""One unit of work: what a transaction has locked, what it changes, and what it notifies of."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from uuid import UUID

from scheduler_service.jobs.states import JobResult, PipelineStatus, pipeline_status
from scheduler_service.store.core.freshness import FreshnessMarks
from scheduler_service.store.core.rows import End, LockedPipelineRow
from scheduler_service.store.core.statements import Connection, Row, sparse, statement

# Of so many that wait behind it, who is first of a key is as urgent as the most urgent.
HEIRS_MAX = 100
YearKey: TypeAlias = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Needs:
    """What a transaction must hold locked before it decides."""

    pipelines: frozenset[int] = frozenset()
    keys: frozenset[str] = frozenset()
    years: frozenset[YearKey] = frozenset()
    open_years_of: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        """Whether there is anything to lock."""
        return bool(self.pipelines or self.keys or self.years or self.open_years_of)

    def __or__(self, other: "Needs") -> "Needs":
        """What either of them needs."""
        return all_of((self, other))


def all_of(needs: Iterable[Needs]) -> Needs:
    """Everything that at least one of them needs."""
    every = list(needs)
    return Needs(
        frozenset().union(*(n.pipelines for n in every)),
        frozenset().union(*(n.keys for n in every)),
        frozenset().union(*(n.years for n in every)),
        frozenset().union(*(n.open_years_of for n in every)),
    )


class MustLockMore(Exception):
    """What was read under locks names rows that are not locked: start over with them too."""

    def __init__(self, needs: Needs) -> None:
        """The rows that were missing."""
        super().__init__(str(needs))
        self.needs = needs


@dataclass(slots=True)
class PipelineState:
    """A locked (or new) pipeline: its counters as this transaction changes them."""

    pipeline_id: int
    tenant: str
    version: int
    live_jobs: int
    failed_jobs: int
    warned_jobs: int
    root_job_id: int
    cancelled: bool = False
    is_new: bool = False
    inserted_root_job_id: int | None = None
    # None if it is not known how many have ended, or if none has failed.
    finished_jobs: int | None = 0
    failed_job_id: int | None = None

    @property
    def next_version(self) -> int:
        """The version that this transaction's changes carry."""
        return self.version if self.is_new else self.version + 1

    def job_added(self, jobs: int = 1) -> None:
        """It has one more live job, own, joined or held (or so many)."""
        self.live_jobs += jobs

    def job_left(self, jobs: int = 1) -> None:
        """A live job is not its own to wait for any more: passed on, left or let go."""
        self.live_jobs -= jobs

    def ended_jobs_left(self, jobs: int) -> None:
        """Jobs of others that had ended are left, too, and are not among its jobs any more."""
        if self.finished_jobs is not None:
            self.finished_jobs -= jobs

    def job_ended(self, result: JobResult, job_id: int) -> None:
        """A live job of it has ended, own or joined."""
        self.live_jobs -= 1
        if self.finished_jobs is not None:
            self.finished_jobs += 1
        if result is JobResult.ERROR and self.failed_job_id is None:
            self.failed_job_id = job_id
        self.failed_jobs += result is JobResult.ERROR
        self.warned_jobs += result is JobResult.WARNING


@dataclass(slots=True)
class KeyState:
    """A locked exclusive key. `first_job_id` is None iff the key has no live job."""

    exclusive_key: str
    next_number: int
    first_job_id: int | None
    drain_token: int | None


@dataclass(frozen=True, slots=True)
class Event:
    """An unusual transition, for the timeline.

    `worker_id` is of the claim. One event of each claim that ends knows it.
    """

    tenant: str
    pipeline_id: int
    job_id: int | None
    claim_token: int | None
    event: str
    detail: str = ""
    worker_id: UUID | None = None


@dataclass(slots=True)
class UnitOfWork:
    """The locks, the changes to write back, and what to wake after the commit."""

    conn: Connection
    extra_needs: Needs = field(default_factory=Needs)
    pipelines: dict[int, PipelineState] = field(default_factory=dict)
    keys: dict[str, KeyState] = field(default_factory=dict)
    held: Needs = field(default_factory=Needs)
    years: dict[YearKey, bool] = field(default_factory=dict)
    touched: set[int] = field(default_factory=set)
    # Those that a statement inserted whole: nothing is left to save of them.
    inserted: set[int] = field(default_factory=set)
    unsettled_keys: set[str] = field(default_factory=set)
    changed_keys: set[str] = field(default_factory=set)
    maybe_due_jobs: set[int] = field(default_factory=set)
    events: list[Event] = field(default_factory=list)
    ended: list[End] = field(default_factory=list)
    # Jobs and claims that are over and had no children when they were looked for.
    childless: list[tuple[int, int]] = field(default_factory=list)
    freshness: FreshnessMarks = field(default_factory=FreshnessMarks)
    ended_pipelines: dict[int, PipelineStatus] = field(default_factory=dict)
    woken_types: set[str] = field(default_factory=set)

    async def lock(self, needs: Needs) -> None:
        """Lock years, pipelines, keys, in this order. Call once, before any decision."""
        needs = self.held = needs | self.extra_needs
        await self.lock_years(needs)
        if needs.pipelines:
            for row in await statement("lock_pipelines").rows(
                self.conn, LockedPipelineRow, pipeline_ids=sorted(needs.pipelines)
            ):
                self.hold_pipeline(row)
        await self.lock_keys(needs.keys)

    async def lock_keys(self, exclusive_keys: Collection[str]) -> None:
        """Lock keys, made where there are none; call once, after years and pipelines are locked.

        MustLockMore while somebody else is making one of them.
        """
        if not exclusive_keys:
            return
        rows = await statement("hold_keys").rows(
            self.conn, _KeyRow, exclusive_keys=sorted(exclusive_keys)
        )
        self.keys = {
            row.exclusive_key: KeyState(
                row.exclusive_key, row.next_number, row.first_job_id, row.drain_token
            )
            for row in rows
        }
        if len(self.keys) < len(exclusive_keys):
            raise MustLockMore(Needs())

    async def lock_years(self, needs: Needs) -> None:
        """Hold years as they are. First in the order."""
        rows: list[_YearRow] = []
        if needs.open_years_of:
            rows += await statement("lock_open_years").rows(
                self.conn, _YearRow, tenants=sorted(needs.open_years_of)
            )
        if needs.years:
            tenants, years = zip(*sorted(needs.years), strict=True)
            rows += await statement("lock_years").rows(
                self.conn, _YearRow, tenants=list(tenants), years=list(years)
            )
        for row in rows:
            self.hold_year(row.tenant, row.year, locked=row.locked)

    def hold_pipeline(self, row: LockedPipelineRow) -> None:
        """Keep what a pipeline's row says; a statement of this transaction has locked it."""
        pipeline_id = row.pipeline_id
        if pipeline_id not in self.pipelines:
            self.pipelines[pipeline_id] = PipelineState(
                pipeline_id,
                row.tenant,
                row.version,
                row.live_jobs,
                row.failed_jobs,
                row.warned_jobs,
                row.root_job_id,
                row.cancelled,
                finished_jobs=row.finished_jobs,
                failed_job_id=row.failed_job_id,
            )

    def hold_year(self, tenant: str, year: int, *, locked: bool) -> None:
        """Keep how a year stands; a statement of this transaction holds its row."""
        self.years[tenant, year] = locked

    def require(self, needs: Needs) -> None:
        """Go on only if all of this is locked; else MustLockMore."""
        missing = Needs(
            needs.pipelines - self.pipelines.keys(),
            needs.keys - self.keys.keys(),
            needs.years - self.held.years,
            needs.open_years_of - self.held.open_years_of,
        )
        if missing:
            raise MustLockMore(missing)

    def pipeline(self, pipeline_id: int) -> PipelineState:
        """The locked pipeline, marked as changed; MustLockMore if it is not locked."""
        state = self.pipelines.get(pipeline_id)
        if state is None:
            raise MustLockMore(Needs(pipelines=frozenset({pipeline_id})))
        self.touched.add(pipeline_id)
        return state

    def key(self, exclusive_key: str) -> KeyState:
        """The locked key; MustLockMore if it is not locked."""
        state = self.keys.get(exclusive_key)
        if state is None:
            raise MustLockMore(Needs(keys=frozenset({exclusive_key})))
        self.changed_keys.add(exclusive_key)
        return state

    def add_new_pipeline(self, state: PipelineState) -> None:
        """Hold a pipeline that this transaction has just inserted."""
        self.pipelines[state.pipeline_id] = state
        self.touched.add(state.pipeline_id)

    def year_is_open(self, tenant: str, year: int) -> bool:
        """Whether the year is provisioned and unlocked; MustLockMore if it is not held."""
        if (tenant, year) not in self.held.years and tenant not in self.held.open_years_of:
            raise MustLockMore(Needs(years=frozenset({(tenant, year)})))
        return not self.years.get((tenant, year), True)

    def open_years(self, tenant: str) -> tuple[int, ...]:
        """The held years of the tenant that are provisioned and unlocked."""
        return tuple(
            sorted(y for (t, y), locked in self.years.items() if t == tenant and not locked)
        )

    def held_years(self, tenant: str) -> tuple[int, ...]:
        """The held years of the tenant that are provisioned, also locked ones."""
        return tuple(sorted(y for t, y in self.years if t == tenant))

    async def pass_on(self, exclusive_keys: Iterable[str]) -> None:
        """The oldest waiting job of a key that was left is its first, before any newcomer."""
        left = self.unsettled_keys.intersection(exclusive_keys)
        free = [k for k in sorted(left) if self.key(k).first_job_id is None]
        if free:
            for row in await statement("next_of_keys").rows(
                self.conn, _NextRow, exclusive_keys=free
            ):
                self.key(row.exclusive_key).first_job_id = row.job_id

    async def save(self) -> None:
        """Write keys, pipelines with their derived status, and the timeline.

        MustLockMore if a claim that is over has children that nobody knew of.
        """
        await self._settle_keys()
        await self._save_pipelines()
        if self.events:
            await statement("add_events").run(self.conn, **_event_columns(self.events))

    async def _settle_keys(self) -> None:
        """Promote: the oldest waiting job of a free key is its first; QUEUED, if it is due."""
        names = sorted(self.changed_keys | self.unsettled_keys)
        if not names and not self.maybe_due_jobs:
            return
        keys = [self.key(name) for name in names]
        queued = await statement("settle_keys").rows(
            self.conn,
            _QueuedRow,
            exclusive_keys=names,
            next_numbers=[k.next_number for k in keys],
            first_job_ids=sparse([k.first_job_id for k in keys]),
            drain_tokens=sparse([k.drain_token for k in keys]),
            unsettled=[name in self.unsettled_keys for name in names],
            due_job_ids=sorted(self.maybe_due_jobs),
            heirs_max=HEIRS_MAX,
        )
        # QUEUED has no version of its own, but its watchers like to see it soon.
        self.woken_types.update(row.job_type for row in queued)

    async def _save_pipelines(self) -> None:
        states = [self.pipelines[p] for p in sorted(self.touched) if not self._as_inserted(p)]
        if not states and not self.freshness:
            return
        rows = await statement("save_pipelines").rows(
            self.conn,
            _SavedRow,
            pipeline_ids=[s.pipeline_id for s in states],
            versions=[s.next_version for s in states],
            live=[s.live_jobs for s in states],
            failed=[s.failed_jobs for s in states],
            warned=[s.warned_jobs for s in states],
            root_job_ids=[s.root_job_id for s in states],
            finished=sparse([s.finished_jobs for s in states]),
            failed_job_ids=sparse([s.failed_job_id for s in states]),
            statuses=[_status(s, None).value for s in states],
            statuses_of_failed_root=[_status(s, JobResult.ERROR).value for s in states],
            job_ids=[job_id for job_id, _ in self.childless],
            claim_tokens=[claim_token for _, claim_token in self.childless],
            **self.freshness.columns(),
        )
        for row in rows:
            if row.parent_job_id is not None:
                # A Chain was still on its way when the children were looked for: start over.
                raise MustLockMore(Needs())
            if row.pipeline_id is not None and row.status is not None:
                self.ended_pipelines[row.pipeline_id] = PipelineStatus(row.status)

    def _as_inserted(self, pipeline_id: int) -> bool:
        state = self.pipelines[pipeline_id]
        same_root = state.root_job_id == state.inserted_root_job_id
        return state.is_new and state.live_jobs == 1 and same_root


class _YearRow(Row):
    __slots__ = ()
    tenant: str
    year: int
    locked: bool


class _KeyRow(Row):
    __slots__ = ()
    exclusive_key: str
    next_number: int
    first_job_id: int | None
    drain_token: int | None


class _NextRow(Row):
    __slots__ = ()
    exclusive_key: str
    job_id: int


class _QueuedRow(Row):
    __slots__ = ()
    job_type: str


class _SavedRow(Row):
    """A pipeline that has ended, or a job whose children nobody knew of."""

    __slots__ = ()
    pipeline_id: int | None
    status: str | None
    parent_job_id: int | None


def _status(state: PipelineState, root_result: JobResult | None) -> PipelineStatus:
    return pipeline_status(
        live_jobs=state.live_jobs,
        failed_jobs=state.failed_jobs,
        cancelled=state.cancelled,
        root_result=root_result,
    )


def _event_columns(events: list[Event]) -> dict[str, list[Any] | None]:
    return {
        "tenants": [e.tenant for e in events],
        "pipeline_ids": [e.pipeline_id for e in events],
        "job_ids": [e.job_id for e in events],
        "claim_tokens": [e.claim_token for e in events],
        "events": [e.event for e in events],
        "details": [e.detail for e in events],
        "worker_ids": sparse([e.worker_id for e in events]),
    }
