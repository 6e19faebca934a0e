"""What to tell a person about a call that no server has answered, instead of gRPC's words."""

from dataclasses import dataclass

from carbonline.client.addresses import UNIX

# What gRPC says of an address where nothing listens, or of which it knows no host.
_NOTHING_LISTENS = ("Connection refused", "No such file or directory", "connect failed")
_NO_SUCH_HOST = ("DNS resolution failed", "Name or service not known", "name resolution")
# What it says of a server that keeps its connections open and sends nothing, as one that is
# stopped does.
_SILENT = ("SETTINGS frame", "watchdog", "ping timeout", "andshake", "timed out", "imeout")
_NOT_GRPC = ("http1.x", "HTTP/1")
# What it says of TLS that does not come about, and what that means to a person.
_TLS = {
    "CERTIFICATE_VERIFY_FAILED": "has a certificate that no authority of your CA file has issued, "
    "or that is not valid now. Name the right CA (--tls-ca or CARBONLINE_TLS_CA), or renew the "
    "certificate.",
    "Hostname Verification": "has a certificate for another name. Call it by the name in its "
    "certificate.",
    "WRONG_VERSION_NUMBER": "speaks no TLS. Leave the CA out (--tls-ca, CARBONLINE_TLS_CA), or "
    "correct the address.",
}


@dataclass(frozen=True, slots=True)
class Server:
    """A server of carbonline as people call it, such as "ledger", and its address."""

    name: str
    address: str

    def __str__(self) -> str:
        return f"the {self.name} at {self.address}"


def no_answer(server: Server, words: str, seconds: float | None = None) -> str:
    """A sentence about what is wrong, and one about what to do.

    `words` are gRPC's. `seconds` is how long an answer was awaited, None if the connection failed.
    """
    if seconds is not None:
        return f"{_named(server)} has not answered for {seconds:g} s. {_HANGS}"
    if about_tls := _about_tls(words):
        return f"{_named(server)} {about_tls}"
    if any(sign in words for sign in _NO_SUCH_HOST):
        return f"No host has the name in {server.address}, the address of the {server.name}. {_FIX}"
    if any(sign in words for sign in _NOT_GRPC):
        return f"What listens at {server.address} is not the {server.name}. {_FIX}"
    if any(sign in words for sign in _NOTHING_LISTENS):
        return f"Nothing listens at {server.address}, the address of the {server.name}. {_START}"
    if is_about_silence(words):
        return f"{_named(server)} takes connections and does not answer. {_HANGS}"
    lost = f"The connection to {server} was lost: it has ended or restarts. Try again."
    return lost if server.address.startswith(UNIX) else f"{lost} {_OR_TLS}"


def is_about_silence(words: str) -> bool:
    """Whether gRPC's words are about a server that keeps a connection open and sends nothing."""
    return not _about_tls(words) and any(sign in words for sign in _SILENT)


def _about_tls(words: str) -> str:
    return next((meaning for sign, meaning in _TLS.items() if sign in words), "")


def failed(server: Server, words: str) -> str:
    """A sentence about a call that failed in the server, or on its way, for no stated reason."""
    return f"{_named(server)} failed at this call. Its log says why. ({words})"


def _named(server: Server) -> str:
    return f"The {server.name} at {server.address}"


_HANGS = (
    "It hangs, or has too much to do: try again; if that does not help, look at its log and "
    "restart it."
)
# It closes such connections without a word.
_OR_TLS = "If that does not help, it may want TLS (--tls-ca), or your certificate (--tls-cert)."
_START = "Start it, or correct the address."
_FIX = "Correct the address."
