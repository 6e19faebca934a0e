"""How long the requests of metrics and probes may take to come, and who gives way to whom."""

import io
import socket
import threading
import time
from collections import Counter
from contextlib import suppress
from typing import Any, TypeAlias

# As socketserver names it. Those of TCP are sockets.
Connection: TypeAlias = Any


class Received(io.RawIOBase):
    """What a connection sends within so many seconds, at most so many bytes. A socket's own timeout
    begins anew with each byte, and the library keeps a hundred lines of 64 KiB.
    """

    def __init__(self, connection: socket.socket, seconds: float, bytes_max: int) -> None:
        self._connection = connection
        self._until = time.monotonic() + seconds
        self._bytes_left = bytes_max

    def readable(self) -> bool:
        """It is for reading."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Raises TimeoutError."""
        left = self._until - time.monotonic()
        if left <= 0 or self._bytes_left == 0:
            raise TimeoutError("the request has not come whole")
        self._connection.settimeout(left)
        received = self._connection.recv_into(buffer, min(len(buffer), self._bytes_left))
        self._bytes_left -= received
        return received


class Asking:
    """The connections whose request has not come whole, each with its address, oldest first."""

    def __init__(self) -> None:
        self._addresses: dict[Connection, str] = {}
        self._lock = threading.Lock()

    def add(self, connection: Connection, address: str) -> None:
        """It has begun."""
        with self._lock:
            self._addresses[connection] = address

    def remove(self, connection: Connection) -> None:
        """Its request has come, or it has ended."""
        with self._lock:
            self._addresses.pop(connection, None)

    def end_one(self) -> bool:
        """Ends the oldest one of the address that has most; False if there is none."""
        with self._lock:
            if not self._addresses:
                return False
            [(most, _)] = Counter(self._addresses.values()).most_common(1)
            one = next(each for each, address in self._addresses.items() if address == most)
            del self._addresses[one]
            # Its thread finds the end, and closes it.
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        return True
