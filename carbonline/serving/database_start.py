"""Waits for a database that is starting, and says what is wrong with one that cannot be used."""

import asyncio
import random
import socket
from collections.abc import Awaitable, Callable

from structlog.typing import FilteringBoundLogger

from carbonline.postgres.tls_refusal import WHAT_TO_DO, refused_by_tls
from carbonline.postgres.url import UNREADABLE, fault_of_url
from carbonline.serving.declared_settings import PREFIX

WAIT_SECONDS_MAX = 30.0
PAUSE_SECONDS = 0.25
# Waiting helps neither against a host name that does not exist nor against missing permissions.
_NO_USE_WAITING = (socket.gaierror, PermissionError)


async def database_is_up(
    probe: Callable[[], Awaitable[None]],
    starting: tuple[type[Exception], ...],
    stopping: asyncio.Event,
    log: FilteringBoundLogger,
    report: Callable[[str], None] = lambda _: None,
) -> bool:
    """Wait for as long as `probe` raises one of `starting`: PostgreSQL is not up yet. `report` is
    called with the reason, each time.

    True when it is up, after WAIT_SECONDS_MAX, or as soon as waiting cannot help; whoever opens the
    database then meets the error. False if `stopping` is set before: the process shall end.
    """
    probing = asyncio.create_task(_probe_until_up(probe, starting, log, report))
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
    report: Callable[[str], None],
) -> None:
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + WAIT_SECONDS_MAX
    is_logged = False
    while True:
        try:
            await probe()
        except starting as error:
            if loop.time() >= ends_at or _hopeless(error):
                return
            reason = reason_of(error)
            report(reason)
            if not is_logged:
                log.warning("database_starting", reason=reason, seconds_max=WAIT_SECONDS_MAX)
            is_logged = True
        except Exception:  # noqa: BLE001  whoever opens the database meets the same error
            return
        else:
            return
        # Spread, so that processes that started together do not probe in step.
        await asyncio.sleep(PAUSE_SECONDS * random.uniform(0.5, 1.0))  # noqa: S311


def _hopeless(error: BaseException) -> bool:
    both = (error, error.__cause__)
    return any(isinstance(one, _NO_USE_WAITING) or refused_by_tls(one) for one in both)


def database_unavailable(error: Exception, *variables: str) -> str:
    """The sentence about a server that does not answer, is starting for too long, or is not
    trusted.

    `variables` name the settings that hold its URL, without CARBONLINE_.
    """
    named = _named(variables)
    reason = reason_of(error)
    mend = WHAT_TO_DO if refused_by_tls(error) else "start the server or fix the URL"
    return f"cannot connect to PostgreSQL at {named}: {reason}; {mend}"


def database_refuses(error: Exception, *variables: str) -> str:
    """The sentence about a server that answers and refuses the URL, its role or its database."""
    named = _named(variables)
    wrong = f"cannot use the database at {named}: {reason_of(error)}"
    return f"{wrong}; fix the URL or create what it names"


def reason_of(error: Exception) -> str:
    """The first line of an error, or its class if it has no text. It holds no password."""
    # A certificate that TLS refuses is a ValueError too, but not one about the URL.
    if isinstance(error, UNREADABLE) and not isinstance(error, OSError):
        return fault_of_url(error)
    # PostgreSQL's hints follow on lines of their own.
    return str(error).strip().partition("\n")[0].rstrip(".") or type(error).__name__


def _named(variables: tuple[str, ...]) -> str:
    return " or ".join(PREFIX + variable for variable in variables)
