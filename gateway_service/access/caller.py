"""The token of whoever asks: from the header of a program, or from the cookie of a browser."""

from starlette.requests import HTTPConnection

from gateway_service.settings import LOOPBACK
from gateway_service.transcode.problems import Problem

TOKEN_CHARACTERS_MAX = 4096
COOKIE = "carbonline"
# A browser sends it back to this host only, and only over TLS.
SECURE_COOKIE = "__Host-carbonline"
BEARER = "bearer "


def token_of(request: HTTPConnection) -> str:
    """The caller's token. Raises Problem if there is none that a call could carry."""
    token = bearer_of(request) or cookie_of(request)
    if not token:
        raise Problem(
            401,
            "UNAUTHENTICATED",
            "Send the header `Authorization: Bearer TOKEN`, or log in at /login. A local stack "
            "keeps the token in the file `token` of its data folder.",
            headers={"www-authenticate": "Bearer"},
        )
    if fault := fault_of_token(token):
        raise Problem(401, "UNAUTHENTICATED", fault, headers={"www-authenticate": "Bearer"})
    return token


def bearer_of(request: HTTPConnection) -> str:
    """The token of the header Authorization; "" without one."""
    header = request.headers.get("authorization", "")
    if header[: len(BEARER)].lower() != BEARER:
        return ""
    return header[len(BEARER) :].strip()


def cookie_of(request: HTTPConnection) -> str:
    """The token of the cookie; "" without one."""
    return request.cookies.get(cookie_name(request), "")


def cookie_name(request: HTTPConnection) -> str:
    """What the cookie is called at the host that was asked."""
    return COOKIE if is_loopback(request) else SECURE_COOKIE


def is_loopback(request: HTTPConnection) -> bool:
    """Whether the browser reaches the gateway as a program of its own machine."""
    return host_name(request.headers.get("host", "")) in LOOPBACK


def host_name(host: str) -> str:
    """A Host header without the port, in small letters."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower()


def fault_of_token(token: str) -> str:
    """Why no call can carry the token; "" if one can."""
    if len(token) > TOKEN_CHARACTERS_MAX:
        return f"The token is longer than {TOKEN_CHARACTERS_MAX} characters."
    # gRPC takes no other characters, and its error would not say so.
    if not token.isascii() or not token.isprintable() or " " in token:
        return "A token is one word of plain letters, digits and signs."
    return ""
