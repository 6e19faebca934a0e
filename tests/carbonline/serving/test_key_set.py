"""Where keys come from, which are used, and what happens while they cannot be read."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from carbonline.serving.auth.admission import Admission
from carbonline.serving.auth.jwt_tokens import Issuer, JwtAuthenticator
from carbonline.serving.auth.key_set import KeySet, KeysUnusable, after_reading_keys
from carbonline.serving.auth.key_source import fault_of_source
from carbonline.serving.auth.principals import FirstOf, LocalAuthenticator
from carbonline.serving.logs import open_log
from tests.carbonline.serving.token_issuer import AUDIENCE, NAME, TokenIssuer

LOG = open_log("error")


class Site:
    """An HTTP server with one answer."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/jwks"
        self.status, self.body, self.location, self.asked = 200, b"", "", 0
        # Between the bytes of a body.
        self.pause_seconds = 0.0


@contextmanager
def site() -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked += 1
            self.send_response(served.status)
            if served.location:
                self.send_header("Location", served.location)
            self.send_header("Content-Length", str(len(served.body)))
            self.end_headers()
            if not served.pause_seconds:
                self.wfile.write(served.body)
                return
            with suppress(ConnectionError):
                for number in range(len(served.body)):
                    self.wfile.write(served.body[number : number + 1])
                    time.sleep(served.pause_seconds)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served = Site(server.server_port)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def key_set(source: str | Path, reread_seconds: float = 60.0) -> KeySet:
    return KeySet(str(source), LOG, reread_seconds)


async def test_keys_are_fetched_and_those_known_hold_while_they_cannot_be(tmp_path: Path) -> None:
    issuer = TokenIssuer(tmp_path)
    with site() as served:
        served.body = issuer.jwks.read_bytes()
        keys = key_set(served.url)
        await keys.load()
        assert keys.find("first") is not None
        served.status, served.body = 503, b""
        with pytest.raises(KeysUnusable, match="503"):
            await keys.load()
        assert keys.find("first") is not None
        issuer.add_key("second")
        served.status, served.body = 200, issuer.jwks.read_bytes()
        await keys.load()
    assert keys.find("second") is not None


async def test_keys_are_read_again_by_themselves(tmp_path: Path) -> None:
    issuer = TokenIssuer(tmp_path)
    keys = key_set(issuer.jwks, reread_seconds=0.02)
    await keys.load()
    running = asyncio.create_task(keys.run())
    issuer.jwks.write_text("{", "utf-8")
    issuer.add_key("second")
    for _ in range(2_000):
        if keys.find("second") is not None:
            break
        await asyncio.sleep(0.01)
    running.cancel()
    assert keys.find("second") is not None


async def test_strangers_do_not_have_the_keys_fetched_each_time(tmp_path: Path) -> None:
    issuer = TokenIssuer(tmp_path)
    with site() as served:
        served.body = issuer.jwks.read_bytes()
        keys = key_set(served.url)
        await keys.load()
        await asyncio.gather(*(keys.load_again() for _ in range(100)))
        assert served.asked == 1


async def test_the_name_of_a_caller_is_found_without_reading_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calls that wait for a site that hangs have no place yet, and nothing bounds them."""
    monkeypatch.setattr("carbonline.serving.auth.key_set.REREAD_PAUSE_SECONDS", 0.0)
    issuer = TokenIssuer(tmp_path)
    with site() as served:
        served.body = issuer.jwks.read_bytes()
        keys = key_set(served.url)
        await keys.load()
        known = JwtAuthenticator(keys, Issuer(NAME, AUDIENCE, 0.0))
        admission = Admission(FirstOf(LocalAuthenticator("local", None), known), LOG)
        old = issuer.bearer(sub="ada")
        issuer.add_key("second")
        new = issuer.bearer(sub="bob")
        assert [(await admission.whose(one))[0] for one in (old, new)] == ["ada", ""]
        assert served.asked == 1
        served.body = issuer.jwks.read_bytes()
        found = await after_reading_keys(partial(known.principal, "", new[0][1]))
        assert found is not None
        assert (found.name, served.asked) == ("bob", 2)
        assert (await admission.whose(new))[0] == "bob"


async def test_a_site_that_sends_little_by_little_keeps_nobody_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("carbonline.serving.auth.key_set.FETCH_SECONDS_MAX", 0.2)
    with site() as served:
        served.body, served.pause_seconds = b" " * 300, 0.01
        with pytest.raises(KeysUnusable, match="not come whole"):
            await key_set(served.url).load()


@pytest.mark.parametrize(
    ("source", "allowed"),
    [
        ("/etc/jwks.json", True),
        ("https://issuer.example/jwks", True),
        ("http://127.0.0.1:8080/jwks", True),
        ("http://issuer.example/jwks", False),
        ("ftp://issuer.example/jwks", False),
        ("file:///etc/jwks.json", False),
    ],
)
def test_keys_are_fetched_over_https_only(source: str, allowed: bool) -> None:
    assert (fault_of_source(source) == "") is allowed


async def test_a_redirect_leads_nowhere_that_keys_may_not_come_from() -> None:
    with site() as served:
        served.status, served.location = 302, "http://issuer.example/jwks"
        with pytest.raises(KeysUnusable, match="over https only"):
            await key_set(served.url).load()


async def test_only_public_keys_for_signatures_are_used(tmp_path: Path) -> None:
    issuer = TokenIssuer(tmp_path)
    weak = RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 1024).public_key(), as_dict=True)
    unused = {
        "secret": {"kty": "oct", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"},
        "for encryption": {**issuer.jwk("first"), "use": "enc"},
        "weak": weak,
        "of another algorithm": {**issuer.jwk("first"), "alg": "ES384"},
        "unknown": {"kty": "new"},
    }
    issuer.publish(*({**key, "kid": kid} for kid, key in unused.items()))
    keys = key_set(issuer.jwks)
    await keys.load()
    assert keys.find("first") is not None
    assert [kid for kid in unused if keys.find(kid) is not None] == []


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"keys": 1}', '{"keys": [1]}', "[" * 9_999])
async def test_what_is_not_a_jwks_is_refused_in_a_sentence(tmp_path: Path, text: str) -> None:
    source = tmp_path / "jwks"
    source.write_text(text, "utf-8")
    with pytest.raises(KeysUnusable, match=r"is not a JWKS|has no usable key"):
        await key_set(source).load()


async def test_a_token_without_the_name_of_its_key_may_be_of_the_only_key(tmp_path: Path) -> None:
    issuer = TokenIssuer(tmp_path)
    key = issuer.jwk("first")
    del key["kid"]
    issuer.jwks.write_text(json.dumps({"keys": [key]}), "utf-8")
    keys = key_set(issuer.jwks)
    await keys.load()
    assert keys.find(None) is not None
    issuer.add_key("second")
    await keys.load()
    assert keys.find(None) is None
