"""A channel over TLS whose files are renewed: calls made after that begin with the new ones.

Certificates of clients live for days or hours. gRPC reads those of a channel once, and a server
asks for them at each new connection, so a channel would work until the day on which it reconnects.
"""

import asyncio
import ssl
from collections.abc import Callable
from typing import Any, Self

import grpc
import grpc.aio

from carbonline.client.tls_files import TlsFiles
from carbonline.file_stamp import FileStamp, file_stamp

Stamps = tuple[FileStamp, ...]


class RenewingChannel(grpc.aio.Channel):
    """Opens its channel anew when a file of `tls` has changed. Calls that run go on where they are.

    Files that cannot be used, such as a certificate whose key is not there yet, leave the channel
    as it is, and are looked at again by the next call.
    """

    def __init__(self, tls: TlsFiles, opened: Callable[[], grpc.aio.Channel]) -> None:
        """`opened` reads the files and opens a channel. Raises OSError if it cannot read them."""
        self._tls = tls
        self._open = opened
        self._stamps = _stamps_of(tls)
        self._used = _Used(opened())
        self._former: set[_Used] = set()

    def _current(self) -> "_Used":
        """The channel with what the files hold now."""
        try:
            stamps = _stamps_of(self._tls)
            if stamps != self._stamps and _go_together(self._tls):
                opened = self._open()
                # From before the files were read: those that changed meanwhile are read again.
                self._stamps, former, self._used = stamps, self._used, _Used(opened)
                self._former.add(former)
                former.close_when_unused(self._former.discard)
        except OSError:
            return self._used
        return self._used

    def unary_unary(self, *args: Any, **kwargs: Any) -> Any:
        """Calls of one method."""
        return self._calls("unary_unary", args, kwargs)

    def unary_stream(self, *args: Any, **kwargs: Any) -> Any:
        """Calls of one method."""
        return self._calls("unary_stream", args, kwargs)

    def stream_unary(self, *args: Any, **kwargs: Any) -> Any:
        """Calls of one method."""
        return self._calls("stream_unary", args, kwargs)

    def stream_stream(self, *args: Any, **kwargs: Any) -> Any:
        """Calls of one method."""
        return self._calls("stream_stream", args, kwargs)

    def _calls(self, kind: str, args: Any, kwargs: Any) -> Callable[..., Any]:
        made: dict[_Used, Any] = {}

        def call(*request: Any, **options: Any) -> Any:
            used = self._current()
            if used not in made:
                made.clear()
                made[used] = getattr(used.channel, kind)(*args, **kwargs)
            return used.noted(made[used](*request, **options))

        return call

    async def close(self, grace: float | None = None) -> None:
        """Ends the calls of this channel and of those before it."""
        every = [self._used, *self._former]
        await asyncio.gather(*(used.channel.close(grace) for used in every))

    async def __aenter__(self) -> Self:
        """Itself."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Ends all calls."""
        await self.close()

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        """Of the channel with the newest files."""
        return self._used.channel.get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """Of the channel with the newest files."""
        await self._used.channel.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        """Of the channel with the newest files."""
        await self._used.channel.channel_ready()


class _Used:
    """A channel, and how many calls it has in flight."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.channel = channel
        self._calls = 0
        self._closed: Callable[[_Used], None] | None = None
        self._closing: asyncio.Task[None] | None = None

    def noted(self, call: Any) -> Any:
        """The call, which counts until it is done."""
        self._calls += 1
        call.add_done_callback(self._done)
        return call

    def close_when_unused(self, closed: "Callable[[_Used], None]") -> None:
        """Closes the channel after its last call: else it would connect with old files for ever."""
        self._closed = closed
        self._close_if_unused()

    def _done(self, _call: object) -> None:
        self._calls -= 1
        self._close_if_unused()

    def _close_if_unused(self) -> None:
        if self._closed is not None and not self._calls and self._closing is None:
            self._closing = asyncio.create_task(self._close(self._closed))

    async def _close(self, closed: "Callable[[_Used], None]") -> None:
        await self.channel.close()
        closed(self)


def _stamps_of(tls: TlsFiles) -> Stamps:
    """Raises OSError if a file is not there."""
    files = (tls.ca, tls.certificate, tls.key)
    return tuple(file_stamp(path) for path in files if path is not None)


def _go_together(tls: TlsFiles) -> bool:
    """Whether the files can be used. Raises OSError if not: an SSLError is one."""
    context = ssl.create_default_context(cafile=tls.ca)
    if tls.certificate is not None:
        context.load_cert_chain(tls.certificate, tls.key, password=_no_password)
    return True


def _no_password() -> str:
    # Without it, OpenSSL asks for one at the terminal.
    return ""
