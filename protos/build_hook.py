"""Makes carbonline/v1 (messages, stubs and their types) from the protos, at install and by hand."""

import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGE = Path("carbonline/v1")
SUFFIXES = ("_pb2.py", "_pb2.pyi", "_pb2_grpc.py", "_pb2_grpc.pyi")
# What reflection serves: the protos with their comments, which generated code leaves out.
DESCRIPTORS = "descriptors.binpb"


class GenerateProtos(BuildHookInterface[Any]):
    """What hatchling calls before it packs a wheel or installs the project editable."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Generate what is out of date; the wheel then takes the files up as artifacts."""
        generate(Path(self.root))


def generate(root: Path) -> bool:
    """Bring root/carbonline/v1 up to date with root/protos; False when it already was.

    Raises SystemExit with protoc's own message on stderr when a proto does not compile.
    """
    sources = sorted((root / "protos" / PACKAGE).glob("*.proto"))
    target = root / PACKAGE
    wanted = {source.stem + suffix for source in sources for suffix in SUFFIXES}
    wanted |= {"__init__.py", DESCRIPTORS}
    # The lock too: another protoc makes other code.
    inputs = [*sources, Path(__file__), *root.glob("requirements.lock")]
    if not is_out_of_date(target, wanted, inputs):
        return False
    target.parent.mkdir(exist_ok=True)
    # Built beside the target and moved file by file: a reader never meets half a package.
    with tempfile.TemporaryDirectory(prefix=".v1-", dir=target.parent) as scratch:
        run_protoc(root, sources, Path(scratch))
        made = Path(scratch) / PACKAGE
        (made / "__init__.py").write_text(f'"""Generated from protos/{PACKAGE}; do not edit."""\n')
        target.mkdir(exist_ok=True)
        for file in sorted(made.iterdir()):
            file.replace(target / file.name)
    for leftover in target.glob("*_pb2*"):
        if leftover.name not in wanted:
            leftover.unlink()
    return True


def is_out_of_date(target: Path, wanted: set[str], sources: Sequence[Path]) -> bool:
    """Whether a wanted file is missing, older than a source, or left over from a removed one."""
    made = [*target.glob("*.py*"), *target.glob("*.binpb")]
    present = {file.name: file.stat().st_mtime_ns for file in made}
    if set(present) != wanted:
        return True
    return min(present.values()) < max(source.stat().st_mtime_ns for source in sources)


def run_protoc(root: Path, sources: Sequence[Path], into: Path) -> None:
    """Run protoc over the sources, with Python and mypy output for messages and services."""
    # Imported here so that a build backend can load this file before its requirements are there.
    from grpc_tools import protoc  # noqa: PLC0415

    well_known = resources.files("grpc_tools") / "_proto"
    (into / PACKAGE).mkdir(parents=True, exist_ok=True)
    arguments = [
        "protoc",
        f"-I{root / 'protos'}",
        f"-I{well_known}",
        f"--plugin=protoc-gen-mypy={find_plugin('protoc-gen-mypy')}",
        f"--plugin=protoc-gen-mypy_grpc={find_plugin('protoc-gen-mypy_grpc')}",
        f"--python_out={into}",
        f"--grpc_python_out={into}",
        f"--mypy_out=quiet:{into}",
        f"--mypy_grpc_out=quiet:{into}",
        f"--descriptor_set_out={into / PACKAGE / DESCRIPTORS}",
        "--include_imports",
        "--include_source_info",
        *(str(source) for source in sources),
    ]
    code = protoc.main(arguments)
    if code != 0:
        raise SystemExit(f"protoc ended with {code}")


def find_plugin(name: str) -> str:
    """The path of a protoc plugin: beside this Python first, whatever the PATH says."""
    beside = str(Path(sys.executable).parent)
    found = shutil.which(name, path=os.pathsep.join([beside, os.environ.get("PATH", "")]))
    if found is None:
        raise SystemExit(f"{name} is not installed: pip install mypy-protobuf")
    return found


if __name__ == "__main__":
    print("carbonline/v1 made" if generate(REPOSITORY) else "carbonline/v1 is up to date")
