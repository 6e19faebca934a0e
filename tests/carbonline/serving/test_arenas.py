"""The threads of a server share one heap."""

import subprocess
import sys

SCRIPT = """
import threading
{first}
from tests.carbonline.serving.heaps import heaps_of_threads

holding, done = threading.Barrier(5), threading.Event()

def hold():
    kept = [bytes(5_000 + n) for n in range(100)]
    holding.wait()
    done.wait()

for _ in range(4):
    threading.Thread(target=hold).start()
holding.wait()
print(heaps_of_threads("self"))
done.set()
"""
SHARED = """
from carbonline.serving.arenas import share_one_arena

share_one_arena()
"""


def heaps(first: str) -> int:
    script = SCRIPT.format(first=first)
    ended = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
    return int(ended.stdout)


def test_threads_that_share_one_arena_have_no_heaps_of_their_own() -> None:
    assert heaps(SHARED) == 0
    assert heaps("") > 0
