"""Lists as CSV files: page after page, of which the gateway holds one; and templates of files."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any
from urllib.parse import quote

from google.protobuf.message import Message
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from carbonline.v1 import ledger_pb2
from gateway_service.access.caller import token_of
from gateway_service.export_routes import Export
from gateway_service.routes import PACKAGE
from gateway_service.rpc_endpoint import Endpoint
from gateway_service.services import Services, method_of, new_request
from gateway_service.transcode.csv_rows import columns_of, header, line_of
from gateway_service.transcode.fields import bool_of, fill
from gateway_service.transcode.problems import FieldsWrong, Problem, Violation

CSV = "text/csv; charset=utf-8"
MODULES = "carbonline.v1.LedgerService.ListModules"
PAGE_SIZE = 200
PAGING = ("page_size", "page_token")
LEAVES_OUT = "leave_out_others"
FACTORS = "factors"


class CsvExports:
    """Answers with files that a spreadsheet opens."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def endpoint(self, export: Export) -> Endpoint:
        """What serves one line of the table."""
        method = method_of(f"{PACKAGE}.{export.rpc}")
        row = method.output_type.fields_by_name[export.rows].message_type
        assert row is not None
        columns = columns_of(row)
        fields = method.input_type.fields_by_name

        async def serve(request: Request) -> Response:
            token = token_of(request)
            query = request.query_params.multi_items()
            if paging := [name for name in PAGING if name in dict(query)]:
                words = "is not known here: a file has all rows"
                raise FieldsWrong([Violation(name, words) for name in paging])
            wanted: Any = new_request(method)
            fill(wanted, request.path_params, query, None)
            if PAGING[0] in fields:
                wanted.page_size = PAGE_SIZE
            # A file is of what is its reader's: a link to it is the same for all.
            if LEAVES_OUT in fields:
                wanted.leave_out_others = True
            pages = self._pages(export, wanted, token)
            # A refusal is an answer of its own, so nothing is sent before the first page.
            first = await anext(pages)
            values = [str(one) for one in (getattr(wanted, part) for part in export.parts) if one]
            return StreamingResponse(
                _lines(columns, first, pages),
                media_type=CSV,
                headers=attachment("-".join([export.name, *values])),
            )

        return serve

    async def _pages(
        self, export: Export, wanted: Any, token: str
    ) -> AsyncGenerator[Sequence[Message]]:
        """The pages of a request, one after the other."""
        method = method_of(f"{PACKAGE}.{export.rpc}")
        while True:
            page: Any = await self._services.answer(method, wanted, token)
            yield getattr(page, export.rows)
            if not (more := getattr(page, "next_page_token", "")):
                return
            wanted.page_token = more

    async def template(self, request: Request) -> Response:
        """The header and an example row of a data-entry type's file. Raises Problem."""
        token = token_of(request)
        query = request.query_params.multi_items()
        if strange := [name for name, _ in query if name != FACTORS]:
            raise FieldsWrong([Violation(one, "is not known here") for one in strange])
        of_factors = any(bool_of(FACTORS, value) for _, value in query)
        asked = request.path_params["data_entry_type"].lower()
        answer: Any = await self._services.answer(
            method_of(MODULES), ledger_pb2.ListModulesRequest(), token
        )
        types = {one.name: one for module in answer.modules for one in module.data_entry_types}
        found = types.get(asked)
        text = "" if found is None else found.template_csv
        if found is not None and of_factors:
            text = found.factor_template_csv
        if not text:
            known = ", ".join(name for name, one in types.items() if one.template_csv)
            words = f"No file is known for the type {asked[:80]!r}. Types are: {known}."
            raise Problem(404, "TEMPLATE_NOT_FOUND", words)
        name = f"{asked}-{FACTORS}" if of_factors else asked
        body = text if text.endswith("\n") else f"{text}\n"
        return Response(body, media_type=CSV, headers=attachment(name))


def attachment(name: str) -> dict[str, str]:
    """The header that has a browser save the answer as `name`.csv."""
    return {"content-disposition": f"attachment; filename*=utf-8''{quote(name, safe='')}.csv"}


async def _lines(
    columns: Any, first: Sequence[Message], pages: AsyncGenerator[Sequence[Message]]
) -> AsyncGenerator[bytes]:
    yield header(columns) + b"".join(line_of(columns, row) for row in first)
    async for rows in pages:
        if rows:
            yield b"".join(line_of(columns, row) for row in rows)
