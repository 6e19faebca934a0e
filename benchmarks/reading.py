"""Reads as people and monitors do until its input ends; a process of the benchmark (f)."""

import asyncio
import json
import random
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio
import uvloop

from benchmarks.figures import percentile
from carbonline.client.channel import open_channel
from carbonline.v1 import monitoring_pb2
from carbonline.v1 import operations_pb2 as pb
from carbonline.v1.operations_pb2_grpc import OperationsServiceStub

if TYPE_CHECKING:
    from carbonline.v1.operations_pb2_grpc import OperationsServiceAsyncStub

CHANNELS = 8
# As RetryInfo says to those who are refused.
PAUSE_SECONDS = 1.0
CALL_SECONDS_MAX = 60.0


class Reading:
    """What all readers did."""

    def __init__(self) -> None:
        self.took: list[float] = []
        self.refused = 0

    async def read(self, stub: "OperationsServiceAsyncStub") -> None:
        """One read after the other, until cancelled. A list with a filter that nothing matches is
        read from page to page.
        """
        token = ""
        while True:
            rare = pb.ListPipelinesRequest(errors_only=True, page_token=token)
            answer = await self._timed(lambda: stub.ListPipelines(rare, timeout=CALL_SECONDS_MAX))  # noqa: B023
            token = answer.next_page_token if answer is not None else ""
            await self._timed(
                random.choice(
                    (
                        lambda: stub.ListPipelines(
                            pb.ListPipelinesRequest(page_size=500), timeout=CALL_SECONDS_MAX
                        ),
                        lambda: stub.ListJobs(pb.ListJobsRequest(), timeout=CALL_SECONDS_MAX),
                        lambda: stub.GetQueueStats(
                            monitoring_pb2.GetQueueStatsRequest(), timeout=CALL_SECONDS_MAX
                        ),
                    )
                )
            )

    async def _timed(self, call: Callable[[], Awaitable[Any]]) -> Any:
        began_at = time.perf_counter()
        try:
            answer = await call()
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED:
                raise
            self.refused += 1
            await asyncio.sleep(PAUSE_SECONDS * random.uniform(0.5, 1.5))
            return None
        self.took.append((time.perf_counter() - began_at) * 1000)
        return answer


async def main(arguments: Sequence[str]) -> None:
    """ADDRESS READERS: read, and print what came of it as JSON."""
    address, readers = arguments[0], int(arguments[1])
    reading, began_at = Reading(), time.perf_counter()
    async with AsyncExitStack() as stack:
        stubs = [
            OperationsServiceStub(
                await stack.enter_async_context(open_channel(address, retries=False))
            )
            for _ in range(CHANNELS)
        ]
        tasks = [asyncio.create_task(reading.read(stubs[n % CHANNELS])) for n in range(readers)]
        print("reading", flush=True)
        ended = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
        done, _ = await asyncio.wait([ended, *tasks], return_when=asyncio.FIRST_COMPLETED)
        seconds = time.perf_counter() - began_at
        for task in tasks:
            task.cancel()
        for failed in done - {ended}:
            failed.result()
    told = {"answered": len(reading.took), "refused": reading.refused, "seconds": seconds}
    told |= {"p50": percentile(reading.took, 0.5), "p99": percentile(reading.took, 0.99)}
    print(json.dumps(told))


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1:]))
