"""The fence: decides in the database which claim may still write a ledger scope.

Every ledger scope has one row with the token of its last writer and the token through which it was
closed. A publication locks the rows of its scopes and checks that its own token is at least as new
as the first and newer than the second. So a claim that was lost cannot overwrite its successor.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from carbonline.postgres.errors import ANY_DATABASE_ERROR, DatabaseUnavailable
from worker_service.ledger.errors import CommitUnknown, FenceRefused, InputMoved
from worker_service.ledger.pool import Connection, Ledger

# Ledger scope -> the token of its last writer.
Tokens: TypeAlias = Mapping[str, int]

# The rows must exist to be locked. In order of scope, so that two writers never deadlock.
MAKE_FENCES = """
INSERT INTO carbon.write_fences (tenant, scope)
SELECT $1, wanted.scope FROM unnest(CAST($2 AS text[])) AS wanted (scope)
WHERE NOT EXISTS (
    SELECT FROM carbon.write_fences AS f WHERE f.tenant = $1 AND f.scope = wanted.scope
)
ORDER BY wanted.scope
ON CONFLICT (tenant, scope) DO NOTHING
"""
LOCK_FENCES = """
SELECT scope, newest_token, closed_token
FROM carbon.write_fences
WHERE tenant = $1 AND scope = ANY(CAST($2 AS text[]))
ORDER BY scope
FOR UPDATE
"""
TAKE_FENCES = """
UPDATE carbon.write_fences SET newest_token = $3
WHERE tenant = $1 AND scope = ANY(CAST($2 AS text[]))
"""
# Waits for an open publication of the scope, which has locked the row.
CLOSE_SCOPES = """
INSERT INTO carbon.write_fences AS f (tenant, scope, closed_token)
SELECT $1, n.scope, n.token
FROM unnest(CAST($2 AS text[]), CAST($3 AS bigint[])) AS n (scope, token)
ORDER BY n.scope
ON CONFLICT (tenant, scope)
    DO UPDATE SET closed_token = greatest(f.closed_token, excluded.closed_token)
    WHERE f.closed_token < excluded.closed_token
"""
TOKENS = """
SELECT scope, newest_token FROM carbon.write_fences
WHERE tenant = $1 AND scope = ANY(CAST($2 AS text[]))
"""


@dataclass(slots=True)
class Publication:
    """What is to be written, by which claim, and until when.

    `seconds_left()` is how long the claim may still commit. `tokens_read` are the tokens of the
    snapshot that the data was computed from: if anybody has written since, InputMoved is raised.
    While `commit_sent` is False, nothing can have been committed.
    """

    tenant: str
    ledger_scopes: Sequence[str]
    claim_token: int
    seconds_left: Callable[[], float]
    tokens_read: Tokens | None = None
    commit_sent: bool = False


@asynccontextmanager
async def publication(ledger: Ledger, wanted: Publication) -> AsyncIterator[Connection]:
    """A READ COMMITTED transaction behind the fences of all its ledger scopes.

    It is committed when the body ends. FenceRefused, InputMoved, DatabaseUnavailable, and whatever
    the body raises, mean that nothing was committed. After CommitUnknown ask `was_committed`.
    """
    answered = False
    try:
        async with ledger.session() as conn:
            transaction = conn.transaction()
            await transaction.start()
            try:
                deadline = await _deadline(conn, wanted.seconds_left)
                await _pass_fences(conn, wanted, deadline)
                yield conn
            except BaseException:
                with suppress(*ANY_DATABASE_ERROR):
                    await transaction.rollback()
                raise
            wanted.commit_sent = True
            await transaction.commit()
            answered = True
    except DatabaseUnavailable as error:
        # A connection lost after the answer changes nothing.
        if wanted.commit_sent and not answered:
            raise CommitUnknown(str(error)) from error
        if not answered:
            raise


async def was_committed(ledger: Ledger, wanted: Publication) -> bool:
    """Whether a publication whose COMMIT got no answer was committed.

    Waits until its session has ended. Raises FenceRefused if a newer claim has written since: then
    nobody can tell any more.
    """
    async with ledger.session() as conn, conn.transaction():
        # A row that the open session has inserted is not visible, but inserting it again waits.
        await conn.execute(MAKE_FENCES, wanted.tenant, list(wanted.ledger_scopes))
        rows = await conn.fetch(LOCK_FENCES, wanted.tenant, list(wanted.ledger_scopes))
    newest = {row["scope"]: row["newest_token"] for row in rows}
    if any(token > wanted.claim_token for token in newest.values()):
        raise FenceRefused(f"a newer claim has written {', '.join(sorted(newest))}")
    return all(
        newest.get(ledger_scope) == wanted.claim_token for ledger_scope in wanted.ledger_scopes
    )


async def close_ledger_scopes(ledger: Ledger, tenant: str, close_through: Tokens) -> None:
    """Closes ledger scopes: no claim up to the given token can write them from now on.

    Waits for open publications of these scopes. Raises DatabaseUnavailable.
    """
    if not close_through:
        return
    ledger_scopes = sorted(close_through)
    async with ledger.session() as conn:
        await conn.execute(
            CLOSE_SCOPES, tenant, ledger_scopes, [close_through[s] for s in ledger_scopes]
        )


async def read_tokens(
    conn: Connection, tenant: str, ledger_scopes: Sequence[str]
) -> dict[str, int]:
    """The token of the last writer of each ledger scope. 0 if nobody has written it."""
    found = {
        row["scope"]: row["newest_token"] for row in await conn.fetch(TOKENS, tenant, ledger_scopes)
    }
    return {ledger_scope: found.get(ledger_scope, 0) for ledger_scope in ledger_scopes}


async def _deadline(conn: Connection, seconds_left: Callable[[], float]) -> datetime:
    """The claim's deadline on the database's clock, never later than the real one."""
    now: datetime = await conn.fetchval("SELECT carbon.clock()")
    # Read only now: the query has used up some of the time.
    return now + timedelta(seconds=seconds_left())


async def _pass_fences(conn: Connection, wanted: Publication, deadline: datetime) -> None:
    ledger_scopes = sorted(wanted.ledger_scopes)
    await conn.execute(MAKE_FENCES, wanted.tenant, ledger_scopes)
    fences = await conn.fetch(LOCK_FENCES, wanted.tenant, ledger_scopes)
    for fence in fences:
        ledger_scope = fence["scope"]
        if fence["newest_token"] > wanted.claim_token:
            raise FenceRefused(f"a newer claim has written {ledger_scope}")
        if fence["closed_token"] >= wanted.claim_token:
            raise FenceRefused(f"{ledger_scope} was closed to this claim")
        if (
            wanted.tokens_read is not None
            and fence["newest_token"] != wanted.tokens_read[ledger_scope]
        ):
            raise InputMoved(f"{ledger_scope} was written since it was read")
    # After the wait for the locks, which may have been long.
    if await conn.fetchval("SELECT carbon.clock()") >= deadline:
        raise FenceRefused("the claim's lease was over before it could write")
    await conn.execute(TAKE_FENCES, wanted.tenant, ledger_scopes, wanted.claim_token)
