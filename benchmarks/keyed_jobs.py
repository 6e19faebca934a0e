"""(a) Claim and finish of jobs with a key, a slot and freshness: the general way of a real type."""

import asyncio
import time
import uuid
from collections.abc import Sequence

from benchmarks.bench_stack import Bench, running_bench
from benchmarks.fan_out import Planter
from benchmarks.figures import Figure
from carbonline.v1 import scheduler_pb2 as pb
from carbonline.v1 import types_pb2

FIRST_YEAR, YEARS = 2000, 100
AT_ONCE = 250
CALLERS = (1, 2, 4)
CALL_SECONDS = 30
# Its bytes are looked for by the step, which nobody runs here.
NO_BLOB = "blob:sha256:" + 64 * "0"


async def measure(rounds: int) -> list[Figure]:
    """Aggregations of every module and year, again and again; nobody computes their totals."""
    async with running_bench(1) as bench:
        worker = Planter(bench)
        await _provision(bench, worker)
        wanted = [
            types_pb2.Scope(module=module, year=FIRST_YEAR + number)
            for module in types_pb2.Module.values()[1:]
            for number in range(YEARS)
        ]
        figures = []
        for callers in CALLERS:
            seconds, jobs = 0.0, 0
            for _ in range(rounds):
                await _submit(bench, wanted)
                began_at = time.perf_counter()
                await _drain(bench, worker, len(wanted), callers)
                seconds += time.perf_counter() - began_at
                jobs += len(wanted)
            by = "" if callers == 1 else f", {callers} callers"
            name = f"claim + finish of keyed jobs, {AT_ONCE} at once{by}"
            figures.append(Figure(name, jobs / seconds, "jobs/s"))
    return figures


async def _drain(bench: Bench, worker: Planter, jobs: int, callers: int) -> None:
    """Each caller claims and finishes one batch after the other."""
    batches = iter([min(AT_ONCE, jobs - start) for start in range(0, jobs, AT_ONCE)])

    async def call() -> None:
        for count in batches:
            await _finish(bench, worker, await worker.claim(count, "aggregation"))

    await asyncio.gather(*(call() for _ in range(callers)))


async def _provision(bench: Bench, worker: Planter) -> None:
    """The years are there once their unit files are, which come one after the other."""
    for number in range(YEARS):
        request = _request("unit_sync", types_pb2.Scope(year=FIRST_YEAR + number))
        request.payload.update({"blob": NO_BLOB})
        await bench.scheduler.Submit(request, timeout=CALL_SECONDS)
        await worker.finish(await worker.claim(1, "unit_sync"))


async def _submit(bench: Bench, scopes: Sequence[types_pb2.Scope]) -> None:
    batch = pb.BatchSubmitRequest(requests=[_request("aggregation", scope) for scope in scopes])
    answer = await bench.scheduler.BatchSubmit(batch, timeout=CALL_SECONDS)
    assert all(result.HasField("response") for result in answer.results), answer.results[0]


async def _finish(bench: Bench, worker: Planter, jobs: Sequence[pb.ClaimedJob]) -> None:
    batch = pb.BatchFinishRequest(requests=[worker.success_of(job) for job in jobs])
    answer = await bench.scheduler.BatchFinish(batch, timeout=CALL_SECONDS)
    assert all(result.response.finished for result in answer.results)


def _request(job_type: str, scope: types_pb2.Scope) -> pb.SubmitRequest:
    return pb.SubmitRequest(request_id=str(uuid.uuid4()), job_type=job_type, scope=scope)
