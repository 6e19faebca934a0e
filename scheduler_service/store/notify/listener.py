"""Listens on its own connection for hints that something changed; polls make up for lost ones."""

import asyncio
import json
import random
from typing import Any

import asyncpg
from structlog.typing import FilteringBoundLogger

from carbonline.postgres.errors import ANY_DATABASE_ERROR
from scheduler_service.store.notify.notifier import CHANNEL, OnHint

RECONNECT_SECONDS_MAX = 2.0
CHECK_SECONDS = 5.0


class Listener:
    """Calls `on_hint` with the woken job types and pipelines; None means "anything".

    What `own_name` sent is passed over: this process knew it before it was sent.
    """

    def __init__(
        self, database_url: str, on_hint: OnHint, log: FilteringBoundLogger, own_name: str
    ) -> None:
        """`run` connects; this does not."""
        self._own_name = own_name
        self._url = database_url
        self._on_hint = on_hint
        self._log = log
        self._told = False

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
        settings = {"application_name": "carbonline listener"}
        conn = await asyncpg.connect(self._url, timeout=10, server_settings=settings)
        try:
            await conn.add_listener(CHANNEL, self._receive)
            if self._told:
                self._log.info("listener_reconnected")
            self._told = False
            self._on_hint(None, None)
            while not conn.is_closed():
                await asyncio.sleep(CHECK_SECONDS)
                await conn.execute("SELECT 1", timeout=CHECK_SECONDS)
        finally:
            conn.terminate()

    def _receive(self, _connection: Any, _pid: int, _channel: str, payload: object) -> None:
        try:
            hint = json.loads(str(payload))
        except ValueError:
            hint = {"all": True}
        if hint.get("from") == self._own_name:
            return
        if hint.get("all"):
            self._on_hint(None, None)
        else:
            self._on_hint(frozenset(hint.get("types", ())), frozenset(hint.get("pipelines", ())))
