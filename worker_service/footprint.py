"""What a worker process takes: one core, and memory for a few frames, whatever the file."""

import ctypes
import os
from contextlib import suppress

# jemalloc, which the frames' library brings, keeps what was freed for ten seconds unless told not
# to. In half a second a frame has used it again.
FRAMES_ALLOCATOR = ("_RJEM_MALLOC_CONF", "dirty_decay_ms:500,muzzy_decay_ms:0")
# One thread per worker: they are the parallelism.
FRAMES_THREADS = ("POLARS_MAX_THREADS", "1")
# Of the C library, see mallopt(3). A frame's text is some megabytes: unless told otherwise, the
# first that is freed raises the bound, and later ones stay in the heap of whoever made them.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
BYTES_KEPT_MAX = 1024 * 1024


def take_little() -> None:
    """To be called before the frames' library is loaded and before there are threads.

    What the environment says already stands. Memory is kept as usual where the C library is
    another than GNU's.
    """
    for name, value in (FRAMES_ALLOCATOR, FRAMES_THREADS):
        os.environ.setdefault(name, value)
    with suppress(OSError, AttributeError):
        tune = ctypes.CDLL(None).mallopt
        tune(M_ARENA_MAX, 1)
        tune(M_MMAP_THRESHOLD, BYTES_KEPT_MAX)
        tune(M_TRIM_THRESHOLD, BYTES_KEPT_MAX)
