"""A file with a secret that others of the machine may read."""

import os
import shlex
import stat
from dataclasses import dataclass
from pathlib import Path

# Of the mode. Not the group's: a service reads what root owns as a member of the file's group.
OTHERS = stat.S_IROTH | stat.S_IWOTH


@dataclass(frozen=True, slots=True)
class ExposedFile:
    """A file that others may read or change. `named_by` is the variable or option that names it."""

    named_by: str
    file: Path
    to_do: str

    @property
    def sentence(self) -> str:
        """For people."""
        return (
            f"{self.named_by} {self.file}: others of this machine may read or change it: "
            f"{self.to_do}"
        )


def exposed_file(named_by: str, file: Path) -> ExposedFile | None:
    """None if only its owner and its group may read it, or if it cannot be looked at: whoever
    reads it says why.
    """
    try:
        found = file.stat()
    except (OSError, ValueError):
        return None
    # A pipe of the shell is nobody else's.
    if not stat.S_ISREG(found.st_mode) or not found.st_mode & OTHERS:
        return None
    to_do = f"run `chmod 600 {shlex.quote(str(file))}`"
    if found.st_uid != os.geteuid():
        to_do += ", and see that whoever has to read it owns it"
    return ExposedFile(named_by, file, to_do)
