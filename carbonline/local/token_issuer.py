"""A local issuer of signed tokens: its key in a file, and the public keys that servers read."""

import hashlib
import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import ECAlgorithm

ALGORITHM = "ES256"
EVERYTHING = "*"
KID_DIGITS = 12
# As long as servers take them: whoever issues tokens imports no server.
TOKEN_BYTES_MAX = 8 * 1024


class IssuerUnusable(Exception):
    """A file of the issuer cannot be used. The message is a sentence."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token says: who calls, for which tenants, in which roles, and within what.

    Empty `modules` and `units` mean all.
    """

    name: str
    tenants: Sequence[str]
    roles: Sequence[str]
    modules: Sequence[str] = ()
    units: Sequence[str] = ()


def make_key(key_file: Path, jwks_file: Path) -> str:
    """Make a key, add its public half to the JWKS, and return its name.

    The key is readable by its owner only. Raises FileExistsError rather than replace one, and
    IssuerUnusable if the JWKS is none.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    keys = _listed(jwks_file) if jwks_file.exists() else []
    public = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    keys.append({**public, "kid": _kid(key), "use": "sig", "alg": ALGORITHM})
    # In one step, because servers read it again and again.
    unfinished = jwks_file.with_name(f"{jwks_file.name}.unfinished")
    # Before the key: where it cannot be written, no key is left that would be in the way.
    unfinished.write_text(json.dumps({"keys": keys}, indent=2) + "\n", "utf-8")
    try:
        descriptor = os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError:
        unfinished.unlink()
        raise
    with os.fdopen(descriptor, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    unfinished.replace(jwks_file)
    return _kid(key)


def issue_token(key_file: Path, grant: Grant, *, issuer: str, audience: str, seconds: float) -> str:
    """A signed token that is good for so many seconds.

    Raises OSError and IssuerUnusable, also for a token that is longer than servers take.
    """
    key = _key(key_file)
    now = int(time.time())
    claims = {
        "iss": issuer,
        "aud": audience,
        "sub": grant.name,
        "iat": now,
        "exp": now + int(seconds),
        "tenants": list(grant.tenants),
        "role": list(grant.roles),
        "modules": list(grant.modules) or EVERYTHING,
        "units": list(grant.units) or EVERYTHING,
    }
    token = jwt.encode(claims, key, ALGORITHM, headers={"kid": _kid(key)})
    if len(token) > TOKEN_BYTES_MAX:
        raise IssuerUnusable(
            f"the token has {len(token):,} bytes, and servers take {TOKEN_BYTES_MAX:,}: name fewer "
            "tenants, modules and units, or issue several tokens"
        )
    return token


def claims_of(token: str) -> Mapping[str, Any]:
    """What a token says, and `kid`, the name of its key; whether it is true is not checked.

    Raises IssuerUnusable if it is not a token.
    """
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
        kid = jwt.get_unverified_header(token).get("kid", "")
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise IssuerUnusable("this is not a signed token (JWT)") from None
    return {**claims, "kid": kid}


def _key(key_file: Path) -> ec.EllipticCurvePrivateKey:
    mode = key_file.stat().st_mode
    if mode & 0o077:
        raise IssuerUnusable(f"{key_file} can be read by others: run `chmod 600` on it first")
    try:
        key = load_pem_private_key(key_file.read_bytes(), None)
    except (ValueError, TypeError):
        raise IssuerUnusable(f"{key_file} is not a key of `carbonline token key`") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise IssuerUnusable(f"{key_file} is not a key of `carbonline token key`")
    return key


def _kid(key: ec.EllipticCurvePrivateKey) -> str:
    numbers = key.public_key().public_numbers()
    digest = hashlib.sha256(f"{numbers.x}.{numbers.y}".encode()).digest()
    return f"{int.from_bytes(digest) % 10**KID_DIGITS:0{KID_DIGITS}}"


def _listed(jwks_file: Path) -> list[Any]:
    try:
        keys = json.loads(jwks_file.read_bytes())["keys"]
    except (ValueError, KeyError, TypeError):
        keys = None
    if not isinstance(keys, list):
        raise IssuerUnusable(f"{jwks_file} is not a JWKS; name a file that is one, or a new one")
    return keys
