"""A person's terminal: commands are typed at it, and a stack runs beside it."""

import io
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.initialised_folder import initialise
from tests.warm_program import COMMAND, run_command

SECONDS_MAX = 120


@dataclass(frozen=True)
class Typed:
    """What a command answered."""

    code: int
    out: str
    err: str


class Terminal:
    """Types commands for the stack of one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **{name: value for name, value in os.environ.items() if "CARBONLINE" not in name},
            "CARBONLINE_DATA_FOLDER": str(folder / "data"),
        }

    def type(
        self,
        *words: str | Path,
        stdin: int | None = None,
        stdout: int | IO[bytes] = subprocess.PIPE,
        stderr: int | IO[bytes] = subprocess.PIPE,
    ) -> Typed:
        """Runs `carbonline WORDS` to its end."""
        if stdin is None and stdout == stderr == subprocess.PIPE:
            done = run_command([*map(str, words)], self.environment, self.folder, SECONDS_MAX)
            return Typed(done.returncode, _text(done.stdout), _text(done.stderr))
        ended = subprocess.run(
            [*COMMAND, *map(str, words)],
            check=False,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            text=True,
            timeout=SECONDS_MAX,
            env=self.environment,
            cwd=self.folder,
        )
        return Typed(ended.returncode, ended.stdout or "", ended.stderr or "")

    def file(self, name: str, text: str) -> Path:
        """A file of the person's."""
        path = self.folder / name
        path.write_text(text)
        return path

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """Starts `carbonline WORDS` and leaves it running."""
        return subprocess.Popen(
            [*COMMAND, *words],
            stdout=subprocess.PIPE,
            text=True,
            env=self.environment,
            cwd=self.folder,
        )

    @contextmanager
    def stack(self, *, workers: int = 1) -> Iterator[None]:
        """Has `carbonline up` run on the folder, until the block ends."""
        initialise(self.folder / "data")
        up = self.start("up", "--workers", str(workers))
        assert up.stdout is not None
        try:
            while "Press Ctrl-C to stop" not in (line := up.stdout.readline()):
                assert line, "the stack did not start"
            yield
        finally:
            up.send_signal(signal.SIGINT)
            assert up.wait(SECONDS_MAX) == 0
            up.stdout.close()

    def load_for_planes(self, year: int, *, units: str, places: str, factors: str) -> None:
        """Loads all that the rows of planes of a year need, each from the text of a file."""
        of_year = ("--year", str(year))
        for words in (
            ("load", "units", self.file("units.csv", units), *of_year),
            ("load", "locations", self.file("places.csv", places)),
            ("load", "factors", self.file("factors.csv", factors), "--type", "plane", *of_year),
        ):
            loaded = self.type(*words)
            assert loaded.code == 0, loaded


def _text(printed: bytes) -> str:
    """As a pipe that is opened as text gives it."""
    return io.TextIOWrapper(io.BytesIO(printed)).read()
