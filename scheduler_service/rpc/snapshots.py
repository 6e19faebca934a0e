"""Sends a pipeline's jobs in pages, which are read and made one part after the other."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import TypeAlias

from carbonline.serving.pages import ANSWER_BYTES_MAX
from carbonline.v1 import scheduler_pb2 as pb
from carbonline.v1 import types_pb2
from scheduler_service.rpc import messages
from scheduler_service.rpc.gradually import as_many_as_fit
from scheduler_service.rpc.pages import pages
from scheduler_service.store.store import Store

SNAPSHOT_JOBS_MAX = 500
# Jobs that one read brings.
READ_JOBS_MAX = 1_000
# Of a part, which stays until its slowest reader has taken it: two full messages.
PART_BYTES_MAX = 2 * ANSWER_BYTES_MAX

Message = pb.WatchPipelineResponse
# A pipeline, the job behind which the part begins, and how many jobs to read for it.
_Wanted: TypeAlias = tuple[int, int, int]
# Jobs by number, and whether there are more.
_Part: TypeAlias = tuple[Sequence[types_pb2.Job], bool]


class Snapshots:
    """The parts of large snapshots. Watchers that want the same part at once share its read. One
    part is read and made at a time, and goes to its watchers before the next one is read.
    """

    def __init__(self, store: Store, reading: asyncio.Lock) -> None:
        """`reading` is held while the database is asked."""
        self._store = store
        self._reading = reading
        self._parts: dict[_Wanted, asyncio.Task[_Part]] = {}
        # Whoever else reads waits for one part at most.
        self._turn = asyncio.Lock()

    async def after(
        self, pipeline: types_pb2.Pipeline, after_job_id: int
    ) -> AsyncIterator[Message]:
        """The pages of a snapshot of this pipeline that follow the page which ends with a job.

        Their jobs may be newer than the pipeline's version: the next change names them again.
        """
        has_more, jobs_max = True, READ_JOBS_MAX
        while has_more:
            jobs, has_more = await self._part((pipeline.pipeline_id, after_job_id, jobs_max))
            for message in snapshot_pages(pipeline, jobs, after_job_id, has_more=has_more):
                yield message
            if jobs:
                after_job_id = jobs[-1].job_id
                # Where jobs are large, few are used of what is read.
                jobs_max = min(2 * len(jobs), READ_JOBS_MAX)

    async def _part(self, wanted: _Wanted) -> _Part:
        if wanted not in self._parts:
            reading = self._parts[wanted] = asyncio.create_task(self._read_part(wanted))
            reading.add_done_callback(_look_at)
        # A watcher that hangs up takes the part from nobody.
        return await asyncio.shield(self._parts[wanted])

    async def _read_part(self, wanted: _Wanted) -> _Part:
        async with self._turn:
            async with self._reading:
                # Who comes now may know of newer changes than this read finds.
                del self._parts[wanted]
                pipeline_id, after_job_id, jobs_max = wanted
                rows = await self._store.jobs_after(
                    pipeline_id, after_job_id, jobs_max=jobs_max + 1
                )
            jobs = await as_many_as_fit(
                rows[:jobs_max],
                lambda row: messages.job_summary(row, joined=row.is_joined),
                PART_BYTES_MAX,
            )
        return jobs, len(rows) > len(jobs)


def _look_at(read: "asyncio.Task[_Part]") -> None:
    """See how it failed, in case no watcher is left to do so."""
    if not read.cancelled():
        read.exception()


def snapshot_pages(
    pipeline: types_pb2.Pipeline,
    jobs: Sequence[types_pb2.Job],
    after_job_id: int,
    *,
    has_more: bool,
) -> list[Message]:
    """Jobs that follow `after_job_id` as pages of a snapshot. `has_more`: others follow them."""
    found = pages(jobs, SNAPSHOT_JOBS_MAX)
    made = []
    for number, page in enumerate(found):
        more = has_more or number < len(found) - 1
        snapshot = pb.PipelineSnapshot(
            pipeline=pipeline, jobs=page, more=more, after_job_id=after_job_id
        )
        made.append(Message(snapshot=snapshot))
        if page:
            after_job_id = page[-1].job_id
    return made
