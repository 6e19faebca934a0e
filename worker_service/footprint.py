"""Limits a worker process to one core, and to memory for a few frames, however large the file."""

import ctypes
import os
from contextlib import suppress

from carbonline.serving.arenas import share_one_arena

# By default jemalloc, which Polars brings, keeps freed memory for ten seconds. A frame uses it
# again within half a second.
FRAMES_ALLOCATOR = ("_RJEM_MALLOC_CONF", "dirty_decay_ms:500,muzzy_decay_ms:0")
# One thread per worker: workers are the parallelism.
FRAMES_THREADS = ("POLARS_MAX_THREADS", "1")
# Of the C library, see mallopt(3). The text of a frame is a few megabytes. By default the first one
# freed raises the bound for mmap, and later ones then stay in the heap.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
BYTES_KEPT_MAX = 1024 * 1024


def limit_footprint() -> None:
    """Call it before Polars is loaded and before there are threads.

    Variables that the environment sets stay. With another C library than GNU's, memory is kept as
    usual.
    """
    for name, value in (FRAMES_ALLOCATOR, FRAMES_THREADS):
        os.environ.setdefault(name, value)
    share_one_arena()
    with suppress(OSError, AttributeError):
        tune = ctypes.CDLL(None).mallopt
        tune(M_MMAP_THRESHOLD, BYTES_KEPT_MAX)
        tune(M_TRIM_THRESHOLD, BYTES_KEPT_MAX)
