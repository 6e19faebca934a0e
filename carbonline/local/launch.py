"""Becomes a command that ends with its owner, under a given identity.

Run as a file by a bare interpreter, so it imports nothing of the product:
`python -I -S launch.py OWNER_PID DEATH_SIGNAL IDENTITY OWNER_PIPE COMMAND...`
The process id stays the same from the first moment to the command's end.
"""

import ctypes
import os
import pwd
import signal
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1
CLONE_NEWUSER = 0x10000000
EXIT_OWNER_GONE = 125
EXIT_CANNOT_RUN = 126


def main(arguments: list[str]) -> None:
    """Takes the identity, ties the process to its owner, becomes the command."""
    owner_pid, death_signal, identity, owner_pipe, *command = arguments
    os.umask(0o077)
    try:
        take_identity(identity)
        if sys.platform == "linux":
            end_with_owner_process(int(owner_pid), int(death_signal))
        else:
            end_with_owner_pipe(int(owner_pipe), int(death_signal))
        # Python ignores these two and a shell's background job ignores the third; a command
        # must not inherit that.
        for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        os.execvp(command[0], command)  # noqa: S606 - it is what a launcher does
    except OSError as error:
        print(f"cannot run {command[0]}: {error}", file=sys.stderr)
        sys.exit(EXIT_CANNOT_RUN)


def take_identity(identity: str) -> None:
    """Changes to `same`, `namespace` (root, seen inside as a normal user) or `user:UID:GID`."""
    match identity.split(":"):
        case ["same"]:
            return
        case ["namespace"]:
            enter_user_namespace()
        case ["user", uid, gid]:
            os.setgroups([])
            os.setresgid(int(gid), int(gid), int(gid))
            os.setresuid(int(uid), int(uid), int(uid))
        case _:
            raise ValueError(f"unknown identity {identity}")


def enter_user_namespace() -> None:
    """Enters a namespace in which root has the id of a normal user. Its files stay its own."""
    # initdb looks up the name of its user id, so a user with that id must exist.
    user = next(entry for entry in pwd.getpwall() if entry.pw_uid != 0)
    uid, gid = os.getuid(), os.getgid()
    library = ctypes.CDLL(None, use_errno=True)
    if library.unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "user namespaces are not allowed here")
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user.pw_uid} {uid} 1"),
        ("gid_map", f"{user.pw_gid or user.pw_uid} {gid} 1"),
    ):
        Path("/proc/self", name).write_text(text)


def end_with_owner_process(owner_pid: int, death_signal: int) -> None:
    """Asks the kernel for a signal when the owner dies."""
    # A change of identity would clear the request, so this comes after it.
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "PR_SET_PDEATHSIG")
    if os.getppid() != owner_pid:
        sys.exit(EXIT_OWNER_GONE)


def end_with_owner_pipe(owner_pipe: int, death_signal: int) -> None:
    """Forks a watcher that reads the owner's pipe to its end. For kernels without prctl."""
    command_pid = os.getpid()
    if os.fork() == 0:
        os.setsid()
        os.read(owner_pipe, 1)
        if os.getppid() == command_pid:
            os.kill(command_pid, death_signal)
        os._exit(0)
    os.close(owner_pipe)


if __name__ == "__main__":
    main(sys.argv[1:])
