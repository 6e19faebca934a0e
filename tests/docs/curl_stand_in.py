"""What documents need of curl, for machines without one: the same requests through Python.

Reads the options that documents use, and refuses all others, so that a page whose lines a reader's
curl would understand otherwise fails.
"""

import argparse
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

# curl's exit code for an answer of 400 and above under --fail-with-body.
REFUSED = 22
SECONDS_MAX = 60.0


def parser() -> argparse.ArgumentParser:
    """The options, as curl names them."""
    options = argparse.ArgumentParser(prog="curl", allow_abbrev=False)
    options.add_argument("url")
    options.add_argument("-s", "--silent", action="store_true")
    options.add_argument("-N", "--no-buffer", action="store_true")
    options.add_argument("-i", "--include", action="store_true")
    options.add_argument("--fail-with-body", action="store_true")
    options.add_argument("-H", "--header", action="append", default=[])
    options.add_argument("-X", "--request", default="")
    options.add_argument("--json")
    options.add_argument("--data-binary")
    options.add_argument("-O", "--remote-name", action="store_true")
    options.add_argument("-o", "--output")
    return options


def request_of(asked: argparse.Namespace) -> urllib.request.Request:
    """The request that curl would send."""
    headers = dict(one.split(": ", 1) for one in asked.header)
    body = None
    if asked.json is not None:
        headers |= {"Content-Type": "application/json", "Accept": "application/json"}
        body = _bytes_of(asked.json)
    elif asked.data_binary is not None:
        body = _bytes_of(asked.data_binary)
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
    method = asked.request or ("GET" if body is None else "POST")
    return urllib.request.Request(asked.url, body, headers, method=method)


def _bytes_of(given: str) -> bytes:
    return Path(given[1:]).read_bytes() if given.startswith("@") else given.encode()


def run(arguments: list[str]) -> int:
    """Sends one request, and writes its answer; the exit code of curl."""
    asked = parser().parse_args(arguments)
    try:
        answer: Any = urllib.request.urlopen(request_of(asked), timeout=SECONDS_MAX)
    except urllib.error.HTTPError as error:
        answer = error
    if asked.include:
        sys.stdout.write(f"HTTP/1.1 {answer.status} {answer.reason}\r\n{answer.headers}")
    place = asked.output
    if asked.remote_name:
        place = asked.url.rpartition("/")[2]
    if place:
        Path(place).write_bytes(answer.read())
    else:
        sys.stdout.write(answer.read().decode())
    return REFUSED if asked.fail_with_body and answer.status >= 400 else 0


if __name__ == "__main__":
    raise SystemExit(run(sys.argv[1:]))
