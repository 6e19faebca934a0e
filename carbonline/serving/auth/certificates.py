"""Principals by client certificates: a file says what the caller with a certificate may do."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import grpc.aio
from structlog.typing import FilteringBoundLogger

from carbonline.file_stamp import FileStamp, file_stamp
from carbonline.serving.auth.claims import ClaimWrong, principal_of
from carbonline.serving.auth.principals import Authenticator, Principal, authorization_of
from carbonline.serving.errors import RpcError
from carbonline.toml_text import NotToml, read_toml

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
FILE_BYTES_MAX = 1 << 20
# The kinds of names, by what gRPC calls them; the first that the file has is taken.
KINDS: Mapping[str, str] = {"peer_uri": "uri", "peer_dns": "dns", "x509_common_name": "cn"}
_KEYS = frozenset({"tenants", "role", "modules", "units", "name"})


class Certificates:
    """The callers of a TOML file: a table for each name of a certificate, such as
    `["dns:worker.example"]`, with `tenants`, `role`, `modules`, `units`, and perhaps `name`.

    The file is read again when it has changed. One that cannot be used is logged, and the last good
    one holds.
    """

    def __init__(self, file: Path, log: FilteringBoundLogger) -> None:
        """Raises OSError, whose message is a sentence, if the file cannot be used."""
        self._file = file
        self._log = log
        self._stamp = self._stamp_now()
        self._principals = _read(file)

    def principal(self, names: Mapping[str, Iterable[bytes]]) -> Principal | None:
        """The principal of a connection; None if its certificate, if any, is not in the file.
        `names` are gRPC's, of the peer, from a certificate that it has checked.
        """
        self._read_again()
        for kind, short in KINDS.items():
            for name in names.get(kind, ()):
                found = self._principals.get(f"{short}:{name.decode('utf-8', 'replace')}")
                if found is not None:
                    return found
        return None

    def _read_again(self) -> None:
        stamp = self._stamp_now()
        if stamp == self._stamp:
            return
        # Also of a file that is wrong or gone: it is not read, and told of, for every call.
        self._stamp = stamp
        try:
            self._principals = _read(self._file)
        except OSError as error:
            self._log.warning("certificates_file_not_used", error=str(error))
        else:
            self._log.info("certificates_file_read", names=sorted(self._principals))

    def _stamp_now(self) -> FileStamp | None:
        """None for no file."""
        try:
            return file_stamp(self._file)
        except OSError:
            return None


class WithCertificates:
    """Knows callers by their certificates, and by what another authenticator knows them by."""

    def __init__(self, certificates: Certificates, others: Authenticator) -> None:
        self._certificates = certificates
        self._others = others

    async def principal(self, peer: str, authorization: str) -> Principal | None:
        """As the other authenticator says."""
        return await self._others.principal(peer, authorization)

    async def principal_of(self, context: Context) -> Principal | None:
        """The principal of a call, by both. Raises RpcError as `principal`, and where certificate
        and token do not agree.
        """
        authorization = authorization_of(context.invocation_metadata())
        certificate = self._certificates.principal(context.auth_context())
        if certificate is not None and not authorization:
            return certificate
        token = await self.principal(context.peer(), authorization)
        return token if certificate is None or token is None else agreed(certificate, token)


def agreed(certificate: Principal, token: Principal) -> Principal:
    """The caller that shows both: what both of them may do.

    Raises RpcError UNAUTHENTICATED if the two are not the same caller, or agree on nothing.
    """
    if certificate.name != token.name:
        raise _disagree(f"the certificate is that of {certificate.name}, and the token of another")
    tenants = tuple(one for one in certificate.tenants if one in token.tenants)
    roles = certificate.roles & token.roles
    if not tenants or not roles:
        raise _disagree("the certificate and the token have no tenant or no role in common")
    return replace(
        certificate,
        tenants=tenants,
        roles=roles,
        modules=_both(certificate.modules, token.modules),
        units=_both(certificate.units, token.units),
        expires_at=min(certificate.expires_at, token.expires_at),
    )


def _both(one: frozenset[Any] | None, other: frozenset[Any] | None) -> frozenset[Any] | None:
    if one is None or other is None:
        return other if one is None else one
    return one & other


def _disagree(why: str) -> RpcError:
    return RpcError("UNAUTHENTICATED", f"{why}; send the one or the other")


def _read(file: Path) -> Mapping[str, Principal]:
    with file.open("rb") as opened:
        text = opened.read(FILE_BYTES_MAX + 1)
    if len(text) > FILE_BYTES_MAX:
        raise OSError(f"{file} has more than {FILE_BYTES_MAX:,} bytes")
    try:
        tables = read_toml(text)
    except NotToml as error:
        raise OSError(f"{file} is not TOML: {error}") from None
    return {name: _principal_of(file, name, table) for name, table in tables.items()}


def _principal_of(file: Path, name: str, table: Any) -> Principal:
    kind, _, own = name.partition(":")
    if kind not in KINDS.values() or not own or not isinstance(table, dict):
        example = '["dns:worker.example"]'
        raise OSError(
            f"{file}: {name!r} must be a table like {example}; the kinds of names are "
            f"{', '.join(KINDS.values())}"
        )
    if unknown := sorted(table.keys() - _KEYS):
        raise OSError(f"{file}: {name!r} has a key {unknown[0]!r}, which nobody reads")
    claims = {"modules": None, "units": None, **table, "sub": table.get("name", own)}
    try:
        return principal_of(claims, math.inf)
    except ClaimWrong as wrong:
        raise OSError(f"{file}: of {name!r}, {wrong}") from None
