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
from worker_service.carbon.mapped_columns import (
    ENTRIES,
    FILE_KINDS,
    LOCATIONS,
    OF_A_TYPE,
    OF_NO_TYPE,
)
from worker_service.carbon.parse.constants import check_constants
from worker_service.carbon.parse.references import LOCATION_COLUMNS
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
    """Saves a mapping, or checks it alone. Raises RpcError FIELD_INVALID."""
    fields = Fields()
    key = _key(fields, tenant, request, needs_name=not request.check_only)
    _check_mode(fields, key, request.transport_mode)
    mapping = fields.json("mapping", request.mapping)
    if not request.check_only:
        # A listed mapping may be sent back as it came, under another name.
        mapping.pop(_NAME, None)
    check_mapping(fields, "mapping", mapping)
    if not mapping:
        fields.fail("mapping", "is required: how a file of another program is read")
    fields.done()
    _check_columns(fields, key, mapping, request.transport_mode)
    fields.done()
    if request.check_only:
        return mappings_pb2.SaveMappingResponse()
    name = request.name.strip()
    saved = await save_mapping(ledger, key, name, mapping, saved_by)
    if saved is None:
        most = f"a type and kind of file has at most {MAPPINGS_MAX:,}"
        fields.fail(_NAME, f"is one too many: {most}; delete others")
        fields.done()
    assert saved is not None
    stored = StoredMapping(
        key.data_entry_type, key.file_kind, key.name_key, name, mapping, saved_by, saved.saved_at
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
    file_kind = _file_kind(fields, request.file_kind)
    keys = fields.page_keys("page_token", request.page_token, int, str, str)
    if keys and keys[0] > max(types_pb2.DataEntryType.values()):
        fields.wrong_token("page_token")
    fields.done()
    found = await list_mappings(
        ledger,
        tenant,
        data_entry_type=kind,
        file_kind=file_kind or None,
        name_key=comparison_key(request.name.strip()) or None,
        after=(keys[0], keys[1], keys[2]) if keys else (-1, "", ""),
        rows_max=size + 1,
    )
    page = first_page([_message(one) for one in found[:size]])
    last = found[len(page) - 1] if len(page) < len(found) else None
    token = page_token(last.data_entry_type, last.file_kind, last.name_key) if last else ""
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
    *,
    needs_name: bool = True,
) -> MappingKey:
    file_kind = _file_kind(fields, request.file_kind) or ENTRIES
    is_of_a_type = file_kind in OF_A_TYPE
    kind = fields.known(
        "data_entry_type", request.data_entry_type, types_pb2.DataEntryType, needed=is_of_a_type
    )
    if kind and not is_of_a_type:
        fields.fail("data_entry_type", f"must be left out: files of {file_kind} are of no type")
    name = fields.text(_NAME, request.name.strip(), NAME_CHARACTERS_MAX, needed=needs_name)
    if len(name) <= NAME_CHARACTERS_MAX and (fault := name_fault(name)):
        fields.fail(_NAME, fault)
    return MappingKey(tenant, kind or 0, file_kind, comparison_key(name))


def _file_kind(fields: Fields, said: str) -> str:
    if said and said not in FILE_KINDS:
        fields.fail("file_kind", f"must be one of {', '.join(FILE_KINDS)}")
    return said


def _check_mode(fields: Fields, key: MappingKey, transport_mode: str) -> None:
    if transport_mode and key.file_kind != LOCATIONS:
        fields.fail("transport_mode", f"must be left out: files of {key.file_kind} are of no mode")
    elif transport_mode and transport_mode not in LOCATION_COLUMNS:
        fields.fail("transport_mode", f"must be one of {', '.join(LOCATION_COLUMNS)}")


def _check_columns(
    fields: Fields, key: MappingKey, mapping: Mapping[str, Any], transport_mode: str
) -> None:
    """Notes what no file of the type, kind and mode can have."""
    try:
        if of_type := OF_A_TYPE.get(key.file_kind):
            columns = of_type(declaration(key.data_entry_type))
        elif transport_mode:
            columns = LOCATION_COLUMNS[transport_mode]
        else:
            columns = OF_NO_TYPE[key.file_kind]
        said = read_mapping(mapping)
        check_columns(said, columns)
        check_constants(said, columns)
    except NotSupported as unsupported:
        fields.fail("data_entry_type", str(unsupported))
    except RefusedFile as refused:
        fields.fail("mapping", str(refused).removeprefix("the mapping "))


def _message(stored: StoredMapping) -> mappings_pb2.SavedMapping:
    saved = mappings_pb2.SavedMapping(
        data_entry_type=types_pb2.DataEntryType.ValueType(stored.data_entry_type),
        name=stored.name,
        file_kind=stored.file_kind,
        saved_by=stored.saved_by,
    )
    saved.mapping.update({**stored.mapping, _NAME: stored.name})
    saved.saved_at.FromDatetime(stored.saved_at)
    return saved
