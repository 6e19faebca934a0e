"""Of many jobs that come back, or come to a paused queue, each has its own turn."""

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

# Start-time fair queueing. A job stands behind the last one of its tenant, type and priority, and
# never before the job that is claimed next by a worker that would claim it: whoever was idle has
# saved nothing up, and a queue that is paused or that such workers leave alone says nothing. Where
# no job of the type waits, the others say who is next, so that stamps of all types mean the same.
# In a late queue all stamps are as much earlier as they count as later. What is paused stands
# without gaps, for all of it is late by the same when the pause ends: what others claimed between
# two jobs would be waited for once more.
FAIR_STAMP = """
CREATE OR REPLACE FUNCTION scheduler.fair_stamp(
    of_tenant text, of_type text, of_priority smallint, wanted bigint
) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    behind bigint;
    next_claimed bigint;
    waiting bigint;
    stamps bigint;
    takers uuid[] := scheduler.takers(of_tenant, of_type);
BEGIN
    SELECT q.fair_stamp + 1 INTO behind
    FROM scheduler.jobs AS q
    WHERE q.state = 'QUEUED' AND q.job_type = of_type AND q.tenant = of_tenant
        AND q.priority = of_priority
    ORDER BY q.fair_stamp DESC, q.job_id DESC
    LIMIT 1;
    IF behind IS NOT NULL AND EXISTS (
        SELECT FROM scheduler.pauses AS p
        WHERE p.job_type = of_type AND p.tenant = of_tenant AND p.resumed_at IS NULL
    ) THEN
        SELECT q.fair_stamp INTO next_claimed
        FROM scheduler.jobs AS q
        WHERE q.state = 'QUEUED' AND q.job_type = of_type AND q.tenant = of_tenant
            AND q.priority = of_priority
        ORDER BY q.fair_stamp, q.job_id
        LIMIT 1;
    ELSE
        next_claimed := scheduler.next_stamp(takers, of_type, of_priority);
        IF next_claimed IS NULL THEN
            IF cardinality(takers) = 0 THEN
                -- A worker that is to come may claim what those who are there claim.
                takers := scheduler.takers(NULL, NULL);
            END IF;
            next_claimed := coalesce(
                scheduler.next_stamp(takers, NULL, of_priority),
                scheduler.next_stamp('{}', NULL, of_priority),
                1
            );
        END IF;
        next_claimed := next_claimed - scheduler.late_by(of_tenant, of_type, of_priority);
    END IF;
    IF behind IS NULL OR behind < next_claimed THEN
        RETURN next_claimed;
    END IF;
    -- An earlier stamp of the same job is kept if it can be.
    IF wanted IS NULL OR wanted >= next_claimed THEN
        RETURN least(wanted, behind);
    END IF;
    -- Who comes back goes before its tenant's others. Many take the next two hundred stamps in
    -- turn, each beside one that waits: on the first of them all would come before any other
    -- tenant. More than a thousand go behind.
    SELECT count(*), count(DISTINCT w.fair_stamp) INTO waiting, stamps
    FROM (
        SELECT q.fair_stamp
        FROM scheduler.jobs AS q
        WHERE q.state = 'QUEUED' AND q.job_type = of_type AND q.tenant = of_tenant
            AND q.priority = of_priority AND q.fair_stamp >= next_claimed
            AND q.fair_stamp < next_claimed + 200
        LIMIT 1000
    ) AS w;
    RETURN CASE
        WHEN waiting < 1000 THEN next_claimed + (waiting - stamps) % 200
        ELSE behind
    END;
END
$$
"""
ALL_ON_ONE_STAMP = """
CREATE OR REPLACE FUNCTION scheduler.fair_stamp(
    of_tenant text, of_type text, of_priority smallint, wanted bigint
) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    behind bigint;
    head bigint;
    next_claimed bigint;
    takers uuid[] := scheduler.takers(of_tenant, of_type);
BEGIN
    SELECT q.fair_stamp + 1 INTO behind
    FROM scheduler.jobs AS q
    WHERE q.state = 'QUEUED' AND q.job_type = of_type AND q.tenant = of_tenant
        AND q.priority = of_priority
    ORDER BY q.fair_stamp DESC, q.job_id DESC
    LIMIT 1;
    IF behind IS NOT NULL AND EXISTS (
        SELECT FROM scheduler.pauses AS p
        WHERE p.job_type = of_type AND p.tenant = of_tenant AND p.resumed_at IS NULL
    ) THEN
        SELECT q.fair_stamp INTO head
        FROM scheduler.jobs AS q
        WHERE q.state = 'QUEUED' AND q.job_type = of_type AND q.tenant = of_tenant
            AND q.priority = of_priority
        ORDER BY q.fair_stamp, q.job_id
        LIMIT 1;
        RETURN coalesce(least(greatest(wanted, head), behind), behind);
    END IF;
    next_claimed := scheduler.next_stamp(takers, of_type, of_priority);
    IF next_claimed IS NULL THEN
        IF cardinality(takers) = 0 THEN
            -- A worker that is to come may claim what those who are there claim.
            takers := scheduler.takers(NULL, NULL);
        END IF;
        next_claimed := coalesce(
            scheduler.next_stamp(takers, NULL, of_priority),
            scheduler.next_stamp('{}', NULL, of_priority),
            1
        );
    END IF;
    next_claimed := next_claimed - scheduler.late_by(of_tenant, of_type, of_priority);
    RETURN greatest(next_claimed, least(wanted, coalesce(behind, next_claimed)));
END
$$
"""


def upgrade() -> None:
    """In place: releases before call it as it was called."""
    op.execute(FAIR_STAMP)


def downgrade() -> None:
    """As before."""
    op.execute(ALL_ON_ONE_STAMP)
