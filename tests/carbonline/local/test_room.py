"""Whether a folder's disk has room is told by what this user may still write."""

import os
from pathlib import Path

import pytest

from carbonline.local.room import ROOM_BYTES_MIN, has_room

BLOCK_BYTES = 4096
ENOUGH = ROOM_BYTES_MIN // BLOCK_BYTES


@pytest.mark.parametrize(("blocks", "is_room"), [(0, False), (ENOUGH - 1, False), (ENOUGH, True)])
def test_a_disk_has_room_for_the_recovery_of_a_database_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blocks: int, *, is_room: bool
) -> None:
    of_root = 2 * ENOUGH
    sizes = (BLOCK_BYTES, BLOCK_BYTES, 10 * ENOUGH, of_root, blocks, 0, 0, 0, 0, 255)
    monkeypatch.setattr(os, "statvfs", lambda _folder: os.statvfs_result(sizes))
    assert has_room(tmp_path) is is_room


def test_a_folder_that_cannot_be_asked_keeps_nobody_from_starting(tmp_path: Path) -> None:
    assert has_room(tmp_path / "absent")
