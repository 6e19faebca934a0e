"""Submits that share a batch with some that must wait: who is left out, and who is not."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import uuid4

import asyncpg

from scheduler_service.jobs.requests import Disposition, Refused, Submission, Submitted
from scheduler_service.jobs.scope import Scope
from scheduler_service.store.core.unlocked import LockedElsewhere
from tests.scheduler_service.store.store_driver import (
    INGEST,
    PLANE,
    RECALC,
    TENANT,
    TRAIN,
    StoreDriver,
)

TRAINS = Scope(TENANT, RECALC.module, TRAIN, RECALC.year)
KEY = "SELECT FROM scheduler.exclusive_keys WHERE exclusive_key LIKE '%recalc%' FOR UPDATE"
DUPLICATE = f"SELECT FROM scheduler.jobs WHERE data_entry_type = {PLANE} FOR UPDATE"
YEAR = "SELECT FROM scheduler.years FOR UPDATE"


def asked(job_type: str, scope: Scope) -> Submission:
    return Submission(uuid4(), b"body", job_type, scope, None, 5, "tester")


@asynccontextmanager
async def locked(database_url: str, what: str) -> AsyncIterator[None]:
    conn = await asyncpg.connect(database_url)
    try:
        async with conn.transaction():
            assert await conn.fetch(what)
            yield
    finally:
        await conn.close()


async def answered(driver: StoreDriver, submissions: Sequence[Submission]) -> list[str]:
    return [
        str(a.disposition) if isinstance(a, Submitted) else type(a).__name__
        for a in await driver.store.submit_unlocked(submissions)
    ]


LEFT_OUT = LockedElsewhere.__name__


async def test_who_needs_a_locked_row_is_left_out_and_the_others_are_made(
    driver: StoreDriver, database_url: str
) -> None:
    await driver.submit("emission_recalc", RECALC)
    for what in (KEY, DUPLICATE):
        some = [asked("emission_recalc", RECALC), asked("noop", Scope(TENANT))]
        some.append(asked("emission_recalc", TRAINS))
        async with locked(database_url, what):
            # Twice: the first batch learns that something is locked, the second asks at once.
            for _ in range(2):
                first, *others = await answered(driver, some)
                assert first == LEFT_OUT
                assert LEFT_OUT not in others
    async with locked(database_url, YEAR):
        of_the_year = [asked("csv_ingest", INGEST), asked("noop", Scope(TENANT))]
        assert await answered(driver, of_the_year) == [LEFT_OUT, "CREATED"]


async def test_nobody_overtakes_who_was_left_out_before_it_with_the_same_request_or_key(
    driver: StoreDriver, database_url: str
) -> None:
    await driver.submit("emission_recalc", RECALC)
    first = asked("emission_recalc", RECALC)
    other_body = replace(first, body_digest=b"another", scope=TRAINS)
    free = asked("noop", Scope(TENANT))
    guess = replace(asked("emission_recalc", RECALC), validate_only=True)
    some = [first, free, other_body, guess, free]
    async with locked(database_url, KEY):
        found = await answered(driver, some)
        assert found == [LEFT_OUT, "CREATED", LEFT_OUT, LEFT_OUT, "REPLAYED"]
    made = await driver.store.submit_unlocked([first, other_body, guess])
    assert isinstance(made[0], Submitted)
    assert made[0].disposition is Disposition.JOINED
    assert isinstance(made[1], Refused)
    assert isinstance(made[2], Submitted)


async def test_the_same_request_id_of_another_tenant_waits_for_nobody(
    driver: StoreDriver, database_url: str
) -> None:
    await driver.submit("emission_recalc", RECALC)
    first = asked("emission_recalc", RECALC)
    others = replace(asked("noop", Scope("other")), request_id=first.request_id)
    free = asked("noop", Scope(TENANT))
    async with locked(database_url, KEY):
        # The repeat makes a second part.
        assert await answered(driver, [first, free, free, others]) == [
            LEFT_OUT,
            "CREATED",
            "REPLAYED",
            "CREATED",
        ]


async def test_what_fails_behind_what_was_made_is_asked_again_and_the_made_stands(
    driver: StoreDriver,
) -> None:
    await driver.store.pool.execute(TRAP)
    good, bad = asked("noop", Scope(TENANT)), replace(asked("noop", Scope(TENANT)), priority=9)
    # The repeat makes a second part, which fails.
    assert await answered(driver, [good, good, bad]) == ["CREATED", LEFT_OUT, LEFT_OUT]


TRAP = """
CREATE FUNCTION trap() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.priority = 9 THEN RAISE EXCEPTION 'trapped'; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER traps BEFORE INSERT ON scheduler.jobs FOR EACH ROW EXECUTE FUNCTION trap();
"""
