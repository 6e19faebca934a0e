"""Runs the coroutine of a command, and turns errors into a sentence and an exit code."""

import asyncio
from collections.abc import Coroutine
from typing import Any, NoReturn, TypeVar

import click
import uvloop

from carbonline.client.errors import FileDamaged, ServerError
from carbonline.command.exit_codes import ExitCode
from carbonline.command.interrupts import Interrupts, interrupts
from carbonline.command.safe_text import lines
from carbonline.local.errors import LocalStackError, WrongChoice

Answer = TypeVar("Answer")

# With these codes a server says that the same request would fail again.
_REFUSALS = frozenset(
    {
        "INVALID_ARGUMENT",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "FAILED_PRECONDITION",
        "OUT_OF_RANGE",
        "PERMISSION_DENIED",
        "UNAUTHENTICATED",
        "UNIMPLEMENTED",
    }
)

_OTHER_SERVER = (
    "The server at this address does not know this call. Check that --scheduler and --ledger are "
    "not swapped, and that the server has the same version."
)


def run_to_end(work: Coroutine[Any, Any, Answer]) -> Answer:
    """Run the coroutine and return its result.

    Raises SystemExit, with a sentence on stderr, if a server refuses or does not answer
    (ServerError), if what it sends is damaged (FileDamaged), if a file cannot be used (OSError), or
    on Ctrl-C.
    """
    try:
        with interrupts() as received, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_interruptible(work, received))
    except asyncio.CancelledError:
        raise SystemExit(ExitCode.INTERRUPTED) from None
    except ServerError as error:
        _exit_with(sentence_of(error), _code_of(error))
    except FileDamaged as error:
        _exit_with(str(error), ExitCode.UNREACHABLE)
    except WrongChoice as error:
        _exit_with(str(error), ExitCode.REFUSED)
    except LocalStackError as error:
        _exit_with(str(error), ExitCode.UNREACHABLE)
    except BrokenPipeError:
        # Whoever reads stdout has enough; click ends the command in silence.
        raise
    except OSError as error:
        _exit_with(_sentence_of_system(error), _code_of_system(error))


async def _interruptible(work: Coroutine[Any, Any, Answer], received: Interrupts) -> Answer:
    received.task = asyncio.current_task()
    return await work


def sentence_of(error: ServerError) -> str:
    """The message of a server's error, followed by a line for each field that was wrong."""
    lines = [error.message or error.code]
    lines += [f"  {field}: {why}" for field, why in error.fields.items() if why not in lines[0]]
    if error.code == "UNIMPLEMENTED" and not error.reason:
        # gRPC's own answer, before any of our code: "Method not found!".
        lines[0] = f"{_OTHER_SERVER} ({error.code}: {error.message})"
    elif error.unreachable and error.reason:
        server = str(error.server or "the server")
        whose = f"{server[0].upper()}{server[1:]} cannot answer now"
        lines[0] = f"{whose}: {lines[0]} [{error.reason}]"
    elif error.reason:
        lines[0] = f"{lines[0]} [{error.reason}]"
    return "\n".join(lines)


def _code_of(error: ServerError) -> ExitCode:
    return ExitCode.REFUSED if error.code in _REFUSALS else ExitCode.UNREACHABLE


def _sentence_of_system(error: OSError) -> str:
    why = error.strerror or str(error) or type(error).__name__
    return f"{error.filename}: {why}." if error.filename is not None else f"{why}."


def _code_of_system(error: OSError) -> ExitCode:
    """REFUSED for a file, folder or disk, which the caller chose; UNREACHABLE for a connection."""
    unanswered = isinstance(error, ConnectionError | TimeoutError)
    return ExitCode.UNREACHABLE if unanswered else ExitCode.REFUSED


def _exit_with(sentence: str, code: ExitCode) -> NoReturn:
    click.echo(f"Error: {lines(sentence)}", err=True)
    raise SystemExit(code)
