"""The RPCs about saved mappings."""

from collections.abc import Mapping
from typing import Any

from carbonline.client.calls import Calls
from carbonline.client.json_struct import struct_of
from carbonline.v1 import mappings_pb2, types_pb2

# What files bring whose mapping may be saved; those of the first two are of a data-entry type.
ENTRIES, FACTORS, UNITS = "entries", "factors", "units"


class MappingCalls(Calls):
    """A part of ContractClient."""

    async def save_mapping(
        self,
        name: str,
        data_entry_type: int,
        mapping: Mapping[str, Any],
        file_kind: str = ENTRIES,
        transport_mode: str = "",
    ) -> mappings_pb2.SaveMappingResponse:
        """Saves how files of a kind are read, or replaces what was saved under the name.

        With a `transport_mode`, only if places of that mode can be read so.
        """
        request = mappings_pb2.SaveMappingRequest(
            tenant=self.tenant,
            name=name,
            data_entry_type=types_pb2.DataEntryType.ValueType(data_entry_type),
            mapping=struct_of(mapping),
            file_kind=file_kind,
            transport_mode=transport_mode,
        )
        return await self._ask_ledger(self._ledger.SaveMapping, request)

    async def check_mapping(
        self,
        data_entry_type: int,
        mapping: Mapping[str, Any],
        file_kind: str,
        transport_mode: str = "",
    ) -> None:
        """Raises ServerError, with its fields, for a mapping that no file of the kind can have.

        A file of places is of a `transport_mode`.
        """
        # Without a name: a server that knows no check refuses it, and saves nothing.
        request = mappings_pb2.SaveMappingRequest(
            tenant=self.tenant,
            data_entry_type=types_pb2.DataEntryType.ValueType(data_entry_type),
            mapping=struct_of(mapping),
            file_kind=file_kind,
            check_only=True,
            transport_mode=transport_mode,
        )
        await self._ask_ledger(self._ledger.SaveMapping, request)

    async def list_mappings(
        self, wanted: mappings_pb2.ListMappingsRequest
    ) -> mappings_pb2.ListMappingsResponse:
        """A page of saved mappings. Sets the tenant of `wanted`."""
        wanted.tenant = self.tenant
        return await self._ask_ledger(self._ledger.ListMappings, wanted)

    async def delete_mapping(
        self, name: str, data_entry_type: int, file_kind: str = ENTRIES
    ) -> mappings_pb2.DeleteMappingResponse:
        """Deletes a saved mapping. What was read with it keeps it."""
        request = mappings_pb2.DeleteMappingRequest(
            tenant=self.tenant,
            name=name,
            data_entry_type=types_pb2.DataEntryType.ValueType(data_entry_type),
            file_kind=file_kind,
        )
        return await self._ask_ledger(self._ledger.DeleteMapping, request)
