"""What decides the rows that a file comes to, as one text."""

import hashlib
import json
import sys
from collections.abc import Sequence
from functools import cache
from importlib.metadata import distributions
from pathlib import Path

import carbonline
import worker_service
from worker_service.ledger.entry_sets import NewSet
from worker_service.steps.input_file import InputFile


def reading_key(file: InputFile, new: NewSet, units: Sequence[str]) -> str:
    """A digest of all that reading a file for a set depends on. Blocks.

    These are the file, its scope and mapping, the units that rows may name, and the release. Places
    and factors are none of it: what is computed from rows depends on them, and not the rows.
    """
    said = [release_digest(), str(file.reference), file.sheet, new.tenant, new.module]
    said += [new.data_entry_type, new.year, new.unit, new.mapping, sorted(units)]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


@cache
def release_digest() -> str:
    """A digest of the code and the data of this release, and of all libraries by their versions.

    The number of a release would say nothing of a build in between. A worker asks when it starts:
    what is installed in its place while it runs is not what reads its files.
    """
    digest = hashlib.sha256(sys.version.encode())
    for library in sorted(f"{one.name} {one.version}" for one in distributions()):
        digest.update(library.encode())
    for package in (carbonline, worker_service):
        root = Path(package.__path__[0])
        for path in sorted(root.rglob("*")):
            if path.is_file() and path.suffix != ".pyc":
                digest.update(f"{path.relative_to(root)}".encode())
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
