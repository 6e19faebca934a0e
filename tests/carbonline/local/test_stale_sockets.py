"""Folders of sockets that killed owners left go with the next start; all others stay."""

import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from carbonline.local.folder_lock import locked_folder
from carbonline.local.socket_folder import make_socket_folder, remove_socket_folder

# No socket's path fits below it, so that its folder is one of the temporary ones.
LONG = "n" * 100


@pytest.fixture(autouse=True)
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A short temporary folder of the test's own: what is in the real one is others'."""
    folder = Path(tempfile.mkdtemp(prefix="t"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    yield folder
    shutil.rmtree(folder)


def listening_in(folder: Path, name: str = "ledger.sock") -> socket.socket:
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(str(folder / name))
    server.listen()
    return server


def left_by_a_killed_owner(data_folder: Path) -> Path:
    """A folder with a socket nobody listens on any more."""
    with locked_folder(data_folder):
        folder = make_socket_folder(data_folder)
        listening_in(folder).close()
    return folder


def started(tmp_path: Path) -> None:
    """Another owner's start and end."""
    with locked_folder(tmp_path / LONG / "another"):
        make_socket_folder(tmp_path / LONG / "another")
        remove_socket_folder(tmp_path / LONG / "another")


def test_what_killed_owners_left_goes_with_the_next_start(tmp_path: Path, temporary: Path) -> None:
    left_by_a_killed_owner(tmp_path / LONG / "there")
    left_by_a_killed_owner(tmp_path / LONG / "gone")
    shutil.rmtree(tmp_path / LONG / "gone")
    started(tmp_path)
    assert list(temporary.iterdir()) == []


def test_the_folder_of_a_living_owner_stays(tmp_path: Path) -> None:
    held = left_by_a_killed_owner(tmp_path / LONG / "held")
    with locked_folder(tmp_path / LONG / "held"):
        started(tmp_path)
    assert (held / "ledger.sock").exists()


def test_a_socket_that_is_answered_stays(tmp_path: Path) -> None:
    folder = left_by_a_killed_owner(tmp_path / LONG / "data")
    with listening_in(folder, "scheduler.sock"):
        started(tmp_path)
    assert sorted(path.name for path in folder.iterdir()) == ["ledger.sock", "of", "scheduler.sock"]


@pytest.mark.parametrize("unexpected", ["a file of somebody's", "no record", "half a record"])
def test_what_is_not_as_we_leave_it_stays(tmp_path: Path, unexpected: str) -> None:
    folder = left_by_a_killed_owner(tmp_path / LONG / "data")
    match unexpected:
        case "a file of somebody's":
            (folder / "notes.txt").touch()
        case "no record":
            (folder / "of").unlink()
        case _:
            (folder / "of").write_text("")
    started(tmp_path)
    assert (folder / "ledger.sock").exists()


def test_a_link_is_not_followed(tmp_path: Path, temporary: Path) -> None:
    folder = left_by_a_killed_owner(tmp_path / LONG / "data")
    moved = folder.rename(temporary / "elsewhere")
    folder.symlink_to(moved)
    started(tmp_path)
    assert (moved / "ledger.sock").exists()
