"""What the gateway serves beside the table of RPCs, as the OpenAPI document tells it.

A test compares this list with what is served.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from gateway_service.export_routes import EXPORTS
from gateway_service.routes import PACKAGE
from gateway_service.transcode.reasons import Reason

JSON = "application/json"
CSV = "text/csv"
EVENTS = "text/event-stream"
BYTES = "application/octet-stream"
TEXT = "text/plain"

Schema = Mapping[str, Any]
_STRING: Schema = {"type": "string"}
_NOTHING: Mapping[str, Schema] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Taken:
    """A parameter beside the fields of a request."""

    name: str
    place: str
    schema: Schema
    does: str


@dataclass(frozen=True, slots=True)
class OtherRoute:
    """A request that no single RPC answers, or not as JSON.

    `rpcs` are those that it calls, whose reasons it passes on. `request` is the message whose
    fields are its parameters, but for `without`; those that begin with `prefix` go without it.
    `body` and `answer` have a media type each; the schema of an answer may be the name of a
    message. `otherwise` are statuses with the same body, `empty` says when it is 204, without one.
    An `is_open` one needs no token.
    """

    method: str
    path: str
    name: str
    does: str
    rpcs: tuple[str, ...] = ()
    request: str = ""
    without: tuple[str, ...] = ()
    prefix: str = ""
    parameters: tuple[Taken, ...] = ()
    body: Mapping[str, Schema] = field(default_factory=lambda: _NOTHING)
    answer: Mapping[str, Schema | str] = field(default_factory=lambda: _NOTHING)
    headers: tuple[str, ...] = ()
    otherwise: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))
    empty: str = ""
    reasons: tuple[Reason, ...] = ()
    is_open: bool = False


_TOO_MANY_STREAMS = (
    Reason(
        429,
        "TOO_MANY_STREAMS",
        "The caller, or its network address, has as many streams open as one may have.",
    ),
    Reason(503, "TOO_MANY_STREAMS", "The gateway has as many streams open as it serves."),
)
_BROKEN_OFF = Reason(400, "BROKEN_OFF", "The file ended before its end. Nothing of it is kept.")
_STALE: Schema = {
    "type": "array",
    "items": {
        "type": "object",
        "required": [
            "module_type_id",
            "module",
            "year",
            "why_stale",
            "stale_since",
            "aggregated_at",
            "job_id",
            "pipeline_id",
        ],
        "properties": {
            "module_type_id": {"type": "integer"},
            "module": {"type": "string"},
            "year": {"type": "integer"},
            "why_stale": {"type": "string"},
            "stale_since": {"type": ["string", "null"], "format": "date-time"},
            "aggregated_at": {"type": ["string", "null"], "format": "date-time"},
            "job_id": {"type": ["string", "null"]},
            "pipeline_id": {"type": ["string", "null"]},
        },
    },
}
_ACTIVE: Schema = {"type": "object", "additionalProperties": _STRING}
_ONE_SECRET: Schema = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "token": {"type": "string", "description": "The caller's token."},
        "code": {"type": "string", "description": "A code of POST /v1/session/codes."},
    },
    "minProperties": 1,
    "maxProperties": 1,
}
_CODE: Schema = {
    "type": "object",
    "required": ["code", "seconds"],
    "properties": {"code": _STRING, "seconds": {"type": "number"}},
}
_ACTIVE_DOES = (
    "Tells which modules of a year a pipeline works on. The number of a module maps to the newest "
    "such pipeline, both as text; other modules are left out."
)

OTHER_ROUTES: tuple[OtherRoute, ...] = (
    *(
        OtherRoute(
            "GET",
            one.path,
            one.operation,
            one.does,
            rpcs=(one.rpc,),
            request=f"{PACKAGE}.{one.rpc.partition('.')[2]}Request",
            without=("page_size", "page_token"),
            answer={CSV: _STRING},
            headers=("Content-Disposition",),
        )
        for one in EXPORTS
    ),
    OtherRoute(
        "GET",
        "/v1/templates/{data_entry_type}.csv",
        "GetTemplate",
        "Sends a CSV file to start from: the header and an example row.",
        rpcs=("LedgerService.ListModules",),
        parameters=(
            Taken("data_entry_type", "path", _STRING, "The type, such as plane."),
            Taken("factors", "query", {"type": "boolean"}, "True for the file of its factors."),
        ),
        answer={CSV: _STRING},
        headers=("Content-Disposition",),
        reasons=(
            Reason(404, "TEMPLATE_NOT_FOUND", "The type is unknown, or is not computed yet."),
        ),
    ),
    OtherRoute(
        "POST",
        "/v1/blobs",
        "UploadBlob",
        "Uploads a file, which is the body as it is. Safe to repeat: the same bytes give the same "
        "reference. Nothing is kept of an upload that fails or breaks off. Next: POST "
        "/v1/pipelines with the reference in the payload.",
        rpcs=("BlobService.UploadBlob", "LedgerService.ListModules"),
        request="carbonline.v1.BlobHeader",
        prefix="scope.",
        body={BYTES: {}, CSV: {}, "application/gzip": {}},
        answer={JSON: "carbonline.v1.UploadBlobResponse"},
        reasons=(_BROKEN_OFF,),
    ),
    OtherRoute(
        "GET",
        "/v1/blobs/{blob}/content",
        "DownloadBlob",
        "Sends a file as it was uploaded. An answer that is cut, without its last chunk, is a file "
        "that was found damaged, or a service that went away: discard it.",
        rpcs=("BlobService.StatBlob", "BlobService.DownloadBlob"),
        request="carbonline.v1.StatBlobRequest",
        answer={BYTES: {}},
        headers=("Content-Disposition",),
    ),
    OtherRoute(
        "GET",
        "/v1/uploads/{upload_id}/content",
        "DownloadUpload",
        "Sends the file of an upload as it was sent. Of a file of several types that is all of it "
        "while its pipeline is kept and the caller may see it, and then the part of the type.",
        rpcs=(
            "LedgerService.ListUploads",
            "OperationsService.ListJobs",
            "OperationsService.GetJob",
            "BlobService.StatBlob",
            "BlobService.DownloadBlob",
        ),
        request="carbonline.v1.ListUploadsRequest",
        answer={BYTES: {}},
        headers=("Content-Disposition",),
        reasons=(Reason(404, "UPLOAD_NOT_FOUND", "There is no such upload."),),
    ),
    OtherRoute(
        "GET",
        "/v1/pipelines/{pipeline_id}/rejected.csv",
        "DownloadRejectedRows",
        "Sends the rejected rows of a pipeline, each with its reasons. Of a file of several types "
        "those of all parts follow each other under one header; another header keeps its place.",
        rpcs=("OperationsService.ListJobs", "BlobService.DownloadBlob"),
        request="carbonline.v1.ListJobsRequest",
        answer={CSV: _STRING},
        headers=("Content-Disposition",),
        reasons=(Reason(404, "NO_REJECTED_ROWS", "The pipeline has rejected no rows."),),
    ),
    OtherRoute(
        "GET",
        "/v1/pipelines/{pipeline_id}/events",
        "WatchPipeline",
        "Tells a pipeline as server-sent events: `snapshot`, then `change` and `activity`, and "
        "`final` at its end. Their data is JSON of PipelineSnapshot, PipelineChange, "
        "PipelineActivity and PipelineFinal of the contract; their id is the version to resume at.",
        rpcs=("SchedulerService.WatchPipeline", "OperationsService.GetCaller"),
        request="carbonline.v1.WatchPipelineRequest",
        without=("broken_off",),
        parameters=(
            Taken(
                "Last-Event-ID",
                "header",
                {"type": "integer", "format": "int64", "minimum": 0, "maximum": 2**63 - 1},
                "The version that was seen last, which a browser sends by itself.",
            ),
        ),
        answer={EVENTS: _STRING},
        empty="The reader has seen the pipeline's end: there is nothing more.",
        reasons=_TOO_MANY_STREAMS,
    ),
    OtherRoute(
        "GET",
        "/v1/events",
        "WatchAll",
        "Tells the console what changes, as server-sent events: `hello` {server_time, build}, then "
        "`update` {pipelines, jobs, years, whole, newest, more_live}, which are rows as the "
        "contract's JSON: all of them (`whole`), and then those that have changed. `newest` is the "
        "greatest number of a pipeline that was known then: a lower one that was live and that a "
        "whole does not name has ended, unless `more_live` says that more than a whole names may "
        "be: ask for the active pipelines of a year. `alive` {} comes after ten seconds of "
        "silence.",
        rpcs=(
            "OperationsService.GetCaller",
            "SchedulerService.WatchPipelines",
            "OperationsService.GetPipeline",
            "OperationsService.ListJobs",
            "OperationsService.ListActivePipelines",
            "OperationsService.ListYears",
        ),
        answer={EVENTS: _STRING},
        reasons=(
            *_TOO_MANY_STREAMS,
            Reason(503, "LOOK_FAILED", "The gateway failed, which is a bug. Its log says why."),
        ),
    ),
    OtherRoute(
        "GET",
        "/v1/sync/active-pipelines",
        "SyncActivePipelines",
        _ACTIVE_DOES,
        rpcs=("OperationsService.ListActivePipelines",),
        request="carbonline.v1.ListActivePipelinesRequest",
        answer={JSON: _ACTIVE},
    ),
    OtherRoute(
        "GET",
        "/v1/sync/active-pipelines/year/{year}",
        "SyncActivePipelines_by_year",
        _ACTIVE_DOES,
        rpcs=("OperationsService.ListActivePipelines",),
        request="carbonline.v1.ListActivePipelinesRequest",
        answer={JSON: _ACTIVE},
    ),
    OtherRoute(
        "GET",
        "/v1/sync/health/stale-stats",
        "SyncStaleStats",
        "Lists every total that has not seen all changes, by year and module, with the reason.",
        rpcs=("OperationsService.ListStaleStats",),
        request="carbonline.v1.ListStaleStatsRequest",
        without=("older_than", "page_size", "page_token"),
        parameters=(
            Taken(
                "older_than_minutes",
                "query",
                {"type": "integer", "minimum": 0, "maximum": 5_256_000},
                "Only totals that have been stale for longer.",
            ),
        ),
        answer={JSON: _STALE},
    ),
    OtherRoute(
        "GET",
        "/v1/session",
        "GetSession",
        "Says who is logged in.",
        rpcs=("OperationsService.GetCaller",),
        answer={JSON: "carbonline.v1.GetCallerResponse"},
    ),
    OtherRoute(
        "POST",
        "/v1/session",
        "BeginSession",
        "Logs a browser in: the token becomes a cookie that scripts cannot read.",
        rpcs=("OperationsService.GetCaller",),
        body={JSON: _ONE_SECRET},
        answer={JSON: "carbonline.v1.GetCallerResponse"},
        headers=("Set-Cookie",),
        reasons=(Reason(401, "CODE_UNKNOWN", "The code is unknown, used, or too old."),),
    ),
    OtherRoute(
        "DELETE",
        "/v1/session",
        "EndSession",
        "Logs a browser out: the cookie is taken away.",
        empty="The cookie is gone.",
        reasons=(Reason(403, "CROSS_SITE", "A page of another site sent the request."),),
        is_open=True,
    ),
    OtherRoute(
        "POST",
        "/v1/session/codes",
        "MakeSessionCode",
        "Makes a code that stands for the token for a minute and for one login: what may be in an "
        "address that a program opens.",
        rpcs=("OperationsService.GetCaller",),
        answer={JSON: _CODE},
        reasons=(Reason(429, "TOO_MANY_CODES", "Too many codes wait for their use."),),
    ),
    OtherRoute(
        "GET",
        "/v1/openapi.json",
        "GetDocument",
        "Sends this document.",
        answer={JSON: {"type": "object"}},
        is_open=True,
    ),
    OtherRoute(
        "GET",
        "/healthz",
        "GetHealth",
        "Says that the process runs.",
        answer={TEXT: _STRING},
        is_open=True,
    ),
    OtherRoute(
        "GET",
        "/readyz",
        "GetReadiness",
        "Says whether both services answer and are ready.",
        answer={TEXT: _STRING},
        otherwise={503: "Not ready, and why."},
        is_open=True,
    ),
)
