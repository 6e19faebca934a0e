"""Who calls: a principal with its tenants and roles, from the connection and its metadata."""

import hmac
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from carbonline.serving.errors import RpcError, Violation, invalid
from carbonline.serving.roles import ROLES_ALL

TENANT_CHARACTERS_SHOWN = 80
TENANTS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller: name, tenants it may act for, roles."""

    name: str
    tenants: tuple[str, ...]
    roles: frozenset[str] = ROLES_ALL

    def tenant(self, asked: str, field: str = "tenant") -> str:
        """The tenant of a request; an empty one is the caller's only one. FIELD_INVALID else."""
        if fault := self.fault_of_tenant(asked):
            raise invalid([Violation(field, fault)])
        return asked or self.tenants[0]

    def fault_of_tenant(self, asked: str) -> str:
        """Why `tenant` would refuse, for those who collect faults; "" when it would not."""
        if asked and asked not in self.tenants:
            known = ", ".join(self.tenants[:TENANTS_SHOWN])
            shown = asked[:TENANT_CHARACTERS_SHOWN]
            return f"{self.name} may not act for tenant {shown!r}, only for {known}"
        if not asked and len(self.tenants) != 1:
            return "is required: this caller has several tenants"
        return ""

    def has_one_of(self, roles: frozenset[str]) -> bool:
        """Whether it has one of these roles."""
        return bool(self.roles & roles)


class Authenticator(Protocol):
    """Tells who calls."""

    def principal(self, peer: str, authorization: str) -> Principal | None:
        """The principal of a connection and its authorization metadata; None: unknown."""
        ...


class LocalAuthenticator:
    """Local mode: a unix socket in a private folder is trusted; TCP needs the file's token."""

    def __init__(self, tenant: str, token_file: Path | None) -> None:
        """Reads the token once; raises OSError if the file cannot be read."""
        self._principal = Principal("local", (tenant,))
        self._token = token_file.read_text("utf-8").strip() if token_file is not None else ""

    def principal(self, peer: str, authorization: str) -> Principal | None:
        """The local principal, or None."""
        if peer.startswith("unix:"):
            return self._principal
        expected = f"Bearer {self._token}".encode()
        if self._token and hmac.compare_digest(authorization.encode(), expected):
            return self._principal
        return None


def no_credentials() -> RpcError:
    """The answer to a caller that is not known."""
    return RpcError(
        "UNAUTHENTICATED",
        "send the metadata `authorization: Bearer TOKEN`; "
        "a local stack keeps the token in the file `token` of its data folder",
    )


def not_allowed(principal: Principal, method: str, roles: frozenset[str]) -> RpcError:
    """The answer to a caller that has none of the roles which may call the method."""
    needed = " or ".join(sorted(roles))
    why = f"it needs the role {needed}" if needed else "no role may"
    return RpcError("PERMISSION_DENIED", f"{principal.name} may not call {method}: {why}")
