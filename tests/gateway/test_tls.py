"""A gateway calls services on the network: over TLS, with a certificate of its own."""

from dataclasses import replace
from pathlib import Path

from carbonline.client.tls_files import TlsFiles
from carbonline.serving.logs import open_log
from scheduler_service.server import running_server
from tests.carbonline.serving.certificates import Authority
from tests.gateway.conftest import gateway_before, scheduler_settings
from tests.gateway.http_client import Answer, HttpClient
from tests.ports import free_ports
from tests.scheduler_service.rpc.conftest import ByTenantToken


async def asked(address: str, tls: TlsFiles | None) -> Answer:
    """Who calls, as the scheduler at the address answers through a gateway."""
    async with gateway_before(address, address, tls=tls) as gateway:
        return await HttpClient(gateway.port).ask("GET", "/v1/me")


async def test_a_gateway_speaks_tls_and_shows_its_certificate(
    database_url: str, tmp_path: Path
) -> None:
    authority, address = Authority(tmp_path), f"localhost:{free_ports(1)}"
    wanted = replace(
        scheduler_settings(database_url, tmp_path),
        address=address,
        tls=authority.server(asks_clients=True),
        token_file=tmp_path / "unused",
    )
    async with running_server(wanted, open_log("critical"), ByTenantToken()):
        answer = await asked(address, authority.client("gateway"))
        assert (answer.status, answer.json["tenants"]) == (200, ["local"])
        for other in (None, authority.client(), TlsFiles(Authority(tmp_path, "other").ca)):
            assert (await asked(address, other)).status == 503
