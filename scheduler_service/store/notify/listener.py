"""Listens on its own connection for hints that something changed; polls make up for lost ones."""

import asyncio
import json
import random
from contextlib import suppress
from typing import Any

import asyncpg
from structlog.typing import FilteringBoundLogger

from carbonline.postgres.errors import ANY_DATABASE_ERROR
from scheduler_service.store.notify.notifier import CHANNEL, NOTIFY, Notifier, OnHint

RECONNECT_SECONDS_MAX = 2.0
CHECK_SECONDS = 5.0
APPLICATION_NAME = "carbonline listener"
# Where the own session is not found, as behind a proxy with a name of its own, nothing is known.
OTHERS_LISTEN = """
SELECT count(*) <> 1 OR bool_and(pid <> pg_backend_pid()) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = $1
"""


class Listener:
    """Calls `on_hint` with the woken job types and pipelines; None means "anything".

    What the `notifier` of this process sent is passed over: it was known here before it was sent.
    The notifier is told whether another process listens: one that begins to greets the others, and
    one that has ended is missed by a later check. Whoever is greeted answers, so that what was
    committed before it heard the greeting is known, too.
    """

    def __init__(
        self, database_url: str, on_hint: OnHint, log: FilteringBoundLogger, notifier: Notifier
    ) -> None:
        """`run` connects; this does not."""
        self._notifier = notifier
        self._url = database_url
        self._on_hint = on_hint
        self._log = log
        self._told = False
        # Since the last check.
        self._has_heard = False

    async def run(self) -> None:
        """Listen for ever; reconnects, and hints "anything" after each reconnection."""
        while True:
            try:
                await self._listen()
            except ANY_DATABASE_ERROR as error:
                # Once, until it listens again.
                if not self._told:
                    self._log.warning("listener_disconnected", error=repr(error))
                self._told = True
            await asyncio.sleep(random.uniform(0.1, RECONNECT_SECONDS_MAX))  # noqa: S311

    async def _listen(self) -> None:
        settings = {"application_name": APPLICATION_NAME}
        conn = await asyncpg.connect(self._url, timeout=10, server_settings=settings)
        try:
            await conn.add_listener(CHANNEL, self._receive)
            if self._told:
                self._log.info("listener_reconnected")
            self._told = False
            greeting = self._notifier.greeting()
            await conn.execute(NOTIFY, CHANNEL, greeting, timeout=CHECK_SECONDS)
            self._on_hint(None, None)
            is_lost = asyncio.Event()
            conn.add_termination_listener(lambda _connection: is_lost.set())
            while not conn.is_closed():
                await self._check(conn)
                with suppress(TimeoutError):
                    async with asyncio.timeout(CHECK_SECONDS):
                        await is_lost.wait()
        finally:
            # Who begins meanwhile is not heard. The next greeting makes up for what it missed.
            self._notifier.note_others(listen=True)
            conn.terminate()

    async def _check(self, conn: Any) -> None:
        listen = await conn.fetchval(OTHERS_LISTEN, APPLICATION_NAME, timeout=CHECK_SECONDS)
        # Whoever was heard meanwhile may have come behind that look.
        self._notifier.note_others(listen=listen or self._has_heard)
        self._has_heard = False

    def _receive(self, _connection: Any, _pid: int, _channel: str, payload: object) -> None:
        try:
            hint = json.loads(str(payload))
        except ValueError:
            hint = {"all": True}
        if hint.get("from") == self._notifier.sender_name:
            return
        self._has_heard = True
        self._notifier.note_others(listen=True)
        if hint.get("all"):
            self._on_hint(None, None)
        else:
            self._on_hint(frozenset(hint.get("types", ())), frozenset(hint.get("pipelines", ())))
