"""Ends a command with a sentence if its output cannot be written."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast

import click

from carbonline.command.exit_codes import ExitCode
from carbonline.command.fitting import fitted, terminal_width
from carbonline.command.safe_text import name_written_out


class UnfailingStream:
    """A stream for notes. If they cannot be written, the command goes on."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write text, broken to fit a terminal. Errors are ignored."""
        try:
            return _write(self._stream, text)
        except OSError:
            return len(text)

    def flush(self) -> None:
        """Flush the stream. Errors are ignored."""
        try:
            self._stream.flush()
        except OSError:
            return

    def __getattr__(self, name: str) -> Any:
        """Everything else comes from the wrapped stream."""
        return getattr(self._stream, name)


class NamedStream:
    """A stream whose errors name it, because an OSError may not."""

    def __init__(self, stream: TextIO, name: str) -> None:
        self._stream = stream
        self._name = name

    def write(self, text: str) -> int:
        """Write text, broken to fit a terminal. Raises OSError with the name of the stream."""
        with self._named():
            return _write(self._stream, text)

    def flush(self) -> None:
        """Flush the stream. Raises OSError with the name of the stream."""
        with self._named():
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        """Everything else comes from the wrapped stream."""
        return getattr(self._stream, name)

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            error.filename = self._name
            raise


def _write(stream: TextIO, text: str) -> int:
    try:
        width = terminal_width(stream.fileno())
    except (OSError, ValueError):
        width = None
    stream.write(text if width is None else fitted(text, width))
    return len(text)


@contextmanager
def named_streams() -> Iterator[None]:
    """Within the context, stdout is a NamedStream and stderr an UnfailingStream."""
    stdout, stderr = sys.stdout, sys.stderr
    for stream in (stdout, stderr):
        # Names of files are bytes, and a sentence about one must not end in a traceback.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=name_written_out())
    # Python has None for what was closed before it began.
    if stdout is not None:
        sys.stdout = cast("TextIO", NamedStream(stdout, "stdout"))
    if stderr is not None:
        sys.stderr = cast("TextIO", UnfailingStream(stderr))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = stdout, stderr
        try:
            if stderr is not None:
                stderr.flush()
        except (OSError, ValueError):
            # Python would end with an exit code of its own for notes that it holds back.
            _leave(stderr)


@contextmanager
def output_failures_reported() -> Iterator[None]:
    """Exit with a sentence if stdout cannot be written.

    If the reader of a pipe has left, exit without one.
    """
    try:
        try:
            yield
        except SystemExit as ended:
            _flush(quietly=bool(ended.code))
            raise
        # Not left to the interpreter's end, which would print a traceback.
        _flush(quietly=False)
    except BrokenPipeError:
        _leave(sys.stdout)
        raise SystemExit(ExitCode.READER_LEFT) from None
    except OSError as error:
        _leave(sys.stdout)
        where = f"{error.filename}: " if error.filename else ""
        click.echo(f"Error: {where}{error.strerror or error}.", err=True)
        raise SystemExit(ExitCode.REFUSED) from None


def _flush(*, quietly: bool) -> None:
    """Flush stdout. With `quietly`, ignore an OSError, because the failure was reported already."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        if not quietly:
            raise
        _leave(sys.stdout)


def _leave(stream: TextIO | None) -> None:
    """Send what is still buffered to the null device, so that Python does not report it at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with suppress(AttributeError, OSError, ValueError):
        if stream is not None:
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
