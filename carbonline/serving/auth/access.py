"""Opens what a server knows its callers by, from its settings."""

from dataclasses import dataclass
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from carbonline.serving.auth.jwt_tokens import Issuer, JwtAuthenticator
from carbonline.serving.auth.key_set import KeySet
from carbonline.serving.auth.principals import Authenticator, FirstOf, LocalAuthenticator
from carbonline.serving.auth.token_settings import TokenSettings
from carbonline.serving.background import Background


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
    log: FilteringBoundLogger,
    instead: Authenticator | None = None,
) -> Access:
    """The local caller of `tenant`, and callers with signed tokens if `tokens` are accepted; or
    those whom an authenticator knows that a test sets `instead`.

    Raises OSError if a file cannot be read, and KeysUnusable, which is one.
    """
    if instead is not None:
        return Access(instead)
    local = LocalAuthenticator(tenant, token_file)
    if tokens is None:
        return Access(local)
    keys = KeySet(tokens.keys, log, tokens.reread_seconds)
    await keys.load()
    issuer = Issuer(tokens.issuer, tokens.audience, tokens.skew_seconds)
    return Access(FirstOf(local, JwtAuthenticator(keys, issuer)), keys)
