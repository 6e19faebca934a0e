"""A private folder for unix sockets, with a path short enough for the kernel."""

import contextlib
import hashlib
import os
import re
import stat
import tempfile
from pathlib import Path

from carbonline.local.errors import WrongChoice
from carbonline.local.stale_sockets import RECORD, remove_stale

# Linux allows 107 bytes, macOS 103. The longest name in the folder is `.s.PGSQL.5432.lock`.
SOCKET_PATH_BYTES_MAX = 103
SOCKET_NAME_BYTES_MAX = 24
# Other characters would need quoting in a PostgreSQL setting, a URL or a gRPC address.
SHORTEST = "/tmp"  # noqa: S108 - the folder made there is checked to be ours, and 0700
PLAIN_PATH = re.compile(r"[A-Za-z0-9_./-]+")


def make_socket_folder(data_folder: Path, owner_uid: int | None = None) -> Path:
    """Makes or finds the 0700 folder of a data folder: the same one each time.

    It belongs to `owner_uid`, by default the user of this process. Raises WrongChoice if it cannot
    be made.
    """
    owner = os.geteuid() if owner_uid is None else owner_uid
    resolved = data_folder.resolve()
    folder = _private(_place_of(resolved, owner), owner)
    if folder.parent != resolved and owner == os.geteuid():
        # Shows later that a folder left behind by a killed owner is stale.
        (folder / RECORD).write_text(os.fspath(resolved))
        remove_stale(folder.parent, _name_begin(owner))
    return folder


def remove_socket_folder(data_folder: Path, owner_uid: int | None = None) -> None:
    """Removes the folder if it is empty."""
    owner = os.geteuid() if owner_uid is None else owner_uid
    with contextlib.suppress(OSError):
        folder = _place_of(data_folder.resolve(), owner)
        if list(folder.iterdir()) == [folder / RECORD]:
            (folder / RECORD).unlink()
        folder.rmdir()


def _place_of(resolved: Path, owner: int) -> Path:
    if _takes_sockets(resolved / "sockets"):
        return resolved / "sockets"
    name = f"{_name_begin(owner)}{hashlib.sha256(os.fsencode(resolved)).hexdigest()[:12]}"
    for parent in (os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir(), SHORTEST):
        if parent and os.access(parent, os.W_OK) and _takes_sockets(Path(parent) / name):
            return Path(parent) / name
    raise WrongChoice(
        f"The path {resolved} is too long for a unix socket, or has unusual characters, and no "
        "short temporary folder is writable. Set TMPDIR to a short writable folder."
    )


def _name_begin(owner: int) -> str:
    return f"cl-{owner}-"


def _takes_sockets(folder: Path) -> bool:
    path = os.fspath(folder)
    longest = len(os.fsencode(path)) + 1 + SOCKET_NAME_BYTES_MAX
    return longest <= SOCKET_PATH_BYTES_MAX and PLAIN_PATH.fullmatch(path) is not None


def _private(folder: Path, owner: int) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (os.geteuid(), owner):
        # In a shared temporary folder another user may have made it first.
        raise WrongChoice(f"{folder} belongs to somebody else. Remove it or set TMPDIR.")
    if found.st_uid != owner:
        os.chown(folder, owner, -1)
    folder.chmod(0o700)
    return folder
