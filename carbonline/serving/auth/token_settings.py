"""The settings that say whose tokens a server accepts."""

from dataclasses import dataclass

from carbonline.serving.auth.key_source import fault_of_source
from carbonline.serving.declared_settings import PREFIX, Setting, seconds
from carbonline.serving.settings import SettingsReader

JWT_KEYS = Setting(
    "JWT_KEYS",
    "a path, or an https URL",
    "The public keys (a JWKS) of whoever issues tokens. With them, callers with a signed token "
    "(JWT) are served: see docs/security.md.",
)
JWT_ISSUER = Setting("JWT_ISSUER", "text", "What the claim `iss` of a token must be.")
JWT_AUDIENCE = Setting("JWT_AUDIENCE", "text", "What the claim `aud` of a token must name.")
JWT_SKEW_SECONDS = seconds(
    "JWT_SKEW_SECONDS",
    "30",
    "How far the clocks of the issuer and of this server may differ.",
    or_none=True,
)
JWT_REREAD_SECONDS = seconds(
    "JWT_REREAD_SECONDS",
    "60",
    "How often JWT_KEYS are read again. A token with the name of a key that is not known has them "
    "read at once.",
)
TOKEN_SETTINGS = (JWT_KEYS, JWT_ISSUER, JWT_AUDIENCE, JWT_SKEW_SECONDS, JWT_REREAD_SECONDS)


@dataclass(frozen=True, slots=True)
class TokenSettings:
    """Whose tokens are accepted: as the settings JWT_... say."""

    keys: str
    issuer: str
    audience: str
    skew_seconds: float = 30.0
    reread_seconds: float = 60.0


def read_token_settings(read: SettingsReader) -> TokenSettings | None:
    """None if no tokens of others are accepted. Faults go to the reader."""
    together = (JWT_KEYS, JWT_ISSUER, JWT_AUDIENCE)
    given = {one.name: read.text(one) for one in together}
    missing = [PREFIX + name for name, value in given.items() if not value]
    skew, reread = read.seconds(JWT_SKEW_SECONDS, or_none=True), read.seconds(JWT_REREAD_SECONDS)
    if len(missing) == len(together):
        return None
    if missing:
        read.faults.append(f"{' and '.join(missing)} must be set together with the other JWT_ ones")
    if fault := fault_of_source(given["JWT_KEYS"]):
        read.faults.append(f"{JWT_KEYS.variable} {fault}")
    return TokenSettings(
        given["JWT_KEYS"], given["JWT_ISSUER"], given["JWT_AUDIENCE"], skew, reread
    )
