"""Generated code is made when it is out of date, and only then."""

import os
import shutil
from pathlib import Path

import pytest

from protos.build_hook import PACKAGE, generate

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with one proto of the contract, and nothing generated yet."""
    sources = tmp_path / "protos" / PACKAGE
    sources.mkdir(parents=True)
    shutil.copy(REPOSITORY / "protos" / PACKAGE / "types.proto", sources)
    return tmp_path


def test_code_is_made_once(project: Path) -> None:
    assert generate(project)
    assert {file.name for file in (project / PACKAGE).iterdir()} == {
        "__init__.py",
        "descriptors.binpb",
        "types_pb2.py",
        "types_pb2.pyi",
        "types_pb2_grpc.py",
        "types_pb2_grpc.pyi",
    }
    assert not generate(project)


def test_code_is_made_again_when_a_proto_is_newer(project: Path) -> None:
    generate(project)
    newest = max(file.stat().st_mtime_ns for file in (project / PACKAGE).iterdir())
    os.utime(project / "protos" / PACKAGE / "types.proto", ns=(newest + 1, newest + 1))
    assert generate(project)


def test_code_of_a_removed_proto_goes(project: Path) -> None:
    gone = project / "protos" / PACKAGE / "gone.proto"
    gone.write_text('syntax = "proto3";\npackage carbonline.gone;\nmessage Gone {}\n')
    generate(project)
    gone.unlink()
    assert generate(project)
    assert not list((project / PACKAGE).glob("gone*"))


def test_a_proto_that_does_not_compile_leaves_the_old_code(project: Path) -> None:
    generate(project)
    before = (project / PACKAGE / "types_pb2.py").read_bytes()
    types = project / "protos" / PACKAGE / "types.proto"
    types.write_text("message {")
    os.utime(types, ns=(2**62, 2**62))
    with pytest.raises(SystemExit):
        generate(project)
    assert (project / PACKAGE / "types_pb2.py").read_bytes() == before
