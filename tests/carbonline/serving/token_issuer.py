"""An issuer of tokens for tests: its keys, its JWKS in a file, and tokens with any claims."""

import json
import time
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from carbonline.serving.auth.token_settings import TokenSettings

NAME, AUDIENCE = "https://issuer.example", "carbonline"
_ALGORITHMS: dict[str, tuple[Any, Any]] = {
    "ES256": (lambda: ec.generate_private_key(ec.SECP256R1()), ECAlgorithm),
    "ES384": (lambda: ec.generate_private_key(ec.SECP384R1()), ECAlgorithm),
    "RS256": (lambda: rsa.generate_private_key(65537, 2048), RSAAlgorithm),
    "PS256": (lambda: rsa.generate_private_key(65537, 2048), RSAAlgorithm),
    "EdDSA": (ed25519.Ed25519PrivateKey.generate, OKPAlgorithm),
}


class TokenIssuer:
    """Signs with its newest key, and publishes all that were not withdrawn."""

    def __init__(self, folder: Path, algorithm: str = "ES256") -> None:
        self.jwks = folder / "jwks.json"
        self._keys: dict[str, tuple[Any, str]] = {}
        self.add_key("first", algorithm)

    @property
    def settings(self) -> TokenSettings:
        """What a server needs to accept its tokens, with clocks that agree."""
        return TokenSettings(str(self.jwks), NAME, AUDIENCE, skew_seconds=0.0)

    def add_key(self, kid: str, algorithm: str = "ES256") -> None:
        """From now on it signs with a new key."""
        self._keys[kid] = (_ALGORITHMS[algorithm][0](), algorithm)
        self.publish()

    def withdraw_key(self, kid: str) -> None:
        del self._keys[kid]
        self.publish()

    def publish(self, *more: dict[str, Any]) -> None:
        """Writes the JWKS, with `more` keys behind its own."""
        keys = [self.jwk(kid) for kid in self._keys]
        # At once: a server may read it meanwhile.
        new = self.jwks.with_suffix(".next")
        new.write_text(json.dumps({"keys": [*keys, *more]}), "utf-8")
        new.replace(self.jwks)

    def jwk(self, kid: str) -> dict[str, Any]:
        key, algorithm = self._keys[kid]
        public = _ALGORITHMS[algorithm][1].to_jwk(key.public_key(), as_dict=True)
        return {**public, "kid": kid, "use": "sig"}

    def token(self, *, kid: str = "", seconds: float = 600.0, **claims: Any) -> str:
        """A token that is good for so long. A claim that is None is left out."""
        kid = kid or list(self._keys)[-1]
        key, algorithm = self._keys[kid]
        return jwt.encode(claims_of(seconds, **claims), key, algorithm, headers={"kid": kid})

    def bearer(self, **claims: Any) -> tuple[tuple[str, str], ...]:
        """The metadata of a call."""
        return (("authorization", f"Bearer {self.token(**claims)}"),)


def claims_of(seconds: float = 600.0, **changed: Any) -> dict[str, Any]:
    """Claims that are accepted, but for what is changed."""
    claims = {
        "iss": NAME,
        "aud": AUDIENCE,
        "sub": "somebody",
        "exp": time.time() + seconds,
        "tenants": ["north"],
        "role": "operator",
        "modules": "*",
        "units": "*",
        **changed,
    }
    return {name: value for name, value in claims.items() if value is not None}
