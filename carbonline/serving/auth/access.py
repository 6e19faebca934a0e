"""Opens what a server knows its callers by, from its settings."""

from dataclasses import dataclass
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from carbonline.serving.auth.certificates import Certificates, WithCertificates
from carbonline.serving.auth.jwt_tokens import Issuer, JwtAuthenticator
from carbonline.serving.auth.key_set import KeySet
from carbonline.serving.auth.principals import Authenticator, FirstOf, LocalAuthenticator
from carbonline.serving.auth.token_settings import TokenSettings
from carbonline.serving.background import Background
from carbonline.serving.tls_settings import TlsSettings


@dataclass(frozen=True, slots=True)
class Access:
    """Who finds the principal of a call, and the keys of signed tokens that must be kept fresh."""

    authenticator: Authenticator
    keys: KeySet | None = None

    def run_in(self, background: Background) -> None:
        """Keep the keys fresh."""
        if self.keys is not None:
            background.start("token keys", self.keys.run())


async def open_access(
    tenant: str,
    token_file: Path | None,
    tokens: TokenSettings | None,
    tls: TlsSettings | None,
    log: FilteringBoundLogger,
    instead: Authenticator | None = None,
) -> Access:
    """The local caller of `tenant`, and callers with signed tokens if `tokens` are accepted; or
    those whom an authenticator knows that a test sets `instead`. Besides, those with the client
    certificates that `tls` names.

    Raises OSError if a file cannot be read, and KeysUnusable, which is one.
    """
    keys: KeySet | None = None
    known: Authenticator = instead or LocalAuthenticator(tenant, token_file)
    if instead is None and tokens is not None:
        keys = KeySet(tokens.keys, log, tokens.reread_seconds)
        await keys.load()
        issuer = Issuer(tokens.issuer, tokens.audience, tokens.skew_seconds)
        known = FirstOf(known, JwtAuthenticator(keys, issuer))
    if tls is not None and tls.callers is not None:
        known = WithCertificates(Certificates(tls.callers, log), known)
    return Access(known, keys)
