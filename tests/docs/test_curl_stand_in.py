"""The curl of machines without one understands each line that a document shows."""

import shlex
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.docs.curl_stand_in import REFUSED, parser, request_of, run
from tests.docs.test_documented_commands import DOCUMENTS, executed

LINES = [
    pytest.param(part, id=f"{document.name}:{command.line}")
    for document in DOCUMENTS
    for block in executed(document)
    for command in block.commands
    for part in command.text.replace("\\\n", " ").replace("$(", "\n").split("\n")
    if part.startswith("curl ")
]


def test_documents_show_such_lines() -> None:
    assert LINES


@pytest.mark.parametrize("line", LINES)
def test_a_line_of_a_document_is_understood(line: str) -> None:
    words = shlex.split(line.partition(" | ")[0].rstrip(")"))
    asked = parser().parse_args(words[1:])
    assert asked.url.startswith(("http", "$API"))


class _Echo(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.send_response(400 if body == b"wrong" else 200)
        self.end_headers()
        self.wfile.write(self.headers["content-type"].encode() + b" " + body)

    def log_message(self, *_: object) -> None:
        """Not in the tests' output."""


def test_a_file_is_sent_and_a_refusal_is_an_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"a\nb")
    with HTTPServer(("127.0.0.1", 0), _Echo) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        assert run(["-s", "--data-binary", f"@{file}", url]) == 0
        assert capsys.readouterr().out.endswith("a\nb")
        assert run(["--fail-with-body", "--json", "wrong", url]) == REFUSED
        assert capsys.readouterr().out == "application/json wrong"
        server.shutdown()


def test_headers_and_methods_are_curls() -> None:
    asked = parser().parse_args(["-H", "A: b: c", "-X", "DELETE", "http://x/"])
    request = request_of(asked)
    assert (request.get_header("A"), request.get_method()) == ("b: c", "DELETE")
