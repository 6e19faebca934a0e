"""A file's name says what it holds."""

import re

from tests.tidy.tracked_files import tracked_files

NAMES_THAT_SAY_NOTHING = frozenset({"common", "utils", "util", "helpers", "helper", "manager"}) | {
    "base",
    "misc",
}


def words(name: str) -> set[str]:
    return set(re.split(r"[_.\-]", name.lower()))


def test_no_file_or_folder_is_named_for_nothing() -> None:
    nameless = [
        str(path)
        for path in tracked_files(".py", ".sql", ".proto", ".sh")
        if any(words(part) & NAMES_THAT_SAY_NOTHING for part in path.parts)
    ]
    assert nameless == []


def test_one_word_is_found_in_a_longer_name() -> None:
    assert words("string_utils.py") & NAMES_THAT_SAY_NOTHING
    assert not words("utilisation.py") & NAMES_THAT_SAY_NOTHING
