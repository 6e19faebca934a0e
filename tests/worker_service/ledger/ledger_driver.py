"""Drives the ledger as the steps of claimed jobs do, with claim tokens of the test's choice."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, TypeVar

import polars as pl

from worker_service.ledger.emission_sets import (
    EmissionSlice,
    Plan,
    emission_rows,
    load_emissions,
    load_outcome_counts,
    note_sums,
    open_emission_sets,
    plan_emissions,
    publish_emissions,
)
from worker_service.ledger.emission_sums import SummedSet, keep_sums
from worker_service.ledger.entry_sets import (
    DEFAULT_SOURCE,
    NewSet,
    entry_rows,
    load_entries,
    open_set,
)
from worker_service.ledger.fences import Publication, Tokens, publication
from worker_service.ledger.frames import frame_bytes
from worker_service.ledger.pool import Connection, Ledger
from worker_service.ledger.row_digests import DigestChunk, save_digests
from worker_service.ledger.uploads import (
    Contents,
    Published,
    Upload,
    Withdrawal,
    publish_upload,
    withdraw_upload,
)

T = TypeVar("T")

TENANT = "local"
LEASE_SECONDS = 5.0
MODULE, PLANE, YEAR = 2, 20, 2024
ENTRIES = f"entries/{MODULE}/{YEAR}"
SLICE = EmissionSlice(TENANT, MODULE, PLANE, YEAR)
LEAF = "professional_travel.plane.eco"

ADVANCE_CLOCK = """
CREATE OR REPLACE FUNCTION carbon.clock() RETURNS timestamptz LANGUAGE sql VOLATILE
AS 'SELECT clock_timestamp() + interval ''{seconds} seconds'''
"""
LOCK_WAITS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE $1
"""


def an_hour() -> float:
    """Time enough."""
    return 3600.0


@dataclass
class LedgerDriver:
    """Writes to the ledger as claims do. Tests choose the tokens, so they decide who is newer."""

    ledger: Ledger

    def publication(
        self,
        token: int,
        *scopes: str,
        seconds_left: Callable[[], float] = an_hour,
        tokens_read: Tokens | None = None,
    ) -> AbstractAsyncContextManager[Connection]:
        """A transaction behind the fences, of entries where nothing else is said."""
        wanted = Publication(TENANT, scopes or (ENTRIES,), token, seconds_left, tokens_read)
        return publication(self.ledger, wanted)

    async def publish(
        self, token: int, scope: str, write: Callable[[Connection], Awaitable[T]]
    ) -> T:
        """One write, committed."""
        async with self.publication(token, scope) as conn:
            return await write(conn)

    async def load(self, new: NewSet, units: Sequence[str]) -> None:
        """A set with one row for each unit given, unseen."""
        rows = pl.DataFrame(
            {"row_number": range(1, len(units) + 1), "unit": units, "extra": ["{}"] * len(units)},
            schema_overrides={"row_number": pl.Int32},
        )
        rows = rows.with_columns(
            pl.lit(None, dtype).alias(name) for name, dtype in new.layout.schema.items()
        )
        async with self.ledger.transaction() as conn:
            await open_set(conn, new)
            await load_entries(conn, new, frame_bytes(entry_rows(new, rows)))
            await save_digests(conn, new.tenant, DigestChunk(new.entry_set, 1, "the test", b""))

    async def upload(
        self,
        token: int,
        units: Sequence[str],
        *,
        unit: str | None = None,
        source: str = DEFAULT_SOURCE,
        digest: str = "",
        total_kg: float | None = None,
        pipeline_id: int | None = None,
        may_take_most: bool = True,
    ) -> Published:
        """A file with one row for each unit given, of the year or of a unit: it counts now."""
        new = NewSet(
            *(TENANT, token, MODULE, PLANE, YEAR, unit, "blob:a", source),
            pipeline_id=pipeline_id,
        )
        await self.load(new, units)
        contents = Contents(len(units), len(units), digest, total_kg=total_kg)
        return await self.publish(
            token,
            ENTRIES,
            lambda conn: publish_upload(conn, new, contents, may_take_most=may_take_most),
        )

    async def withdraw(self, token: int, upload_id: int) -> Upload:
        """An upload counts no more."""
        of = Withdrawal(TENANT, upload_id, MODULE, PLANE, YEAR, pipeline_id=token)
        return await self.publish(token, ENTRIES, lambda c: withdraw_upload(c, of, token))

    async def plan(self, formula_version: str = "1") -> Plan:
        """What there is to compute."""
        async with self.ledger.snapshot() as snapshot:
            return await plan_emissions(snapshot, SLICE, formula_version, ("locations",))

    async def load_computed(self, token: int, plan: Plan, kg: float) -> None:
        """Emissions of so many kg for each entry of the plan, unseen."""
        for entries in plan.compute:
            rows = await self.rows(
                "SELECT row_number, unit FROM carbon.entries WHERE entry_set = $1",
                entries.entry_set,
            )
            units = [row["unit"] for row in rows]
            computed = pl.DataFrame(
                {
                    "entry_set": [entries.entry_set] * len(rows),
                    "row_number": [row["row_number"] for row in rows],
                    "unit": units,
                }
            ).with_columns(
                scope=pl.lit(3, pl.Int16),
                factor_version=pl.lit(1),
                overridden=pl.lit(value=False),
                kg=pl.lit(kg),
                additional_value=pl.lit(1.0),
                factor_id=pl.lit(1),
                emission_type=pl.lit(LEAF),
            )
            rows = frame_bytes(emission_rows(TENANT, token, computed))
            of = entries.entry_set
            counts = [(of, unit, "computed", units.count(unit)) for unit in set(units)]
            async with self.ledger.transaction() as conn:
                await open_emission_sets(conn, SLICE, token, [entries], plan.inputs)
                await load_emissions(conn, TENANT, token, rows, b"")
                await load_outcome_counts(conn, TENANT, token, counts)
                await note_sums(conn, TENANT, token, [(of, kg * len(units), 0)])
            summed = SummedSet(token, entries.entry_set, entries.last_row_number)
            await keep_sums(self.ledger, TENANT, summed)

    async def recalculate(self, token: int, kg: float = 1.0, formula_version: str = "1") -> Plan:
        """As the step does it: nothing is written where nothing is to be done."""
        plan = await self.plan(formula_version)
        await self.load_computed(token, plan, kg)
        if not plan.nothing_to_do:
            async with self.publication(
                token, SLICE.ledger_scope, tokens_read=plan.tokens_read
            ) as conn:
                await publish_emissions(conn, SLICE, token, plan)
        return plan

    async def rows(self, query: str, *arguments: Any) -> Sequence[Any]:
        """What the tables say."""
        async with self.ledger.session() as conn:
            return await conn.fetch(query, *arguments)

    async def states(self) -> Mapping[int, str]:
        """Sets of entries and what they are."""
        rows = await self.rows("SELECT entry_set, state FROM carbon.entry_sets ORDER BY entry_set")
        return {row["entry_set"]: row["state"] for row in rows}

    async def fence(self, scope: str = ENTRIES) -> tuple[int, int]:
        """newest_token, closed_token."""
        [row] = await self.rows(
            "SELECT newest_token, closed_token FROM carbon.write_fences WHERE scope = $1", scope
        )
        return row["newest_token"], row["closed_token"]

    async def advance_clock(self, seconds: float) -> None:
        """The database's clock shows so much more than the real time."""
        async with self.ledger.session() as conn:
            await conn.execute(ADVANCE_CLOCK.format(seconds=seconds))

    async def somebody_waits(self, for_what: str = "write_fences") -> None:
        """Returns when a session waits for a fence, or for a lock of another table."""
        async with asyncio.timeout(10):
            # Nobody tells of it.
            while not (await self.rows(LOCK_WAITS, f"%carbon.{for_what}%"))[0][0]:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
