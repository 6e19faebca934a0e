"""Which connections give way when there are as many as the gateway may have."""

import asyncio
import resource

# Files that the process needs besides its connections.
FILES = 100


def connections_max(most: int) -> int:
    """How many connections the process may have, by the files that it may open; at most `most`."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return most if files < 0 else min(most, max(files - FILES, 1))


class Waiting:
    """The connections that wait for their peers: those that have asked for nothing yet, or for
    nothing more, those whose body has not come, and those whose answer is not taken. Strangers may
    open any number of them.
    """

    def __init__(self) -> None:
        """Nobody waits."""
        # The one that has waited longest is first.
        self._transports: dict[asyncio.Transport, None] = {}
        self._ending: set[asyncio.Transport] = set()

    def add(self, transport: asyncio.Transport) -> None:
        """It waits from now on; also one that has waited, and whose peer has done something."""
        if transport in self._ending:
            return
        self._transports.pop(transport, None)
        self._transports[transport] = None

    def remove(self, transport: asyncio.Transport) -> None:
        """It does not wait: we work for it."""
        self._transports.pop(transport, None)

    def lost(self, transport: asyncio.Transport) -> None:
        """It has ended."""
        self.remove(transport)
        self._ending.discard(transport)

    def end_one(self) -> None:
        """Ends the one that has waited longest, if there is one."""
        longest = next(iter(self._transports), None)
        if longest is not None:
            self.remove(longest)
            self._ending.add(longest)
            longest.abort()

    @property
    def ending(self) -> int:
        """How many have been ended and are still known to the server: they take nobody's place."""
        return len(self._ending)
