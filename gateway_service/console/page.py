"""The console's page: a shell that loads the modules in `static`, which draw everything."""

import base64
import hashlib
import html
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from gateway_service.access.headers import policy_of_pages

STATIC = Path(__file__).parent / "static"
# Addresses of the console. The page is the same: what it shows follows from the address.
PAGES = (
    "/",
    "/login",
    "/docs",
    "/years/{year}",
    "/upload",
    "/pipelines",
    "/pipelines/{pipeline_id}",
    "/totals",
    "/explain",
    "/rejected/{pipeline_id}",
    "/health",
    "/mappings",
)
# Name in an import -> file in `static`. Files of ours import each other by relative paths.
IMPORTS: Mapping[str, str] = {
    "preact": "vendor/preact.js",
    "preact/hooks": "vendor/hooks.js",
    "htm": "vendor/htm.js",
    "@preact/signals": "vendor/signals.js",
    "@preact/signals-core": "vendor/signals-core.js",
    "d3-hierarchy": "vendor/d3-hierarchy.js",
}
FOREVER = "public, max-age=31536000, immutable"
MAIN = "main.js"
STYLED = "style.css"
STATIC_IMPORT = re.compile(r'^(?:import|export) (?:.* from )?"([^"]+)";$', re.MULTILINE)
STYLES = ("style/tokens.css", "style/base.css", "style/parts.css", "style/print.css")


def content_hash(folder: Path = STATIC) -> str:
    """A hash of all static files: in their address, so that a browser may keep them for ever."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
            digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


class _KeptFiles(StaticFiles):
    """Files whose address changes with their content."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        answer = await super().get_response(path, scope)
        answer.headers["cache-control"] = FOREVER
        return answer


def page_routes(build_id: str) -> list[BaseRoute]:
    """The pages and their files. `/static/HASH/...` is kept by browsers, `/static/...` is not."""
    place = f"/static/{content_hash()}"
    imports = json.dumps({"imports": {name: f"{place}/{file}" for name, file in IMPORTS.items()}})
    digest = hashlib.sha256(imports.encode()).digest()
    policy = policy_of_pages(base64.b64encode(digest).decode())
    text = _shell(place, imports, build_id)

    async def page(_request: object) -> Response:
        return HTMLResponse(text, headers={"content-security-policy": policy})

    # One request, whose parts are files of their own.
    style = "".join((STATIC / name).read_text("utf-8") for name in STYLES)

    async def styles(_request: object) -> Response:
        return Response(style, media_type="text/css", headers={"cache-control": FOREVER})

    kept = Router([Route(f"/{STYLED}", styles), Mount("/", _KeptFiles(directory=STATIC))])
    return [
        *(Route(path, page) for path in PAGES),
        Mount(place, GZipMiddleware(kept)),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]


def imported(file: str) -> list[str]:
    """The files that a module of `static` imports, and those that they import, each once."""
    found: dict[str, None] = {}
    waiting = [file]
    while waiting:
        importer = waiting.pop()
        for name in STATIC_IMPORT.findall((STATIC / importer).read_text("utf-8")):
            path = IMPORTS.get(name) or os.path.normpath(Path(importer).parent / name)
            if path not in found:
                found[path] = None
                waiting.append(path)
    return sorted(found)


def _shell(place: str, imports: str, build_id: str) -> str:
    # Loaded at once, not one after the other as they import each other.
    early = "\n".join(
        f'<link rel="modulepreload" href="{place}/{file}">' for file in imported(MAIN)
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="build" content="{html.escape(build_id)}">
<link rel="icon" type="image/svg+xml" href="{place}/icon.svg">
<title>carbonline</title>
<script type="importmap">{imports}</script>
<link rel="stylesheet" href="{place}/{STYLED}">
{early}
<script type="module" src="{place}/main.js"></script>
</head>
<body>
<noscript>The console needs JavaScript. Everything that it does, the command carbonline does, too:
carbonline --help</noscript>
<div id="root"></div>
</body>
</html>
"""
