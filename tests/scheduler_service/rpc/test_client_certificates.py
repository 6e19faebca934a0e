"""Callers with a client certificate are who the file of certificates says, beside signed tokens."""

import asyncio
import io
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from carbonline.client.channel import open_channel
from carbonline.client.errors import ServerError, server_error
from carbonline.serving.auth.certificates import Certificates
from carbonline.serving.call_limits import CallLimits
from carbonline.serving.calls_in_flight import CallsInFlight
from carbonline.serving.logs import _log_to
from carbonline.serving.settings import SettingsReader
from carbonline.serving.tls_settings import TlsSettings, read_tls_settings
from carbonline.v1 import interventions_pb2, operations_pb2_grpc
from carbonline.v1 import operations_pb2 as ops
from scheduler_service.server import running_server
from scheduler_service.settings import Settings
from tests.carbonline.serving.certificates import Authority
from tests.carbonline.serving.token_issuer import TokenIssuer

CALLS = 2
WORKER = """
["cn:worker-1"]
tenants = ["north", "south"]
role = ["worker", "monitor"]
modules = "*"
units = "*"
"""
PERSON = """
["dns:ann.example"]
name = "ann"
tenants = ["north"]
role = ["operator", "auditor"]
modules = "*"
units = ["0828", "0829"]
"""


@dataclass
class Site:
    """A scheduler with TLS that asks clients for certificates, and an issuer of tokens."""

    port: int
    authority: Authority
    issuer: TokenIssuer
    file: Path
    logged: io.StringIO
    calls: CallsInFlight

    async def caller(self, name: str, host: str = "x.example", token: str = "") -> Any:
        """What the server calls the caller, as the text of GetCaller, or why it is refused."""
        metadata = (("authorization", f"Bearer {token}"),) if token else ()
        tls = replace(self.authority.client(), **_own(self.authority.issue(name, host)))
        async with open_channel(f"localhost:{self.port}", retries=False, tls=tls) as channel:
            stub: Any = operations_pb2_grpc.OperationsServiceStub(channel)
            try:
                return await stub.GetCaller(ops.GetCallerRequest(), metadata=metadata)
            except grpc.aio.AioRpcError as error:
                return server_error(error)

    async def has_calls(self, count: int) -> None:
        """Returns when so many calls are in flight."""
        async with asyncio.timeout(20):
            # A server tells nobody what has begun or ended.
            while self.calls.others.calls != count:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def pauses(self, name: str) -> Any:
        tls = replace(self.authority.client(), **_own(self.authority.issue(name)))
        async with open_channel(f"localhost:{self.port}", retries=False, tls=tls) as channel:
            stub: Any = operations_pb2_grpc.OperationsServiceStub(channel)
            request = interventions_pb2.PauseJobTypeRequest(job_type="noop", tenant="north")
            try:
                return await stub.PauseJobType(request)
            except grpc.aio.AioRpcError as error:
                return server_error(error)


def _own(files: tuple[Path, Path]) -> dict[str, Path]:
    return {"certificate": files[0], "key": files[1]}


@pytest.fixture
async def site(settings: Settings, tmp_path: Path) -> AsyncIterator[Site]:
    """Its file names a worker and a person."""
    authority, issuer, logged = Authority(tmp_path), TokenIssuer(tmp_path), io.StringIO()
    file = tmp_path / "callers.toml"
    file.write_text(WORKER + PERSON)
    tls = replace(authority.server(asks_clients=True), callers=file)
    settings = replace(settings, address="127.0.0.1:0", tls=tls, tokens=issuer.settings)
    settings = replace(settings, call_limits=CallLimits(CALLS, mebibytes=64))
    async with running_server(settings, _log_to(logged, "info")) as server:
        yield Site(server.port, authority, issuer, file, logged, server.calls)


async def test_a_certificate_says_who_calls_and_what_the_caller_may_do(site: Site) -> None:
    worker = await site.caller("worker-1")
    assert (worker.name, list(worker.tenants)) == ("worker-1", ["north", "south"])
    person = await site.caller("whoever", "ann.example")
    assert (person.name, list(person.tenants), list(person.units)) == (
        "ann",
        ["north"],
        ["0828", "0829"],
    )
    assert (await site.pauses("worker-1")).reason == "PERMISSION_DENIED"
    assert '"principal": "worker-1"' in site.logged.getvalue()


async def test_a_certificate_that_the_file_does_not_name_needs_a_token(site: Site) -> None:
    assert (await site.caller("gateway")).reason == "UNAUTHENTICATED"
    # As a gateway passes on the tokens of people.
    assert (await site.caller("gateway", token=site.issuer.token(sub="bob"))).name == "bob"


async def test_a_caller_with_both_must_be_one_and_may_do_what_both_allow(site: Site) -> None:
    token = site.issuer.token(sub="ann", tenants=["north", "south"], units=["0829", "0830"])
    both = await site.caller("whoever", "ann.example", token)
    assert (both.name, list(both.tenants), list(both.units)) == ("ann", ["north"], ["0829"])
    another = await site.caller("whoever", "ann.example", site.issuer.token(sub="bob"))
    assert isinstance(another, ServerError)
    assert (another.reason, "token of another" in str(another)) == ("UNAUTHENTICATED", True)
    apart = site.issuer.token(sub="ann", tenants=["south"])
    assert (await site.caller("whoever", "ann.example", apart)).reason == "UNAUTHENTICATED"
    expired = site.issuer.token(sub="ann", seconds=-5)
    assert (await site.caller("whoever", "ann.example", expired)).reason == "TOKEN_EXPIRED"


async def never() -> AsyncIterator[bytes]:
    """A request that does not come."""
    await asyncio.Event().wait()
    yield b""


async def test_callers_with_certificates_have_places_of_their_own(site: Site) -> None:
    tls = replace(site.authority.client(), **_own(site.authority.issue("worker-1")))
    async with open_channel(f"localhost:{site.port}", retries=False, tls=tls) as channel:
        begin: Any = channel.stream_unary("/carbonline.v1.OperationsService/ListWorkers")
        held = [begin(never()) for _ in range(CALLS)]
        await site.has_calls(CALLS)
        assert (await site.caller("worker-1")).reason == "TOO_MANY_CALLS"
        assert (await site.caller("whoever", "ann.example")).name == "ann"
        assert (await site.caller("gateway", token=site.issuer.token(sub="bob"))).name == "bob"
        # With a token, too, it is the same caller.
        token = site.issuer.token(sub="worker-1", tenants=["north"], role="monitor")
        assert (await site.caller("gateway", token=token)).reason == "TOO_MANY_CALLS"
        held.pop().cancel()
        await site.has_calls(CALLS - 1)
        assert (await site.caller("worker-1")).name == "worker-1"


async def test_a_changed_file_is_used_at_once_and_a_wrong_one_is_not(site: Site) -> None:
    site.file.write_text(PERSON)
    assert (await site.caller("worker-1")).reason == "UNAUTHENTICATED"
    site.file.write_text("half of a")
    assert (await site.caller("whoever", "ann.example")).name == "ann"
    assert "certificates_file_not_used" in site.logged.getvalue()


def test_a_file_that_is_gone_is_told_once_and_read_when_it_is_back(tmp_path: Path) -> None:
    file, logged = tmp_path / "callers.toml", io.StringIO()
    file.write_text(WORKER)
    certificates = Certificates(file, _log_to(logged, "info"))
    shown = {"x509_common_name": [b"worker-1"]}
    file.unlink()
    for _ in range(3):
        assert certificates.principal(shown) is not None
    assert logged.getvalue().count("certificates_file_not_used") == 1
    file.write_text(PERSON)
    assert certificates.principal(shown) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[", "is not TOML"),
        ('["worker"]', "must be a table like"),
        ('"cn:worker" = 1', "must be a table like"),
        ('["cn:w"]\ntenants = ["a"]\nrole = "king"\nmodules="*"\nunits="*"', "role must be"),
        ('["cn:w"]\ntenants = ["a"]\nrole = "worker"\nunits="*"', "modules must be"),
        ('["cn:w"]\ntenants = []\nrole = "worker"', "tenants must be"),
        ('["cn:w"]\ntenants = ["a"]\nroles = "worker"', "'roles', which nobody reads"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_a_sentence(
    tmp_path: Path, text: str, says: str
) -> None:
    file = tmp_path / "callers.toml"
    file.write_text(text)
    with pytest.raises(OSError, match=says):
        Certificates(file, _log_to(io.StringIO(), "info"))


def test_a_file_of_certificates_needs_those_who_issue_them() -> None:
    names = {"CLIENT_CERTIFICATES_FILE": "f", "TLS_CERT_FILE": "c", "TLS_KEY_FILE": "k"}
    reader = SettingsReader({f"CARBONLINE_{name}": value for name, value in names.items()})
    read_tls_settings(reader)
    (fault,) = reader.faults
    assert fault.startswith("CARBONLINE_CLIENT_CERTIFICATES_FILE needs CARBONLINE_TLS_CLIENT_CA")
    assert os.linesep not in fault


def test_what_the_settings_name_is_what_a_server_reads() -> None:
    names = {
        "TLS_CERT_FILE": "cert",
        "TLS_KEY_FILE": "key",
        "TLS_CLIENT_CA_FILE": "ca",
        "CLIENT_CERTIFICATES_FILE": "callers",
    }
    reader = SettingsReader({f"CARBONLINE_{name}": value for name, value in names.items()})
    tls, _ = read_tls_settings(reader)
    assert reader.faults == []
    assert tls == TlsSettings(Path("cert"), Path("key"), Path("ca"), Path("callers"))
