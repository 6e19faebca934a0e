"""Copies the console's libraries, unmodified, out of npm's packages, and lists them.

Run by `make vendor`, by whoever upgrades a library; nobody else needs npm. VENDOR.json says for
each file its package, version, npm's integrity of the package, licence, and its SHA-256.
"""

import hashlib
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
VENDOR = HERE / "static" / "vendor"
LIST = VENDOR / "VENDOR.json"
# Our name of a file -> its package, and its place there.
FILES = {
    "preact.js": ("preact", "dist/preact.mjs"),
    "hooks.js": ("preact", "hooks/dist/hooks.mjs"),
    "htm.js": ("htm", "dist/htm.module.js"),
    "signals.js": ("@preact/signals", "dist/signals.module.js"),
    "signals-core.js": ("@preact/signals-core", "dist/signals-core.module.js"),
    "d3-hierarchy.js": ("d3-hierarchy", "dist/d3-hierarchy.min.mjs"),
}


def vendor() -> None:
    """Fetches the packages of package-lock.json, and writes the folder anew. Needs npm."""
    with tempfile.TemporaryDirectory() as scratch:
        for name in ("package.json", "package-lock.json"):
            shutil.copy2(HERE / name, scratch)
        subprocess.run(["npm", "ci", "--ignore-scripts"], cwd=scratch, check=True)
        modules = Path(scratch) / "node_modules"
        shutil.rmtree(VENDOR, ignore_errors=True)
        VENDOR.mkdir()
        for name, (package, place) in FILES.items():
            shutil.copyfile(modules / package / place, VENDOR / name)
        for package in {package for package, _ in FILES.values()}:
            licence = VENDOR / f"LICENSE.{package.replace('/', '-').lstrip('@')}.txt"
            shutil.copyfile(modules / package / "LICENSE", licence)
    write_list()


def write_list() -> None:
    """Writes VENDOR.json from the lock and the files that are there."""
    locked = json.loads((HERE / "package-lock.json").read_text("utf-8"))["packages"]
    listed = []
    for name, (package, place) in FILES.items():
        found = locked[f"node_modules/{package}"]
        listed.append(
            {
                "file": name,
                "package": package,
                "version": found["version"],
                "path": place,
                "integrity": found["integrity"],
                "licence": found["license"],
                "sha256": hashlib.sha256((VENDOR / name).read_bytes()).hexdigest(),
            }
        )
    LIST.write_text(json.dumps(listed, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    vendor()
