"""The public keys of whoever issues tokens: a JWKS, from a file or a URL, that may change."""

import asyncio
import json
import random
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any, TypeVar

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from structlog.typing import FilteringBoundLogger

from carbonline.serving.auth.key_source import fault_of_source
from carbonline.serving.errors import RpcError

JWKS_BYTES_MAX = 1 << 20
KEYS_MAX = 100
FETCH_SECONDS_MAX = 5.0
PIECE_BYTES = 64 * 1024
# A key that nobody knows may be new: then the keys are read again, but not for every stranger.
REREAD_PAUSE_SECONDS = 5.0
RSA_BITS_MIN = 2048
Answer = TypeVar("Answer")
_RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_CURVES = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}


class KeysUnusable(OSError):
    """The keys cannot be read, or none of them is usable. The message is a sentence."""


@dataclass(frozen=True, slots=True)
class Key:
    """A public key, and the algorithms that its signatures may have."""

    key: Any
    algorithms: tuple[str, ...]


class KeySet:
    """The keys by their `kid`. While they cannot be read again, the last ones hold.

    `generation` grows with every change, so that whoever remembers what a key has signed notices.
    """

    def __init__(self, source: str, log: FilteringBoundLogger, reread_seconds: float) -> None:
        """`source` is a path, or an https URL. `load` must succeed before keys are asked for."""
        self._source = source
        self._log = log
        self._reread_seconds = reread_seconds
        self._text: bytes | None = None
        self._keys: Mapping[str, Key] = {}
        self._reading: asyncio.Task[None] | None = None
        self._read_at = -REREAD_PAUSE_SECONDS
        self.generation = 0

    def find(self, kid: str | None) -> Key | None:
        """The key of this name; without a name, the only key."""
        if kid is None:
            return next(iter(self._keys.values())) if len(self._keys) == 1 else None
        return self._keys.get(kid)

    async def load(self) -> None:
        """Reads the keys. Raises KeysUnusable if there are none."""
        self._read_at = asyncio.get_running_loop().time()
        text = await asyncio.to_thread(_text_of, self._source)
        if text == self._text:
            return
        self._keys = _keys_of(text, self._source)
        self._text = text
        self.generation += 1
        self._log.info("token_keys_read", source=self._source, keys=sorted(self._keys))

    async def load_again(self) -> None:
        """Reads the keys unless that was done a moment ago. Callers that come at once share it, and
        wait for FETCH_SECONDS_MAX at most.
        """
        if self._reading is None or self._reading.done():
            now = asyncio.get_running_loop().time()
            if now - self._read_at < REREAD_PAUSE_SECONDS:
                return
        await asyncio.wait({self._shared_reading()}, timeout=FETCH_SECONDS_MAX)

    async def run(self) -> None:
        """Reads the keys again every now and then, until cancelled."""
        while True:
            # Jitter spreads the processes of a site.
            await asyncio.sleep(self._reread_seconds * random.uniform(0.8, 1.0))  # noqa: S311
            await asyncio.shield(self._shared_reading())

    def _shared_reading(self) -> asyncio.Task[None]:
        """The one that is under way, or one that begins: a source that hangs has one reader."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._load_or_log(), name="token-keys")
        return self._reading

    async def _load_or_log(self) -> None:
        try:
            await self.load()
        except KeysUnusable as error:
            self._log.warning("token_keys_not_read", error=str(error), keys=sorted(self._keys))
            # A source that fails slowly has its pause, too.
            self._read_at = asyncio.get_running_loop().time()


class KeyUnknown(RpcError):
    """No key that is known has signed a token. Perhaps it is new: see `after_reading_keys`."""

    def __init__(self, keys: KeySet) -> None:
        """`keys` are those that do not have it."""
        super().__init__("UNAUTHENTICATED", "the token is refused: no known key has signed it")
        self.keys = keys


async def after_reading_keys(asked: Callable[[], Awaitable[Answer]]) -> Answer:
    """The answer to a question that keys decide. If a key is not known, they are read again, and
    the question is asked once more. Raises what `asked` raises.
    """
    try:
        return await asked()
    except KeyUnknown as unknown:
        await unknown.keys.load_again()
    return await asked()


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to places only that keys may be read from."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Any,
        newurl: str,
    ) -> urllib.request.Request | None:
        """The request to follow. Raises URLError."""
        if fault := fault_of_source(newurl):
            raise urllib.error.URLError(fault)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _text_of(source: str) -> bytes:
    """The bytes of a JWKS. Blocks for FETCH_SECONDS_MAX or so."""
    try:
        if "://" not in source:
            with Path(source).open("rb") as file:
                text = file.read(JWKS_BYTES_MAX + 1)
        else:
            opener = urllib.request.build_opener(_SafeRedirects)
            with opener.open(source, timeout=FETCH_SECONDS_MAX) as answer:
                text = _received(answer)
    except (OSError, HTTPException, ValueError) as error:
        raise KeysUnusable(f"the keys of tokens cannot be read from {source}: {error}") from None
    if len(text) > JWKS_BYTES_MAX:
        raise KeysUnusable(f"{source} has more than {JWKS_BYTES_MAX:,} bytes, which no JWKS has")
    return bytes(text)


def _received(answer: Any) -> bytes:
    """What a site sends. Raises TimeoutError if it takes its time."""
    ends_at = time.monotonic() + FETCH_SECONDS_MAX
    text = b""
    while len(text) <= JWKS_BYTES_MAX and (piece := answer.read1(PIECE_BYTES)):
        text += piece
        if time.monotonic() > ends_at:
            raise TimeoutError(f"they had not come whole after {FETCH_SECONDS_MAX:g} s")
    return text


def _keys_of(text: bytes, source: str) -> dict[str, Key]:
    try:
        listed = json.loads(text)["keys"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise KeysUnusable(f'{source} is not a JWKS: it must be JSON like {{"keys": []}}') from None
    keys: dict[str, Key] = {}
    for number, one in enumerate(listed[:KEYS_MAX] if isinstance(listed, list) else ()):
        if (key := _key_of(one)) is not None:
            name = one.get("kid")
            keys[name if isinstance(name, str) else f"key {number + 1}"] = key
    if not keys:
        raise KeysUnusable(
            f"{source} has no usable key: RSA of {RSA_BITS_MIN} bits or more, EC or Ed25519, "
            "for signatures"
        )
    return keys


def _key_of(one: Any) -> Key | None:
    """A public key for signatures; None for any other, as for encryption or with a secret."""
    if not isinstance(one, dict) or one.get("use", "sig") != "sig" or one.get("kty") == "oct":
        return None
    try:
        key = jwt.PyJWK.from_dict(one).key
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    algorithms = _algorithms_of(key)
    if declared := one.get("alg"):
        algorithms = tuple(name for name in algorithms if name == declared)
    return Key(key, algorithms) if algorithms else None


def _algorithms_of(key: Any) -> tuple[str, ...]:
    match key:
        case RSAPublicKey():
            return _RSA if key.key_size >= RSA_BITS_MIN else ()
        case EllipticCurvePublicKey():
            name = _CURVES.get(key.curve.name)
            return (name,) if name is not None else ()
        case Ed25519PublicKey():
            return ("EdDSA",)
        case _:
            return ()
