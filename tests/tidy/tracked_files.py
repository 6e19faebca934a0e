"""The files that git keeps: what the house rules are about."""

import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


def tracked_files(*suffixes: str) -> list[Path]:
    """Tracked files that exist, by suffix (none given: all), relative to the repository."""
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    if listing.returncode != 0:
        pytest.skip("not a git checkout: there is no list of the files that belong to the project")
    paths = [Path(name) for name in listing.stdout.split("\0") if name]
    return [
        path
        for path in paths
        if (not suffixes or path.suffix in suffixes) and (REPOSITORY / path).is_file()
    ]
