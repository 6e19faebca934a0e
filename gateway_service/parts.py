"""What comes on a connection is parsed in parts, and what waits for its turn is left as it is."""

import asyncio
import re
from collections.abc import Callable

from uvicorn.protocols.http.flow_control import FlowControl

# A head takes many times its bytes once it is parsed, so a part has a few short heads at most, and
# no body makes many parts.
END_OF_HEAD = re.compile(rb"\n\r?\n")
PART_BYTES_MIN = 64


def end_of_part(came: bytes, begin: int) -> int:
    """Where the part ends that begins there: behind what may be the end of a head."""
    found = END_OF_HEAD.search(came, begin + PART_BYTES_MIN)
    return found.end() if found else len(came)


class Flow(FlowControl):
    """Tells when we are ready to read more of a body, and reads no more while something that has
    come `is_left`.
    """

    def __init__(
        self, transport: asyncio.Transport, ready: Callable[[], None], is_left: Callable[[], bool]
    ) -> None:
        """`ready` is called when reading goes on."""
        super().__init__(transport)
        self._ready = ready
        self._is_left = is_left

    def resume_reading(self) -> None:
        """Reads on, unless something is left."""
        if self._is_left():
            return
        was_paused = self.read_paused
        super().resume_reading()
        if was_paused:
            self._ready()
