"""A file that a command writes: whole or not at all, and never in the place of a device or link."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

STDOUT = Path("-")
UNFINISHED = ".unfinished"


def is_stdout(output: Path) -> bool:
    """Whether it is `-`, or another name of what stdout goes to, such as /dev/stdout."""
    if output == STDOUT:
        return True
    try:
        return os.path.samestat(output.stat(), os.fstat(sys.stdout.fileno()))
    except (OSError, ValueError, AttributeError):
        # There is no such file yet, or stdout is none.
        return False


@contextmanager
def written_file(output: Path) -> Iterator[BinaryIO]:
    """The file to write into; `-` is stdout. OSError when it cannot be written.

    A regular file appears under its name at the end only, so that a failure leaves no half of it.
    """
    with _named(output):
        if is_stdout(output):
            if sys.stdout is None:
                raise OSError(errno.EBADF, "it is closed")
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        else:
            with _opened(output) as file:
                yield file


@contextmanager
def _named(output: Path) -> Iterator[None]:
    """An error of writing names what was to be written."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        # Its passing name tells nobody anything.
        if error.filename is None or str(error.filename).endswith(UNFINISHED):
            error.filename = "stdout" if output == STDOUT else str(output)
        raise


@contextmanager
def _opened(output: Path) -> Iterator[BinaryIO]:
    if output.exists() and not output.is_file():
        with output.open("wb") as device:
            yield device
        return
    # A link stays a link: what it leads to is written.
    output = output.resolve()
    unfinished = output.with_name(output.name + UNFINISHED)
    with unfinished.open("wb") as file:
        try:
            yield file
            file.flush()
            unfinished.replace(output)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
