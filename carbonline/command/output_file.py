"""A file that a command writes: whole or not at all, and never in the place of a device or link."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

STDOUT = Path("-")


def is_stdout(output: Path) -> bool:
    """Whether it is `-`, or another name of what stdout goes to, such as /dev/stdout."""
    if output == STDOUT:
        return True
    try:
        return os.path.samestat(output.stat(), os.fstat(sys.stdout.fileno()))
    except (OSError, ValueError):
        # There is no such file yet, or stdout is none.
        return False


@contextmanager
def written_file(output: Path) -> Iterator[BinaryIO]:
    """The file to write into; `-` is stdout. OSError when it cannot be written.

    A regular file appears under its name at the end only, so that a failure leaves no half of it.
    """
    if is_stdout(output):
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if output.exists() and not output.is_file():
        with output.open("wb") as device:
            yield device
        return
    # A link stays a link: what it leads to is written.
    output = output.resolve()
    unfinished = output.with_name(output.name + ".unfinished")
    with unfinished.open("wb") as file:
        try:
            yield file
            file.flush()
            unfinished.replace(output)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
