"""More workers than one page has, and more claims than one worker is listed with."""

from uuid import uuid4

from carbonline.client.contract_client import ContractClient
from carbonline.v1 import monitoring_pb2, operations_pb2, scheduler_pb2, types_pb2
from scheduler_service.settings import Settings
from tests.scheduler_service.rpc.conftest import Client

# One page and a half.
OTHERS = 1_500
# Started after whoever has claimed something, and claim another type.
MORE_WORKERS = """
INSERT INTO scheduler.workers
    (worker_id, principal, tenants, build_id, host, job_types, draining, started_at, last_seen_at)
SELECT gen_random_uuid(), 'local', ARRAY['local'], 'other', 'h' || n, ARRAY['unit_sync'], false,
    scheduler.clock() + n * interval '1 second', scheduler.clock() + interval '1 hour'
FROM generate_series(1, $1) AS n
"""
Request = operations_pb2.ListWorkersRequest


async def start_workers(client: Client, count: int) -> None:
    """So many workers of unit_sync, heard of just now."""
    await client.server.store.pool.execute(MORE_WORKERS, count)


async def claim_as(client: Client, worker_id: str, max_jobs: int = 1) -> None:
    """A claim of noop by a worker."""
    request = scheduler_pb2.ClaimRequest(
        worker_id=worker_id,
        request_id=str(uuid4()),
        job_types=["noop"],
        max_jobs=max_jobs,
        build_id="test",
    )
    await client.scheduler.Claim(request)


async def listed(client: Client, page_size: int) -> list[list[str]]:
    """The workers of each page."""
    pages: list[list[str]] = []
    token = ""
    while not pages or token:
        answer = await client.operations.ListWorkers(Request(page_size=page_size, page_token=token))
        pages.append([worker.worker_id for worker in answer.workers])
        token = answer.next_page_token
    return pages


async def test_holders_of_claims_are_on_the_first_page_however_many_started_later(
    client: Client,
) -> None:
    holder, idle = str(uuid4()), str(uuid4())
    await client.submit("noop", types_pb2.Scope())
    await claim_as(client, holder)
    await claim_as(client, idle)
    await start_workers(client, 25)
    pages = await listed(client, 10)
    assert [len(page) for page in pages] == [10, 10, 7]
    assert holder in pages[0]
    assert idle in pages[2]
    every = [worker for page in pages for worker in page]
    assert len(set(every)) == 27


async def test_who_claims_between_two_pages_is_missing_from_none(client: Client) -> None:
    worker_ids = [str(uuid4()) for _ in range(6)]
    for worker_id in worker_ids:
        await claim_as(client, worker_id)
    first = await client.operations.ListWorkers(Request(page_size=2))
    # The first to start are the last to be listed.
    assert {one.worker_id for one in first.workers} == set(worker_ids[4:])
    await client.submit("noop", types_pb2.Scope())
    await claim_as(client, worker_ids[0])
    rest = await client.operations.ListWorkers(Request(page_token=first.next_page_token))
    assert {one.worker_id for one in rest.workers} == set(worker_ids[:4])
    assert rest.next_page_token == ""


async def test_beyond_a_page_every_worker_is_counted_and_explains_why_a_job_waits(
    client: Client,
) -> None:
    submitted = await client.submit("noop", types_pb2.Scope())
    waits = monitoring_pb2.ExplainJobRequest(job_id=submitted.job_id)
    await start_workers(client, OTHERS)
    (reason,) = (await client.operations.ExplainJob(waits)).reasons
    assert "Other workers: 1,500 with other job types (build other)." in reason.message

    await client.claim("unit_sync", "noop")
    second = await client.submit("noop", types_pb2.Scope())
    waits.job_id = second.job_id
    assert not (await client.operations.ExplainJob(waits)).reasons
    (queue,) = (await client.operations.GetQueueStats(monitoring_pb2.GetQueueStatsRequest())).queues
    assert (queue.job_type, queue.live_workers) == ("noop", 1)
    await client.submit(
        "unit_sync", types_pb2.Scope(year=2024), {"blob": f"blob:sha256:{'0' * 64}"}
    )
    counted = await client.operations.GetQueueStats(monitoring_pb2.GetQueueStatsRequest())
    assert [(one.job_type, one.live_workers) for one in counted.queues] == [
        ("noop", 1),
        ("unit_sync", OTHERS + 1),
    ]


async def test_the_client_reads_all_pages(client: Client, settings: Settings) -> None:
    await client.submit("noop", types_pb2.Scope())
    await client.claim("noop")
    await start_workers(client, OTHERS)
    one_page = await client.operations.ListWorkers(Request())
    assert len(one_page.workers) == 1_000
    assert one_page.next_page_token
    async with ContractClient(settings.address, settings.address) as contract:
        answer = await contract.list_workers()
    assert len(answer.workers) == OTHERS + 1
    assert [len(one.held) for one in answer.workers if one.held] == [1]
    assert answer.next_page_token == ""
    assert answer.scheduler_build_id == "test"


async def test_a_worker_is_listed_with_its_oldest_claims_and_says_how_many_more_it_holds(
    client: Client,
) -> None:
    for _ in range(103):
        await client.submit("noop", types_pb2.Scope())
    await client.claim("noop", max_jobs=103)
    (worker,) = (await client.operations.ListWorkers(Request())).workers
    tokens = [held.claim_token for held in worker.held]
    assert tokens == sorted(tokens)
    assert (len(tokens), worker.held_left_out) == (100, 3)
