"""How every RPC is called: the channels, the deadline, and errors that name the server."""

import asyncio
import random
from collections.abc import Awaitable
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar
from uuid import uuid4

import grpc.aio

from carbonline.client.channel import Credentials, Metadata, open_channel
from carbonline.client.errors import ServerError, server_error
from carbonline.client.no_answer import Server
from carbonline.client.tls_files import TlsFiles
from carbonline.v1.blobs_pb2_grpc import BlobServiceStub
from carbonline.v1.ledger_pb2_grpc import LedgerServiceStub
from carbonline.v1.operations_pb2_grpc import OperationsServiceStub
from carbonline.v1.scheduler_pb2_grpc import SchedulerServiceStub

Request = TypeVar("Request")
Answer = TypeVar("Answer")

CALL_SECONDS = 15.0
PAUSE_SECONDS = 1.0


class Calls:
    """The stubs of both servers. The parts of ContractClient add a method per RPC."""

    def __init__(
        self,
        scheduler_address: str,
        ledger_address: str,
        *,
        tenant: str = "",
        token_file: Path | None = None,
        tls: TlsFiles | None = None,
    ) -> None:
        self.tenant = tenant
        self._credentials = Credentials(token_file)
        self._at_scheduler = Server("scheduler", scheduler_address)
        self._at_ledger = Server("ledger", ledger_address)
        self._to_scheduler = open_channel(scheduler_address, retries=True, tls=tls)
        self._to_ledger = open_channel(ledger_address, retries=True, tls=tls)
        self._scheduler = SchedulerServiceStub(self._to_scheduler)
        self._operations = OperationsServiceStub(self._to_scheduler)
        self._ledger = LedgerServiceStub(self._to_ledger)
        self._blobs = BlobServiceStub(self._to_ledger)

    @property
    def _metadata(self) -> Metadata:
        # By the last one, lines of the audit trail are found.
        return (*self._credentials.metadata, ("x-request-id", str(uuid4())))

    async def __aenter__(self) -> Self:
        """Connects at the first call, not before."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Closes the channels. Cancels calls in flight."""
        await self._to_scheduler.close()
        await self._to_ledger.close()

    async def _ask_scheduler(
        self, method: grpc.aio.UnaryUnaryMultiCallable[Request, Answer], request: Request
    ) -> Answer:
        return await self._ask(method, request, self._at_scheduler, CALL_SECONDS)

    async def _ask_ledger(
        self,
        method: grpc.aio.UnaryUnaryMultiCallable[Request, Answer],
        request: Request,
        seconds: float = 0.0,
    ) -> Answer:
        """Within `seconds`, or CALL_SECONDS if that is 0."""
        return await self._ask(method, request, self._at_ledger, seconds or CALL_SECONDS)

    async def _ask(
        self,
        method: grpc.aio.UnaryUnaryMultiCallable[Request, Answer],
        request: Request,
        server: Server,
        seconds: float,
    ) -> Answer:
        """The answer; a server with too many calls in flight is asked again after its pause."""
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + seconds
        while True:
            left = ends_at - loop.time()
            try:
                call = method(request, timeout=left, metadata=self._metadata)
                return await answered(call, server, seconds)
            except ServerError as error:
                # A proxy may have dropped what the server said.
                pause = (error.retry_seconds or PAUSE_SECONDS) * random.uniform(1.0, 1.5)  # noqa: S311
                if error.reason != "TOO_MANY_CALLS" or loop.time() + pause >= ends_at:
                    raise
            await asyncio.sleep(pause)


async def answered(call: Awaitable[Answer], server: Server, seconds: float) -> Answer:
    """The answer of a call with a deadline of so many seconds. Raises ServerError."""
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        raise server_error(error, server, seconds) from None
