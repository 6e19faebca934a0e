"""(a) Claim and finish of jobs with a key, a slot and freshness: the general way of a real type."""

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
CALL_SECONDS = 30
# Its bytes are looked for by the step, which nobody runs here.
NO_BLOB = "blob:sha256:" + 64 * "0"


async def measure(rounds: int) -> list[Figure]:
    """Aggregations of every module and year, again and again; nobody computes their totals."""
    seconds, jobs = 0.0, 0
    async with running_bench(1) as bench:
        worker = Planter(bench)
        await _provision(bench, worker)
        wanted = [
            types_pb2.Scope(module=module, year=FIRST_YEAR + number)
            for module in types_pb2.Module.values()[1:]
            for number in range(YEARS)
        ]
        for _ in range(rounds):
            await _submit(bench, wanted)
            began_at = time.perf_counter()
            for start in range(0, len(wanted), AT_ONCE):
                count = min(AT_ONCE, len(wanted) - start)
                await _finish(bench, worker, await worker.claim(count, "aggregation"))
            seconds += time.perf_counter() - began_at
            jobs += len(wanted)
    name = f"claim + finish of keyed jobs, {AT_ONCE} at once"
    return [Figure(name, jobs / seconds, "jobs/s")]


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
