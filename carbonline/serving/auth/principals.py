"""Principals: who calls, for which tenants, and in which roles."""

import hmac
import math
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from carbonline.serving.auth.module_names import module_name
from carbonline.serving.auth.roles import ROLES_ALL
from carbonline.serving.errors import RpcError, Violation, invalid

TENANT_CHARACTERS_SHOWN = 80
TENANTS_SHOWN = 5
LIMITS_SHOWN = 5
BEARER = "Bearer "


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller: its name, the tenants that it may act for, and its roles.

    `modules` (numbers) and `units` limit what it may do within its tenants; None means all.
    `expires_at`, in seconds since 1970, is when its credentials end.
    """

    name: str
    tenants: tuple[str, ...]
    roles: frozenset[str] = ROLES_ALL
    modules: frozenset[int] | None = None
    units: frozenset[str] | None = None
    expires_at: float = math.inf

    @property
    def seconds_left(self) -> float | None:
        """Until its credentials end, 0 or less if they have; None if they never do."""
        return None if math.isinf(self.expires_at) else self.expires_at - time.time()

    def tenant(self, asked: str, field: str = "tenant") -> str:
        """The tenant of a request. An empty one means the caller's only tenant.

        Raises RpcError OTHER_TENANT if the caller does not act for the tenant, and FIELD_INVALID,
        naming `field`, if it has several and names none.
        """
        if fault := self.fault_of_tenant(asked):
            raise invalid([Violation(field, fault)])
        return asked or self.tenants[0]

    def fault_of_tenant(self, asked: str) -> str:
        """Why `tenant` would raise FIELD_INVALID, for callers that collect faults; "" if it would
        not. Raises RpcError OTHER_TENANT as `tenant` does.
        """
        if asked and asked not in self.tenants:
            known = ", ".join(self.tenants[:TENANTS_SHOWN])
            shown = asked[:TENANT_CHARACTERS_SHOWN]
            why = f"{self.name} may not act for tenant {shown!r}, only for {known}"
            raise RpcError("OTHER_TENANT", why)
        if not asked and len(self.tenants) != 1:
            return "is required: this caller has several tenants"
        return ""

    @property
    def is_limited(self) -> bool:
        """Whether it may not act for all modules and units of its tenants."""
        return self.modules is not None or self.units is not None

    def covers(self, module: int | None, unit: str | None) -> bool:
        """Whether a scope is among its modules and units. 0, "" and None mean all of them."""
        return (self.modules is None or (module or 0) in self.modules) and (
            self.units is None or (unit or "") in self.units
        )

    def check_scope(self, module: int | None, unit: str | None, *, whole: str = "") -> None:
        """Raises RpcError PERMISSION_DENIED unless it `covers` the scope. `whole` says what about
        a call cannot be narrowed, such as "a unit_sync is about all units"; "" if it can.
        """
        if not self.covers(module, unit):
            why = f"{self.name} may act for {self._limits()} only"
            more = (
                f", and {whole}: ask somebody who may act for all"
                if whole
                else ": name one of them"
            )
            raise RpcError("PERMISSION_DENIED", why + more)

    def check_named(self, module: int | None, unit: str | None) -> None:
        """Raises RpcError PERMISSION_DENIED if a module or a unit is named that is not its. What is
        left out means those that are its.
        """
        any_module = next(iter(self.modules or ()), 0)
        any_unit = next(iter(self.units or ()), "")
        self.check_scope(module or any_module, unit or any_unit)

    def check_units_below(self, module: int | None, unit: str, below: Iterable[str]) -> None:
        """Raises RpcError PERMISSION_DENIED unless it covers all of `below`, the units that stand
        below `unit`. Whoever may list units sees their names.
        """
        if others := [one for one in below if not self.covers(module, one)]:
            why = f"{self.name} may act for {self._limits()} only, and below {unit} are others"
            raise RpcError(
                "PERMISSION_DENIED",
                f"{why}, {_shown(others)}: ask for {unit} without the units below it",
            )

    def check_whole(self, method: str) -> None:
        """Raises RpcError PERMISSION_DENIED if its modules or units are limited."""
        if self.is_limited:
            why = f"it is about whole tenants, and the caller may act for {self._limits()} only"
            raise RpcError("PERMISSION_DENIED", f"{self.name} may not call {method}: {why}")

    def _limits(self) -> str:
        limits = []
        if self.modules is not None:
            limits.append(f"the modules {_shown(map(module_name, sorted(self.modules)))}")
        if self.units is not None:
            limits.append(f"the units {_shown(sorted(self.units))}")
        return " and ".join(limits)

    def has_one_of(self, roles: frozenset[str]) -> bool:
        """Whether the caller has at least one of these roles."""
        return bool(self.roles & roles)


def _shown(names: Iterable[str]) -> str:
    listed = list(names)
    more = ", ..." if len(listed) > LIMITS_SHOWN else ""
    return ", ".join(listed[:LIMITS_SHOWN]) + more


class Authenticator(Protocol):
    """Finds the principal of a call."""

    async def principal(self, peer: str, authorization: str) -> Principal | None:
        """The principal of a connection (`peer` as gRPC writes it) and its authorization metadata;
        None if it is unknown. Raises RpcError for a token that is refused, and says why.
        """
        ...


class LocalAuthenticator:
    """One principal with all roles: whoever sends the token of the file, or reaches a unix socket,
    which lies in a private folder, and sends no token.
    """

    def __init__(self, tenant: str, token_file: Path | None) -> None:
        """Reads the token once. Raises OSError if the file cannot be read."""
        self._principal = Principal("local", (tenant,))
        self._token = token_file.read_text("utf-8").strip() if token_file is not None else ""

    async def principal(self, peer: str, authorization: str) -> Principal | None:
        """The one principal, or None."""
        # Who sends a token to the private folder speaks for somebody else: a gateway does.
        if peer.startswith("unix:") and not authorization:
            return self._principal
        expected = f"{BEARER}{self._token}".encode()
        if self._token and hmac.compare_digest(authorization.encode(), expected):
            return self._principal
        return None


class FirstOf:
    """Asks several authenticators in turn: the first that knows the caller is right."""

    def __init__(self, *authenticators: Authenticator) -> None:
        self._authenticators = authenticators

    async def principal(self, peer: str, authorization: str) -> Principal | None:
        """The principal that one of them finds, or None. Raises RpcError as they do."""
        for authenticator in self._authenticators:
            found = await authenticator.principal(peer, authorization)
            if found is not None:
                return found
        return None


def no_credentials() -> RpcError:
    """The error for a caller without valid credentials."""
    return RpcError(
        "UNAUTHENTICATED",
        "send the metadata `authorization: Bearer TOKEN`; "
        "a local stack keeps the token in the file `token` of its data folder",
    )


def not_allowed(principal: Principal, method: str, roles: frozenset[str]) -> RpcError:
    """The error for a caller that has none of `roles`, which may call the method."""
    needed = " or ".join(sorted(roles))
    why = f"it needs the role {needed}" if needed else "no role may"
    return RpcError("PERMISSION_DENIED", f"{principal.name} may not call {method}: {why}")


def authorization_of(metadata: Iterable[tuple[str, Any]] | None) -> str:
    """What a call sends to say who calls; "" if it sends nothing."""
    for name, value in metadata or ():
        if name == "authorization":
            return value if isinstance(value, str) else ""
    return ""
