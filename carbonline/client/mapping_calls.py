"""The RPCs about saved mappings."""

from collections.abc import Mapping
from typing import Any

from carbonline.client.calls import Calls
from carbonline.client.json_struct import struct_of
from carbonline.v1 import mappings_pb2, types_pb2


class MappingCalls(Calls):
    """A part of ContractClient."""

    async def save_mapping(
        self, name: str, data_entry_type: int, mapping: Mapping[str, Any]
    ) -> mappings_pb2.SaveMappingResponse:
        """Saves how files of a type are read, or replaces what was saved under the name."""
        request = mappings_pb2.SaveMappingRequest(
            tenant=self.tenant,
            name=name,
            data_entry_type=types_pb2.DataEntryType.ValueType(data_entry_type),
            mapping=struct_of(mapping),
        )
        return await self._ask_ledger(self._ledger.SaveMapping, request)

    async def list_mappings(
        self, wanted: mappings_pb2.ListMappingsRequest
    ) -> mappings_pb2.ListMappingsResponse:
        """A page of saved mappings. Sets the tenant of `wanted`."""
        wanted.tenant = self.tenant
        return await self._ask_ledger(self._ledger.ListMappings, wanted)

    async def delete_mapping(
        self, name: str, data_entry_type: int
    ) -> mappings_pb2.DeleteMappingResponse:
        """Deletes a saved mapping. Uploads that were read with it keep it."""
        request = mappings_pb2.DeleteMappingRequest(
            tenant=self.tenant,
            name=name,
            data_entry_type=types_pb2.DataEntryType.ValueType(data_entry_type),
        )
        return await self._ask_ledger(self._ledger.DeleteMapping, request)
