"""POST /v1/blobs: the body is the file, passed on chunk by chunk."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from google.protobuf.message import Message
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from carbonline.v1 import blobs_pb2, ledger_pb2
from gateway_service.access.caller import token_of
from gateway_service.access.tenant import name_tenant
from gateway_service.metrics import GatewayMetrics
from gateway_service.rpc_endpoint import announced_bytes
from gateway_service.services import Services, method_of
from gateway_service.transcode.answers import json_of
from gateway_service.transcode.fields import fill
from gateway_service.transcode.problems import Problem

UPLOAD = "carbonline.v1.BlobService.UploadBlob"
MODULES = "carbonline.v1.LedgerService.ListModules"
CHUNK_BYTES = 256 * 1024
OF_THE_HEADER = ("file_name", "expected_sha256")


class Upload:
    """Uploads, of which the gateway holds one chunk at a time."""

    def __init__(self, services: Services, metrics: GatewayMetrics) -> None:
        self._services = services
        self._metrics = metrics
        self._method = method_of(UPLOAD)

    async def serve(self, request: Request) -> Response:
        """The stored blob. Raises Problem; nothing is kept of an upload that breaks off."""
        token = token_of(request)
        header = blobs_pb2.BlobHeader()
        query = request.query_params.multi_items()
        fill(header, {}, [(_field(name), value) for name, value in query], None)
        name_tenant(header)
        await self._check_size(announced_bytes(request), token)
        body = _Body(request, header)
        try:
            answer = await self._services.upload(self._method, body.messages(), token)
        except asyncio.CancelledError:
            # gRPC cancels a call whose requests break off.
            if not body.broken_off:
                raise
            words = "The file ended before its end. Nothing of it is kept."
            raise Problem(400, "BROKEN_OFF", words) from None
        finally:
            self._metrics.bytes_up.inc(body.sent_bytes)
        return Response(json_of(answer), 200, media_type="application/json")

    async def _check_size(self, size: int, token: str) -> None:
        """Raises Problem TOO_LARGE if the services take no file of this size: before it is sent."""
        if size <= CHUNK_BYTES:
            return
        known: Any = await self._services.answer(
            method_of(MODULES), ledger_pb2.ListModulesRequest(), token
        )
        most = known.file_bytes_max
        if size > most:
            words = f"A file may have at most {most:,} bytes, and this one has {size:,}."
            raise Problem(413, "TOO_LARGE", words, {"limit": str(most), "size": str(size)})


def _field(name: str) -> str:
    return name if name in OF_THE_HEADER else f"scope.{name}"


class _Body:
    """The body of a request as the messages of an upload."""

    def __init__(self, request: Request, header: blobs_pb2.BlobHeader) -> None:
        self._request = request
        self._header = header
        self.broken_off = False
        self.sent_bytes = 0

    async def messages(self) -> AsyncIterator[Message]:
        """The header, then chunks: the next one is read when gRPC has taken the one before."""
        yield blobs_pb2.UploadBlobRequest(header=self._header)
        gathered = bytearray()
        try:
            async for piece in self._request.stream():
                gathered += piece
                while len(gathered) >= CHUNK_BYTES:
                    yield self._chunk(gathered)
        except ClientDisconnect:
            self.broken_off = True
            raise
        if gathered:
            yield self._chunk(gathered)

    def _chunk(self, gathered: bytearray) -> Message:
        chunk = bytes(gathered[:CHUNK_BYTES])
        del gathered[:CHUNK_BYTES]
        self.sent_bytes += len(chunk)
        return blobs_pb2.UploadBlobRequest(chunk=chunk)
