"""The answer on its way out: what it carries, where it ends, and whether it is one of ours."""

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Scope, Send

from gateway_service.access.headers import ALWAYS, POLICY_OF_DATA
from gateway_service.problem_answers import answer_of
from gateway_service.transcode.problems import MEDIA_TYPE, Problem

DATA = "/v1/"
# Nobody waits for an answer any more.
GONE = 499
STREAM = "text/event-stream"
# A word for a machine, also where it is a refusal.
PROBE = "/readyz"
# Of a refusal that is not ours.
KEPT_HEADERS = ("allow", "content-range")
WORDS_BYTES_MAX = 300


class SentAnswer:
    """Passes an answer on, and remembers it for the metrics.

    Each gets the headers that protect it. One to HEAD ends with its head, so that nothing is read
    for a body that nobody gets. A refusal in the words of a library becomes a problem.
    """

    def __init__(self, send: Send, scope: Scope) -> None:
        self._send = send
        self._path = scope["path"]
        self._is_head = scope["method"] == "HEAD"
        self._has_ended = False
        self._foreign: _Foreign | None = None
        self.status = GONE
        self.streams = False

    async def send(self, message: Message) -> None:
        """Takes the next part of the answer."""
        if message["type"] == "http.response.start":
            await self._begin(message)
        elif self._foreign is not None:
            await self._end_of_foreign(self._foreign, message)
        elif not self._has_ended:
            await self._send(message)

    async def _begin(self, message: Message) -> None:
        headers = MutableHeaders(raw=list(message.get("headers", ())))
        kind = headers.get("content-type", "")
        if message["status"] >= 400 and kind != MEDIA_TYPE and self._path != PROBE:
            self._foreign = _Foreign(message["status"], headers)
            return
        self._foreign = None
        self.status = message["status"]
        for name, value in ALWAYS.items():
            headers.setdefault(name, value)
        headers.setdefault("content-security-policy", POLICY_OF_DATA)
        is_data = self._path.startswith(DATA)
        headers.setdefault("cache-control", "no-store" if is_data else "no-cache")
        self.streams = kind.startswith(STREAM)
        await self._send({**message, "headers": headers.raw})
        if self._is_head:
            # Whoever answers is told that the reader has left, as by every reader that leaves.
            self._has_ended = True
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _end_of_foreign(self, foreign: "_Foreign", message: Message) -> None:
        foreign.words = (foreign.words + message.get("body", b""))[:WORDS_BYTES_MAX]
        if message.get("more_body", False):
            return
        answer = answer_of(foreign.problem())
        head = {"status": answer.status_code, "headers": answer.raw_headers}
        await self.send({"type": "http.response.start", **head})
        await self.send({"type": "http.response.body", "body": bytes(answer.body)})


class _Foreign:
    """A refusal that a library has written."""

    def __init__(self, status: int, headers: MutableHeaders) -> None:
        self._status = status
        self._headers = {name: headers[name] for name in KEPT_HEADERS if name in headers}
        self.words = b""

    def problem(self) -> Problem:
        """The same as we say it."""
        words = self.words.decode("utf-8", "replace") or "The request cannot be answered."
        return Problem(self._status, "REFUSED", words, headers=self._headers)
