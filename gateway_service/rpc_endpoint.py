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
# Within which it comes, so that nobody holds a connection by a byte now and then.
BODY_SECONDS = 60.0
# More of a body is received only of a caller whom a service knows.
UNKNOWN_BYTES_MAX = 16 * 1024
JSON = "application/json"

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]
Known: TypeAlias = Callable[[], Awaitable[None]]


def endpoint_of(route: Route, services: Services) -> Endpoint:
    """What serves one line of the table."""
    method = method_of(route.full_name)

    async def serve(request: Request) -> Response:
        token = token_of(request)

        async def known() -> None:
            await services.caller(token)

        body = await json_body(request, known) if route.method == "POST" else None
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


async def json_body(request: Request, known: Known | None = None) -> Mapping[str, Any]:
    """The JSON object of a body; an empty body is an empty object. Raises Problem.

    A body of more than UNKNOWN_BYTES_MAX is received after `known`, which raises Problem for a
    stranger; without it none is.
    """
    body = await _bytes_of(request, known)
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


async def _bytes_of(request: Request, known: Known | None) -> bytes:
    # What says its size is refused before it is sent.
    most = await _room_for(announced_bytes(request), UNKNOWN_BYTES_MAX, known)
    pieces, size = [], 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for piece in request.stream():
                size += len(piece)
                most = await _room_for(size, most, known)
                pieces.append(piece)
    except TimeoutError as error:
        words = f"The body did not come within {BODY_SECONDS:g} s."
        gone = {"connection": "close"}
        raise Problem(408, "BODY_TOO_SLOW", words, headers=gone) from error
    except ClientDisconnect as error:
        raise Problem(400, "BROKEN_OFF", "The body ended before its end.") from error
    return b"".join(pieces)


async def _room_for(size: int, most: int, known: Known | None) -> int:
    """How many bytes a body of this size may have, `most` until now. Raises Problem."""
    if known is not None and most < size <= BODY_BYTES_MAX:
        await known()
        return BODY_BYTES_MAX
    if size > most:
        most = most if known is None else BODY_BYTES_MAX
        raise Problem(413, "TOO_LARGE", f"The body is larger than {most:,} bytes.")
    return most


def announced_bytes(request: Request) -> int:
    """How large a body says that it is; 0 if it does not say."""
    return int(request.headers.get("content-length", "0"))
