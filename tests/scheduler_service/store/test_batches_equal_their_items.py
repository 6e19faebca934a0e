"""Each batch does what its items do one by one, whatever comes twice, is stale or another's.

Two institutions meet the same beginning in one database: one gets the batch, the other one its
items one after the other. Then they must look alike.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeAlias
from uuid import uuid4, uuid5

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from carbonline.v1 import scheduler_pb2 as pb
from scheduler_service.jobs.heartbeats import Heartbeat
from scheduler_service.jobs.requests import (
    Beat,
    Chained,
    ChildRequest,
    ClaimRequest,
    FinishAnswer,
    Json,
    ProgressReport,
    Refused,
    Release,
    ReleaseReason,
    Submission,
    Submitted,
    Written,
)
from scheduler_service.jobs.scope import Scope
from scheduler_service.jobs.states import JobResult
from scheduler_service.store.core.claimed import Claimed
from scheduler_service.store.ending.end_jobs import JobEndedTwice
from scheduler_service.store.release.release_claims import Fault, ReleasedClaim, release_claims
from scheduler_service.store.store import Store
from tests.scheduler_service.store.store_driver import PLANE, TRAIN, TRAVEL, YEAR, StoreDriver

TYPES = ("csv_ingest", "emission_recalc", "noop")
EXAMPLES = 12
TENANTS = count()
STRANGER, NAMESPACE = uuid4(), uuid4()
# What is drawn for one item: which claim, how it ends, what was written, and by whom.
Drawn: TypeAlias = tuple[int, int, bool, bool]
CLAIMS = 7
ITEMS = st.lists(
    st.tuples(
        st.integers(0, CLAIMS - 1),
        st.integers(0, 2),
        st.booleans(),
        st.sampled_from([True] * 4 + [False]),
    ),
    min_size=1,
    max_size=9,
)
RESULTS = (JobResult.SUCCESS, JobResult.WARNING, JobResult.ERROR)
REASONS = (ReleaseReason.DRAIN, ReleaseReason.RETRY_LATER, ReleaseReason.NOT_READY)

LOOKS = {
    "pipelines": """
        SELECT p.kind, p.status, p.live_jobs, p.failed_jobs, p.warned_jobs,
            (SELECT count(*) FROM scheduler.job_links AS l
             WHERE l.pipeline_id = p.pipeline_id AND l.left_version IS NULL) AS joined,
            (SELECT j.job_type || j.state FROM scheduler.jobs AS j WHERE j.job_id = p.root_job_id)
        FROM scheduler.pipelines AS p WHERE p.tenant = $1""",
    "jobs": """
        SELECT j.job_type, j.module, j.data_entry_type, j.year, j.state, j.result, j.attempts,
            j.releases, j.expiries, j.message, j.error_cause, j.claim_token IS NULL,
            j.in_doubt_token IS NULL, j.run_after IS NULL, j.parent_job_id IS NULL
        FROM scheduler.jobs AS j WHERE j.tenant = $1""",
    "claims": """
        SELECT j.job_type, j.data_entry_type, c.draining, c.progress_done
        FROM scheduler.claims AS c JOIN scheduler.jobs AS j USING (job_id) WHERE j.tenant = $1""",
    "keys": """
        SELECT substr(k.exclusive_key, length($1) + 1), k.first_job_id IS NULL,
            k.drain_token IS NULL
        FROM scheduler.exclusive_keys AS k WHERE k.exclusive_key LIKE $1 || '|%'""",
    "held": """
        SELECT w.job_type, w.module, w.year FROM scheduler.held_children AS w
        JOIN scheduler.pipelines AS p USING (pipeline_id) WHERE p.tenant = $1""",
    "staged": """
        SELECT s.child_key, s.job_type, s.data_entry_type, s.year, CAST(s.payload AS text)
        FROM scheduler.staged_children AS s
        JOIN scheduler.jobs AS j ON j.job_id = s.parent_job_id WHERE j.tenant = $1""",
}


@dataclass
class Beginning:
    """An institution with claims of every kind, in the hands of one worker."""

    driver: StoreDriver
    tenant: str
    claims: list[Claimed]


async def beginning(store: Store) -> Beginning:
    """An upload that has staged what follows; a joined recalculation on its last attempt that has,
    too, and one that has not; plain jobs; a claim that drains, and one that is over.
    """
    tenant = f"tenant{next(TENANTS)}"
    driver = StoreDriver(store, tenants=(tenant,))
    plane, train = (Scope(tenant, TRAVEL, entry_type, YEAR) for entry_type in (PLANE, TRAIN))
    await driver.submit("unit_sync", Scope(tenant, year=YEAR))
    await driver.finish(await driver.claim("unit_sync"))
    for _ in range(2):
        await driver.submit("emission_recalc", plane)
    recalc = await driver.claim("emission_recalc")
    for _ in range(4):
        await driver.release(recalc, ReleaseReason.RETRY_LATER, delay_seconds=0)
        recalc = await driver.claim("emission_recalc")
    await driver.submit("emission_recalc", train)
    other = await driver.claim("emission_recalc")
    cancelled = await driver.submit("csv_ingest", Scope(tenant, TRAVEL, PLANE, YEAR))
    drained = await driver.claim("csv_ingest")
    await driver.cancel(cancelled.pipeline_id)
    await driver.release(drained)
    await driver.submit("csv_ingest", plane)
    ingest = await driver.claim("csv_ingest")
    await driver.chain(recalc, ("aggregation", None))
    await driver.chain(ingest, ("emission_recalc", PLANE))
    await driver.submit("factor_ingest", train, payload={"blob": "blob:sha256:0"})
    draining = await driver.claim("factor_ingest")
    await driver.cancel(draining.row.pipeline_id)
    for _ in range(3):
        await driver.submit("noop", Scope(tenant))
    plain, second, over = await driver.claim_all("noop")
    await driver.finish(over)
    return Beginning(driver, tenant, [recalc, other, ingest, draining, plain, second, over])


async def looks_like(store: Store, tenant: str) -> dict[str, list[str]]:
    """All that is stored of an institution, without numbers and times."""
    return {
        name: sorted(str(tuple(row)) for row in await store.pool.fetch(query, tenant))
        for name, query in LOOKS.items()
    }


async def assert_alike(store: Store, one: Beginning, other: Beginning) -> None:
    assert await looks_like(store, one.tenant) == await looks_like(store, other.tenant)


Call: TypeAlias = Callable[[Beginning, Sequence[Drawn]], Awaitable[list[Any]]]


async def finish(at: Beginning, drawn: Sequence[Drawn]) -> list[Any]:
    """What became of children is said as of the end of the batch, so that is left out."""
    endings = []
    for which, how, wrote, is_own in drawn:
        written = Written.UNKNOWN if wrote else Written.NOTHING
        ending = at.driver.ending(at.claims[which], RESULTS[how], written)
        endings.append(ending if is_own else ending._replace(worker_id=STRANGER))
    answers = await at.driver.finish_jobs(endings)
    return [a.outcome if isinstance(a, FinishAnswer) else a.reason for a in answers]


async def release(at: Beginning, drawn: Sequence[Drawn]) -> list[Any]:
    releases = [
        Release(
            job_id=at.claims[which].row.job_id,
            claim_token=at.claims[which].claim_token,
            worker_id=at.driver.worker_id if is_own else STRANGER,
            principal="local",
            reason=REASONS[how],
            written=Written.UNKNOWN if wrote else Written.NOTHING,
            message=str(how),
            delay_seconds=0.0,
            tenants=at.driver.tenants,
        )
        for which, how, wrote, is_own in drawn
    ]
    return list(await at.driver.store.release_unlocked(releases))


async def heartbeat(at: Beginning, drawn: Sequence[Drawn]) -> list[Any]:
    beats = [
        Beat(
            at.claims[which].row.job_id,
            at.claims[which].claim_token if is_own else 1,
            ProgressReport(how, 9, "", "") if tells else None,
        )
        for which, how, tells, is_own in drawn
    ]
    answers = await at.driver.store.heartbeat(
        Heartbeat(at.driver.worker_id, "local", at.driver.tenants, beats, False)
    )
    return [answer.directive for answer in answers]


SCOPES: tuple[tuple[str, int | None, Json | None], ...] = (
    ("noop", None, {"n": 1}),
    ("emission_recalc", PLANE, None),
    ("emission_recalc", TRAIN, None),
    ("csv_ingest", PLANE, {"blob": "blob:sha256:0"}),
    ("aggregation", None, None),
    # Of a year that nobody has provisioned.
    ("csv_ingest", -1, {"blob": "blob:sha256:0"}),
    ("noop", None, {"n": 2}),
)


async def submit(at: Beginning, drawn: Sequence[Drawn]) -> list[Any]:
    """The first number is the request, so that some come twice, with the same body or another."""
    submissions = []
    for which, how, validates, has_another_body in drawn:
        job_type, entry_type, payload = SCOPES[(which + (how == 2)) % len(SCOPES)]
        year = YEAR if entry_type != -1 else YEAR + 1
        scope = Scope(at.tenant, TRAVEL, PLANE if entry_type == -1 else entry_type, year)
        submissions.append(
            Submission(
                request_id=uuid5(NAMESPACE, f"{at.tenant} {which}"),
                body_digest=b"%d %d %d" % (has_another_body, how == 2, validates),
                job_type=job_type,
                scope=Scope(at.tenant) if job_type == "noop" else scope,
                payload=payload,
                priority=5,
                submitted_by="tester",
                validate_only=validates and how == 0,
            )
        )
    answers = await at.driver.submit_jobs(submissions)
    return [a.disposition if isinstance(a, Submitted) else a.reason for a in answers]


@pytest.mark.parametrize(
    "call", [finish, release, heartbeat, submit], ids=lambda call: call.__name__
)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    # What fails is small already, and to make it smaller would take minutes.
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(drawn=ITEMS)
async def test_a_batch_equals_its_items_one_by_one(
    store: Store, call: Call, drawn: list[Drawn]
) -> None:
    together, alone = await beginning(store), await beginning(store)
    answers = await call(together, drawn)
    assert answers == [(await call(alone, [one]))[0] for one in drawn]
    await assert_alike(store, together, alone)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    # What fails is small already, and to make it smaller would take minutes.
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(drawn=ITEMS)
async def test_children_chained_together_are_staged_as_one_by_one(
    store: Store, drawn: list[Drawn]
) -> None:
    """A child whose name comes again is replaced."""

    async def chain(at: Beginning, items: Sequence[Drawn]) -> Chained | Refused:
        claim = at.claims[4]
        children = [
            ChildRequest(f"child{which}", "noop", None, None, None, {"n": how})
            for which, how, _, _ in items
        ]
        return await at.driver.store.chain_children(
            at.driver.worker_id,
            "local",
            at.driver.tenants,
            claim.row.job_id,
            claim.claim_token,
            children,
        )

    together, alone = await beginning(store), await beginning(store)
    answer = await chain(together, drawn)
    assert isinstance(answer, Chained)
    last = [await chain(alone, [one]) for one in drawn][-1]
    assert isinstance(last, Chained)
    assert answer.staged_children == last.staged_children
    await assert_alike(store, together, alone)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    # What fails is small already, and to make it smaller would take minutes.
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(drawn=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 3)), min_size=1, max_size=8))
async def test_claims_that_come_at_once_are_answered_as_one_by_one(
    store: Store, drawn: list[tuple[int, int]]
) -> None:
    """The number is the request: one that comes again gets its own claims again."""

    async def claim(at: Beginning, items: Sequence[tuple[int, int]]) -> list[list[int]]:
        requests = [
            ClaimRequest(
                worker_id=at.driver.worker_id,
                request_id=uuid5(NAMESPACE, f"{at.tenant} {which}"),
                job_types=TYPES,
                max_jobs=jobs,
                principal="local",
                tenants=(at.tenant,),
                build_id="test",
                host="here",
            )
            for which, jobs in items
        ]
        answers = await at.driver.store._claim_jobs(requests)
        first = min((c.row.job_id for one in answers for c in one), default=0)
        return [sorted(c.row.job_id - first for c in one) for one in answers]

    together, alone = await beginning(store), await beginning(store)
    for at in (together, alone):
        for _ in range(8):
            await at.driver.submit("noop", Scope(at.tenant))
    answers = await claim(together, drawn)
    assert [len(one) for one in answers] == [len((await claim(alone, [one]))[0]) for one in drawn]
    await assert_alike(store, together, alone)


async def test_two_ends_of_one_job_are_refused(store: Store) -> None:
    at = await beginning(store)
    claim, *_ = at.claims
    one = ReleasedClaim(claim.row.job_id, claim.claim_token, Fault.RETRY_LATER, Written.NOTHING)
    with pytest.raises(JobEndedTwice):
        await store._units.run(lambda tx: release_claims(tx, [one, one]))
    assert await at.driver.state(claim.row.job_id) == "RUNNING"


async def test_a_claim_named_twice_in_a_release_ends_once_on_its_last_attempt(store: Store) -> None:
    at = await beginning(store)
    recalc = at.claims[0]
    assert await release(at, [(0, 1, True, True), (0, 1, True, True)]) == [True, False]
    assert await at.driver.state(recalc.row.job_id) == "FINISHED ERROR"
    assert await at.driver.status(recalc.row.pipeline_id) == "FAILED"


def test_every_batch_rpc_is_covered() -> None:
    """A tripwire for the next one: whoever adds a repeated field of items adds it above."""
    batches = {
        method.name
        for method in pb.DESCRIPTOR.services_by_name["SchedulerService"].methods
        if any(f.message_type and f.is_repeated for f in method.input_type.fields)
    }
    assert batches == {"BatchSubmit", "BatchFinish", "Heartbeat", "Chain", "Release"}
