"""Reads bearer tokens that somebody else has issued and signed: JWTs."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from carbonline.serving.auth.claims import ClaimWrong, principal_of
from carbonline.serving.auth.expiry import token_expired
from carbonline.serving.auth.key_set import KeySet, KeyUnknown
from carbonline.serving.auth.principals import BEARER, Principal
from carbonline.serving.errors import RpcError

TOKEN_BYTES_MAX = 8 * 1024
TOKENS_REMEMBERED_MAX = 1_024
# Strangers write JSON of any depth, and numbers of any size.
_UNREADABLE = (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError)
_REQUIRED = ["exp", "iss", "aud", "sub"]


@dataclass(frozen=True, slots=True)
class Issuer:
    """Whose tokens are accepted, for whom they must be, and how far clocks may differ."""

    name: str
    audience: str
    skew_seconds: float


class JwtAuthenticator:
    """Principals by the claims of signed tokens.

    `principal_of` says which claims they must have.
    """

    def __init__(self, keys: KeySet, issuer: Issuer) -> None:
        self._keys = keys
        self._issuer = issuer
        # A signature costs more than many a call: those of tokens in use are checked once.
        self._remembered: OrderedDict[str, Principal] = OrderedDict()
        self._generation = keys.generation

    async def principal(self, peer: str, authorization: str) -> Principal | None:
        """The principal of a token; None if there is none.

        Raises RpcError UNAUTHENTICATED or TOKEN_EXPIRED, with the reason, and KeyUnknown, which is
        one. It never waits.
        """
        del peer
        if not authorization.startswith(BEARER):
            return None
        token = authorization.removeprefix(BEARER)
        if self._generation != self._keys.generation:
            self._generation = self._keys.generation
            self._remembered.clear()
        if (known := self._remembered.get(token)) is not None:
            if known.seconds_left is not None and known.seconds_left <= 0:
                del self._remembered[token]
                raise token_expired()
            self._remembered.move_to_end(token)
            return known
        claims = self._claims(token)
        try:
            expires_at = float(claims["exp"]) + self._issuer.skew_seconds
            principal = principal_of(claims, expires_at)
        except ClaimWrong as wrong:
            raise _refused(str(wrong)) from None
        self._remembered[token] = principal
        if len(self._remembered) > TOKENS_REMEMBERED_MAX:
            self._remembered.popitem(last=False)
        return principal

    def _claims(self, token: str) -> Mapping[str, Any]:
        if len(token) > TOKEN_BYTES_MAX:
            raise _refused(f"it has more than {TOKEN_BYTES_MAX:,} bytes")
        try:
            kid = jwt.get_unverified_header(token).get("kid")
        except _UNREADABLE:
            raise _refused("it is not a JWT") from None
        key = self._keys.find(kid)
        if key is None:
            raise KeyUnknown(self._keys)
        try:
            claims: Mapping[str, Any] = jwt.decode(
                token,
                key.key,
                # Of the key, never of the token.
                algorithms=list(key.algorithms),
                issuer=self._issuer.name,
                audience=self._issuer.audience,
                leeway=self._issuer.skew_seconds,
                options={"require": _REQUIRED},
            )
        except jwt.ExpiredSignatureError:
            raise token_expired() from None
        except _UNREADABLE as error:
            raise _refused(_WHY.get(type(error), "it cannot be read")) from None
        return claims


_WHY: Mapping[type[Exception], str] = {
    jwt.InvalidSignatureError: "its signature is wrong",
    jwt.InvalidIssuerError: "it comes from another issuer",
    jwt.InvalidAudienceError: "it is for another audience",
    jwt.ImmatureSignatureError: "it is not valid yet",
    jwt.InvalidIssuedAtError: "one of its claims is not a number of seconds",
    jwt.MissingRequiredClaimError: f"one of its claims {', '.join(_REQUIRED)} is missing",
    jwt.DecodeError: "one of its claims is not a number of seconds",
    OverflowError: "one of its claims is not a number of seconds",
    jwt.InvalidAlgorithmError: "its algorithm is not one of its key's",
}


def _refused(why: str) -> RpcError:
    return RpcError("UNAUTHENTICATED", f"the token is refused: {why}")
