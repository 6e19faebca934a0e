"""Who calls: a principal with its tenants and roles, from the connection and its metadata."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from carbonline.serving.errors import RpcError, Violation, invalid

TENANT_CHARACTERS_SHOWN = 80
TENANTS_SHOWN = 5
ROLES_ALL = frozenset({"worker", "gateway", "operator", "monitor"})
_WORKS = frozenset({"worker", "operator"})
_ORDERS = frozenset({"gateway", "operator"})
_LOOKS = frozenset({"gateway", "operator", "monitor"})
# Which roles may call a method of the contract, by its name; what is not listed is nobody's.
ALLOWED: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "Submit": _ORDERS,
        "BatchSubmit": _ORDERS,
        "Claim": _WORKS,
        "Heartbeat": _WORKS,
        "Chain": _WORKS,
        "Finish": _WORKS,
        "BatchFinish": _WORKS,
        "Release": _WORKS,
        "WatchPipeline": _LOOKS,
        "GetPipeline": _LOOKS,
        "ListPipelines": _LOOKS,
        "GetJob": _LOOKS,
        "ListJobs": _LOOKS,
        "CancelPipeline": _ORDERS,
        "WithdrawUpload": _ORDERS,
        "GetYear": _LOOKS,
        "ListWorkers": frozenset({"operator", "monitor"}),
        "UploadBlob": _ORDERS,
        "StatBlob": _LOOKS,
        "DownloadBlob": _LOOKS,
        "GetTotals": _LOOKS,
        "ListUploads": _LOOKS,
        "ListUncomputed": _LOOKS,
        "ListFactors": _LOOKS,
        "ListLocations": _LOOKS,
        "ListModules": _LOOKS,
    }
)


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
            return f"{self.name} has no tenant {shown!r}; those it has: {known}"
        if not asked and len(self.tenants) != 1:
            return "is needed: this caller has several tenants"
        return ""

    def may(self, method: str) -> bool:
        """Whether one of its roles may call the method."""
        return bool(self.roles & ALLOWED.get(method, frozenset()))


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
        "a local stack keeps it in its data folder, in the file token",
    )


def not_allowed(principal: Principal, method: str) -> RpcError:
    """The answer to a caller none of whose roles may call the method."""
    return RpcError("PERMISSION_DENIED", f"{principal.name} may not call {method}")
