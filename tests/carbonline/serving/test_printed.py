"""What libraries print becomes log lines; what cannot be printed decides no exit code."""

import asyncio
import json
import os
import sys
import traceback
from pathlib import Path

import pytest

from carbonline.serving.printed import PrintedText
from tests.carbonline.serving.processes import PROGRAMS, SECONDS_MAX, process

FULL_DISK = Path("/dev/full")
LIBRARY_THAT_PRINTS = """
import sys, traceback
from carbonline.serving.logs import open_process_log
from carbonline.serving.printed import print_sentence

open_process_log("info", service="test")
try:
    raise ValueError("gone")
except ValueError:
    traceback.print_exc()
print("one", "two", file=sys.stderr)
sys.stderr.write("without an end")
print_sentence("test: it ends")
sys.exit(7)
"""


async def test_a_traceback_is_one_line_of_json_and_a_sentence_is_itself() -> None:
    async with process("-c", LIBRARY_THAT_PRINTS) as running:
        _, said = await asyncio.wait_for(running.communicate(), SECONDS_MAX)
    first, second, sentence, last = said.decode().splitlines()
    trace, words, rest = map(json.loads, (first, second, last))
    assert (trace["event"], trace["level"], trace["service"]) == ("printed", "warning", "test")
    assert trace["text"].startswith("Traceback ")
    assert trace["text"].endswith("ValueError: gone")
    assert (words["text"], rest["text"]) == ("one two", "without an end")
    assert sentence == "test: it ends"
    assert running.returncode == 7


@pytest.mark.skipif(not FULL_DISK.exists(), reason="it needs the file /dev/full")
@pytest.mark.parametrize(
    ("arguments", "code"),
    [(("-c", LIBRARY_THAT_PRINTS), 7), *(((*words, "--no"), 2) for words in PROGRAMS.values())],
)
async def test_a_process_whose_words_cannot_be_written_has_its_own_exit_code(
    arguments: tuple[str, ...], code: int
) -> None:
    full = os.open(FULL_DISK, os.O_WRONLY)
    running = await asyncio.create_subprocess_exec(sys.executable, *arguments, stderr=full)
    os.close(full)
    assert await asyncio.wait_for(running.wait(), SECONDS_MAX) == code


def test_a_traceback_with_its_cause_is_two_texts() -> None:
    texts: list[str] = []
    second = KeyError("second")
    second.__cause__ = ValueError("first")
    traceback.print_exception(second, file=PrintedText(texts.append))
    assert [text.splitlines()[-1] for text in texts] == [
        "ValueError: first",
        "The above exception was the direct cause of the following exception:",
        "KeyError: 'second'",
    ]
