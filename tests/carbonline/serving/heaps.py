"""The heaps of a process, of which by default each thread may have one of its own."""

import re
from pathlib import Path

# Beside the first one, the C library begins each at a multiple of so many bytes.
HEAP_BYTES = 64 * 1024 * 1024
USED, RESERVED = "rw-p", "---p"
MAPPED = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) (\S{4}) 0+ 00:00 0\s*$", re.MULTILINE)


def heaps_of_threads(pid: int | str) -> int:
    """How many there are besides the first one: memory in use, and behind it what is reserved."""
    mapped = [
        (int(begin, 16), int(end, 16), access)
        for begin, end, access in MAPPED.findall(Path(f"/proc/{pid}/maps").read_text())
    ]
    reserved = {begin: end for begin, end, access in mapped if access == RESERVED}
    return sum(
        access == USED and begin % HEAP_BYTES == 0 and reserved.get(end) == begin + HEAP_BYTES
        for begin, end, access in mapped
    )
