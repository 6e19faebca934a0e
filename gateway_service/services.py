"""Calls to the scheduler and the ledger, each with the token of whoever asks."""

from collections.abc import AsyncIterator, Mapping
from functools import partial
from typing import Any
from uuid import uuid4

import grpc.aio
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from carbonline.client.channel import Metadata, open_channel
from carbonline.client.errors import server_error
from carbonline.client.no_answer import Server
from carbonline.client.stream_channels import StreamChannels
from carbonline.client.tls_files import TlsFiles

# Loaded, they are in the pool: the table of routes names RPCs as text.
from carbonline.v1 import blobs_pb2, ledger_pb2, operations_pb2, scheduler_pb2
from gateway_service.access.tenant import name_tenant
from gateway_service.transcode.problems import problem_of

CALL_SECONDS_MAX = 30.0
AT_LEDGER = frozenset({"LedgerService", "BlobService"})
FILES = (blobs_pb2, ledger_pb2, operations_pb2, scheduler_pb2)
GET_CALLER = "carbonline.v1.OperationsService.GetCaller"


def method_of(full_name: str) -> MethodDescriptor:
    """The descriptor of an RPC, such as "carbonline.v1.LedgerService.GetTotals"."""
    return descriptor_pool.Default().FindMethodByName(full_name)


def new_request(method: MethodDescriptor) -> Message:
    """An empty request of an RPC."""
    return message_factory.GetMessageClass(method.input_type)()


def metadata_of(token: str) -> Metadata:
    """What a call carries for the caller."""
    return (("authorization", f"Bearer {token}"), ("x-request-id", str(uuid4())))


class Services:
    """The channels to both services. Every call raises Problem if it is not answered well."""

    def __init__(
        self, scheduler_address: str, ledger_address: str, tls: TlsFiles | None = None
    ) -> None:
        """With `tls`, ports are called with TLS. Raises OSError if a file of it cannot be read."""
        self._scheduler = open_channel(scheduler_address, retries=True, tls=tls)
        self._ledger = open_channel(ledger_address, retries=True, tls=tls)
        self._streams = {
            at_ledger: StreamChannels(
                partial(open_channel, address, retries=True, tls=tls, own_connection=True)
            )
            for at_ledger, address in ((False, scheduler_address), (True, ledger_address))
        }
        self._names: Mapping[bool, Server] = {
            False: Server("scheduler", scheduler_address),
            True: Server("ledger", ledger_address),
        }
        self._get_caller = method_of(GET_CALLER)

    def channels(self) -> Mapping[str, grpc.aio.Channel]:
        """Both channels, by the name of the service."""
        return {"scheduler": self._scheduler, "ledger": self._ledger}

    async def close(self) -> None:
        """Ends all calls."""
        await self._scheduler.close()
        await self._ledger.close()
        for channels in self._streams.values():
            await channels.close()

    async def answer(self, method: MethodDescriptor, request: Message, token: str) -> Message:
        """The answer to one request."""
        name_tenant(request)
        call = self._channel(method).unary_unary(
            _path(method), request_serializer=_serialized, response_deserializer=_reader(method)
        )
        try:
            answer: Message = await call(
                request, timeout=CALL_SECONDS_MAX, metadata=metadata_of(token)
            )
        except grpc.aio.AioRpcError as error:
            raise self.problem(method, error, CALL_SECONDS_MAX) from error
        return answer

    async def caller(self, token: str) -> operations_pb2.GetCallerResponse:
        """Whose token it is. Raises Problem UNAUTHENTICATED if the services do not know it."""
        answer = await self.answer(self._get_caller, operations_pb2.GetCallerRequest(), token)
        assert isinstance(answer, operations_pb2.GetCallerResponse)
        return answer

    def stream(self, method: MethodDescriptor, request: Message, token: str) -> Any:
        """A call whose answer is a stream of messages. Its `cancel` ends it."""
        name_tenant(request)

        def start(channel: grpc.aio.Channel) -> Any:
            call = channel.unary_stream(
                _path(method), request_serializer=_serialized, response_deserializer=_reader(method)
            )
            return call(request, metadata=metadata_of(token))

        return self._streams[_is_at_ledger(method)].begin(start)

    async def upload(
        self, method: MethodDescriptor, requests: AsyncIterator[Message], token: str
    ) -> Message:
        """The answer to a stream of requests, which is asked for the next one when gRPC has taken
        the one before.
        """
        call = self._channel(method).stream_unary(
            _path(method), request_serializer=_serialized, response_deserializer=_reader(method)
        )
        try:
            answer: Message = await call(requests, metadata=metadata_of(token))
        except grpc.aio.AioRpcError as error:
            raise self.problem(method, error) from error
        return answer

    def problem(
        self, method: MethodDescriptor, error: grpc.aio.AioRpcError, seconds: float | None = None
    ) -> Exception:
        """The answer to a call that failed."""
        server = self._names[_is_at_ledger(method)]
        return problem_of(server_error(error, server, seconds))

    def _channel(self, method: MethodDescriptor) -> grpc.aio.Channel:
        return self._ledger if _is_at_ledger(method) else self._scheduler


def _is_at_ledger(method: MethodDescriptor) -> bool:
    return method.containing_service.name in AT_LEDGER


def _path(method: MethodDescriptor) -> str:
    return f"/{method.containing_service.full_name}/{method.name}"


def _serialized(message: Message) -> bytes:
    return message.SerializeToString()


def _reader(method: MethodDescriptor) -> Any:
    return message_factory.GetMessageClass(method.output_type).FromString
