"""A database that is still starting is waited for; one that cannot be used gets its sentence."""

import asyncio
import random
import socket
from collections.abc import Awaitable, Callable

from structlog.typing import FilteringBoundLogger

from carbonline.postgres.url import UNREADABLE, fault_of_url
from carbonline.serving.declared_settings import PREFIX

WAIT_SECONDS_MAX = 30.0
PAUSE_SECONDS = 0.25
# Nobody is starting behind a name that means nothing, or a door that is closed to us.
_NO_USE_WAITING = (socket.gaierror, PermissionError)


async def database_is_up(
    probe: Callable[[], Awaitable[None]],
    starting: tuple[type[Exception], ...],
    stopping: asyncio.Event,
    log: FilteringBoundLogger,
) -> bool:
    """Waits while `probe` raises what means that PostgreSQL is not up yet; False when the process
    is to end before.

    True at the latest after WAIT_SECONDS_MAX, and at once when it is no wait that helps: whoever
    opens the database then meets what is wrong.
    """
    probing = asyncio.create_task(_probe_until_up(probe, starting, log))
    ending = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait({probing, ending}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        probing.cancel()
        ending.cancel()
        await asyncio.wait({probing, ending})
    return not probing.cancelled()


async def _probe_until_up(
    probe: Callable[[], Awaitable[None]],
    starting: tuple[type[Exception], ...],
    log: FilteringBoundLogger,
) -> None:
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + WAIT_SECONDS_MAX
    told = False
    while True:
        try:
            await probe()
        except starting as error:
            if loop.time() >= ends_at or _hopeless(error):
                return
            if not told:
                log.warning("database_starting", reason=said(error), seconds_max=WAIT_SECONDS_MAX)
            told = True
        except Exception:  # noqa: BLE001  the one who opens it is told the same, and says it
            return
        else:
            return
        # Spread, so that processes that started together do not probe in step.
        await asyncio.sleep(PAUSE_SECONDS * random.uniform(0.5, 1.0))  # noqa: S311


def _hopeless(error: BaseException) -> bool:
    return isinstance(error, _NO_USE_WAITING) or isinstance(error.__cause__, _NO_USE_WAITING)


def database_unavailable(error: Exception, *variables: str) -> str:
    """The sentence about a PostgreSQL that does not answer, or asks to wait for too long."""
    named = _named(variables)
    return f"no PostgreSQL is ready where {named} points: {said(error)}; start it, or correct that"


def database_refuses(error: Exception, *variables: str) -> str:
    """The sentence about a PostgreSQL that answers, and refuses the role or the database."""
    named = _named(variables)
    wrong = f"the database that {named} names cannot be used: {said(error)}"
    return f"{wrong}; correct that, or make what it names"


def said(error: Exception) -> str:
    """What an error says, its kind where it says nothing. No driver repeats a password in it."""
    # What TLS says of a certificate is a ValueError, too, and about no URL.
    if isinstance(error, UNREADABLE) and not isinstance(error, OSError):
        return fault_of_url(error)
    # Its hints have lines of their own.
    return str(error).strip().partition("\n")[0].rstrip(".") or type(error).__name__


def _named(variables: tuple[str, ...]) -> str:
    return " or ".join(PREFIX + variable for variable in variables)
