"""A file with a secret is exposed if others than its owner and its group may read or change it."""

import os
from pathlib import Path

import pytest

from carbonline.exposed_file import exposed_file

MODES = [
    (0o600, False),
    (0o400, False),
    (0o640, False),
    (0o604, True),
    (0o644, True),
    (0o602, True),
]


@pytest.mark.parametrize(("mode", "exposed"), MODES)
def test_what_others_may_read_or_change_is_exposed(
    tmp_path: Path, mode: int, exposed: bool
) -> None:
    path = tmp_path / "a token"
    path.touch()
    path.chmod(mode)
    found = exposed_file("TOKEN", path)
    assert (found is not None) == exposed
    if found is not None:
        assert f"TOKEN {path}: " in found.sentence
        assert f"run `chmod 600 '{path}'`" in found.sentence


def test_a_pipe_or_a_missing_file_is_left_to_whoever_reads_it(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    pipe.chmod(0o644)
    assert exposed_file("TOKEN", pipe) is None
    assert exposed_file("TOKEN", tmp_path / "nothing") is None
    assert exposed_file("TOKEN", Path("a\0b")) is None


def test_the_owner_is_named_if_it_is_another_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "token"
    path.touch()
    path.chmod(0o644)
    own = exposed_file("TOKEN", path)
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    of_another = exposed_file("TOKEN", path)
    assert own is not None
    assert of_another is not None
    assert of_another.to_do == f"{own.to_do}, and see that whoever has to read it owns it"
