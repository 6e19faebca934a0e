"""/v1/session: a browser's login, which is the caller's own token in a cookie."""

import hashlib
import secrets
import time
from collections.abc import Callable
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from carbonline.v1 import operations_pb2
from gateway_service.access.caller import (
    bearer_of,
    cookie_name,
    fault_of_token,
    is_loopback,
    token_of,
)
from gateway_service.access.failed_logins import FailedLogins
from gateway_service.rpc_endpoint import JSON, json_body
from gateway_service.services import Services
from gateway_service.transcode.answers import json_of
from gateway_service.transcode.fields import fill
from gateway_service.transcode.problems import FieldsWrong, Problem, Violation

CODE_SECONDS = 60.0
CODES_MAX = 1_000
CODE_BYTES = 32


class OneTimeCodes:
    """Codes that stand for a token for a minute, each for one use: what may be in an address."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tokens: dict[bytes, tuple[str, float]] = {}

    def make(self, token: str) -> str:
        """A code for the token. Raises Problem TOO_MANY_CODES."""
        self._forget()
        if len(self._tokens) >= CODES_MAX:
            words = "Too many codes wait for their use. Try again in a minute."
            raise Problem(429, "TOO_MANY_CODES", words, retry_seconds=CODE_SECONDS)
        code = secrets.token_urlsafe(CODE_BYTES)
        self._tokens[_key(code)] = (token, self._clock() + CODE_SECONDS)
        return code

    def use(self, code: str) -> str:
        """The token of a code, once; "" for an unknown code, an old one and a used one."""
        self._forget()
        return self._tokens.pop(_key(code), ("", 0.0))[0]

    def _forget(self) -> None:
        now = self._clock()
        self._tokens = {key: one for key, one in self._tokens.items() if one[1] > now}


class Sessions:
    """Logs browsers in and out. Nothing of a session is kept here but codes that wait."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._codes = OneTimeCodes()
        self._failed = FailedLogins()

    async def who(self, request: Request) -> Response:
        """Who is logged in. Raises Problem."""
        return Response(json_of(await self._caller(token_of(request), request)), media_type=JSON)

    async def begin(self, request: Request) -> Response:
        """Sets the cookie for {"token": ...} or {"code": ...}. Raises Problem, after a moment if
        they let nobody in.
        """
        try:
            return await self._begin(request)
        except Problem as problem:
            if problem.status == HTTPStatus.UNAUTHORIZED:
                await self._failed.slow()
            raise

    async def _begin(self, request: Request) -> Response:
        body = await json_body(request)
        given = {name: value for name, value in body.items() if isinstance(value, str) and value}
        if len(body) != 1 or not given.keys() <= {"token", "code"} or not given:
            raise FieldsWrong([Violation("token", "give either a token or a code, as text")])
        token = given.get("token", "").strip() or self._codes.use(given.get("code", ""))
        if not token:
            words = "This code is unknown, used, or older than a minute. Run `carbonline console`."
            raise Problem(401, "CODE_UNKNOWN", words)
        if fault := fault_of_token(token):
            raise Problem(401, "UNAUTHENTICATED", fault)
        answer = Response(json_of(await self._caller(token, request)), media_type=JSON)
        answer.set_cookie(
            cookie_name(request),
            token,
            path="/",
            httponly=True,
            samesite="lax",
            # Browsers refuse a secure cookie over plain HTTP, also of this machine.
            secure=not is_loopback(request),
        )
        return answer

    async def end(self, request: Request) -> Response:
        """Takes the cookie away."""
        answer = Response(status_code=204)
        answer.delete_cookie(
            cookie_name(request),
            path="/",
            httponly=True,
            samesite="lax",
            secure=not is_loopback(request),
        )
        return answer

    async def make_code(self, request: Request) -> Response:
        """A code for the token of a program, for the address that it opens. Raises Problem."""
        if not bearer_of(request):
            words = "Only a program with a token of its own makes codes."
            raise Problem(401, "UNAUTHENTICATED", words, headers={"www-authenticate": "Bearer"})
        token = token_of(request)
        await self._caller(token, request)
        code = self._codes.make(token)
        return Response(f'{{"code": "{code}", "seconds": {CODE_SECONDS:g}}}', media_type=JSON)

    async def _caller(self, token: str, request: Request) -> operations_pb2.GetCallerResponse:
        # A query has no field here that could be filled.
        fill(operations_pb2.GetCallerRequest(), {}, request.query_params.multi_items(), None)
        return await self._services.caller(token)


def _key(code: str) -> bytes:
    return hashlib.sha256(code.encode("utf-8", "replace")).digest()
