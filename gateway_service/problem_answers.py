"""Turns problems into answers: nothing else ever comes out for what is refused."""

import json

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from gateway_service.transcode.problems import MEDIA_TYPE, Problem

# Of the services' sentences, and of ours.
LANGUAGE = "en"


def answer_of(problem: Problem) -> Response:
    """The answer that says the problem, whose sentences are English."""
    body = json.dumps(problem.body(), ensure_ascii=False).encode("utf-8", "replace")
    headers = {"content-language": LANGUAGE, **problem.all_headers()}
    return Response(body, problem.status, headers=headers, media_type=MEDIA_TYPE)


async def of_problem(_request: Request, problem: Exception) -> Response:
    """The handler of problems."""
    assert isinstance(problem, Problem)
    return answer_of(problem)


async def of_http_exception(request: Request, error: Exception) -> Response:
    """The handler of what the router finds: no such path, no such method."""
    assert isinstance(error, HTTPException)
    path = request.url.path[:200]
    headers = dict(error.headers or {})
    if error.status_code == 405:
        problem = Problem(
            405,
            "METHOD_NOT_ALLOWED",
            f"{path} does not take {request.method}. It allows: {headers.get('Allow', '')}.",
            headers=headers,
        )
    elif error.status_code == 404:
        words = f"Nothing is at {path}. GET /v1/openapi.json lists what there is."
        problem = Problem(404, "PATH_NOT_FOUND", words)
    else:
        problem = Problem(error.status_code, "REFUSED", str(error.detail), headers=headers)
    return answer_of(problem)
