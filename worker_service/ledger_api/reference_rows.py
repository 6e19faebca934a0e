"""Answers ListReferenceRows."""

import json
from collections.abc import Mapping
from typing import Any

from carbonline.serving.pages import first_page, page_token
from carbonline.v1 import reference_pb2
from worker_service.carbon.declarations import ColumnKind
from worker_service.carbon.parse.values import comparison_key, comparison_keys
from worker_service.carbon.place_keys import KEY_SEPARATOR
from worker_service.carbon.reference_kinds import REFERENCE_KINDS, ReferenceKind
from worker_service.ledger.pool import Ledger
from worker_service.ledger.reference_row_list import RowFilter, StoredRow, list_rows
from worker_service.ledger.reference_rows import readers_of_rows
from worker_service.ledger_api.fields import Fields
from worker_service.ledger_api.stored_text import text_of

KEYS_MAX = 100
KEY_CHARACTERS_MAX = 300
TEXT_CHARACTERS_MAX = 128


async def answer_reference_rows(
    ledger: Ledger, tenant: str, request: reference_pb2.ListReferenceRowsRequest
) -> reference_pb2.ListReferenceRowsResponse:
    """One page of them. Raises RpcError FIELD_INVALID."""
    fields = Fields()
    kind = REFERENCE_KINDS.get(request.kind)
    if kind is None:
        fields.fail("kind", f"must be one of {', '.join(REFERENCE_KINDS)}")
    fields.count("keys", len(request.keys), KEYS_MAX, least=0)
    for number, key in enumerate(request.keys[:KEYS_MAX]):
        fields.text(f"keys[{number}]", key, KEY_CHARACTERS_MAX)
    fields.text("text", request.text, TEXT_CHARACTERS_MAX)
    year = fields.optional_year("year", request.year)
    size = fields.rows_of_page(request.page_size)
    after = fields.page_keys("page_token", request.page_token, str)
    fields.done()
    assert kind is not None, "the fields are good"
    of = RowFilter(
        tenant,
        kind.name,
        comparison_keys([key.strip() for key in request.keys]) if request.keys else None,
        comparison_key(request.text.strip()) or None,
        year,
        request.stale_only,
        readers_of_rows(kind) if request.with_usage else (),
    )
    page = await list_rows(ledger, of, after[0] if after else "", size)
    rows = first_page([_row(kind, one, page.entries) for one in page.rows])
    more = page.more or len(rows) < len(page.rows)
    token = page_token(page.rows[len(rows) - 1].key) if more and rows else ""
    return reference_pb2.ListReferenceRowsResponse(rows=rows, next_page_token=token)


def _row(
    kind: ReferenceKind, stored: StoredRow, entries: Mapping[str, int]
) -> reference_pb2.ReferenceRow:
    values = _values(kind, stored.data)
    row = reference_pb2.ReferenceRow(
        key=KEY_SEPARATOR.join(values[name] for name in kind.identity),
        year=stored.year,
        values=values,
        file_name=stored.file_name,
        blob=stored.blob,
        claim_token=stored.claim_token,
        entries=entries.get(stored.key, 0),
        version=stored.version,
        stale=stored.stale,
    )
    row.changed_at.FromDatetime(stored.changed_at)
    if stored.mapping is not None:
        row.mapping.update(json.loads(stored.mapping))
    return row


def _values(kind: ReferenceKind, data: Mapping[str, Any]) -> dict[str, str]:
    """The texts by column; codes that are stored in lower case, such as CHF, in capitals."""
    texts = {one.name: text_of(data[one.name]) for one in kind.columns if one.name in data}
    codes = {one.name for one in kind.columns if one.kind is ColumnKind.CHOICE}
    return {name: text.upper() if name in codes else text for name, text in texts.items()}
