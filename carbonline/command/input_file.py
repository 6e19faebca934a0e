"""The file argument of a command. Files are read more than once, so a pipe is copied to one."""

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any, BinaryIO

import click

from carbonline.command.exit_codes import ExitCode
from carbonline.command.output_file import errors_named

STDIN = "-"
COPIED_BYTES = 1 << 20
# No server takes more; without an end to it, /dev/zero would fill the disk.
COPIED_BYTES_MAX = 2 << 30


class InputFile(click.Path):
    """A readable file as a Path; `-` is stdin. Anything but a regular file is copied to one."""

    name = "file"

    def __init__(self) -> None:
        super().__init__(
            path_type=Path, exists=True, dir_okay=False, readable=True, allow_dash=True
        )

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path, or the path of a copy that is deleted when the command ends."""
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if value != STDIN and path.is_file():
            return path
        folder = Path(tempfile.mkdtemp(prefix="carbonline-"))
        if ctx is not None:
            ctx.call_on_close(lambda: shutil.rmtree(folder, ignore_errors=True))
        copy = folder / ("stdin" if value == STDIN else path.name)
        try:
            with errors_named(copy), copy.open("wb") as kept:
                if value == STDIN:
                    _copy(sys.stdin.buffer, Path(STDIN), kept)
                else:
                    with path.open("rb") as source:
                        _copy(source, path, kept)
        except OSError as error:
            self.fail(f"{error.filename or value}: {error.strerror or error}", param, ctx)
        except KeyboardInterrupt:
            raise SystemExit(ExitCode.INTERRUPTED) from None
        return copy


def _copy(source: BinaryIO, name: Path, kept: BinaryIO) -> None:
    """Raises OSError if the pipe never ends. What cannot be read is called `name`."""
    copied = 0
    while chunk := _chunk(source, name, COPIED_BYTES_MAX - copied):
        copied += len(chunk)
        kept.write(chunk)


def _chunk(source: BinaryIO, name: Path, room: int) -> bytes:
    with errors_named(name):
        chunk = source.read(COPIED_BYTES)
        if len(chunk) > room:
            raise OSError(f"more than {COPIED_BYTES_MAX:,} bytes, which no server accepts")
        return chunk
