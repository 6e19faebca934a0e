"""What a merge could not decide is decided by somebody before it is committed."""

import re

from tests.tidy.tracked_files import REPOSITORY, tracked_files

MARKER = re.compile(r"^(<{7} |={7}$|>{7} )", re.MULTILINE)


def test_no_file_has_a_conflict_marker() -> None:
    texts = {path: (REPOSITORY / path).read_bytes() for path in tracked_files()}
    marked = [
        str(path) for path, text in texts.items() if MARKER.search(text.decode("utf-8", "replace"))
    ]
    assert marked == []


def test_a_marker_is_seen() -> None:
    for marker in ("<" * 7 + " HEAD", "=" * 7, ">" * 7 + " 1d2593e (A subject)"):
        assert MARKER.search(f"one line\n{marker}\nanother")
    assert not MARKER.search("A title\n" + "=" * 20)
