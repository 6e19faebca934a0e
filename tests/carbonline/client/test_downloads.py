"""Files that come back are compared with their references by whoever asked for them."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import grpc.aio
import pytest

from carbonline.client.contract_client import ContractClient
from carbonline.client.errors import FileDamaged
from carbonline.v1 import blobs_pb2

CONTENT = b"unit_institutional_id,name\n"
BLOB = f"blob:sha256:{hashlib.sha256(CONTENT).hexdigest()}"


class Sends:
    """A server that sends what it is told to, whatever it is asked for."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []

    async def send(
        self, request: blobs_pb2.DownloadBlobRequest, _context: object
    ) -> AsyncIterator[blobs_pb2.DownloadBlobResponse]:
        for chunk in self.chunks:
            yield blobs_pb2.DownloadBlobResponse(chunk=chunk)


@pytest.mark.parametrize("chunks", [[], [CONTENT[:3]], [CONTENT, b"x"], [CONTENT[::-1]]])
async def test_other_bytes_than_those_of_the_reference_are_an_error(
    tmp_path: Path, chunks: list[bytes]
) -> None:
    served, server = Sends(), grpc.aio.server()
    download = grpc.unary_stream_rpc_method_handler(
        served.send,
        request_deserializer=blobs_pb2.DownloadBlobRequest.FromString,
        response_serializer=blobs_pb2.DownloadBlobResponse.SerializeToString,
    )
    handlers = {"DownloadBlob": download}
    server.add_registered_method_handlers("carbonline.v1.BlobService", handlers)
    address = f"unix:{tmp_path / 'ledger'}"
    server.add_insecure_port(address)
    await server.start()
    try:
        async with ContractClient(address, address) as client:
            served.chunks = [CONTENT[:5], CONTENT[5:]]
            assert b"".join([chunk async for chunk in client.download_blob(BLOB)]) == CONTENT
            served.chunks = chunks
            with pytest.raises(FileDamaged, match="discard them"):
                async for _ in client.download_blob(BLOB):
                    pass
    finally:
        await server.stop(0)
