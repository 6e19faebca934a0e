"""Channels to carbonline's servers, with one set of options for all clients."""

import errno
import json
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

import grpc
import grpc.aio

from carbonline.client.addresses import UNIX, addresses_of, target_of
from carbonline.client.errors import WrongArgument
from carbonline.client.renewing_channel import RenewingChannel
from carbonline.client.tls_files import TlsFiles
from carbonline.file_stamp import FileStamp, file_stamp

Metadata: TypeAlias = tuple[tuple[str, str], ...]

MESSAGE_BYTES_MAX = 16 * 1024 * 1024
# How much a server may send ahead on one stream: 20 MB/s from 50 ms away.
WINDOW_BYTES = 1024 * 1024
# UNAVAILABLE means that the same call may be repeated, and CANCELLED that the server ended in the
# middle of it. Every RPC is safe to repeat.
_RETRY = {
    "maxAttempts": 4,
    "initialBackoff": "0.1s",
    "maxBackoff": "2s",
    "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE", "CANCELLED"],
}
_BALANCING: list[dict[str, dict[str, str]]] = [{"round_robin": {}}]


def open_channel(
    address: str, *, retries: bool, tls: TlsFiles | None = None, own_connection: bool = False
) -> grpc.aio.Channel:
    """A channel to the servers of an address, which connects when it is first used.

    `address` is "unix:PATH" or "host:port", or several of them separated by commas. Calls go to
    each server in turn, also to each that the host's name stands for. One that does not answer is
    left out until it does. Raises WrongArgument if several addresses do not go together.

    With `tls`, ports are called with TLS, and their certificate must be for the host of `address`.
    Unix sockets never are. When the files are renewed, calls begin with the new ones. Raises
    OSError if a file of `tls` cannot be read.

    Channels of a process to the same address share a connection, unless they have their
    `own_connection`. See `StreamChannels`.

    With `retries`, gRPC repeats calls that are answered UNAVAILABLE. Callers that repeat calls
    themselves pass False.
    """
    try:
        target = target_of(address, with_tls=tls is not None)
    except ValueError as error:
        raise WrongArgument(str(error)) from None
    options: list[tuple[str, int | str]] = [
        # Without it, servers and proxies would be told of the whole list.
        *([("grpc.default_authority", "localhost")] if len(addresses_of(address)) > 1 else []),
        ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
        ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
        # A frozen server is noticed, and its calls fail, before the deadline of a call: then
        # there is time to ask another one. Without the last two, none is ever noticed. Servers
        # allow a ping every five seconds.
        ("grpc.keepalive_time_ms", 6_000),
        ("grpc.keepalive_timeout_ms", 5_000),
        ("grpc.http2.ping_timeout_ms", 5_000),
        ("grpc.http2.max_pings_without_data", 0),
        # Reconnect within two seconds of a server's return; the default is up to two minutes.
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 2_000),
        ("grpc.enable_retries", int(retries)),
        ("grpc.service_config", _service_config(retries)),
        # By default, a client pings while it receives, to learn how large a window pays. On a
        # connection that the server has closed meanwhile, because of its age, the ping fails,
        # and the client drops the end of a call that it has not read yet.
        ("grpc.http2.bdp_probe", 0),
        ("grpc.http2.lookahead_bytes", WINDOW_BYTES),
        # Proxies in the environment are for the web, not for these addresses.
        ("grpc.enable_http_proxy", 0),
        ("grpc.use_local_subchannel_pool", int(own_connection)),
    ]
    if tls is None or address.startswith(UNIX):
        return grpc.aio.insecure_channel(target, options)
    return RenewingChannel(tls, lambda: grpc.aio.secure_channel(target, _credentials(tls), options))


def _credentials(tls: TlsFiles) -> grpc.ChannelCredentials:
    ca = tls.ca.read_bytes()
    if tls.certificate is None or tls.key is None:
        return grpc.ssl_channel_credentials(ca)
    return grpc.ssl_channel_credentials(ca, tls.key.read_bytes(), tls.certificate.read_bytes())


def _service_config(retries: bool) -> str:
    config: dict[str, object] = {"loadBalancingConfig": _BALANCING}
    if retries:
        config["methodConfig"] = [{"name": [{}], "retryPolicy": _RETRY}]
    return json.dumps(config)


class Credentials:
    """The metadata of a client's calls: the bearer token of a file, or none without a file.

    Tokens expire, and whoever issues them writes the next one into the same file: it is read again
    when it has changed.
    """

    def __init__(self, token_file: Path | None) -> None:
        """Raises OSError if the file cannot be read or does not hold a token."""
        self._token_file = token_file
        self._stamp = _stamp_of(token_file)
        self._metadata = _metadata_of(token_file)

    @property
    def metadata(self) -> Metadata:
        """Of the next call. While the file cannot be read, the last token stays."""
        with suppress(OSError):
            stamp = _stamp_of(self._token_file)
            if stamp != self._stamp:
                self._metadata, self._stamp = _metadata_of(self._token_file), stamp
        return self._metadata


def _stamp_of(token_file: Path | None) -> FileStamp | None:
    return None if token_file is None else file_stamp(token_file)


def _metadata_of(token_file: Path | None) -> Metadata:
    if token_file is None:
        return ()
    token = token_file.read_bytes().strip()
    # Headers allow no other characters, and the error of gRPC would not say so.
    if not (token.isascii() and token.decode("ascii").isprintable()):
        raise OSError(errno.EINVAL, "a token must be one line of plain text", str(token_file))
    return (("authorization", f"Bearer {token.decode('ascii')}"),)
