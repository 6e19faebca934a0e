"""Admission: whether a caller is known and may call a method, and the log of who was refused."""

from functools import partial
from typing import Any, TypeAlias

import grpc
import grpc.aio
from structlog.typing import FilteringBoundLogger

from carbonline.serving.auth.certificates import WithCertificates
from carbonline.serving.auth.key_set import after_reading_keys
from carbonline.serving.auth.principals import (
    Authenticator,
    Principal,
    authorization_of,
    no_credentials,
    not_allowed,
)
from carbonline.serving.auth.roles import allows_limited_callers, roles_allowed
from carbonline.serving.errors import RpcError
from carbonline.serving.throttled_log import ThrottledLog

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
NOBODYS: tuple[str, tuple[str, ...]] = ("", ())
_DENIALS = (grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAUTHENTICATED)


class Admission:
    """Admits the callers of one server.

    Each denial of a known caller is a line of the log. Strangers come by the thousand, and share
    one line.
    """

    def __init__(self, authenticator: Authenticator, log: FilteringBoundLogger) -> None:
        self._authenticator = authenticator
        self._log = log
        self._allowed_roles: dict[str, frozenset[str]] = {}
        self._strangers: ThrottledLog[tuple[str, str, str]] = ThrottledLog(self._log_strangers)

    async def whose(self, metadata: Any) -> tuple[str, tuple[str, ...]]:
        """The name of the principal and its tenants, as far as a token says them; NOBODYS without a
        valid one. Those of a unix socket and those with a certificate are known by their
        connection: see `identify`.

        It reads no keys: calls have no place yet, and nothing bounds those that would wait.
        """
        try:
            principal = await self._authenticator.principal("", authorization_of(metadata))
        except RpcError:
            return NOBODYS
        return (principal.name, principal.tenants) if principal is not None else NOBODYS

    async def identify(self, context: Context) -> Principal:
        """The caller. Raises RpcError UNAUTHENTICATED or TOKEN_EXPIRED."""
        principal = await after_reading_keys(partial(self._principal, context))
        if principal is None:
            raise no_credentials()
        return principal

    async def _principal(self, context: Context) -> Principal | None:
        if isinstance(self._authenticator, WithCertificates):
            return await self._authenticator.principal_of(context)
        authorization = authorization_of(context.invocation_metadata())
        return await self._authenticator.principal(context.peer(), authorization)

    def check_method(self, method: str, principal: Principal) -> None:
        """Raises RpcError PERMISSION_DENIED unless a role of the caller may call the method, and
        its modules and units are not limited if the method is about whole tenants.
        """
        roles = self._allowed_roles.get(method)
        if roles is None:
            roles = self._allowed_roles[method] = roles_allowed(method)
        name = method.rpartition("/")[2]
        if not principal.has_one_of(roles):
            raise not_allowed(principal, name, roles)
        if principal.is_limited and not allows_limited_callers(method):
            principal.check_whole(name)

    def note(
        self, method: str, error: RpcError, principal: Principal | None, context: Context
    ) -> None:
        """Log an answer if it is a denial. `principal` is None for strangers."""
        if principal is None and error.code is grpc.StatusCode.UNAUTHENTICATED:
            self._strangers.add((method, context.peer(), error.message))
        elif principal is not None:
            log_denial(self._log, method, error, principal)

    def end(self) -> None:
        """Log what is left of the strangers."""
        self._strangers.end()

    def _log_strangers(self, latest: tuple[str, str, str], calls: int) -> None:
        method, peer, message = latest
        self._log.warning(
            "calls_unauthenticated", calls=calls, method=method, peer=peer, message=message
        )


def log_denial(
    log: FilteringBoundLogger, method: str, error: RpcError, principal: Principal
) -> None:
    """A line of the log if the error denies a known caller something, also in secret."""
    if error.code in _DENIALS or error.conceals:
        log.warning(
            "call_denied",
            method=method,
            principal=principal.name,
            reason=error.reason,
            message=error.message,
        )
