"""Tenants share the workers across job types: no flood of a new type comes before what waits."""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

# Start-time fair queueing. A job stands behind the last one of its tenant, type and priority, and
# never before the job that is claimed next: whoever was idle has saved nothing up. Where no job of
# the type waits, the others say who is next, so that stamps of all types mean the same. `wanted` is
# an earlier stamp of the same job, which it keeps if it can. Of more than a hundred queues, the
# first hundred say who is next.
FAIR_STAMP = """
CREATE OR REPLACE FUNCTION scheduler.fair_stamp(
    of_tenant text, of_type text, of_priority smallint, wanted bigint
) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    behind bigint;
    next_claimed bigint;
    head bigint;
    other text := '';
    other_type text := '';
BEGIN
    SELECT q.fair_stamp + 1 INTO behind
    FROM scheduler.jobs AS q
    WHERE q.state = 'QUEUED' AND q.job_type = of_type AND q.tenant = of_tenant
        AND q.priority = of_priority
    ORDER BY q.fair_stamp DESC, q.job_id DESC
    LIMIT 1;
    FOR n IN 1..100 LOOP
        SELECT q.tenant INTO other
        FROM scheduler.jobs AS q
        WHERE q.state = 'QUEUED' AND q.job_type = of_type AND q.tenant > other
        ORDER BY q.tenant
        LIMIT 1;
        EXIT WHEN NOT FOUND;
        SELECT q.fair_stamp INTO head
        FROM scheduler.jobs AS q
        WHERE q.state = 'QUEUED' AND q.job_type = of_type AND q.tenant = other
            AND q.priority = of_priority
        ORDER BY q.fair_stamp, q.job_id
        LIMIT 1;
        next_claimed := least(next_claimed, head);
    END LOOP;
    IF next_claimed IS NULL THEN
        other := '';
        FOR n IN 1..100 LOOP
            SELECT q.job_type, q.tenant INTO other_type, other
            FROM scheduler.jobs AS q
            WHERE q.state = 'QUEUED' AND (q.job_type, q.tenant) > (other_type, other)
            ORDER BY q.job_type, q.tenant
            LIMIT 1;
            EXIT WHEN NOT FOUND;
            SELECT q.fair_stamp INTO head
            FROM scheduler.jobs AS q
            WHERE q.state = 'QUEUED' AND q.job_type = other_type AND q.tenant = other
                AND q.priority = of_priority
            ORDER BY q.fair_stamp, q.job_id
            LIMIT 1;
            next_claimed := least(next_claimed, head);
        END LOOP;
    END IF;
    next_claimed := coalesce(next_claimed, 1);
    RETURN greatest(next_claimed, least(wanted, coalesce(behind, next_claimed)));
END
$$
"""
OF_ONE_TYPE = """
CREATE OR REPLACE FUNCTION scheduler.fair_stamp(
    of_tenant text, of_type text, of_priority smallint, wanted bigint
) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    behind bigint;
    next_claimed bigint;
    head bigint;
    other text := '';
BEGIN
    SELECT q.fair_stamp + 1 INTO behind
    FROM scheduler.jobs AS q
    WHERE q.state = 'QUEUED' AND q.job_type = of_type AND q.tenant = of_tenant
        AND q.priority = of_priority
    ORDER BY q.fair_stamp DESC, q.job_id DESC
    LIMIT 1;
    FOR n IN 1..100 LOOP
        SELECT q.tenant INTO other
        FROM scheduler.jobs AS q
        WHERE q.state = 'QUEUED' AND q.job_type = of_type AND q.tenant > other
        ORDER BY q.tenant
        LIMIT 1;
        EXIT WHEN NOT FOUND;
        SELECT q.fair_stamp INTO head
        FROM scheduler.jobs AS q
        WHERE q.state = 'QUEUED' AND q.job_type = of_type AND q.tenant = other
            AND q.priority = of_priority
        ORDER BY q.fair_stamp, q.job_id
        LIMIT 1;
        next_claimed := least(next_claimed, head);
    END LOOP;
    next_claimed := coalesce(next_claimed, 1);
    RETURN greatest(next_claimed, least(wanted, coalesce(behind, next_claimed)));
END
$$
"""


def upgrade() -> None:
    """In place: releases before call it as it was called."""
    op.execute(FAIR_STAMP)


def downgrade() -> None:
    """As before."""
    op.execute(OF_ONE_TYPE)
