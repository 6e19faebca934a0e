"""Opens the port or socket of a server."""

import resource
from collections.abc import Sequence

import grpc
import grpc.aio

from carbonline.serving.declared_settings import CLIENT_CONNECTIONS, PREFIX

MESSAGE_BYTES_MAX = 16 * 1024 * 1024
# Two thirds of them may be a token. The rest is gRPC's, and that of proxies.
METADATA_BYTES_MAX = 12 * 1024
STREAM_BYTES = 16 * 1024 - 1
CONNECTION_STREAMS_MAX = 1_000
PENDING_CALLS_MAX = 2_000
LOOPBACK = ("127.0.0.1:", "localhost:", "[::1]:")
TOKEN_FILE_VARIABLE = "CARBONLINE_TOKEN_FILE"  # noqa: S105 - the name of a setting
OPTIONS = (
    ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
    # Two servers must never share a port unnoticed.
    ("grpc.so_reuseport", 0),
    # A vanished watcher or sender is noticed within seconds only with all three.
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.http2.ping_timeout_ms", 5_000),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    # What a stranger sends is kept until the answer, and strangers can be many. A stream holds its
    # window, and no more before its request is read; by default windows grow to the megabytes that
    # a fast line would carry.
    ("grpc.http2.bdp_probe", 0),
    ("grpc.http2.lookahead_bytes", STREAM_BYTES),
    ("grpc.max_concurrent_streams", CONNECTION_STREAMS_MAX),
    # Calls that have begun, and whose handler has not: handlers begin one at a time, and whoever
    # comes meanwhile waits in one line, known or not (`one_line_server`). So the line is as long as
    # memory allows. Between the two limits gRPC would cancel at random; beyond the second, all, and
    # clients call again.
    ("grpc.server.max_pending_requests", PENDING_CALLS_MAX),
    ("grpc.server.max_pending_requests_hard_limit", PENDING_CALLS_MAX),
    ("grpc.max_metadata_size", METADATA_BYTES_MAX),
    ("grpc.absolute_max_metadata_size", METADATA_BYTES_MAX),
    ("grpc.server_handshake_timeout_ms", 10_000),
    ("grpc.max_connection_idle_ms", 120_000),
)


def options(
    connection_seconds_max: float,
    call_seconds_max: float,
    request_bytes_max: int = MESSAGE_BYTES_MAX,
    connections: int = CLIENT_CONNECTIONS,
) -> Sequence[tuple[str, int]]:
    """The options of a server, which refuses messages of more than `request_bytes_max`, and takes
    as many `connections` as `connections_max` says.

    It closes a connection after about `connection_seconds_max` (0: never), once its calls have
    ended, or `call_seconds_max` later. gRPC adds a tenth of jitter.
    """
    always = (
        ("grpc.max_receive_message_length", request_bytes_max),
        ("grpc.max_allowed_incoming_connections", connections_max(connections)),
        *OPTIONS,
    )
    if not connection_seconds_max:
        return always
    return (
        *always,
        ("grpc.max_connection_age_ms", round(connection_seconds_max * 1000)),
        ("grpc.max_connection_age_grace_ms", round(call_seconds_max * 1000)),
    )


def connections_max(most: int) -> int:
    """How many connections a server takes: half of the files that its process may open, so that
    its database and its own files find the other half; at most `most`. The next one is closed.
    """
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return most if files < 0 else min(most, files // 2)


def fault_of_address(
    variable: str, address: str, *, knows_callers: bool, is_encrypted: bool = False
) -> str:
    """Why a server must not listen on the address of the setting `variable`; "" if it may.

    `knows_callers`: it has a token file, or the keys of signed tokens. `is_encrypted`: it speaks
    TLS, or something in front of it does.
    """
    if "," in address:
        return f"{variable} {address}: a server listens on one address; give each its own"
    if address.startswith("unix:"):
        return ""
    if ":" not in address:
        return f"{variable} {address}: must be unix:PATH or host:port"
    if not address.startswith(LOOPBACK) and not is_encrypted:
        return (
            f"{variable} {address}: without TLS only loopback addresses and unix sockets are "
            f"served; set {PREFIX}TLS_CERT_FILE and {PREFIX}TLS_KEY_FILE, or, if something else "
            f'encrypts, {PREFIX}WITHOUT_TLS="a mesh or proxy encrypts"'
        )
    if not knows_callers:
        return (
            f"{variable} {address}: a TCP port needs {TOKEN_FILE_VARIABLE}, "
            "a file with mode 0600 that holds a random token, CARBONLINE_JWT_KEYS, or "
            "CARBONLINE_CLIENT_CERTIFICATES_FILE"
        )
    return ""


def listen(
    server: grpc.aio.Server, address: str, credentials: grpc.ServerCredentials | None = None
) -> int:
    """Listen on an address, and return the port: 0 for a unix socket. With `credentials`, a port
    speaks TLS.

    Raises OSError, whose message is a sentence, if the address is taken or cannot be used.
    """
    is_unix = address.startswith("unix:")
    try:
        if credentials is None or is_unix:
            port = server.add_insecure_port(address)
        else:
            port = server.add_secure_port(address, credentials)
    except RuntimeError as error:
        raise OSError(f"cannot listen on {address}: {error}") from None
    return 0 if is_unix else port
