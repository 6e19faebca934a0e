"""Why a request may be refused: reasons of the contract's comments, and the gateway's own."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from gateway_service.transcode.problems import BAD_GATEWAY, STATUSES

REASON_ENUM = "carbonline.v1.ErrorReason."
PREFIX = "ERROR_REASON_"
WORD = re.compile(r"\b[A-Z][A-Z_]+\b")
# What an enum's value says: its code, and its name again, then why.
CODED = re.compile(r"^(?P<code>[A-Z_]+) \((?P<reason>[A-Z_]+)\): (?P<why>.*)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason with the status that it comes with."""

    status: int
    name: str
    why: str


# Of the gateway itself.
OF_EVERY_REQUEST: tuple[Reason, ...] = (
    Reason(421, "HOST_UNKNOWN", "The host is none of the gateway's."),
    Reason(431, "HEAD_TOO_LARGE", "The head of the request is too large."),
    Reason(500, "GATEWAY_FAILED", "The gateway failed, which is a bug. Its log has the id."),
    Reason(503, "TOO_MANY_CONNECTIONS", "The gateway has as many connections as it serves."),
    Reason(503, "DRAINING", "The gateway ends before it has an answer. Repeat the request."),
)
OF_EVERY_CALL: tuple[Reason, ...] = (
    Reason(401, "UNAUTHENTICATED", "There is no token, or a wrong one."),
    Reason(403, "CROSS_SITE", "A page of another site sent the request with a browser's cookie."),
    Reason(400, "FIELD_INVALID", "A field is unknown, twice there, or wrong: see `violations`."),
    Reason(413, "RESOURCE_EXHAUSTED", "The answer is too large for one message: ask for less."),
    Reason(502, "INTERNAL", "A service failed, which is a bug. Its log says why."),
    Reason(503, "SERVICE_UNREACHABLE", "A service does not answer. Repeat the request."),
    Reason(504, "DEADLINE_EXCEEDED", "A service took longer than the gateway waits."),
)
# Of a path that names something: a name has neither a slash nor, but for files, a colon.
OF_NAMES: tuple[Reason, ...] = (
    Reason(404, "PATH_NOT_FOUND", "The path is none of the gateway's."),
)
OF_JSON: tuple[Reason, ...] = (
    Reason(400, "NOT_JSON", "The body is not a JSON object."),
    Reason(400, "UPGRADE_WITH_BODY", "The request offers another protocol, and has a body."),
    Reason(400, "BROKEN_OFF", "The body ended before its end."),
    Reason(408, "BODY_TOO_SLOW", "The body did not come in time."),
    Reason(413, "TOO_LARGE", "The body is too large."),
    Reason(415, "NOT_JSON", "The body is of another media type."),
)


class Reasons:
    """Which reasons the comments name."""

    def __init__(self, comments: Mapping[str, str]) -> None:
        self._comments = comments
        self.by_name = MappingProxyType(_of_contract(comments))

    def of_rpc(self, full_name: str) -> Sequence[Reason]:
        """Those that its comment, and the comment of its service, name."""
        service = full_name.rpartition(".")[0]
        text = self._comments.get(full_name, "") + self._comments.get(service, "")
        names = dict.fromkeys(WORD.findall(text))
        return [self.by_name[name] for name in names if name in self.by_name]


def _of_contract(comments: Mapping[str, str]) -> dict[str, Reason]:
    found = {}
    for name, comment in comments.items():
        said = CODED.match(comment) if name.startswith(REASON_ENUM) else None
        if said:
            reason = said["reason"]
            status = 413 if reason == "TOO_LARGE" else STATUSES.get(said["code"], BAD_GATEWAY)
            found[reason] = Reason(status, reason, said["why"])
    return found
