"""Which signed tokens are accepted, as whom, and what is said of the others."""

import base64
import hmac
import json
import time
from functools import partial
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from carbonline.serving.auth.jwt_tokens import Issuer, JwtAuthenticator
from carbonline.serving.auth.key_set import KeySet, after_reading_keys
from carbonline.serving.auth.principals import Principal
from carbonline.serving.errors import RpcError
from carbonline.serving.logs import open_log
from carbonline.v1 import types_pb2
from tests.carbonline.serving.token_issuer import AUDIENCE, NAME, TokenIssuer, claims_of


@pytest.fixture
def issuer(tmp_path: Path) -> TokenIssuer:
    return TokenIssuer(tmp_path)


async def accepting(issuer: TokenIssuer, skew_seconds: float = 0.0) -> JwtAuthenticator:
    keys = KeySet(str(issuer.jwks), open_log("error"), reread_seconds=60.0)
    await keys.load()
    return JwtAuthenticator(keys, Issuer(NAME, AUDIENCE, skew_seconds))


async def refusal_of(issuer: TokenIssuer, token: str) -> RpcError:
    with pytest.raises(RpcError) as refused:
        await (await accepting(issuer)).principal("", f"Bearer {token}")
    return refused.value


async def asked_for(accepts: JwtAuthenticator, token: str, seconds: float) -> None:
    """Sends the token again and again."""
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        await accepts.principal("", token)


@pytest.mark.parametrize("algorithm", ["ES256", "ES384", "RS256", "PS256", "EdDSA"])
async def test_a_signed_token_says_who_calls_for_whom_and_in_which_roles(
    tmp_path: Path, algorithm: str
) -> None:
    issuer = TokenIssuer(tmp_path, algorithm)
    token = issuer.token(sub="ada", tenants=["north", "south"], role=["gateway", "monitor"])
    found = await (await accepting(issuer)).principal("ipv4:1.2.3.4:5", f"Bearer {token}")
    assert isinstance(found, Principal)
    assert (found.name, found.tenants) == ("ada", ("north", "south"))
    assert found.roles == {"gateway", "monitor"}
    assert found.seconds_left is not None
    assert 590 < found.seconds_left <= 600


async def test_modules_and_units_limit_what_a_caller_may_do(issuer: TokenIssuer) -> None:
    accepts = await accepting(issuer)
    token = issuer.token(modules=["professional_travel", "headcount"], units=["0828", ""])
    found = await accepts.principal("", f"Bearer {token}")
    assert found is not None
    travel, purchase = types_pb2.MODULE_PROFESSIONAL_TRAVEL, types_pb2.MODULE_PURCHASE
    assert found.covers(travel, "0828")
    # 0, "" and None are all modules and all units.
    narrower = ((travel, "0900"), (purchase, "0828"), (travel, ""), (travel, None), (0, "0828"))
    assert not any(found.covers(*scope) for scope in (*narrower, (None, None)))
    with pytest.raises(RpcError) as refused:
        found.check_scope(purchase, "0828")
    assert refused.value.message == (
        "somebody may act for the modules headcount, professional_travel and the units 0828 only:"
        " name one of them"
    )


@pytest.mark.parametrize("authorization", ["", "Basic abc", "bearer abc"])
async def test_what_is_not_a_bearer_token_is_left_to_others(
    issuer: TokenIssuer, authorization: str
) -> None:
    assert await (await accepting(issuer)).principal("", authorization) is None


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"iss": "https://other.example"}, "it comes from another issuer"),
        ({"aud": "another"}, "it is for another audience"),
        ({"aud": None}, "claims exp, iss, aud, sub is missing"),
        ({"exp": None}, "claims exp, iss, aud, sub is missing"),
        ({"exp": 1e400}, "one of its claims is not a number of seconds"),
        ({"exp": "soon"}, "one of its claims is not a number of seconds"),
        ({"sub": None}, "claims exp, iss, aud, sub is missing"),
        ({"sub": ""}, "its sub must be"),
        ({"sub": "a\nb"}, "its sub must be"),
        ({"sub": "a" * 129}, "its sub must be"),
        # In 2100: a case is made when tests are collected, and may run much later.
        ({"nbf": 4_102_444_800}, "it is not valid yet"),
        ({"tenants": None}, "its claim tenants"),
        ({"tenants": []}, "its claim tenants"),
        ({"tenants": "north"}, "its claim tenants"),
        ({"tenants": ["*"]}, "its claim tenants"),
        ({"tenants": ["../north"]}, "its claim tenants"),
        ({"role": None}, "its claim role"),
        ({"role": "root"}, "its claim role"),
        ({"role": []}, "its claim role"),
        ({"role": ["operator", "root"]}, "its claim role"),
        ({"role": [["operator"]]}, "its claim role"),
        ({"modules": None}, "its claim modules"),
        ({"modules": []}, "its claim modules"),
        ({"modules": [8]}, "its claim modules"),
        ({"modules": ["unspecified"]}, "there is no module 'unspecified'"),
        ({"modules": ["headcount", "nothing"]}, "there is no module 'nothing'"),
        ({"units": None}, "its claim units"),
        ({"units": []}, "its claim units"),
        ({"units": "0828"}, "its claim units"),
        ({"units": [828]}, "its claim units"),
    ],
)
async def test_a_token_with_a_wrong_claim_is_refused_and_told_why(
    issuer: TokenIssuer, claims: dict[str, Any], said: str
) -> None:
    refused = await refusal_of(issuer, issuer.token(**claims))
    assert refused.reason == "UNAUTHENTICATED"
    assert said in refused.message


async def test_a_token_is_refused_once_it_has_expired_also_if_it_was_known(
    issuer: TokenIssuer,
) -> None:
    assert (await refusal_of(issuer, issuer.token(seconds=-1))).reason == "TOKEN_EXPIRED"
    accepts = await accepting(issuer)
    token = f"Bearer {issuer.token(seconds=2)}"
    assert await accepts.principal("", token) is not None
    with pytest.raises(RpcError) as refused:
        await asked_for(accepts, token, seconds=10.0)
    assert refused.value.reason == "TOKEN_EXPIRED"


async def test_clocks_may_differ_by_the_skew(issuer: TokenIssuer) -> None:
    accepts = await accepting(issuer, skew_seconds=30.0)
    found = await accepts.principal("", f"Bearer {issuer.token(seconds=-10)}")
    assert found is not None
    assert found.seconds_left is not None
    assert 15 < found.seconds_left <= 20
    with pytest.raises(RpcError):
        await accepts.principal("", f"Bearer {issuer.token(seconds=-31)}")


def forged(issuer: TokenIssuer) -> dict[str, str]:
    """Tokens that nobody who may has signed."""
    stranger = ec.generate_private_key(ec.SECP256R1())
    named = {"kid": "first"}
    head, claims, signature = issuer.token().split(".")
    changed = issuer.token(role="monitor").split(".")[1]
    public = jwt.PyJWK.from_dict(json.loads(issuer.jwks.read_text())["keys"][0]).key
    # As if the public key were a shared secret: the oldest of all attacks on JWTs.
    secret = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return {
        "by another key": jwt.encode(claims_of(), stranger, "ES256", headers=named),
        "by no key": signed_with(b"", {"alg": "none", "kid": "first"}).rpartition(".")[0] + ".",
        "with a secret": signed_with(secret, {"alg": "HS256", "kid": "first"}),
        "by a key that nobody knows": jwt.encode(
            claims_of(), stranger, "ES256", headers={"kid": "unknown"}
        ),
        "of other claims": f"{head}.{changed}.{signature}",
        "without its signature": f"{head}.{claims}.",
        "no token": "abc",
        "much too long": "a" * 9_000,
    }


def signed_with(secret: bytes, head: dict[str, str]) -> str:
    """By hand: the library does not sign with a public key."""
    parts = [json.dumps(part).encode() for part in (head, claims_of())]
    signed = b".".join(map(plain, parts))
    return (signed + b"." + plain(hmac.digest(secret, signed, "sha256"))).decode()


def plain(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


FORGED = (
    "by another key",
    "by no key",
    "with a secret",
    "by a key that nobody knows",
    "of other claims",
    "without its signature",
    "no token",
    "much too long",
)


@pytest.mark.parametrize("name", FORGED)
async def test_a_token_that_nobody_who_may_has_signed_is_refused(
    issuer: TokenIssuer, name: str
) -> None:
    assert (await refusal_of(issuer, forged(issuer)[name])).reason == "UNAUTHENTICATED"


async def test_a_new_key_is_known_at_once_and_a_withdrawn_one_no_longer(
    issuer: TokenIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("carbonline.serving.auth.key_set.REREAD_PAUSE_SECONDS", 0.0)
    accepts = await accepting(issuer)

    async def known(token: str) -> bool:
        return await after_reading_keys(partial(accepts.principal, "", token)) is not None

    old = f"Bearer {issuer.token()}"
    assert await known(old)
    issuer.add_key("second")
    assert await known(f"Bearer {issuer.token()}")
    assert await known(old)
    issuer.withdraw_key("first")
    issuer.add_key("third")
    assert await known(f"Bearer {issuer.token()}")
    # Its signature was right when it was seen first.
    with pytest.raises(RpcError):
        await known(old)
