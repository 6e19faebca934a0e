"""Commands that tests fork answer as those that Python starts from nothing."""

import os
import subprocess
from pathlib import Path

import pytest

from carbonline.command.known_years import known_years
from tests.warm_program import read_early, run_command

SECONDS_MAX = 60


@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        ("status",),
        ("no-such-command",),
        ("submit", "flights.csv", "--module", "professional_travel", "--type", "plane"),
        ("template", "plane", "-o", "-"),
        ("submit", b"no\xff.csv", "--type", "plane", "--year", "2024"),
    ],
)
def test_a_forked_command_answers_as_one_from_nothing(
    words: tuple[str | bytes, ...], tmp_path: Path
) -> None:
    (tmp_path / "flights.csv").write_text("unit_institutional_id\n0828\n")
    known = {**os.environ, "CARBONLINE_DATA_FOLDER": str(tmp_path / "data")}

    forked = run_command(words, known, tmp_path, SECONDS_MAX)
    started = run_command(words, {**known, "ANOTHER": "variable"}, tmp_path, SECONDS_MAX)

    assert (forked.returncode, forked.stdout, forked.stderr) == (
        started.returncode,
        started.stdout,
        started.stderr,
    )


def test_a_forked_command_does_not_outlast_its_time(tmp_path: Path) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        run_command(["status"], os.environ, tmp_path, 0.0)


def test_what_runs_in_the_process_of_the_tests_leaves_the_environment_as_the_pattern_had_it(
    tmp_path: Path,
) -> None:
    before = read_early(os.environ)
    assert not known_years({"data_folder": tmp_path})
    assert read_early(os.environ) == before
