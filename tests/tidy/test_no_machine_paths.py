"""The repository stands anywhere: no file knows the machine or the registry it was made on."""

import re

import pytest

from tests.tidy.tracked_files import REPOSITORY, tracked_files

MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:work|root|home|Users|opt/pypi)[\w-]*/\w")
REGISTRIES = re.compile(
    r"pypi\.org/simple|pythonhosted\.org|registry\.npmjs|--(?:extra-)?index-url\b|--find-links\b"
)
BINARY = (".gz", ".binpb", ".png", ".ico")
# Who must name what it looks for.
ALLOWED = {"tests/tidy/test_no_machine_paths.py": "the patterns themselves"}


def offences(text: str) -> list[str]:
    return [match.group() for match in (*MACHINE_PATHS.finditer(text), *REGISTRIES.finditer(text))]


def test_no_tracked_file_names_a_machine_path_or_a_registry() -> None:
    found = [
        f"{path}: {offence}"
        for path in tracked_files()
        if path.suffix not in BINARY and str(path) not in ALLOWED
        # Some of the files that people send are in encodings of their own.
        for offence in offences((REPOSITORY / path).read_text(encoding="utf-8", errors="replace"))
    ]
    assert found == []


@pytest.mark.parametrize(
    "text", ["see /work/somewhere", "/home/ann/project", "--index-url x", "cd /root/x"]
)
def test_an_offence_is_seen(text: str) -> None:
    assert offences(text)


@pytest.mark.parametrize(
    "text", ["everything under /root", "GET /v1/work/3", "../work/x", "a unix socket in /tmp"]
)
def test_an_innocent_line_is_let_pass(text: str) -> None:
    assert not offences(text)
