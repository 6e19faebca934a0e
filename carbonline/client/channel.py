"""Channels to carbonline's servers: one set of options for everybody who dials."""

import errno
import json
from pathlib import Path
from typing import TypeAlias

import grpc.aio

Metadata: TypeAlias = tuple[tuple[str, str], ...]

MESSAGE_BYTES_MAX = 16 * 1024 * 1024
# Only UNAVAILABLE may be repeated as it stands; every rpc is safe to repeat.
_RETRY = {
    "maxAttempts": 4,
    "initialBackoff": "0.1s",
    "maxBackoff": "2s",
    "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"],
}
_BALANCING: list[dict[str, dict[str, str]]] = [{"round_robin": {}}]


def open_channel(address: str, *, retries: bool) -> grpc.aio.Channel:
    """A channel to "unix:PATH" or "host:port"; dials when it is first used.

    `retries` lets gRPC repeat UNAVAILABLE calls; callers with a loop of their own say no.
    """
    return grpc.aio.insecure_channel(
        address,
        options=[
            ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
            ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
            ("grpc.keepalive_time_ms", 30_000),
            ("grpc.keepalive_timeout_ms", 10_000),
            # A server that comes back is found within two seconds, not within two minutes.
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.min_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 2_000),
            ("grpc.enable_retries", int(retries)),
            ("grpc.service_config", _service_config(retries)),
            # A proxy of the environment is for the web, never for these addresses.
            ("grpc.enable_http_proxy", 0),
        ],
    )


def _service_config(retries: bool) -> str:
    config: dict[str, object] = {"loadBalancingConfig": _BALANCING}
    if retries:
        config["methodConfig"] = [{"name": [{}], "retryPolicy": _RETRY}]
    return json.dumps(config)


def credentials(token_file: Path | None) -> Metadata:
    """The metadata of every call: the bearer token of a file, or nothing.

    Raises OSError when the file is named and cannot be read, or cannot be a token.
    """
    if token_file is None:
        return ()
    token = token_file.read_bytes().strip()
    # A header takes no other characters; gRPC would end the call with less of a sentence.
    if not (token.isascii() and token.decode("ascii").isprintable()):
        raise OSError(errno.EINVAL, "not one line of plain text, so no token", str(token_file))
    return (("authorization", f"Bearer {token.decode('ascii')}"),)
