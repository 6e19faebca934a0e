"""The fence: who may still write a scope, decided where the data is."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from carbonline.postgres.errors import ANY_DATABASE_ERROR
from worker_service.ledger.errors import CommitUnknown, DatabaseAway, FenceRefused, InputMoved
from worker_service.ledger.pool import Connection, Ledger

# Scope -> the token of its last writer.
Tokens: TypeAlias = Mapping[str, int]

# The rows must be there to be locked. By scope, so that two writers never wait in a circle.
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
# Waits for an open publication of the scope: it holds the row.
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
    """What is about to be written: by which claim, and until when.

    `seconds_left` tells how long the claim may still commit. `tokens_read` are those of a
    snapshot that the writing builds upon; other writers since then mean InputMoved. As long as
    `commit_sent` is False nothing can have been committed, whatever happened.
    """

    tenant: str
    scopes: Sequence[str]
    claim_token: int
    seconds_left: Callable[[], float]
    tokens_read: Tokens | None = None
    commit_sent: bool = False


@asynccontextmanager
async def publication(ledger: Ledger, wanted: Publication) -> AsyncIterator[Connection]:
    """A READ COMMITTED transaction behind the fences of all scopes; committed at the end.

    FenceRefused, InputMoved, DatabaseAway and whatever the body raises mean that nothing was
    committed. CommitUnknown means what it says: ask `was_committed`.
    """
    answered = False
    try:
        async with ledger.session() as conn:
            deadline = await _deadline(conn, wanted.seconds_left)
            transaction = conn.transaction()
            await transaction.start()
            try:
                await _pass_fences(conn, wanted, deadline)
                yield conn
            except BaseException:
                with suppress(*ANY_DATABASE_ERROR):
                    await transaction.rollback()
                raise
            wanted.commit_sent = True
            await transaction.commit()
            answered = True
    except DatabaseAway as error:
        # What happens to the connection after the answer changes nothing.
        if wanted.commit_sent and not answered:
            raise CommitUnknown(str(error)) from error
        if not answered:
            raise


async def was_committed(ledger: Ledger, wanted: Publication) -> bool:
    """Whether a publication whose COMMIT got no answer stands; waits for its session to end.

    FenceRefused when a newer claim has written since, so that nobody can tell any more.
    """
    async with ledger.session() as conn, conn.transaction():
        # A row that the open session has made cannot be seen, but it can be waited for.
        await conn.execute(MAKE_FENCES, wanted.tenant, list(wanted.scopes))
        rows = await conn.fetch(LOCK_FENCES, wanted.tenant, list(wanted.scopes))
    newest = {row["scope"]: row["newest_token"] for row in rows}
    if any(token > wanted.claim_token for token in newest.values()):
        raise FenceRefused(f"a newer claim has written {', '.join(sorted(newest))}")
    return all(newest.get(scope) == wanted.claim_token for scope in wanted.scopes)


async def close_scopes(ledger: Ledger, tenant: str, close_through: Tokens) -> None:
    """No claim up to the token of a scope can write it from now on; waits for open ones."""
    if not close_through:
        return
    scopes = sorted(close_through)
    async with ledger.session() as conn:
        await conn.execute(CLOSE_SCOPES, tenant, scopes, [close_through[s] for s in scopes])


async def read_tokens(conn: Connection, tenant: str, scopes: Sequence[str]) -> dict[str, int]:
    """The token of each scope's last writer; 0 where nobody has written."""
    found = {row["scope"]: row["newest_token"] for row in await conn.fetch(TOKENS, tenant, scopes)}
    return {scope: found.get(scope, 0) for scope in scopes}


async def _deadline(conn: Connection, seconds_left: Callable[[], float]) -> datetime:
    """The claim's deadline by the ledger's clock, never later than it is."""
    now: datetime = await conn.fetchval("SELECT carbon.clock()")
    # Asked only now: the way there and back has used up some of the time.
    return now + timedelta(seconds=seconds_left())


async def _pass_fences(conn: Connection, wanted: Publication, deadline: datetime) -> None:
    scopes = sorted(wanted.scopes)
    await conn.execute(MAKE_FENCES, wanted.tenant, scopes)
    fences = await conn.fetch(LOCK_FENCES, wanted.tenant, scopes)
    for fence in fences:
        scope = fence["scope"]
        if fence["newest_token"] > wanted.claim_token:
            raise FenceRefused(f"a newer claim has written {scope}")
        if fence["closed_token"] >= wanted.claim_token:
            raise FenceRefused(f"{scope} was closed to this claim")
        if wanted.tokens_read is not None and fence["newest_token"] != wanted.tokens_read[scope]:
            raise InputMoved(f"{scope} was written since it was read")
    # After the wait for the locks, which may have been long.
    if await conn.fetchval("SELECT carbon.clock()") >= deadline:
        raise FenceRefused("the claim's time was over when its turn came")
    await conn.execute(TAKE_FENCES, wanted.tenant, scopes, wanted.claim_token)
