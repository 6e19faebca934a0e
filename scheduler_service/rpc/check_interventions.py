"""Checks the requests by which an operator intervenes."""

from carbonline.serving.auth.principals import Principal
from carbonline.v1 import interventions_pb2
from scheduler_service.jobs.requests import PipelineRetry, Recovery
from scheduler_service.rpc.check_operations import TEXT_CHARACTERS_MAX
from scheduler_service.rpc.check_submit import digest
from scheduler_service.rpc.fields import Fields


def check_recovery(request: interventions_pb2.RecoverJobRequest, principal: Principal) -> Recovery:
    """A RecoverJob. Raises RpcError FIELD_INVALID with every wrong field."""
    fields = Fields()
    job_id = fields.identifier("job_id", request.job_id)
    claim_token = fields.optional_identifier("claim_token", request.claim_token)
    reason = fields.text("reason", request.reason, TEXT_CHARACTERS_MAX)
    fields.done()
    return Recovery(
        tenants=(principal.tenant(request.tenant),),
        job_id=job_id,
        claim_token=claim_token or 0,
        force=request.force,
        reason=reason,
        principal=principal.name,
    )


def check_retry(
    request: interventions_pb2.RetryPipelineRequest, principal: Principal
) -> PipelineRetry:
    """A RetryPipeline. Raises RpcError FIELD_INVALID with every wrong field."""
    fields = Fields()
    pipeline_id = fields.identifier("pipeline_id", request.pipeline_id)
    request_id = fields.uuid("request_id", request.request_id)
    fields.done()
    tenant = principal.tenant(request.tenant)
    return PipelineRetry(
        tenant=tenant,
        pipeline_id=pipeline_id,
        request_id=request_id,
        body_digest=digest(
            tenant=tenant, pipeline_id=pipeline_id, validate_only=request.validate_only
        ),
        principal=principal.name,
        validate_only=request.validate_only,
    )
