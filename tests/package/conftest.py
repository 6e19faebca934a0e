"""The package as users get it: built once per run, without a network, and installed."""

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.package.environments import Environment, make_environment
from tests.tidy.tracked_files import REPOSITORY, tracked_files

# What stands in a working copy after a day's work, and belongs to nobody else.
LEFT_OVER = (
    ".venv/lib/python3/site-packages/thing.py",
    "build/demo/logs/scheduler.log",
    "dist/carbonline-0.0.1.tar.gz",
    "carbonline-data/token",
    "carbonline-data/postgres/PG_VERSION",
    "carbonline/v1/old_pb2.py",
    "units.csv",
    "factors.csv",
    "trips.csv",
    "rejected.csv",
    "people.xlsx",
    "examples/carbonline-data/token",
    "protos/__pycache__/build_hook.cpython-311.pyc",
)


@pytest.fixture(scope="session")
def working_copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tracked files, and beside them what a day's work leaves behind."""
    folder = tmp_path_factory.mktemp("working") / "copy"
    for name in tracked_files():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(REPOSITORY / name, folder / name)
    for left in LEFT_OVER:
        (folder / left).parent.mkdir(parents=True, exist_ok=True)
        (folder / left).write_text("secret\n")
    return folder


def build(folder: Path, kind: str, into: Path) -> Path:
    """What hatchling makes of a folder; the locked one, and nothing is fetched."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", kind, "--directory", str(into)],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    (made,) = into.iterdir()
    return made


@pytest.fixture(scope="session")
def sdist(working_copy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution."""
    return build(working_copy, "sdist", tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="session")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, made of the source distribution alone."""
    source = tmp_path_factory.mktemp("source")
    # Debian's Python 3.11 has no filters, and later ones warn of an archive that is taken as it is.
    with tarfile.open(sdist) as archive:
        if hasattr(tarfile, "data_filter"):
            archive.extraction_filter = tarfile.data_filter
        archive.extractall(source)
    (unpacked,) = source.iterdir()
    return build(unpacked, "wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def client_alone(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """`pip install carbonline`: a client without frames, servers or PostgreSQL."""
    return make_environment(tmp_path_factory.mktemp("client"), wheel, extras=())


@pytest.fixture(scope="session")
def everything(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """`pip install carbonline[local]`."""
    return make_environment(tmp_path_factory.mktemp("local"), wheel, extras=("local",))


@pytest.fixture(scope="session")
def server_alone(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """`pip install carbonline[gateway,objects,server]`: what an image holds."""
    folder = tmp_path_factory.mktemp("server")
    return make_environment(folder, wheel, extras=("gateway", "objects", "server"))
