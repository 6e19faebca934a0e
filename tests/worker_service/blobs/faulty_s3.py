"""An S3 server (moto's emulator) behind a server that answers with errors when it is told to."""

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

BUCKET = "blobs"
KEY, SECRET = "AKIAOFTHETESTS", "a-secret-of-the-tests"
_HOP = frozenset({"connection", "transfer-encoding", "content-length"})


@dataclass
class FaultyS3:
    """`faults`: method -> status and code of the answer. `largest`: bytes of the largest body that
    came in one request.
    """

    port: int
    behind: int
    faults: dict[str, tuple[int, str]] = field(default_factory=dict)
    largest: int = 0
    parts: int = 0
    # The paths of what was written, in order.
    writes: list[str] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to find it."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
        }

    def names(self) -> list[str]:
        """The names of all objects."""
        found = self._client().list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return sorted(one["Key"] for one in found)

    def put(self, name: str, content: bytes) -> None:
        """What somebody else writes."""
        self._client().put_object(Bucket=BUCKET, Key=name, Body=content)

    def delete(self, *names: str) -> None:
        """What somebody else deletes."""
        for name in names:
            self._client().delete_object(Bucket=BUCKET, Key=name)

    def make_bucket(self) -> None:
        """An empty bucket."""
        self._client().create_bucket(Bucket=BUCKET)

    def _client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{self.behind}",
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            region_name="us-east-1",
        )


@contextmanager
def faulty_s3() -> Iterator[FaultyS3]:
    """A server with an empty bucket."""
    moto = ThreadedMotoServer(port=0, verbose=False)
    moto.start()
    _, behind = moto.get_host_and_port()
    front = ThreadingHTTPServer(("127.0.0.1", 0), _InFront)
    s3 = FaultyS3(front.server_address[1], int(behind))
    front.s3 = s3  # type: ignore[attr-defined]
    thread = Thread(target=front.serve_forever, daemon=True)
    thread.start()
    try:
        s3.make_bucket()
        yield s3
    finally:
        front.shutdown()
        front.server_close()
        moto.stop()


class _InFront(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _pass(self) -> None:
        s3: FaultyS3 = self.server.s3  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        s3.largest = max(s3.largest, len(body))
        s3.parts += "partNumber" in self.path
        if fault := s3.faults.get(self.command):
            status, code = fault
            said = f"<Error><Code>{code}</Code><AWSAccessKeyId>{KEY}</AWSAccessKeyId></Error>"
            self._answer(status, {}, said.encode())
            return
        behind = http.client.HTTPConnection("127.0.0.1", s3.behind)
        behind.request(self.command, self.path, body, dict(self.headers))
        answer = behind.getresponse()
        content = answer.read()
        headers = {k: v for k, v in answer.getheaders() if k.lower() not in _HOP}
        length = answer.getheader("Content-Length")
        self._answer(answer.status, headers, content, length if self.command == "HEAD" else None)
        behind.close()
        if self.command == "PUT":
            s3.writes.append(self.path)

    def _answer(
        self, status: int, headers: dict[str, str], content: bytes, length: str | None = None
    ) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", length or str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _pass  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Says nothing."""
