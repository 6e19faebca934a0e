"""A pipeline as a watcher sees it, built from the events of a watch."""

from typing import assert_never

from carbonline.client.watch import Activity, Change, Final, Interrupted, Snapshot, WatchEvent
from carbonline.v1 import types_pb2


class PipelineView:
    """The current state of a pipeline.

    `pipeline` is None until the first event that has it. `jobs` are by id.
    """

    def __init__(self) -> None:
        self.pipeline: types_pb2.Pipeline | None = None
        self.jobs: dict[int, types_pb2.Job] = {}
        self.ended = False
        self.evidence_digest = ""

    def apply(self, event: WatchEvent) -> None:
        """Applies an event."""
        match event:
            case Snapshot():
                self.pipeline = event.pipeline
                self.jobs = {job.job_id: job for job in event.jobs}
            case Change():
                self.pipeline = event.pipeline
                self.jobs.update({job.job_id: job for job in event.jobs})
                for job_id in event.left_job_ids:
                    self.jobs.pop(job_id, None)
            case Activity():
                self._apply_activity(event)
                self._apply_status(event.status)
            case Final():
                self.pipeline = event.pipeline
                self.evidence_digest = event.evidence_digest
                self.ended = True
            case Interrupted():
                pass
            case _:
                assert_never(event)

    def _apply_activity(self, event: Activity) -> None:
        for job in event.jobs:
            before = self.jobs.get(job.job_id)
            # Activity has no version: a late one must not overwrite a job that has ended.
            if before is not None and before.state != types_pb2.JOB_STATE_FINISHED:
                self.jobs[job.job_id] = job

    def _apply_status(self, status: types_pb2.PipelineStatus.ValueType) -> None:
        if (
            self.pipeline is not None
            and self.pipeline.status == types_pb2.PIPELINE_STATUS_NOT_STARTED
            and status == types_pb2.PIPELINE_STATUS_RUNNING
        ):
            # The event that brought it keeps its own.
            running = types_pb2.Pipeline()
            running.CopyFrom(self.pipeline)
            running.status = status
            self.pipeline = running

    def in_order(self) -> list[types_pb2.Job]:
        """Its jobs in order of id, without superseded ones."""
        return [
            job
            for _, job in sorted(self.jobs.items())
            if job.result != types_pb2.JOB_RESULT_SUPERSEDED
        ]
