"""The port of the gateway."""

import socket
import sys

BACKLOG = 2048
# A peer that is gone without a word is noticed after this long.
GONE_SECONDS = 30
# In a turn the loop (libuv) takes one connection of each socket that it listens to.
LISTENERS = 16


def listen(host: str, port: int) -> list[socket.socket]:
    """Sockets that take connections of one queue, so that a turn of the loop accepts several.

    Raises OSError, whose message is a sentence.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if sys.platform == "linux":
            # Connections inherit it: what is not acknowledged for so long ends them.
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, GONE_SECONDS * 1000)
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise OSError(f"cannot listen on {host}:{port}: {error.strerror}") from None
    listening.setblocking(False)
    return [listening, *(listening.dup() for _ in range(LISTENERS - 1))]
