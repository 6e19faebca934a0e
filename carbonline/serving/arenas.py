"""One heap for all threads of a server, so that what a flood took is used again."""

import ctypes
from contextlib import suppress

# Of the C library, see mallopt(3).
M_ARENA_MAX = -8


def share_one_arena() -> None:
    """Call it before there are threads.

    By default each thread of gRPC gets a heap of its own, up to eight for each core. What one
    frees, the others do not use: a flood of calls over TLS took a quarter more. With another C
    library than GNU's, memory is kept as usual.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)
