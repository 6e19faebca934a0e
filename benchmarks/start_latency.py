"""(c) From the Submit to the step's first moment in a worker, on an idle stack."""

import asyncio
import json
import random
import time
from datetime import datetime
from pathlib import Path

from benchmarks.bench_stack import Bench, running_bench
from benchmarks.figures import Figure, percentile

PAUSE_SECONDS = 0.05
WARM_UP = 20


async def measure(submits: int) -> list[Figure]:
    """Milliseconds between the moment before Submit is called and the worker's own log line."""
    async with running_bench(1, log_level="info") as bench:
        await bench.start_workers(1)
        called = [await _submitted(bench) for _ in range(WARM_UP + submits)][WARM_UP:]
        await bench.until_ended()
        await bench.stop_workers()
        started = _started(bench.stack.child("worker-1").log_file)
    waits = [(started[job_id] - called_at) * 1000 for job_id, called_at in called]
    return [
        Figure("Submit to start, idle, p50", percentile(waits, 0.5), "ms"),
        Figure("Submit to start, idle, p99", percentile(waits, 0.99), "ms"),
    ]


async def _submitted(bench: Bench) -> tuple[int, float]:
    await asyncio.sleep(PAUSE_SECONDS * random.uniform(0.5, 1.5))
    called_at = time.time()
    answer = await bench.submit_noop()
    return answer.job_id, called_at


def _started(log_file: Path) -> dict[int, float]:
    """When each job started, by the clock that this process shares with the worker."""
    lines = (json.loads(line) for line in log_file.read_text("utf-8").splitlines())
    return {
        line["job_id"]: datetime.fromisoformat(line["timestamp"]).timestamp()
        for line in lines
        if line["event"] == "job_started"
    }
