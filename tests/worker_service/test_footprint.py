"""A worker process takes one core and returns the memory that it no longer uses."""

import subprocess
import sys

# Texts as large as those of frames, made and freed in one thread after the other.
SCRIPT = """
import os, threading
from worker_service.footprint import limit_footprint

limit_footprint()

import polars

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

def use():
    texts = [bytearray(b"x") * (8 << 20) for _ in range(8)]

use()
before = resident()
for _ in range(4):
    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
print(polars.thread_pool_size(), (resident() - before) // (1 << 20))
"""


def test_frames_have_one_thread_and_freed_memory_is_returned_to_the_system() -> None:
    found = subprocess.run(
        [sys.executable, "-c", SCRIPT], check=True, capture_output=True, text=True
    )
    threads, kept_megabytes = map(int, found.stdout.split())
    assert threads == 1
    assert kept_megabytes <= 2
