"""Breaks the code on purpose, one patch at a time, and demands that the named tests go red.

Each tests/mutants/*.patch begins with lines `rule: ...` (what is being broken) and
`test: ...` (a pytest selection that must fail). Run by `make mutants`.
"""

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent
TEST_SECONDS_MAX = 300
SURVIVED, BROKEN = 1, 2


@dataclass(frozen=True)
class Mutant:
    """One way to break a safety rule."""

    path: Path
    rule: str
    tests: tuple[str, ...]


def mutants() -> list[Mutant]:
    """All of them, by name."""
    found = []
    for path in sorted(FOLDER.glob("*.patch")):
        head = path.read_text("utf-8").partition("diff --git")[0].splitlines()
        rule = next(line.removeprefix("rule: ") for line in head if line.startswith("rule: "))
        tests = tuple(line.removeprefix("test: ") for line in head if line.startswith("test: "))
        found.append(Mutant(path, rule, tests))
    return found


def applies(mutant: Mutant, tree: Path) -> bool:
    """Whether the patch still fits the code."""
    check = subprocess.run(
        ["git", "apply", "--check", str(mutant.path)], cwd=tree, check=False, capture_output=True
    )
    return check.returncode == 0


def copy_of_the_code(folder: Path) -> Path:
    """A copy of what git tracks, with the generated code, in a folder of its own."""
    tree = folder / "tree"
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split("\0")
    for name in filter(None, tracked):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).exists():
            shutil.copy2(ROOT / name, tree / name)
    shutil.copytree(ROOT / "carbonline" / "v1", tree / "carbonline" / "v1")
    return tree


def is_killed(mutant: Mutant) -> bool:
    """Whether the named tests go red when the code is broken in this way."""
    with tempfile.TemporaryDirectory() as folder:
        tree = copy_of_the_code(Path(folder))
        subprocess.run(["git", "apply", str(mutant.path)], cwd=tree, check=True)
        # A proto may be what is broken: its generated code is then made anew.
        subprocess.run([sys.executable, "protos/build_hook.py"], cwd=tree, check=True)
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
        run = subprocess.run(
            [*command, *mutant.tests],
            cwd=tree,
            check=False,
            capture_output=True,
            text=True,
            timeout=TEST_SECONDS_MAX,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(tree), "HOME": folder},
        )
        if run.returncode not in (0, 1):
            raise SystemExit(f"{mutant.path.name}: the tests did not run:\n{run.stdout[-2000:]}")
        return run.returncode == 1


def main(names: list[str]) -> int:
    """Run all mutants, or those whose names are given. 1 if one survives."""
    survivors = 0
    for mutant in mutants():
        if names and mutant.path.stem not in names:
            continue
        if not applies(mutant, ROOT):
            print(f"{mutant.path.stem}: no longer applies: renew it")
            return BROKEN
        killed = is_killed(mutant)
        survivors += not killed
        print(f"{'killed  ' if killed else 'SURVIVED'} {mutant.path.stem}: {mutant.rule}")
    return SURVIVED if survivors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
