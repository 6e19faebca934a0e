"""OperationsService: reads of the job table for people, and the only cancel."""

from typing import Any, TypeAlias

import grpc.aio

from carbonline.serving.door import caller
from carbonline.serving.errors import RpcError
from carbonline.v1 import operations_pb2 as pb
from carbonline.v1 import operations_pb2_grpc, types_pb2
from scheduler_service.jobs.requests import Refused
from scheduler_service.jobs.scope import MODULE_OF_TYPE
from scheduler_service.rpc import messages
from scheduler_service.rpc.check_operations import (
    TEXT_CHARACTERS_MAX,
    check_jobs,
    check_pipelines,
    own_tenant,
    page_token,
)
from scheduler_service.rpc.check_submit import check_withdrawal
from scheduler_service.rpc.fields import YEAR_MAX, YEAR_MIN, Fields
from scheduler_service.rpc.pages import first_page
from scheduler_service.rpc.refusals import refusal
from scheduler_service.store import reads
from scheduler_service.store.store import Store
from scheduler_service.store.transaction import Row

JOBS_SHOWN_MAX = 1000
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class OperationsServicer(operations_pb2_grpc.OperationsServiceServicer):
    """A thin door over store.reads."""

    def __init__(self, store: Store, *, build_id: str) -> None:
        """`build_id` is this scheduler's, to tell skewed workers."""
        self._store = store
        self._build_id = build_id

    async def GetPipeline(
        self, request: pb.GetPipelineRequest, context: Context
    ) -> pb.GetPipelineResponse:
        pipeline_id = _identifier("pipeline_id", request.pipeline_id)
        shown = await self._pipeline(request.tenant, pipeline_id, jobs_max=JOBS_SHOWN_MAX)
        jobs = first_page([messages.job_card(row, joined=row["is_joined"]) for row in shown.jobs])
        return pb.GetPipelineResponse(
            pipeline=messages.pipeline(shown.pipeline),
            jobs=jobs,
            edges=[edge for job in jobs for edge in _edges(job)],
            timeline=first_page([messages.timeline_event(row) for row in shown.timeline]),
        )

    async def ListPipelines(
        self, request: pb.ListPipelinesRequest, context: Context
    ) -> pb.ListPipelinesResponse:
        wanted = check_pipelines(request, caller())
        rows = await reads.list_pipelines(self._store.pool, wanted)
        page = rows[: wanted.page_size]
        more = len(rows) > wanted.page_size
        return pb.ListPipelinesResponse(
            pipelines=[messages.pipeline(row) for row in page],
            next_page_token=page_token(page[-1]["pipeline_id"]) if more else "",
        )

    async def GetJob(self, request: pb.GetJobRequest, context: Context) -> pb.GetJobResponse:
        job_id = _identifier("job_id", request.job_id)
        found = await reads.read_job(self._store.pool, job_id, own_tenant(caller(), request.tenant))
        if found is None:
            raise RpcError("JOB_NOT_FOUND", f"there is no job {job_id}")
        row, timeline = found
        return pb.GetJobResponse(
            job=messages.job_card(row),
            payload=messages.struct(row["payload"]),
            timeline=first_page([messages.timeline_event(event) for event in timeline]),
        )

    async def ListJobs(self, request: pb.ListJobsRequest, context: Context) -> pb.ListJobsResponse:
        wanted = check_jobs(request, caller())
        found = await reads.list_jobs(self._store.pool, wanted)
        cards = [messages.job_card(row, joined=row["is_joined"]) for row in found.jobs]
        page, before = first_page(cards), found.before
        if len(page) < len(cards):
            before = page[-1].pipeline_id, page[-1].job_id
        return pb.ListJobsResponse(jobs=page, next_page_token=page_token(*before) if before else "")

    async def CancelPipeline(
        self, request: pb.CancelPipelineRequest, context: Context
    ) -> pb.CancelPipelineResponse:
        fields = Fields()
        pipeline_id = fields.identifier("pipeline_id", request.pipeline_id)
        reason = fields.text("reason", request.reason, TEXT_CHARACTERS_MAX)
        fields.done()
        tenants = (own_tenant(caller(), request.tenant),)
        answer = await self._store.cancel_pipeline(tenants, pipeline_id, reason, caller().name)
        if isinstance(answer, Refused):
            raise refusal(answer)
        shown = await self._pipeline(request.tenant, pipeline_id, jobs_max=0)
        return pb.CancelPipelineResponse(
            pipeline=messages.pipeline(shown.pipeline),
            cancelled_job_ids=answer.cancelled_job_ids,
            unlinked_job_ids=answer.unlinked_job_ids,
        )

    async def WithdrawUpload(
        self, request: pb.WithdrawUploadRequest, context: Context
    ) -> pb.WithdrawUploadResponse:
        [answer] = await self._store.submit_jobs([check_withdrawal(request, caller())])
        if isinstance(answer, Refused):
            raise refusal(answer)
        return pb.WithdrawUploadResponse(
            pipeline_id=answer.pipeline_id,
            job_id=answer.job_id,
            disposition=messages.disposition(answer.disposition),
        )

    async def GetYear(self, request: pb.GetYearRequest, context: Context) -> pb.GetYearResponse:
        fields = Fields()
        fields.number("year", request.year, YEAR_MIN, YEAR_MAX)
        fields.done()
        tenant = own_tenant(caller(), request.tenant)
        row, freshness = await reads.read_year(self._store.pool, tenant, request.year)
        answer = pb.GetYearResponse(year=request.year, modules=_modules(freshness))
        if row is not None:
            answer.provisioned = True
            answer.provisioned_at.FromDatetime(row["provisioned_at"])
            answer.locked = row["locked_at"] is not None
        if row is not None and row["locked_at"] is not None:
            answer.locked_at.FromDatetime(row["locked_at"])
            answer.locked_by = row["locked_by"]
            answer.lock_reason = row["lock_reason"] or ""
        return answer

    async def ListWorkers(
        self, request: pb.ListWorkersRequest, context: Context
    ) -> pb.ListWorkersResponse:
        workers, held = await reads.read_workers(self._store.pool, caller().tenants)
        answers = [self._worker(row, held.get(row["worker_id"], [])) for row in workers]
        answers.sort(key=lambda worker: worker.state)
        return pb.ListWorkersResponse(workers=answers, scheduler_build_id=self._build_id)

    def _worker(self, row: Row, held: list[Row]) -> types_pb2.Worker:
        is_lost = row["seconds_ago"] > self._store.lease_seconds
        state = types_pb2.WORKER_STATE_LOST if is_lost else types_pb2.WORKER_STATE_LIVE
        if row["draining"] and not is_lost:
            state = types_pb2.WORKER_STATE_DRAINING
        return types_pb2.Worker(
            worker_id=str(row["worker_id"]),
            build_id=row["build_id"],
            host=row["host"],
            job_types=row["job_types"],
            state=state,
            last_seen_at=messages.timestamp(row["last_seen_at"]),
            held=[
                types_pb2.HeldClaim(
                    job_id=claim["job_id"],
                    job_type=claim["job_type"],
                    claim_token=claim["claim_token"],
                    lease_left=messages.duration(claim["seconds_left"]),
                    draining=claim["draining"],
                )
                for claim in held
            ],
            build_skew=row["build_id"] != self._build_id,
        )

    async def _pipeline(self, tenant: str, pipeline_id: int, *, jobs_max: int) -> reads.Shown:
        shown = await reads.read_pipeline(
            self._store.pool, pipeline_id, own_tenant(caller(), tenant), jobs_max=jobs_max
        )
        if shown is None:
            raise RpcError("PIPELINE_NOT_FOUND", f"there is no pipeline {pipeline_id}")
        return shown


def _identifier(field: str, value: int) -> int:
    fields = Fields()
    fields.identifier(field, value)
    fields.done()
    return value


def _edges(job: types_pb2.Job) -> list[pb.JobEdge]:
    edges = []
    if job.parent_job_id:
        edge = pb.JobEdge(from_job_id=job.parent_job_id, to_job_id=job.job_id, kind="chained")
        edges.append(edge)
    if job.superseded_by:
        edge = pb.JobEdge(from_job_id=job.job_id, to_job_id=job.superseded_by, kind="superseded")
        edges.append(edge)
    return edges


def _modules(rows: list[Row]) -> list[pb.ModuleFreshness]:
    """Fresh: every type's change was recalculated, and every recalculation aggregated."""
    aggregated = {row["module"]: row["agg_claim"] for row in rows if row["module"] is not None}
    stale: dict[int, list[int]] = {}
    for row in rows:
        entry_type = row["data_entry_type"]
        if entry_type is None:
            continue
        module = MODULE_OF_TYPE[entry_type]
        types = stale.setdefault(module, [])
        seen = row["changed_token"] < row["recalc_claim"]
        if not seen or row["recalc_end"] >= aggregated.get(module, 0):
            types.append(entry_type)
    return [
        pb.ModuleFreshness(
            module=module,  # type: ignore[arg-type]
            fresh=not types,
            stale_types=types,  # type: ignore[arg-type]
        )
        for module, types in sorted(stale.items())
    ]
