"""Explains why a pipeline waits: no worker takes its jobs, or their type is paused."""

import asyncio
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

from carbonline.client.contract_client import ContractClient
from carbonline.client.errors import ServerError
from carbonline.client.view import PipelineView
from carbonline.command.display import Display
from carbonline.command.pause import pause_words
from carbonline.command.safe_text import one_line
from carbonline.v1 import interventions_pb2, types_pb2

# A job that nobody has claimed within this has nobody to claim it, or a queue before it.
LOOK_SECONDS = 3.0


async def report_what_is_waited_for(
    client: ContractClient, view: PipelineView, display: Display
) -> None:
    """Until cancelled, show why jobs wait: a paused type, or no live worker that takes it."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        types = waiting_types(view.jobs.values())
        if not types:
            display.waits("")
            continue
        try:
            paused = await client.list_job_type_pauses()
            answer = await client.list_workers()
        except ServerError:
            # The watch tells of an outage; who may not see the workers is told nothing of them.
            continue
        display.waits(why_it_waits(types, answer.workers, paused.pauses))


def waiting_types(jobs: Iterable[types_pb2.Job]) -> AbstractSet[str]:
    """The types of the waiting jobs. Empty if a job runs."""
    states = [(job.state, job.job_type) for job in jobs]
    if any(state == types_pb2.JOB_STATE_RUNNING for state, _ in states):
        return frozenset()
    return {job_type for state, job_type in states if state == types_pb2.JOB_STATE_QUEUED}


def why_it_waits(
    types: AbstractSet[str],
    workers: Sequence[types_pb2.Worker],
    pauses: Iterable[interventions_pb2.JobTypePause] = (),
) -> str:
    """A sentence if one of these types is paused or no live worker takes them; else ""."""
    paused = [pause_words(pause) for pause in pauses if pause.job_type in types]
    if paused:
        return f"{'; '.join(paused)}. The jobs wait until it is resumed."
    live = [one for one in workers if one.state == types_pb2.WORKER_STATE_LIVE]
    if not live:
        reason = next((one.not_ready for one in workers if one.not_ready), "")
        if reason:
            return f"No worker is ready ({one_line(reason)}): the jobs wait."
        return "No worker is running: the jobs wait for one."
    if not any(types & set(worker.job_types) for worker in live):
        return f"No worker that is running takes {', '.join(sorted(types))}: the jobs wait."
    return ""
