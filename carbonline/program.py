"""The program `carbonline`: ends without a word at a Ctrl-C before its commands are imported."""

import os
import signal

INTERRUPTED = 130


def main() -> None:
    """Run the command line."""
    # Most of a short command's time is imports, and an interrupt there has nothing to clean up. One
    # that the parent process ignores stays ignored.
    interruptible = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if interruptible:
        signal.signal(signal.SIGINT, lambda _number, _frame: os._exit(INTERRUPTED))
    from carbonline.command.main import main as commands  # noqa: PLC0415

    if interruptible:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    commands(prog_name="carbonline")


if __name__ == "__main__":
    main()
