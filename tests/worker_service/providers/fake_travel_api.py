"""A travel API that speaks as the real one does over HTTP, and misbehaves as it is told."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from worker_service.providers.access import TravelApiAccess
from worker_service.providers.secret import Secret
from worker_service.providers.travel_rows import CAPTIONS, DATE

SECRET = "a-secret-that-nobody-may-see-and-that-is-long-enough"
CLIENT, SECRET_ID, USER, SITE, DATASOURCE = "client-1", "secret-1", "someone", "campus", "luid-1"
# Answers in place of the real one; None goes on as usual.
Instead = Callable[[web.Request], Awaitable[web.Response | None]]


def trip(**changes: Any) -> dict[str, Any]:
    """A record; keywords name captions by their first letters, as below."""
    captions = {
        "kg": "OUT_CO2_CORRECTED",
        "traveller": "SCIPER",
        "centre": "Centre financier",
        "date": DATE,
        "cabin": "IN_Segment class",
        "to": "IN_Segment destination airport code",
        "origin": "IN_Segment origin airport code",
        "ticket": "IN_Ticket number",
        "transport": "TRANSPORT_TYPE",
        "trips": "Number of trips",
    }
    usual = dict.fromkeys(CAPTIONS, "") | {
        "OUT_CO2_CORRECTED": 150.5,
        "OUT_DISTANCE_CORRECTED": 400.0,
        "SCIPER": "385802",
        "Centre financier": "F0828",
        DATE: "20240525",
        "IN_Segment class": "AIR ECONOMY CLASS",
        "IN_Segment destination airport code": "CDG",
        "IN_Segment origin airport code": "GVA",
        "IN_Supplier": "AN AIRLINE (XX)",
        "IN_Ticket number": "125 0001",
        "ROUND_TRIP": "NO",
        "TRANSPORT_TYPE": "Plane",
        "Number of trips": 1,
    }
    return usual | {captions[name]: value for name, value in changes.items()}


@dataclass
class FakeTravelApi:
    """The service. `instead` decides about each request before it is answered.

    `session_requests`: a session ends after so many requests. `paths` lists what was asked.
    """

    records: list[dict[str, Any]] = field(default_factory=list)
    captions: tuple[str, ...] = CAPTIONS
    instead: Instead | None = None
    session_requests: int = 1_000
    port: int = 0
    paths: list[str] = field(default_factory=list)
    tokens: dict[str, int] = field(default_factory=dict)
    claims: list[Mapping[str, Any]] = field(default_factory=list)

    def access(self, **changes: Any) -> TravelApiAccess:
        """How to reach it, with no pauses worth waiting for."""
        return TravelApiAccess(
            **{
                "url": f"http://127.0.0.1:{self.port}",
                "site": SITE,
                "datasource": DATASOURCE,
                "user": USER,
                "client_id": CLIENT,
                "secret_id": SECRET_ID,
                "secret": Secret("CARBONLINE_TRAVEL_API_SECRET", SECRET),
                "first_pause_seconds": 0.001,
                **changes,
            }
        )

    def environment(self) -> dict[str, str]:
        """The settings of a worker that asks it."""
        prefix = "CARBONLINE_TRAVEL_API_"
        return {
            f"{prefix}URL": f"http://127.0.0.1:{self.port}",
            f"{prefix}SITE": SITE,
            f"{prefix}DATASOURCE": DATASOURCE,
            f"{prefix}USER": USER,
            f"{prefix}CLIENT_ID": CLIENT,
            f"{prefix}SECRET_ID": SECRET_ID,
            f"{prefix}SECRET": SECRET,
        }

    @property
    def queries(self) -> int:
        """How often records or dates were asked for."""
        return sum(path.endswith("/query-datasource") for path in self.paths)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Any request."""
        self.paths.append(request.path)
        if self.instead is not None and (other := await self.instead(request)) is not None:
            return other
        body = await request.json()
        if request.path == "/api/3.24/auth/signin":
            return self._signed_in(body)
        if not self._knows(request.headers.get("X-Tableau-Auth", "")):
            return error(401, "401002", "Unauthorized Access")
        if body["datasource"] != {"datasourceLuid": DATASOURCE}:
            return error(404, "404934", "Datasource not found")
        if request.path.endswith("/read-metadata"):
            fields = [{"fieldCaption": one, "dataType": "STRING"} for one in self.captions]
            return web.json_response({"data": fields})
        return self._queried(body)

    def _knows(self, token: str) -> bool:
        left = self.tokens.get(token, 0)
        self.tokens[token] = left - 1
        return left > 0

    def _signed_in(self, body: Mapping[str, Any]) -> web.Response:
        signed, _, signature = body["credentials"]["jwt"].rpartition(".")
        header, claims = (json.loads(decoded(part)) for part in signed.split("."))
        expected = hmac.new(SECRET.encode(), signed.encode(), hashlib.sha256).digest()
        good = (
            hmac.compare_digest(decoded(signature), expected)
            and header == {"alg": "HS256", "typ": "JWT", "kid": SECRET_ID}
            and (claims["iss"], claims["sub"], claims["aud"]) == (CLIENT, USER, "tableau")
            and claims["scp"] == ["tableau:viz_data_service:read"]
            and 0 < claims["exp"] - claims["iat"] <= 600
            and claims["jti"] not in {known["jti"] for known in self.claims}
            and body["credentials"]["site"] == {"contentUrl": SITE}
        )
        if not good:
            return error(401, "401001", "Signin Error")
        self.claims.append(claims)
        token = f"token-{len(self.claims)}"
        self.tokens[token] = self.session_requests
        return web.json_response({"credentials": {"token": token, "site": {"id": "1"}}})

    def _queried(self, body: Mapping[str, Any]) -> web.Response:
        query = body["query"]
        assert body["options"] == {"returnFormat": "OBJECTS"}
        if unknown := {one["fieldCaption"] for one in query["fields"]} - set(self.captions):
            return error(400, "400803", f"Unknown field {sorted(unknown)}")
        found = self.records
        for one in query.get("filters", ()):
            assert one["filterType"] == "SET"
            caption, values = one["field"]["fieldCaption"], one["values"]
            found = [record for record in found if record[caption] in values]
        counted = {
            one["fieldAlias"]: one["fieldCaption"]
            for one in query["fields"]
            if one.get("function") == "COUNT"
        }
        if counted:
            data = [
                {DATE: day, **_counts(counted, [one for one in found if one[DATE] == day])}
                for day in dict.fromkeys(record[DATE] for record in found)
            ]
        else:
            names = [one["fieldCaption"] for one in query["fields"]]
            # In another order each time: the service promises none.
            found = found[::-1] if self.queries // 2 % 2 else found
            data = [{name: record[name] for name in names} for record in found]
        return web.json_response({"data": data})


def _counts(counted: Mapping[str, str], records: Sequence[Mapping[str, Any]]) -> Mapping[str, int]:
    """As the real service counts: not the nulls."""
    return {
        alias: sum(record[caption] is not None for record in records)
        for alias, caption in counted.items()
    }


def decoded(part: str) -> bytes:
    """A part of a token."""
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def error(status: int, code: str, message: str) -> web.Response:
    """An error in the service's own form."""
    return web.json_response({"errorCode": code, "message": message}, status=status)


@asynccontextmanager
async def served(fake: FakeTravelApi) -> AsyncIterator[FakeTravelApi]:
    """Serves it on a free port."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", fake.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    _, fake.port = runner.addresses[0][:2]
    try:
        yield fake
    finally:
        await asyncio.wait_for(runner.cleanup(), 10)
