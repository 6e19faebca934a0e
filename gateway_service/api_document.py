"""GET /v1/openapi.json: the document of the routes, written when it is first asked for."""

import asyncio
import gzip
import json
from functools import cache
from importlib import resources
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from carbonline import v1
from gateway_service.other_routes import JSON, OTHER_ROUTES
from gateway_service.routes import ROUTES
from gateway_service.transcode.openapi import document

# Made with the messages, from the protos; generated code keeps no comments.
DESCRIPTORS = "descriptors.binpb"
VERSION = "v1"
# It says nothing of anybody, and changes with the gateway only.
KEPT = "public, max-age=300"


@cache
def api_document() -> dict[str, Any]:
    """The document of what this gateway serves."""
    packed = (resources.files(v1) / DESCRIPTORS).read_bytes()
    return document(packed, ROUTES, OTHER_ROUTES, VERSION)


@cache
def _written() -> bytes:
    return json.dumps(api_document(), ensure_ascii=False, separators=(",", ":")).encode()


@cache
def _packed() -> bytes:
    return gzip.compress(_written(), mtime=0)


async def serve(request: Request) -> Response:
    """The document. It needs no token: the same stands in the product's docs. So it is written and
    packed once, whoever asks how often.
    """
    headers = {"cache-control": KEPT, "vary": "Accept-Encoding"}
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(await asyncio.to_thread(_written), media_type=JSON, headers=headers)
    headers["content-encoding"] = "gzip"
    return Response(await asyncio.to_thread(_packed), media_type=JSON, headers=headers)
