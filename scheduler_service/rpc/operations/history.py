"""Whether the stored history is sound."""

from typing import Any, TypeAlias
from uuid import UUID

import grpc.aio

from carbonline.serving.interceptor import caller
from carbonline.serving.pages import page_token
from carbonline.v1 import monitoring_pb2, operations_pb2_grpc
from scheduler_service.jobs.invariants import INVARIANTS, Finding, may_have_more
from scheduler_service.rpc.fields import Fields
from scheduler_service.store.store import Store
from scheduler_service.store.verify.verify_history import NO_REQUEST, Place, VerifiedPage

PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX = 200, 500
# Looked up one by one, where a pipeline takes a dozen looks.
REQUESTS_PER_PIPELINE = 10
PIPELINES, REQUESTS = "pipelines", "requests"
# Between a pipeline and the job of it behind which the page begins.
WITHIN = "/"
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Response = monitoring_pb2.VerifyHistoryResponse


class History(operations_pb2_grpc.OperationsServiceServicer):
    """VerifyHistory."""

    store: Store

    async def VerifyHistory(
        self, request: monitoring_pb2.VerifyHistoryRequest, context: Context
    ) -> Response:
        fields = Fields()
        after = fields.optional_identifier("after_pipeline_id", request.after_pipeline_id) or 0
        size = fields.page_size("page_size", request.page_size, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX)
        what, last = _place(fields, request.page_token, after)
        fields.done()
        tenant = caller().tenant(request.tenant)
        if isinstance(last, UUID):
            found = await self.store.verify_requests(tenant, last, size * REQUESTS_PER_PIPELINE)
            return _answer(found, requests=found.count, next_token=_token(what, found.last))
        found = await self.store.verify_pipelines(
            tenant, last, size, with_claims=not request.page_token
        )
        next_token = _token(what, found.last)
        if not next_token and after == 0:
            next_token = page_token(REQUESTS, str(NO_REQUEST))
        return _answer(found, pipelines=found.count, next_token=next_token)


def _place(fields: Fields, token: str, after_pipeline_id: int) -> tuple[str, Place | UUID]:
    """What the page is of, and after which one it begins."""
    keys = fields.page_keys("page_token", token, str, str)
    if not keys:
        return PIPELINES, Place(after_pipeline_id)
    what, last = keys
    try:
        if what == REQUESTS:
            return REQUESTS, UUID(last)
        if what == PIPELINES:
            pipeline_id, _, job_id = last.partition(WITHIN)
            return PIPELINES, Place(
                fields.identifier("page_token", int(pipeline_id)),
                fields.identifier("page_token", int(job_id)) if job_id else 0,
            )
    except ValueError:
        pass
    fields.wrong_token("page_token")
    return PIPELINES, Place(0)


def _token(what: str, last: Place | UUID | None) -> str:
    if isinstance(last, Place):
        within = f"{WITHIN}{last.job_id}" if last.job_id else ""
        return page_token(what, f"{last.pipeline_id}{within}")
    return page_token(what, str(last)) if last is not None else ""


def _answer(
    found: VerifiedPage, *, next_token: str, pipelines: int = 0, requests: int = 0
) -> Response:
    return Response(
        findings=map(_finding, found.findings),
        pipelines=pipelines,
        requests=requests,
        ended_through_pipeline_id=found.ended_through,
        has_live_pipelines=found.has_live,
        next_page_token=next_token,
        has_more_findings=may_have_more(found.findings),
    )


def _finding(finding: Finding) -> monitoring_pb2.InvariantFinding:
    return monitoring_pb2.InvariantFinding(
        invariant=finding.invariant,
        sentence=INVARIANTS[finding.invariant],
        detail=finding.detail,
        pipeline_id=finding.pipeline_id,
        job_id=finding.job_id,
    )
