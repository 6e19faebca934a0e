"""Whose page sent a request: hosts that are ours, and requests that another site made."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from gateway_service.access.caller import bearer_of, host_name
from gateway_service.settings import LOOPBACK
from gateway_service.transcode.problems import Problem

OF_THE_USER = ("same-origin", "none")


def check_host(request: HTTPConnection, hosts: Sequence[str]) -> None:
    """Refuses names that are not ours, which another site could point at this machine.

    `hosts` are the names of a proxy. Raises Problem HOST_UNKNOWN.
    """
    asked = host_name(request.headers.get("host", ""))
    if asked not in LOOPBACK and asked not in hosts:
        raise Problem(
            421,
            "HOST_UNKNOWN",
            f"This gateway is not {asked[:80]!r}. Name the host in CARBONLINE_GATEWAY_HOSTS, or "
            "use the address that `carbonline up` prints.",
        )


def check_origin(request: HTTPConnection) -> None:
    """Refuses what a page of another site sent with the cookie, and its logins.

    A program says who it is with its token, which no browser sends by itself. Raises Problem
    CROSS_SITE.
    """
    if bearer_of(request):
        return
    site = request.headers.get("sec-fetch-site")
    if site is None:
        # A browser that is too old to say it. It names the origin of the page.
        origin = urlsplit(request.headers.get("origin", "")).netloc.lower()
        is_ours = origin != "" and origin == request.headers.get("host", "").lower()
    else:
        is_ours = site in OF_THE_USER
    if is_ours:
        return
    raise Problem(
        403,
        "CROSS_SITE",
        "A page of another site sent this request, or a program without a token. Programs send "
        "`Authorization: Bearer TOKEN`.",
    )
