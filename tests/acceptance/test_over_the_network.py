"""Scheduler, ledger process and worker as if on three machines: TLS, and a signed token each, or a
certificate that a file names.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from carbonline.client.async_client import AsyncClient
from carbonline.client.errors import ServerError
from carbonline.serving.auth.roles import roles_allowed
from tests.carbonline.serving.certificates import Authority
from tests.carbonline.serving.processes import PROGRAMS, Line, line_like, process
from tests.carbonline.serving.token_issuer import AUDIENCE, NAME, TokenIssuer
from tests.ports import free_ports

TRIPS = (
    "unit_institutional_id,origin_iata,destination_iata,user_institutional_id,number_of_trips,"
    "cabin_class,kg_co2eq\n"
    "U1,GVA,CDG,1,1,economy,125.5\n"
)


ROBOT = """
["cn:robot"]
name = "nightly"
tenants = ["south"]
role = "gateway"
modules = "*"
units = "*"
"""
ROLES = ("worker", "gateway", "operator", "monitor", "auditor")
TENANTS = ("north", "south")
# Each has a certificate of its own, "operator.south", and may do what its role may.
OF_ROLES = "".join(
    f"""
["cn:{role}.{tenant}"]
tenants = ["{tenant}"]
role = "{role}"
modules = "*"
units = "*"
"""
    for role in ROLES
    for tenant in TENANTS
)


class Site:
    """What everybody needs: an authority, an issuer of tokens, and the addresses."""

    def __init__(self, folder: Path, host: str = "localhost") -> None:
        self.folder, self._host = folder, host
        self.authority, self.issuer = Authority(folder), TokenIssuer(folder)
        first = free_ports(2)
        self.scheduler, self.ledger = f"{host}:{first}", f"{host}:{first + 1}"

    def token_file(self, name: str, **claims: Any) -> Path:
        path = self.folder / f"{name}.token"
        path.write_text(self.issuer.token(sub=name, **claims))
        return path

    def worker_token(self) -> Path:
        """Writes a new one into the worker's file."""
        return self.token_file("worker", role="worker", tenants=["north", "south"])

    def client(self, name: str, **claims: Any) -> AsyncClient:
        return AsyncClient(
            self.scheduler,
            self.ledger,
            token_file=self.token_file(name, **claims),
            tls=self.authority.client(name),
        )

    @property
    def server_settings(self) -> dict[str, str]:
        tls = self.authority.server(asks_clients=True, host=self._host)
        callers = self.folder / "callers.toml"
        callers.write_text(ROBOT + OF_ROLES)
        return {
            "TLS_CERT_FILE": str(tls.certificate),
            "TLS_KEY_FILE": str(tls.key),
            "TLS_CLIENT_CA_FILE": str(tls.client_ca),
            "CLIENT_CERTIFICATES_FILE": str(callers),
            "JWT_KEYS": str(self.issuer.jwks),
            "JWT_ISSUER": NAME,
            "JWT_AUDIENCE": AUDIENCE,
            "JWT_REREAD_SECONDS": "0.2",
        }

    @property
    def worker_settings(self) -> dict[str, str]:
        certificate, key = self.authority.issue("worker")
        return {
            "TOKEN_FILE": str(self.worker_token()),
            "TLS_CA": str(self.authority.ca),
            "TLS_CERT": str(certificate),
            "TLS_KEY": str(key),
        }


def has_started(name: str, line: Line) -> bool:
    return bool(line["event"] == f"{name}_started")


@pytest.fixture
async def site(database_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    site = Site(tmp_path)
    shared = {"DATABASE_URL": database_url, "BLOB_FOLDER": str(tmp_path / "blobs")}
    scheduler, ledger = {"SCHEDULER_ADDRESS": site.scheduler}, {"LEDGER_ADDRESS": site.ledger}
    settings = {
        "scheduler": site.server_settings | scheduler,
        "ledger": site.server_settings | ledger,
        "worker": site.worker_settings | scheduler,
    }
    async with AsyncExitStack() as stack:
        for name, own in settings.items():
            running = await stack.enter_async_context(process(*PROGRAMS[name], **shared, **own))
            await line_like(running, partial(has_started, name))
        yield site


async def test_a_file_of_each_tenant_becomes_its_totals_and_a_token_is_renewed_meanwhile(
    site: Site,
) -> None:
    pipelines = []
    (site.folder / "units.csv").write_text("unit_institutional_id,name\nU1,Physics\n")
    (site.folder / "trips.csv").write_text(TRIPS)
    for tenant in ("north", "south"):
        async with (
            asyncio.timeout(60),
            site.client(f"ann of {tenant}", role="gateway", tenants=[tenant]) as client,
        ):
            (await client.load_units(site.folder / "units.csv", year=2024)).raise_for_status()
            report = await client.submit_file(site.folder / "trips.csv", "plane", year=2024)
            report.raise_for_status()
            pipelines.append(report.pipeline_id)
            totals = await client.contract.get_totals(2024)
            assert totals.institution.total_kg == 125.5
        if tenant == "north":
            await rotate_keys(site)
    async with site.client("eve", role="gateway", tenants=["south"]) as eve:
        with pytest.raises(ServerError) as refused:
            await eve.contract.get_pipeline(pipelines[0])
        assert refused.value.reason == "OTHER_TENANT"
    await a_certificate_alone_must_do(site, pipelines)


async def a_certificate_alone_must_do(site: Site, pipelines: Sequence[int]) -> None:
    """At both servers, for the tenant that the file names, and no other."""
    tls = site.authority.client("robot")
    async with AsyncClient(site.scheduler, site.ledger, tls=tls) as robot:
        of_north, of_south = pipelines
        assert (await robot.contract.get_pipeline(of_south)).pipeline.pipeline_id == of_south
        assert (await robot.contract.get_totals(2024)).institution.total_kg == 125.5
        assert (await robot.contract.get_caller()).name == "nightly"
        with pytest.raises(ServerError) as refused:
            await robot.contract.get_pipeline(of_north)
        assert refused.value.reason == "OTHER_TENANT"
    nobody = site.authority.client("nobody")
    async with AsyncClient(site.scheduler, site.ledger, tls=nobody) as unknown:
        assert await is_unknown(unknown)


async def rotate_keys(site: Site) -> None:
    """The worker's token is renewed in its file, and its first one is refused from then on."""
    async with site.client("ann", role="monitor", tenants=["north"]) as old:
        site.issuer.add_key("second")
        site.worker_token()
        site.issuer.withdraw_key("first")
        for _ in range(500):
            if await is_unknown(old):
                return
            await asyncio.sleep(0.05)
    raise AssertionError("a token of a withdrawn key is accepted")


async def is_unknown(client: AsyncClient) -> bool:
    """At both servers."""
    unknown = 0
    for ask in (client.contract.list_workers, client.contract.list_modules):
        try:
            await ask()
        except ServerError as refused:
            unknown += refused.code == "UNAUTHENTICATED"
    return unknown == 2


@pytest.mark.parametrize("shows", ["token", "certificate"])
async def test_five_roles_of_two_tenants_may_do_what_their_protos_say(
    site: Site, shows: str
) -> None:
    """At both servers, over TLS; what each may do is read from the protos."""
    for role in ROLES:
        for tenant, other in (TENANTS, TENANTS[::-1]):
            name = f"{role}.{tenant}"
            token = site.token_file(name, role=role, tenants=[tenant])
            async with AsyncClient(
                site.scheduler,
                site.ledger,
                token_file=token if shows == "token" else None,
                # Of a name that the file of certificates has not, beside a token.
                tls=site.authority.client(name if shows == "certificate" else "somebody"),
            ) as client:
                contract = client.contract
                asked: dict[str, Callable[[], Awaitable[Any]]] = {
                    "OperationsService/ListJobTypes": contract.list_job_types,
                    "OperationsService/ListWorkers": contract.list_workers,
                    "OperationsService/PauseJobType": partial(
                        contract.pause_job_type, "csv_ingest"
                    ),
                    "LedgerService/ListModules": contract.list_modules,
                    "LedgerService/GetUncollected": contract.get_uncollected,
                }
                for method, ask in asked.items():
                    may = role in roles_allowed(f"/carbonline.v1.{method}")
                    assert await reason_of(ask) == ("" if may else "PERMISSION_DENIED"), name
                denied = {"OTHER_TENANT", "PERMISSION_DENIED"}
                contract.tenant = other
                assert await reason_of(partial(contract.get_totals, 2024)) in denied


async def reason_of(ask: Callable[[], Awaitable[Any]]) -> str:
    try:
        await ask()
    except ServerError as refused:
        return refused.reason
    return ""
