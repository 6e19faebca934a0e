"""What workers ask before they delete: which files jobs name, and which pipelines exist."""

from typing import Any, TypeAlias

import grpc.aio

from carbonline.serving.interceptor import caller
from carbonline.v1 import monitoring_pb2, operations_pb2_grpc, retention_pb2
from scheduler_service.rpc.check_payload import BLOB
from scheduler_service.rpc.fields import Fields
from scheduler_service.store.store import Store

BLOBS_MAX, PIPELINES_MAX = 1_000, 1_000
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class Blobs(operations_pb2_grpc.OperationsServiceServicer):
    """ListNamedBlobs, ListKeptPipelines."""

    store: Store

    async def ListNamedBlobs(
        self, request: monitoring_pb2.ListNamedBlobsRequest, context: Context
    ) -> monitoring_pb2.ListNamedBlobsResponse:
        fields = Fields()
        fields.count("blobs", len(request.blobs), BLOBS_MAX)
        for number, blob in enumerate(request.blobs[:BLOBS_MAX]):
            if not BLOB.fullmatch(blob):
                fields.fail(f"blobs[{number}]", 'must be "blob:sha256:" and 64 hex digits')
        fields.done()
        tenant = caller().tenant(request.tenant)
        named = await self.store.named_blobs(tenant, list(request.blobs))
        return monitoring_pb2.ListNamedBlobsResponse(blobs=named)

    async def ListKeptPipelines(
        self, request: retention_pb2.ListKeptPipelinesRequest, context: Context
    ) -> retention_pb2.ListKeptPipelinesResponse:
        fields = Fields()
        fields.count("pipeline_ids", len(request.pipeline_ids), PIPELINES_MAX)
        for number, pipeline_id in enumerate(request.pipeline_ids[:PIPELINES_MAX]):
            fields.identifier(f"pipeline_ids[{number}]", pipeline_id)
        fields.done()
        tenant = caller().tenant(request.tenant)
        kept = await self.store.kept_pipelines(tenant, list(request.pipeline_ids))
        return retention_pb2.ListKeptPipelinesResponse(pipeline_ids=kept)
