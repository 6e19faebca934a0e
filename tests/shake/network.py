"""A stack on the network: TLS, certificates of clients and signed tokens, which are renewed while
it runs.

Two schedulers and two ledger processes stand behind one name each.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from carbonline.client.tls_files import TlsFiles
from carbonline.local.programs import LogsEvent, Program
from tests.carbonline.serving.certificates import Authority
from tests.carbonline.serving.name_server import name_server
from tests.carbonline.serving.token_issuer import AUDIENCE, NAME, TokenIssuer
from tests.ports import free_ports

HOST = "carbonline.test"
HOSTS = ("127.0.0.1", "127.0.0.2")
TENANTS = ("local", "flood")
ROLES: Mapping[str, Sequence[str]] = {"worker": ["worker"], "user": ["gateway", "operator"]}
RENEWAL_SECONDS = 4.0
# Streams outlive it, and end in the middle.
TOKEN_SECONDS = 20.0
# Published before it signs, and while tokens of it may be in use.
KEYS_PUBLISHED = 4


class Network:
    """The files of everybody, below a folder, and the names of the servers."""

    def __init__(self, folder: Path, names: str) -> None:
        """`names` is the address of the name server."""
        folder.mkdir()
        self._folder = folder
        self._authority, self._issuer = Authority(folder), TokenIssuer(folder)
        self._keys = ["first"]
        first = free_ports(2)
        self._ports = {"scheduler": first, "ledger": first + 1}
        self.scheduler, self.ledger = (
            f"dns://{names}/{HOST}:{port}" for port in self._ports.values()
        )
        self.renew()

    @property
    def token_file(self) -> Path:
        """Of somebody who may do everything for both tenants but run jobs."""
        return self._folder / "user.token"

    @property
    def tls(self) -> TlsFiles:
        """The files of the same one."""
        return TlsFiles(self._authority.ca, *self._pair("user"))

    @property
    def client_options(self) -> Sequence[str]:
        """Of the command line, for the same one."""
        certificate, key = map(str, self._pair("user"))
        return (
            *("--scheduler", self.scheduler, "--ledger", self.ledger),
            *("--token-file", str(self.token_file), "--tls-ca", str(self._authority.ca)),
            *("--tls-cert", certificate, "--tls-key", key),
        )

    def renew(self) -> None:
        """New certificates in place, new tokens in place, of a key that was published before, and
        one key more. An old one is withdrawn.
        """
        for name in ("server", *ROLES):
            for new, old in zip(
                self._authority.issue(f"{name}-next", HOST), self._pair(name), strict=True
            ):
                new.replace(old)
        for name, roles in ROLES.items():
            token = self._folder / "next.token"
            token.write_text(
                self._issuer.token(
                    kid=self._keys[-1],
                    seconds=TOKEN_SECONDS,
                    sub=name,
                    role=roles,
                    tenants=list(TENANTS),
                )
            )
            token.replace(self._folder / f"{name}.token")
        self._keys.append(f"key {len(self._keys)}")
        self._issuer.add_key(self._keys[-1])
        for kid in self._keys[:-KEYS_PUBLISHED][-1:]:
            self._issuer.withdraw_key(kid)

    def placed(self, program: Program) -> Program:
        """A program of a stack of unix sockets, on the network instead."""
        kind, _, number = program.name.partition("-")
        if kind == "worker":
            own = {"SCHEDULER_ADDRESS": self.scheduler, **self._client_settings("worker")}
            return replace(program, variables={**program.variables, **own})
        host = HOSTS[int(number or 1) - 1]
        address = {f"{kind.upper()}_ADDRESS": f"{host}:{self._ports[kind]}"}
        return replace(
            program,
            ready=LogsEvent(f"{kind}_started"),
            variables={**self._server_settings, **address},
        )

    @property
    def _server_settings(self) -> Mapping[str, str]:
        certificate, key = self._pair("server")
        return {
            "TLS_CERT_FILE": str(certificate),
            "TLS_KEY_FILE": str(key),
            "TLS_CLIENT_CA_FILE": str(self._authority.ca),
            "JWT_KEYS": str(self._issuer.jwks),
            "JWT_ISSUER": NAME,
            "JWT_AUDIENCE": AUDIENCE,
            "JWT_REREAD_SECONDS": "0.5",
        }

    def _client_settings(self, name: str) -> Mapping[str, str]:
        certificate, key = self._pair(name)
        return {
            "TOKEN_FILE": str(self._folder / f"{name}.token"),
            "TLS_CA": str(self._authority.ca),
            "TLS_CERT": str(certificate),
            "TLS_KEY": str(key),
        }

    def _pair(self, name: str) -> tuple[Path, Path]:
        return self._folder / f"{name}.crt", self._folder / f"{name}.key"


@asynccontextmanager
async def renewing_network(folder: Path) -> AsyncIterator[Network]:
    """A network whose files are renewed every few seconds."""
    async with name_server({HOST: HOSTS}) as names:
        network = Network(folder, names)
        renewing = asyncio.create_task(_renewed_again_and_again(network))
        try:
            yield network
        finally:
            renewing.cancel()
            await asyncio.wait({renewing})


async def _renewed_again_and_again(network: Network) -> None:
    while True:
        await asyncio.sleep(RENEWAL_SECONDS)
        network.renew()
