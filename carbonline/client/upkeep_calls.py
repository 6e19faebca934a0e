"""The RPCs of the ledger process that say whether the ledger is sound."""

from typing import TYPE_CHECKING, TypeVar

import grpc.aio

from carbonline.v1 import upkeep_pb2

if TYPE_CHECKING:
    from carbonline.v1.ledger_pb2_grpc import LedgerServiceAsyncStub

Request = TypeVar("Request")
Answer = TypeVar("Answer")

CALL_SECONDS = 15.0
# The totals of a year with millions of entries are one page.
VERIFY_SECONDS = 300.0


class UpkeepCalls:
    """A part of ContractClient."""

    tenant: str
    _ledger: "LedgerServiceAsyncStub"

    async def _unary(
        self,
        method: grpc.aio.UnaryUnaryMultiCallable[Request, Answer],
        request: Request,
        seconds: float = CALL_SECONDS,
    ) -> Answer:
        raise NotImplementedError

    async def verify_ledger(
        self, wanted: upkeep_pb2.VerifyLedgerRequest
    ) -> upkeep_pb2.VerifyLedgerResponse:
        """What breaks an invariant on one page of the ledger. Sets the tenant of `wanted`."""
        wanted.tenant = self.tenant
        return await self._unary(self._ledger.VerifyLedger, wanted, VERIFY_SECONDS)
