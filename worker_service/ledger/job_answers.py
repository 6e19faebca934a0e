"""What a publication did, kept in its transaction for a retry that finds the work done."""

from collections.abc import Mapping
from typing import Any

from worker_service.ledger.pool import Connection

# Longer than any job waits for its next attempt.
KEPT_DAYS = 7
FORGOTTEN_MAX = 1_000

# The first answer stays: later attempts of the same job find its changes made.
KEEP_FIRST = """
INSERT INTO carbon.job_answers AS a (tenant, job_id, claim_token, answer, made_at)
VALUES ($1, $2, $3, $4, carbon.clock())
ON CONFLICT (tenant, job_id) DO UPDATE SET answer = a.answer
RETURNING answer
"""
ANSWERED = """
SELECT EXISTS (SELECT FROM carbon.job_answers WHERE tenant = $1 AND job_id = $2)
"""
FORGET = """
DELETE FROM carbon.job_answers
WHERE (tenant, job_id) IN (
    SELECT tenant, job_id FROM carbon.job_answers
    WHERE made_at < (SELECT carbon.clock()) - $1 * interval '1 day'
    ORDER BY made_at
    LIMIT $2
)
"""


async def first_answer(
    conn: Connection, tenant: str, job_id: int, claim_token: int, answer: Mapping[str, Any]
) -> dict[str, Any]:
    """The answer of the job's first publication, which is this one if there was none before.

    Call it within the publication. `answer` is plain JSON.
    """
    kept: dict[str, Any] = await conn.fetchval(
        KEEP_FIRST, tenant, job_id, claim_token, dict(answer)
    )
    return kept


async def has_answered(conn: Connection, tenant: str, job_id: int) -> bool:
    """Whether an earlier claim of the job has published. Close its ledger scopes before."""
    answered: bool = await conn.fetchval(ANSWERED, tenant, job_id)
    return answered


async def forget_answers(conn: Connection) -> None:
    """Deletes old answers, a bounded number at a time."""
    await conn.execute(FORGET, KEPT_DAYS, FORGOTTEN_MAX)
