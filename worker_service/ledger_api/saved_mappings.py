"""Answers SaveMapping, ListMappings and DeleteMapping."""

from collections.abc import Mapping
from typing import Any

from carbonline.serving.check_mapping import NAME_CHARACTERS_MAX, check_mapping, name_fault
from carbonline.serving.pages import first_page, page_token
from carbonline.v1 import mappings_pb2, types_pb2
from worker_service.carbon.catalogue import NotSupported, declaration
from worker_service.carbon.csv_source.refusal import RefusedFile
from worker_service.carbon.file_mapping import check_mapping as check_columns
from worker_service.carbon.file_mapping import read_mapping
from worker_service.carbon.parse.entries import entry_columns
from worker_service.carbon.parse.values import comparison_key
from worker_service.ledger.pool import Ledger
from worker_service.ledger.saved_mappings import (
    MAPPINGS_MAX,
    MappingKey,
    StoredMapping,
    delete_mapping,
    list_mappings,
    save_mapping,
)
from worker_service.ledger_api.fields import Fields

_NAME = "name"


async def answer_save(
    ledger: Ledger, tenant: str, request: mappings_pb2.SaveMappingRequest, saved_by: str
) -> mappings_pb2.SaveMappingResponse:
    """Saves a mapping. Raises RpcError FIELD_INVALID."""
    fields = Fields()
    key = _key(fields, tenant, request)
    mapping = fields.json("mapping", request.mapping)
    # A listed mapping may be sent back as it came, under another name.
    mapping.pop(_NAME, None)
    check_mapping(fields, "mapping", mapping)
    if not mapping:
        fields.fail("mapping", "is required: how a file of another program is read")
    fields.done()
    _check_type(fields, request.data_entry_type, mapping)
    fields.done()
    name = request.name.strip()
    saved = await save_mapping(ledger, key, name, mapping, saved_by)
    if saved is None:
        fields.fail(_NAME, f"is one too many: a type has at most {MAPPINGS_MAX:,}; delete others")
        fields.done()
    assert saved is not None
    stored = StoredMapping(
        key.data_entry_type, key.name_key, name, mapping, saved_by, saved.saved_at
    )
    return mappings_pb2.SaveMappingResponse(saved=_message(stored), replaced=saved.replaced)


async def answer_mappings(
    ledger: Ledger, tenant: str, request: mappings_pb2.ListMappingsRequest
) -> mappings_pb2.ListMappingsResponse:
    """One page of them. Raises RpcError FIELD_INVALID."""
    fields = Fields()
    kind = fields.known("data_entry_type", request.data_entry_type, types_pb2.DataEntryType)
    fields.text(_NAME, request.name, NAME_CHARACTERS_MAX)
    size = fields.rows_of_page(request.page_size)
    keys = fields.page_keys("page_token", request.page_token, int, str)
    if keys and keys[0] > max(types_pb2.DataEntryType.values()):
        fields.wrong_token("page_token")
    fields.done()
    found = await list_mappings(
        ledger,
        tenant,
        data_entry_type=kind,
        name_key=comparison_key(request.name.strip()) or None,
        after=(keys[0], keys[1]) if keys else (0, ""),
        rows_max=size + 1,
    )
    page = first_page([_message(one) for one in found[:size]])
    last = found[len(page) - 1] if len(page) < len(found) else None
    token = page_token(last.data_entry_type, last.name_key) if last else ""
    return mappings_pb2.ListMappingsResponse(mappings=page, next_page_token=token)


async def answer_delete(
    ledger: Ledger, tenant: str, request: mappings_pb2.DeleteMappingRequest
) -> mappings_pb2.DeleteMappingResponse:
    """Deletes a mapping. Raises RpcError FIELD_INVALID."""
    fields = Fields()
    key = _key(fields, tenant, request)
    fields.done()
    return mappings_pb2.DeleteMappingResponse(deleted=await delete_mapping(ledger, key))


def _key(
    fields: Fields,
    tenant: str,
    request: mappings_pb2.SaveMappingRequest | mappings_pb2.DeleteMappingRequest,
) -> MappingKey:
    kind = fields.known(
        "data_entry_type", request.data_entry_type, types_pb2.DataEntryType, needed=True
    )
    name = fields.text(_NAME, request.name.strip(), NAME_CHARACTERS_MAX, needed=True)
    if len(name) <= NAME_CHARACTERS_MAX and (fault := name_fault(name)):
        fields.fail(_NAME, fault)
    return MappingKey(tenant, kind or 0, comparison_key(name))


def _check_type(fields: Fields, data_entry_type: int, mapping: Mapping[str, Any]) -> None:
    """Notes what no file of the type can have."""
    try:
        declared = declaration(data_entry_type)
        # A file of one unit has the columns of a file of all, but for the unit's.
        check_columns(read_mapping(mapping), entry_columns(declared, per_year=True))
    except NotSupported as unsupported:
        fields.fail("data_entry_type", str(unsupported))
    except RefusedFile as refused:
        fields.fail("mapping", str(refused).removeprefix("the mapping "))


def _message(stored: StoredMapping) -> mappings_pb2.SavedMapping:
    saved = mappings_pb2.SavedMapping(
        data_entry_type=types_pb2.DataEntryType.ValueType(stored.data_entry_type),
        name=stored.name,
        saved_by=stored.saved_by,
    )
    saved.mapping.update({**stored.mapping, _NAME: stored.name})
    saved.saved_at.FromDatetime(stored.saved_at)
    return saved
