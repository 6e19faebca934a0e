"""What people, gateways and watchers read of pipelines and jobs; each read is one snapshot."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from uuid import UUID

from scheduler_service.jobs.job_types import JOB_TYPES
from scheduler_service.jobs.requests import Refused, ones_own
from scheduler_service.jobs.scope import Scope
from scheduler_service.store.core.rows import LinkRow, ScopeRow
from scheduler_service.store.core.schema_revision import revision_of
from scheduler_service.store.core.statements import Connection, Row, statement
from scheduler_service.store.reads.answers import (
    CLAIMS_SHOWN_MAX,
    EVENTS_SHOWN_MAX,
    VIEW_JOBS_MAX,
    JobPage,
    PipelineCounts,
    PipelinePage,
    QueueDepth,
    Shown,
    ShownJob,
    View,
)
from scheduler_service.store.reads.filters import AfterWorker, JobFilter, PipelineFilter
from scheduler_service.store.reads.readers import Readers
from scheduler_service.store.reads.rows import (
    ActiveJobRow,
    ChangedJobRow,
    EventRow,
    FinalRow,
    HeldClaimRow,
    JobSummaryRow,
    PipelineRow,
    SeenJobRow,
    WorkerRow,
)

# So that a page takes some tenths of a second at most: pipelines that are looked at, they or their
# jobs, and pipelines that are passed because they have ended.
PIPELINES_READ_MAX, PIPELINES_PASSED_MAX = 50_000, 1_000_000
# Of those that are counted it is found out whether they have started, and to search one for a text
# its root job is read.
PIPELINES_COUNTED_MAX, PIPELINES_SEARCHED_MAX = 10_000, 5_000
# Beyond it nobody needs the exact number, and a look has to stay cheap.
QUEUE_JOBS_MAX = 100_000
# Of pipelines that end together, whose digests are made in the snapshot of their last change.
FINALS_AT_ONCE_MAX = 10


class Reads:
    """The reads of a Store. None of them changes or locks a row.

    Raises ReadTookTooLong and TooManyReads. Connection losses come through as asyncpg's errors,
    OSError or TimeoutError.
    """

    def __init__(self, readers: Readers, own_readers: Readers) -> None:
        """`readers` is for callers, `own_readers` for what the scheduler reads by itself: of that
        one read at a time is on its way, it may take longer, and it fails with the driver's errors.
        """
        self._readers = readers
        self._own_readers = own_readers

    async def named_blobs(self, tenant: str, blobs: Sequence[str]) -> list[str]:
        """Which of these blobs a job of the tenant names."""
        async with self._readers.connection() as conn:
            rows = await statement("named_blobs").rows(conn, _BlobRow, tenant=tenant, blobs=blobs)
        return [row.blob for row in rows]

    async def kept_pipelines(self, tenant: str, pipeline_ids: Sequence[int]) -> list[int]:
        """Which of these pipelines of the tenant exist."""
        async with self._readers.connection() as conn:
            rows = await statement("kept_pipelines").rows(
                conn, _PipelineIdRow, tenant=tenant, pipeline_ids=pipeline_ids
            )
        return [row.pipeline_id for row in rows]

    async def pipeline_scope(self, pipeline_id: int) -> Scope | None:
        """The scope of a pipeline, which never changes; None if there is no such pipeline."""
        async with self._readers.connection() as conn:
            rows = await statement("scope_of_pipeline").rows(
                conn, ScopeRow, pipeline_id=pipeline_id
            )
        return rows[0].scope if rows else None

    async def scope_of_job(self, job_id: int) -> Scope | None:
        """The scope of the pipeline that owns a job; None if there is no such job."""
        async with self._readers.connection() as conn:
            rows = await statement("scope_of_job").rows(conn, ScopeRow, job_id=job_id)
        return rows[0].scope if rows else None

    async def queue_depths(self) -> list[QueueDepth]:
        """One for each job type, counted up to QUEUE_JOBS_MAX."""
        async with self._own_readers.connection() as conn:
            rows = await statement("queue_depths").rows(
                conn, _DepthRow, job_types=sorted(JOB_TYPES), jobs_max=QUEUE_JOBS_MAX
            )
        return [QueueDepth(row.job_type, row.jobs, row.oldest_seconds) for row in rows]

    async def read_views(
        self, after_versions: Mapping[int, int], *, with_active: bool = False
    ) -> dict[int, View]:
        """Per pipeline the jobs that changed after its version, at most VIEW_JOBS_MAX; after
        version 0 the first by number. `with_active`: also what is active in those that have not
        ended, and how FINALS_AT_ONCE_MAX of the others have, if no changes are left and their
        jobs are few. Unknown pipelines are left out.
        """
        async with self._own_readers.snapshot() as conn:
            ids = sorted(after_versions)
            rows = await statement("pipelines_by_id").rows(conn, PipelineRow, pipeline_ids=ids)
            views = {row.pipeline_id: View(row, row.version) for row in rows}
            behind = [
                i for i in ids if i in views and views[i].pipeline.version > after_versions[i]
            ]
            if behind:
                changed = await statement("changed_jobs").rows(
                    conn,
                    ChangedJobRow,
                    pipeline_ids=behind,
                    after_versions=[after_versions[i] for i in behind],
                    jobs_max=VIEW_JOBS_MAX + 1,
                )
                for pipeline_id, of_it in groupby(changed, key=lambda row: row.seen_by):
                    after_version = after_versions[pipeline_id]
                    views[pipeline_id].fill(list(of_it), after_version, VIEW_JOBS_MAX)
            live = [i for i, view in views.items() if view.pipeline.status == "LIVE"]
            if with_active and live:
                for row in await statement("active_jobs").rows(
                    conn, ActiveJobRow, pipeline_ids=live
                ):
                    views[row.seen_by].active.append(row)
            if with_active:
                over = [i for i in behind if i not in live and _is_read_with_its_end(views[i])]
                for pipeline_id in over[:FINALS_AT_ONCE_MAX]:
                    views[pipeline_id].final = await _final(conn, pipeline_id)
        return views

    async def pipelines_now(self, pipeline_ids: Sequence[int]) -> list[PipelineRow]:
        """These pipelines, of whatever tenants. Unknown ones are left out."""
        async with self._own_readers.connection() as conn:
            return await statement("pipelines_by_id").rows(
                conn, PipelineRow, pipeline_ids=pipeline_ids
            )

    async def pipeline_versions(
        self, tenant: str, pipeline_ids: Sequence[int], *, newest_max: int
    ) -> dict[int, int]:
        """The versions of these pipelines and of the tenant's newest, by number."""
        async with self._own_readers.connection() as conn:
            rows = await statement("pipeline_versions").rows(
                conn, _VersionRow, tenant=tenant, pipeline_ids=pipeline_ids, newest_max=newest_max
            )
        return {row.pipeline_id: row.version for row in rows}

    async def active_jobs(self, pipeline_ids: Sequence[int]) -> list[ActiveJobRow]:
        """What is claimable or running in these pipelines, at most a hundred jobs of each."""
        async with self._own_readers.connection() as conn:
            return await statement("active_jobs").rows(
                conn, ActiveJobRow, pipeline_ids=pipeline_ids
            )

    async def jobs_after(
        self, pipeline_id: int, after_job_id: int, *, jobs_max: int
    ) -> list[SeenJobRow]:
        """The next jobs of a pipeline, own and joined, by number."""
        async with self._own_readers.connection() as conn:
            return await statement("first_jobs").rows(
                conn,
                SeenJobRow,
                pipeline_id=pipeline_id,
                after_job_id=after_job_id,
                jobs_max=jobs_max,
            )

    async def read_final(self, pipeline_id: int) -> FinalRow | None:
        """A pipeline, and the sha256 over ids, results and tokens of its jobs, by id; None for an
        unknown one.
        """
        async with self._own_readers.connection() as conn:
            return await _final(conn, pipeline_id)

    async def read_pipeline(
        self, pipeline_id: int, tenant: str, *, jobs_max: int
    ) -> Shown | Refused:
        """A pipeline of the tenant, its first jobs and its timeline."""
        async with self._readers.snapshot() as conn:
            rows = await statement("pipelines_by_id").rows(
                conn, PipelineRow, pipeline_ids=[pipeline_id]
            )
            pipeline = ones_own("pipeline", pipeline_id, rows[0] if rows else None, (tenant,))
            if isinstance(pipeline, Refused):
                return pipeline
            jobs = await statement("first_jobs").rows(
                conn, SeenJobRow, pipeline_id=pipeline_id, after_job_id=0, jobs_max=jobs_max + 1
            )
            first = jobs[:jobs_max]
            own = [job.job_id for job in first if not job.is_joined]
            timeline = await _timeline(conn, pipeline_id, own)
        return Shown(pipeline, first, timeline, has_more_jobs=len(jobs) > jobs_max)

    async def read_job(self, job_id: int, tenant: str) -> ShownJob | Refused:
        """A job of the tenant, its timeline, and who has joined it."""
        async with self._readers.snapshot() as conn:
            rows = await statement("job_by_id").rows(conn, JobSummaryRow, job_id=job_id)
            job = ones_own("job", job_id, rows[0] if rows else None, (tenant,))
            if isinstance(job, Refused):
                return job
            timeline = await _timeline(conn, None, [job_id])
            links = await statement("links_of_jobs").rows(conn, LinkRow, job_ids=[job_id])
        return ShownJob(job, timeline, sorted(link.pipeline_id for link in links))

    async def list_pipelines(self, wanted: PipelineFilter, *, is_own: bool = False) -> PipelinePage:
        """Newest first, for a caller or, if `is_own`, for the scheduler itself.

        It looks at a bounded number of pipelines: where few of them match, a page may be short, or
        empty, and not the last.
        """
        looked_at_max = PIPELINES_READ_MAX if wanted.text is None else PIPELINES_SEARCHED_MAX
        readers = self._own_readers if is_own else self._readers
        async with readers.snapshot() as conn:
            rows = await statement("list_pipelines").rows(
                conn,
                PipelineRow,
                **wanted.matches(),
                statuses=list(wanted.statuses) or None,
                before_id=wanted.before_id,
                pipelines_max=looked_at_max,
                rows_max=wanted.page_size + 1,
            )
            if len(rows) > wanted.page_size:
                page = rows[: wanted.page_size]
                return PipelinePage(page, page[-1].pipeline_id)
            last = await statement("last_listed_pipeline").rows(
                conn,
                _LastRow,
                tenant=wanted.tenant,
                before_pipeline_id=None if wanted.before_id is None else wanted.before_id - 1,
                pipelines_max=looked_at_max,
            )
        return PipelinePage(rows, last[0].pipeline_id if last else None)

    async def count_pipelines(self, wanted: PipelineFilter) -> PipelineCounts:
        """How many pipelines match, by status, whatever statuses are wanted: of the newest."""
        most = PIPELINES_COUNTED_MAX if wanted.text is None else PIPELINES_SEARCHED_MAX
        async with self._readers.snapshot() as conn:
            rows = await statement("count_pipelines").rows(
                conn, _CountRow, **wanted.matches(), pipelines_max=most
            )
            older = await statement("last_listed_pipeline").rows(
                conn,
                _LastRow,
                tenant=wanted.tenant,
                before_pipeline_id=None,
                pipelines_max=most + 1,
            )
        return PipelineCounts({row.status: row.pipelines for row in rows}, bool(older))

    async def list_jobs(self, wanted: JobFilter) -> JobPage | Refused:
        """A pipeline's newest first, or the newest pipelines' first.

        Of pipelines without such jobs it looks at a bounded number: then a page may be short, or
        empty, and not the last.
        """
        before_pipeline_id, before_job_id = wanted.before or (None, None)
        # The index of a pipeline's jobs tells these two apart.
        finished = sorted({state == "FINISHED" for state in wanted.states} or {False, True})
        alike = {
            "tenant": wanted.tenant,
            "states": list(wanted.states) or None,
            "finished": finished,
            "job_types": list(wanted.job_types) or None,
            "parent_job_id": wanted.parent_job_id,
            "module": wanted.module,
            "year": wanted.year,
            "before_job_id": before_job_id,
            "rows_max": wanted.page_size + 1,
        }
        async with self._readers.snapshot() as conn:
            if wanted.pipeline_id is not None:
                pipelines = await statement("pipelines_by_id").rows(
                    conn, PipelineRow, pipeline_ids=[wanted.pipeline_id]
                )
                pipeline = ones_own(
                    "pipeline",
                    wanted.pipeline_id,
                    pipelines[0] if pipelines else None,
                    (wanted.tenant,),
                )
                if isinstance(pipeline, Refused):
                    return pipeline
                rows = await statement("list_jobs_of_pipeline").rows(
                    conn, SeenJobRow, pipeline_id=wanted.pipeline_id, **alike
                )
                return _job_page(rows, wanted.page_size)
            looked_at = {
                "tenant": wanted.tenant,
                "before_pipeline_id": before_pipeline_id,
                "pipelines_max": PIPELINES_READ_MAX if True in finished else PIPELINES_PASSED_MAX,
            }
            seen = {"modules": wanted.modules, "units": wanted.units}
            rows = await statement("list_jobs").rows(conn, SeenJobRow, **alike | looked_at | seen)
            if len(rows) > wanted.page_size:
                return _job_page(rows, wanted.page_size)
            last = await statement("last_listed_pipeline").rows(conn, _LastRow, **looked_at)
        # No job has a number below 1: this is behind all of that pipeline's.
        return JobPage(rows, (last[0].pipeline_id, 1) if last else None)

    async def read_workers(
        self, tenants: Sequence[str], after: AfterWorker | None, workers_max: int
    ) -> tuple[list[WorkerRow], dict[UUID, list[HeldClaimRow]]]:
        """A page of workers, and what each holds of these tenants' jobs: its oldest claims."""
        asked = list(tenants)
        async with self._readers.snapshot() as conn:
            workers = await statement("list_workers").rows(
                conn,
                WorkerRow,
                tenants=asked,
                newest_token=after.newest_token if after else None,
                is_idle=after.is_idle if after else None,
                started_us=after.started_us if after else None,
                after_worker_id=after.worker_id if after else None,
                workers_max=workers_max,
            )
            held = await statement("held_claims").rows(
                conn,
                HeldClaimRow,
                tenants=asked,
                worker_ids=[row.worker_id for row in workers],
                claims_max=CLAIMS_SHOWN_MAX,
            )
        by_worker: dict[UUID, list[HeldClaimRow]] = {}
        for row in held:
            by_worker.setdefault(row.worker_id, []).append(row)
        return workers, by_worker

    async def read_schema_revision(self) -> str:
        """The newest migration that the database has; "" if it has none."""
        async with self._readers.connection() as conn:
            return await revision_of(conn)


async def _timeline(
    conn: Connection, pipeline_id: int | None, job_ids: Sequence[int]
) -> list[EventRow]:
    return await statement("timeline").rows(
        conn, EventRow, pipeline_id=pipeline_id, job_ids=job_ids, events_max=EVENTS_SHOWN_MAX
    )


def _is_read_with_its_end(view: View) -> bool:
    """Whether its digest keeps nobody waiting: it is made of all its jobs."""
    return not view.has_more and view.pipeline.finished_count <= VIEW_JOBS_MAX


async def _final(conn: Connection, pipeline_id: int) -> FinalRow | None:
    rows = await statement("final_pipeline").rows(conn, FinalRow, pipeline_id=pipeline_id)
    return rows[0] if rows else None


def _job_page(rows: Sequence[SeenJobRow], page_size: int) -> JobPage:
    if len(rows) <= page_size:
        return JobPage(rows, None)
    last = rows[page_size - 1]
    return JobPage(rows[:page_size], (last.pipeline_id, last.job_id))


class _BlobRow(Row):
    __slots__ = ()
    blob: str


class _VersionRow(Row):
    __slots__ = ()
    pipeline_id: int
    version: int


class _PipelineIdRow(Row):
    __slots__ = ()
    pipeline_id: int


class _CountRow(Row):
    __slots__ = ()
    status: str
    pipelines: int


class _DepthRow(Row):
    __slots__ = ()
    job_type: str
    jobs: int
    oldest_seconds: float


class _LastRow(Row):
    __slots__ = ()
    pipeline_id: int
