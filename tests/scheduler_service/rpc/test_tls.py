"""TLS at a real scheduler: who trusts whom, a certificate that is renewed while calls are made, and
the addresses that may be served.
"""

import asyncio
import io
import ssl
import subprocess
import sys
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from carbonline.client.contract_client import ContractClient
from carbonline.client.errors import Unreachable
from carbonline.client.tls_files import TlsFiles
from carbonline.serving.logs import _log_to
from carbonline.serving.settings import SettingsWrong
from carbonline.serving.tls_settings import TlsSettings
from scheduler_service.server import running_server
from scheduler_service.settings import Settings
from tests.carbonline.serving.certificates import Authority


@dataclass
class Site:
    """A scheduler with TLS on a port, which knows a random token."""

    port: int
    token_file: Path
    logged: io.StringIO

    async def asks(self, tls: TlsFiles | None, host: str = "localhost") -> str:
        """What a call of a client on a new connection gives: "answered" or "unreachable"."""
        address = f"{host}:{self.port}"
        async with ContractClient(address, address, token_file=self.token_file, tls=tls) as client:
            try:
                async with asyncio.timeout(3):
                    await client.list_workers()
            except (Unreachable, TimeoutError):
                return "unreachable"
        return "answered"


@asynccontextmanager
async def serving(settings: Settings, folder: Path, tls: TlsSettings) -> AsyncIterator[Site]:
    token_file, logged = folder / "token", io.StringIO()
    token_file.write_text("a-secret\n")
    settings = replace(settings, address="127.0.0.1:0", token_file=token_file, tls=tls)
    async with running_server(settings, _log_to(logged, "info")) as server:
        yield Site(server.port, token_file, logged)


async def test_only_who_trusts_the_authority_of_a_server_calls_it(
    settings: Settings, tmp_path: Path
) -> None:
    authority, stranger = Authority(tmp_path), Authority(tmp_path, "stranger")
    async with serving(settings, tmp_path, authority.server()) as site:
        assert await site.asks(authority.client()) == "answered"
        assert await site.asks(stranger.client()) == "unreachable"
        assert await site.asks(None) == "unreachable"


async def test_a_certificate_is_for_its_host_only(settings: Settings, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    async with serving(settings, tmp_path, authority.server(host="elsewhere.example")) as site:
        assert await site.asks(authority.client()) == "unreachable"


async def test_a_server_that_asks_for_certificates_serves_those_of_its_authority_only(
    settings: Settings, tmp_path: Path
) -> None:
    authority, stranger = Authority(tmp_path), Authority(tmp_path, "stranger")
    async with serving(settings, tmp_path, authority.server(asks_clients=True)) as site:
        assert await site.asks(authority.client("worker")) == "answered"
        assert await site.asks(authority.client()) == "unreachable"
        foreign = TlsFiles(authority.ca, *stranger.issue("foreign"))
        assert await site.asks(foreign) == "unreachable"


async def test_a_renewed_certificate_is_used_without_a_restart_and_a_broken_one_is_not(
    settings: Settings, tmp_path: Path
) -> None:
    old, new = Authority(tmp_path, "old"), Authority(tmp_path, "new")
    async with serving(settings, tmp_path, old.server()) as site:
        assert await site.asks(old.client()) == "answered"
        new.server()
        assert await site.asks(old.client()) == "unreachable"
        assert await site.asks(new.client()) == "answered"
        (tmp_path / "server.key").write_text("half of a ke")
        assert await site.asks(new.client()) == "answered"
        assert "tls_files_not_used" in site.logged.getvalue()


async def test_less_than_tls_1_2_is_not_spoken(settings: Settings, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    async with serving(settings, tmp_path, authority.server()) as site:
        versions = {}
        for version in (ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = ssl.create_default_context(cafile=authority.ca)
            # With the ciphers of then, so that it is the server who refuses.
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.set_alpn_protocols(["h2"])
            with warnings.catch_warnings(action="ignore"):
                context.minimum_version = context.maximum_version = version
            try:
                _, writer = await asyncio.open_connection(
                    "127.0.0.1", site.port, ssl=context, server_hostname="localhost"
                )
                versions[version.name] = True
                writer.close()
            except OSError:
                versions[version.name] = False
        assert versions == {"TLSv1_1": False, "TLSv1_2": True, "TLSv1_3": True}


async def test_the_command_line_speaks_tls(settings: Settings, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    async with serving(settings, tmp_path, authority.server(asks_clients=True)) as site:
        certificate, key = authority.issue("ann")
        command = await asyncio.create_subprocess_exec(
            *(str(Path(sys.executable).parent / "carbonline"), "workers"),
            *("--scheduler", f"localhost:{site.port}", "--token-file", str(site.token_file)),
            *("--tls-ca", str(authority.ca), "--tls-cert", str(certificate)),
            *("--tls-key", str(key)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        _, said = await asyncio.wait_for(command.communicate(), 60)
        assert (command.returncode, said) == (0, b"There are no workers: jobs wait for one.\n")


@pytest.mark.parametrize("text", ["", "no PEM"])
async def test_authorities_of_clients_that_are_none_leave_the_last_good_ones(
    settings: Settings, tmp_path: Path, text: str
) -> None:
    authority = Authority(tmp_path)
    tls = replace(authority.server(), client_ca=tmp_path / "clients.pem")
    (tmp_path / "clients.pem").write_bytes(authority.ca.read_bytes())
    async with serving(settings, tmp_path, tls) as site:
        assert await site.asks(authority.client("ann")) == "answered"
        (tmp_path / "clients.pem").write_text(text)
        assert await site.asks(authority.client("bob")) == "answered"
        assert "tls_files_not_used" in site.logged.getvalue()
    with pytest.raises(OSError, match="must hold certificates"):
        async with serving(settings, tmp_path, tls):
            pass


@pytest.mark.parametrize("what", ["absent", "no PEM", "another's key"])
async def test_files_that_cannot_be_used_are_refused_in_a_sentence(
    settings: Settings, tmp_path: Path, what: str
) -> None:
    tls = Authority(tmp_path).server()
    match what:
        case "absent":
            tls.key.unlink()
        case "no PEM":
            tls.certificate.write_text("certificate")
        case _:
            tls.key.write_bytes(Authority(tmp_path).issue("other")[1].read_bytes())
    said = r"No such file|must be a certificate and .* its key|is not the key of"
    with pytest.raises(OSError, match=said):
        async with serving(settings, tmp_path, tls):
            pass


async def test_the_network_is_served_with_tls_and_callers_that_are_known_only(
    settings: Settings, tmp_path: Path
) -> None:
    tls = Authority(tmp_path).server()
    token = tmp_path / "token"
    token.write_text("a-secret\n")
    for known, encrypted, behind_mesh in (
        (None, tls, False),
        (token, None, False),
        (None, None, True),
    ):
        refused = replace(
            settings,
            address="0.0.0.0:0",
            token_file=known,
            tls=encrypted,
            behind_mesh=behind_mesh,
        )
        with pytest.raises(SettingsWrong):
            async with running_server(refused, _log_to(io.StringIO(), "error")):
                pass
    for served in (replace(settings, tls=tls), replace(settings, behind_mesh=True)):
        on_network = replace(served, address="0.0.0.0:0", token_file=token)
        async with running_server(on_network, _log_to(io.StringIO(), "error")) as server:
            assert server.port
