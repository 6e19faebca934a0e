"""The RPCs of the ledger process that say whether the ledger is sound."""

from carbonline.client.calls import Calls
from carbonline.v1 import upkeep_pb2

# The totals of a year with millions of entries are one page.
VERIFY_SECONDS = 300.0


class UpkeepCalls(Calls):
    """A part of ContractClient."""

    async def verify_ledger(
        self, wanted: upkeep_pb2.VerifyLedgerRequest
    ) -> upkeep_pb2.VerifyLedgerResponse:
        """What breaks an invariant on one page of the ledger. Sets the tenant of `wanted`."""
        wanted.tenant = self.tenant
        return await self._ask_ledger(self._ledger.VerifyLedger, wanted, VERIFY_SECONDS)

    async def get_uncollected(self) -> upkeep_pb2.GetUncollectedResponse:
        """How much of the ledger counts no more and waits to be deleted."""
        request = upkeep_pb2.GetUncollectedRequest(tenant=self.tenant)
        return await self._ask_ledger(self._ledger.GetUncollected, request)
