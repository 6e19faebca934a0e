"""Puts the routes together: those of the table, streams, files, the console, and probes."""

import asyncio
from collections.abc import Mapping, Sequence

from starlette.applications import Starlette
from starlette.convertors import CONVERTOR_TYPES, StringConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp
from structlog.typing import FilteringBoundLogger

from gateway_service import api_document
from gateway_service.access.every_request import EveryRequest
from gateway_service.access.limits import StreamLimits
from gateway_service.access.session import Sessions
from gateway_service.console.page import page_routes
from gateway_service.export_routes import EXPORTS
from gateway_service.files.csv_export import CsvExports
from gateway_service.files.download import Download
from gateway_service.files.upload import Upload
from gateway_service.metrics import GatewayMetrics
from gateway_service.problem_answers import of_http_exception, of_problem
from gateway_service.readiness import Readiness
from gateway_service.routes import ROUTES
from gateway_service.rpc_endpoint import Endpoint, endpoint_of
from gateway_service.services import Services
from gateway_service.streams.console_events import ConsoleEvents
from gateway_service.streams.hub import Hubs
from gateway_service.streams.one_pipeline import OnePipeline
from gateway_service.sync.active_pipelines import ActivePipelines
from gateway_service.sync.stale_stats import StaleStats
from gateway_service.transcode.problems import Problem


class _Name(StringConvertor):
    """A part of a path without a colon, after which a verb follows."""

    regex = "[^/:]+"


NAME = "name"


def application(
    services: Services,
    readiness: Readiness,
    metrics: GatewayMetrics,
    log: FilteringBoundLogger,
    draining: asyncio.Event,
    *,
    hosts: Sequence[str],
    build_id: str,
    limits: StreamLimits,
) -> ASGIApp:
    """All that the gateway serves. Streams end when it is `draining`."""
    if NAME not in CONVERTOR_TYPES:
        register_url_convertor(NAME, _Name())
    # Files first: a path of the table could be taken for one that ends with .csv.
    routes = _routes_of_files(services, metrics)
    routes += _routes_of_table(services)
    routes += _routes_of_streams(services, metrics, draining, log, build_id, limits)
    routes += _routes_of_sync(services)
    routes += _routes_of_sessions(services)
    routes += _probes(readiness)
    routes += _document()
    routes += page_routes(build_id)
    app = Starlette(
        routes=routes,
        exception_handlers={HTTPException: of_http_exception, Problem: of_problem},
    )
    app.router.redirect_slashes = False
    return EveryRequest(app, hosts, metrics, log)


def _routes_of_table(services: Services) -> list[BaseRoute]:
    """One route for each path, so that it knows all its methods."""
    by_path: dict[str, dict[str, Endpoint]] = {}
    for one in ROUTES:
        by_path.setdefault(one.path, {})[one.method] = endpoint_of(one, services)
    return [
        Route(path_of(path), by_method(endpoints), methods=list(endpoints))
        for path, endpoints in by_path.items()
    ]


def by_method(endpoints: Mapping[str, Endpoint]) -> Endpoint:
    """Serves each method of a path with its own endpoint."""

    async def serve(request: Request) -> Response:
        # HEAD is a GET whose body the server leaves out.
        method = "GET" if request.method == "HEAD" else request.method
        return await endpoints[method](request)

    return serve


def path_of(path: str) -> str:
    """A path of the table as the router reads it."""
    if path.endswith("{blob}"):
        # Its reference has colons.
        return path
    return path.replace("}", f":{NAME}}}")


def _routes_of_files(services: Services, metrics: GatewayMetrics) -> list[BaseRoute]:
    upload = Upload(services, metrics)
    download = Download(services, metrics)
    exports = CsvExports(services)
    return [
        *(Route(path_of(one.path), exports.endpoint(one)) for one in EXPORTS),
        Route(path_of("/v1/templates/{data_entry_type}.csv"), exports.template),
        Route("/v1/blobs", upload.serve, methods=["POST"]),
        Route("/v1/blobs/{blob}/content", download.content),
        Route(path_of("/v1/uploads/{upload_id}/content"), download.upload),
        Route(path_of("/v1/pipelines/{pipeline_id}/rejected.csv"), download.rejected),
    ]


def _routes_of_streams(
    services: Services,
    metrics: GatewayMetrics,
    draining: asyncio.Event,
    log: FilteringBoundLogger,
    build_id: str,
    limits: StreamLimits,
) -> list[BaseRoute]:
    metrics.streams.set_function(lambda: limits.streams)
    watch = OnePipeline(services, limits, draining)
    hubs = Hubs(services, metrics, log)
    console = ConsoleEvents(services, hubs, limits, draining, build_id)
    return [
        Route(path_of("/v1/pipelines/{pipeline_id}/events"), watch.serve),
        Route("/v1/events", console.serve),
    ]


def _routes_of_sync(services: Services) -> list[BaseRoute]:
    active = ActivePipelines(services)
    return [
        Route("/v1/sync/active-pipelines", active.serve),
        Route(path_of("/v1/sync/active-pipelines/year/{year}"), active.serve),
        Route("/v1/sync/health/stale-stats", StaleStats(services).serve),
    ]


def _routes_of_sessions(services: Services) -> list[BaseRoute]:
    sessions = Sessions(services)
    endpoints = {"GET": sessions.who, "POST": sessions.begin, "DELETE": sessions.end}
    return [
        Route("/v1/session", by_method(endpoints), methods=list(endpoints)),
        Route("/v1/session/codes", sessions.make_code, methods=["POST"]),
    ]


def _document() -> list[BaseRoute]:
    return [Route("/v1/openapi.json", api_document.serve)]


def _probes(readiness: Readiness) -> list[BaseRoute]:
    async def healthz(_request: object) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(_request: object) -> Response:
        fault = await readiness.fault()
        return PlainTextResponse(f"{fault or 'ok'}\n", 503 if fault else 200)

    return [Route("/healthz", healthz), Route("/readyz", readyz)]
