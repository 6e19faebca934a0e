"""A change of a file's mode is a change: it may have been unreadable."""

import os
from pathlib import Path

from carbonline.file_stamp import file_stamp


def test_a_change_of_the_mode_alone_is_a_change(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    # The moment of the last write, which no change of the mode changes.
    os.utime(file, (0, 0))
    assert file.stat().st_ctime_ns in file_stamp(file)
