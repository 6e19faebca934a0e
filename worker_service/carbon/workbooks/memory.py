"""How much memory the reading of a workbook may take, where a process may have less than others."""

from contextlib import suppress
from pathlib import Path

from worker_service.carbon.csv_source.refusal import Cause, RefusedFile

# A sheet of a million rows and eight columns takes 0.8 GB, one with a long text in each row 2 GB.
MEMORY_BYTES_MAX = 3 << 30
_OWN_GROUP, _GROUPS = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")
_OF_VERSION_2 = "0::/"


def memory_bytes_max(own_group: Path = _OWN_GROUP, groups: Path = _GROUPS) -> int:
    """MEMORY_BYTES_MAX, or three quarters of the limit of this container or service if that is
    less: beyond that limit the worker would be killed, too.
    """
    limits = [MEMORY_BYTES_MAX]
    with suppress(OSError):
        for line in own_group.read_text("ascii", errors="replace").splitlines():
            if line.startswith(_OF_VERSION_2):
                folder = groups / line.removeprefix(_OF_VERSION_2)
                limits += [_limit_of(one) * 3 // 4 for one in (folder, *folder.parents)]
    return min(limits)


def _limit_of(group: Path) -> int:
    with suppress(OSError, ValueError):
        return int((group / "memory.max").read_text("ascii"))
    return 2 * MEMORY_BYTES_MAX


def needs_more(memory_bytes: int) -> RefusedFile:
    """The refusal of a workbook that cannot be read in so much memory."""
    return RefusedFile(
        Cause.TOO_LARGE,
        f"the workbook needs more than {memory_bytes >> 20:,} MB of memory to be read: save the"
        " table as CSV, which needs little",
    )
