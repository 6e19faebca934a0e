"""Claims, finishes and submits jobs through a store, under the identity of one worker."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

from scheduler_service.jobs.heartbeats import Heartbeat
from scheduler_service.jobs.requests import (
    Beat,
    BeatAnswer,
    Cancelled,
    Chained,
    ChildRequest,
    ClaimRequest,
    FinishAnswer,
    FinishRequest,
    PipelineRetry,
    Recovered,
    Recovery,
    Refused,
    Release,
    ReleaseReason,
    Retried,
    Submission,
    Submitted,
    Written,
)
from scheduler_service.jobs.scope import Scope
from scheduler_service.jobs.states import JobResult
from scheduler_service.rpc.gathered_calls import GatheredCalls
from scheduler_service.store.core.claimed import Claimed
from scheduler_service.store.store import Store

Answer = TypeVar("Answer")
TENANT = "uni"
# Whom the workers of these tests serve.
TENANTS = (TENANT, "other", "local")
TRAVEL, PLANE, TRAIN = 2, 20, 21
YEAR = 2024
INGEST = Scope(TENANT, TRAVEL, PLANE, YEAR)
RECALC = Scope(TENANT, TRAVEL, PLANE, YEAR)
TOTALS = Scope(TENANT, TRAVEL, None, YEAR)


@dataclass
class StoreDriver:
    """Claims, finishes and submits jobs through the store as one worker."""

    store: Store
    worker_id: UUID = field(default_factory=uuid4)
    tenants: tuple[str, ...] = TENANTS

    def another(self) -> "StoreDriver":
        """Another worker at the same store."""
        return StoreDriver(self.store)

    async def ask(
        self, job_type: str, scope: Scope, *, request_id: UUID | None = None, **fields: Any
    ) -> Submitted | Refused:
        """Submit, and whatever comes of it."""
        asked = self.submission(job_type, scope, request_id=request_id, **fields)
        (answer,) = await self.submit_jobs([asked])
        return answer

    async def submit_jobs(self, submissions: Sequence[Submission]) -> list[Submitted | Refused]:
        """Submit a batch as the RPCs do. Raises what an item fails with.

        Calls that are made at once share no batch: they meet in the database.
        """
        return _unless_failed(await GatheredCalls(self.store).submit(submissions))

    def submission(
        self, job_type: str, scope: Scope, *, request_id: UUID | None = None, **fields: Any
    ) -> Submission:
        """A Submit that could be made."""
        payload = {"blob": "blob:sha256:0"} if job_type == "csv_ingest" else None
        return Submission(
            request_id=request_id or uuid4(),
            body_digest=fields.pop("body_digest", b"body"),
            job_type=job_type,
            scope=scope,
            payload=fields.pop("payload", payload),
            priority=fields.pop("priority", 5),
            submitted_by="tester",
            **fields,
        )

    async def submit(self, job_type: str, scope: Scope, **fields: Any) -> Submitted:
        """Submit, and it must be taken."""
        answer = await self.ask(job_type, scope, **fields)
        assert isinstance(answer, Submitted), answer
        return answer

    async def claim_all(
        self, *job_types: str, max_jobs: int = 100, request_id: UUID | None = None
    ) -> list[Claimed]:
        """Claim what there is."""
        claim_request = ClaimRequest(
            worker_id=self.worker_id,
            request_id=request_id or uuid4(),
            job_types=job_types,
            max_jobs=max_jobs,
            principal="local",
            tenants=self.tenants,
            build_id="test",
            host="here",
        )
        return await self.store.claim_jobs(claim_request)

    async def claim(self, *job_types: str) -> Claimed:
        """Claim exactly one job; there must be one."""
        claimed = await self.claim_all(*job_types, max_jobs=1)
        assert len(claimed) == 1, f"nothing claimable of {job_types}"
        return claimed[0]

    def ending(
        self,
        claim: Claimed,
        result: JobResult = JobResult.SUCCESS,
        written: Written | None = None,
    ) -> FinishRequest:
        """The Finish of a claim. Unless told otherwise, one that ends well has changed nothing, so
        that nothing follows but what it has staged.
        """
        is_error = result is JobResult.ERROR
        if written is None:
            written = Written.UNKNOWN if is_error else Written.NOTHING
        return FinishRequest(
            job_id=claim.row.job_id,
            claim_token=claim.claim_token,
            worker_id=self.worker_id,
            principal="local",
            result=result,
            message="done",
            error_cause="broken" if is_error else "",
            stats={"rows": 1},
            written=written,
            tenants=self.tenants,
        )

    async def finish(
        self,
        claim: Claimed,
        result: JobResult = JobResult.SUCCESS,
        written: Written | None = None,
    ) -> FinishAnswer:
        """Finish a claim. The answer is not a refusal."""
        (answer,) = await self.finish_jobs([self.ending(claim, result, written)])
        assert isinstance(answer, FinishAnswer), answer
        return answer

    async def finish_jobs(self, requests: Sequence[FinishRequest]) -> list[FinishAnswer | Refused]:
        """Finish a batch, as `submit_jobs` submits one."""
        return _unless_failed(await GatheredCalls(self.store).finish(requests))

    async def release(
        self,
        claim: Claimed,
        reason: ReleaseReason = ReleaseReason.DRAIN,
        written: Written = Written.NOTHING,
        delay_seconds: float | None = None,
    ) -> bool:
        """Release a claim."""
        (released,) = await self.release_all([claim], reason, written, delay_seconds)
        return released

    async def release_all(
        self,
        claims: Sequence[Claimed],
        reason: ReleaseReason = ReleaseReason.DRAIN,
        written: Written = Written.NOTHING,
        delay_seconds: float | None = None,
    ) -> list[bool]:
        """Release claims in one call."""
        releases = [
            Release(
                job_id=claim.row.job_id,
                claim_token=claim.claim_token,
                worker_id=self.worker_id,
                principal="local",
                reason=reason,
                written=written,
                message="",
                delay_seconds=delay_seconds,
                tenants=self.tenants,
            )
            for claim in claims
        ]
        answers = await self.store.release_unlocked(releases)
        assert all(isinstance(answer, bool) for answer in answers), answers
        return [bool(answer) for answer in answers]

    async def beat(self, claim: Claimed) -> BeatAnswer:
        """One heartbeat of one claim."""
        beat = Beat(claim.row.job_id, claim.claim_token, None)
        heartbeat = Heartbeat(self.worker_id, "local", self.tenants, [beat], False)
        (answer,) = await self.store.heartbeat(heartbeat)
        return answer

    async def chain(self, claim: Claimed, *children: tuple[str, int | None]) -> Chained | Refused:
        """Stage children: (job type, data-entry type), module and year the parent's."""
        wanted = (ChildRequest(f"{t}:{e}", t, e, None, None, None) for t, e in children)
        return await self.chain_all(claim, *wanted)

    async def chain_all(self, claim: Claimed, *children: ChildRequest) -> Chained | Refused:
        """Stage children as they are named."""
        return await self.store.chain_children(
            self.worker_id,
            "local",
            self.tenants,
            claim.row.job_id,
            claim.claim_token,
            children,
        )

    async def cancel(self, pipeline_id: int) -> Cancelled | Refused:
        """Cancel a pipeline."""
        answer = await self.store.cancel_pipeline(
            self.tenants, pipeline_id, "a test asks", "tester"
        )
        return answer if isinstance(answer, Refused) else answer[0]

    async def recover(
        self, job_id: int, *, force: bool = False, claim_token: int = 0, tenant: str = TENANT
    ) -> Recovered | Refused:
        """Take a job from its claim."""
        wanted = Recovery((tenant,), job_id, claim_token, force, "it hangs", "tester")
        answer = await self.store.recover_job(wanted)
        return answer if isinstance(answer, Refused) else answer[0]

    async def retry(
        self, pipeline_id: int, *, request_id: UUID | None = None, **fields: Any
    ) -> Retried | Refused:
        """Run again what a pipeline left undone."""
        return await self.store.retry_pipeline(
            PipelineRetry(
                tenant=fields.pop("tenant", TENANT),
                pipeline_id=pipeline_id,
                request_id=request_id or uuid4(),
                body_digest=fields.pop("body_digest", b"retry"),
                principal="tester",
                validate_only=fields.pop("validate_only", False),
            )
        )

    async def provision(self, year: int = YEAR) -> None:
        """Provision a year as users do: by a unit_sync."""
        await self.submit("unit_sync", Scope(TENANT, year=year))
        await self.finish(await self.claim("unit_sync"))

    async def job(self, job_id: int) -> dict[str, Any]:
        """A job's row."""
        row = await self.store.pool.fetchrow(
            "SELECT * FROM scheduler.jobs WHERE job_id = $1", job_id
        )
        assert row is not None
        return dict(row)

    async def state(self, job_id: int) -> str:
        """A job's state, with its result when finished."""
        job = await self.job(job_id)
        return f"{job['state']} {job['result']}" if job["result"] else str(job["state"])

    async def pipeline(self, pipeline_id: int) -> dict[str, Any]:
        """A pipeline's row."""
        row = await self.store.pool.fetchrow(
            "SELECT * FROM scheduler.pipelines WHERE pipeline_id = $1", pipeline_id
        )
        assert row is not None
        return dict(row)

    async def status(self, pipeline_id: int) -> str:
        """A pipeline's stored status."""
        return str((await self.pipeline(pipeline_id))["status"])

    async def jobs_of(self, job_type: str) -> list[dict[str, Any]]:
        """All jobs of a type, by id."""
        rows = await self.store.pool.fetch(
            "SELECT * FROM scheduler.jobs WHERE job_type = $1 ORDER BY job_id", job_type
        )
        return [dict(row) for row in rows]

    async def let_leases_expire(self) -> int:
        """A lease goes by, with the sweep running all the while, and what expired comes back.
        Returns how many expired.
        """
        return await self.let_leases_run_out() + await self.let_leases_expire_now()

    async def let_leases_expire_now(self) -> int:
        """What has expired is taken back, and its pause goes by. Returns how many expired."""
        expired = await self.store.expire_claims()
        await self.pass_time(timedelta(seconds=2))
        await self.store.promote_due_jobs()
        return expired

    async def let_leases_run_out(self) -> int:
        """As let_leases_expire, but for the sweep that takes back what was held until now."""
        expired = 0
        for _ in range(4):
            expired += await self.store.expire_claims()
            await self.pass_time(timedelta(seconds=self.store.lease_seconds / 3))
        return expired

    async def pass_time(self, duration: timedelta) -> None:
        """Move this database's clock; the one SQL function that tells the time."""
        moved = await self.store.pool.fetchval("SELECT scheduler.clock() - statement_timestamp()")
        seconds = (moved + duration).total_seconds()
        await self.store.pool.execute(
            "CREATE OR REPLACE FUNCTION scheduler.clock() RETURNS timestamptz LANGUAGE sql STABLE "
            f"AS 'SELECT statement_timestamp() + interval ''{seconds} seconds'''"
        )


def _unless_failed(answers: Sequence[Answer | Exception]) -> list[Answer]:
    good = []
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
        good.append(answer)
    return good


async def a_statement_waits(driver: StoreDriver) -> None:
    """Until another session of this database waits for a lock."""
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND state = 'active' AND wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(10):
        # PostgreSQL rings no bell for it.
        while not await driver.store.pool.fetchval(query):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
