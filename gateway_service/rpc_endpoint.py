"""Answers an HTTP request with an RPC: the one way for every line of the table."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from google.protobuf.message import EncodeError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from gateway_service.access.caller import token_of
from gateway_service.routes import Route
from gateway_service.services import Services, method_of, new_request
from gateway_service.transcode.answers import SMALL_BYTES, json_of
from gateway_service.transcode.fields import fill
from gateway_service.transcode.problems import Problem

BODY_BYTES_MAX = 16 * 1024 * 1024
JSON = "application/json"

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]


def endpoint_of(route: Route, services: Services) -> Endpoint:
    """What serves one line of the table."""
    method = method_of(route.full_name)

    async def serve(request: Request) -> Response:
        token = token_of(request)
        body = await json_body(request) if route.method == "POST" else None
        message = new_request(method)
        fill(message, request.path_params, request.query_params.multi_items(), body)
        try:
            answer = await services.answer(method, message, token)
        except (EncodeError, UnicodeEncodeError) as error:
            raise Problem(400, "FIELD_INVALID", "A text of the request is not UTF-8.") from error
        if answer.ByteSize() < SMALL_BYTES:
            return Response(json_of(answer), media_type=JSON)
        return Response(await asyncio.to_thread(json_of, answer), media_type=JSON)

    return serve


async def json_body(request: Request) -> Mapping[str, Any]:
    """The JSON object of a body; an empty body is an empty object. Raises Problem."""
    body = await _bytes_of(request)
    if not body:
        return {}
    kind = request.headers.get("content-type", JSON).partition(";")[0].strip().lower()
    if kind != JSON:
        raise Problem(415, "NOT_JSON", f"The body must be {JSON}, not {kind[:80]}.")
    try:
        read = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Problem(400, "NOT_JSON", f"The body is not JSON: {error}."[:300]) from error
    if not isinstance(read, dict):
        raise Problem(400, "NOT_JSON", "The body must be a JSON object, such as {}.")
    return read


async def _bytes_of(request: Request) -> bytes:
    pieces, size = [], 0
    try:
        async for piece in request.stream():
            size += len(piece)
            if size > BODY_BYTES_MAX:
                raise Problem(
                    413, "TOO_LARGE", f"The body is larger than {BODY_BYTES_MAX:,} bytes."
                )
            pieces.append(piece)
    except ClientDisconnect as error:
        raise Problem(400, "BROKEN_OFF", "The body ended before its end.") from error
    return b"".join(pieces)
