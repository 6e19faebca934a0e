"""Writes a file completely or not at all, and never replaces a device or a link."""

import errno
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from filecmp import cmp
from pathlib import Path
from typing import BinaryIO

STDOUT = Path("-")
UNFINISHED = ".unfinished"


def is_stdout(output: Path) -> bool:
    """Whether the path is `-` or another name of stdout, such as /dev/stdout."""
    if output == STDOUT:
        return True
    try:
        return os.path.samestat(output.stat(), os.fstat(sys.stdout.fileno()))
    except (OSError, ValueError, AttributeError):
        # There is no such file yet, or stdout is none.
        return False


class OtherContents(Exception):
    """A file has the name already, and other contents."""


@contextmanager
def written_file(
    output: Path, *, replaces: bool = True, private: bool = False
) -> Iterator[BinaryIO]:
    """Open a file for writing; `-` is stdout. Raises OSError if it cannot be written.

    A regular file gets its name only when it is complete, so that a failure leaves no partial file.
    With `replaces=False`, a file that people may have edited is left alone: raises OtherContents.
    A `private` file can be read by its owner only.
    """
    with errors_named(output):
        if is_stdout(output):
            if sys.stdout is None:
                raise OSError(errno.EBADF, "it is closed")
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        else:
            with _opened(output, replaces=replaces, private=private) as file:
                yield file


@contextmanager
def errors_named(output: Path) -> Iterator[None]:
    """Add the path to an OSError: a write that fails does not say where."""
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
def _opened(output: Path, *, replaces: bool, private: bool) -> Iterator[BinaryIO]:
    if output.exists() and not output.is_file():
        with output.open("wb") as device:
            yield device
        return
    # A link stays a link: what it leads to is written.
    output = output.resolve()
    # A name of this command alone: nobody can have put a link to somewhere else there.
    unfinished = output.with_name(f"{output.name}.{secrets.token_hex(4)}{UNFINISHED}")
    mode = 0o600 if private else 0o666
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        try:
            yield file
            file.flush()
            if not replaces:
                _check_same(unfinished, output)
            unfinished.replace(output)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise


def _check_same(written: Path, output: Path) -> None:
    if output.exists() and not cmp(written, output, shallow=False):
        raise OtherContents(output.name)
