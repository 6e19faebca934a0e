"""Tenants share the workers, whatever waits that nobody claims."""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

# Workers that would claim such a job, or any job, one of each kind: of many, the first twenty tell.
# One that has been silent for five minutes is gone. To plan it each time takes longer than to run.
TAKERS = """
CREATE OR REPLACE FUNCTION scheduler.takers(of_tenant text, of_type text)
RETURNS uuid[] LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN ARRAY(
        SELECT DISTINCT ON (w.job_types, w.tenants) w.worker_id
        FROM (
            SELECT k.worker_id, k.job_types, k.tenants
            FROM scheduler.workers AS k
            WHERE k.last_seen_at > scheduler.clock() - interval '5 minutes'
                AND NOT k.draining AND k.drain_asked_at IS NULL AND k.not_ready = ''
                AND (of_type IS NULL OR of_type = ANY(k.job_types))
                AND (of_tenant IS NULL OR k.tenants IS NULL OR of_tenant = ANY(k.tenants))
            LIMIT 20
        ) AS w
    );
END
$$
"""
# Whether one of these workers claims from that queue, too. If there are none, whoever comes may.
IS_CLAIMED_BY = """
CREATE OR REPLACE FUNCTION scheduler.is_claimed_by(
    takers uuid[], of_tenant text, of_type text
) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN NOT EXISTS (
        SELECT FROM scheduler.pauses AS p
        WHERE p.job_type = of_type AND p.tenant = of_tenant AND p.resumed_at IS NULL
    ) AND (
        cardinality(takers) = 0 OR EXISTS (
            SELECT FROM scheduler.workers AS k
            WHERE k.worker_id = ANY(takers) AND of_type = ANY(k.job_types)
                AND (k.tenants IS NULL OR of_tenant = ANY(k.tenants))
        )
    );
END
$$
"""
# Who is next of the queues of a type, or of all, that these workers claim from. Of more than a
# hundred queues, the first hundred say it.
NEXT_STAMP = """
CREATE OR REPLACE FUNCTION scheduler.next_stamp(
    takers uuid[], of_type text, of_priority smallint
) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    next_claimed bigint;
    head bigint;
    other text := '';
    other_type text := coalesce(of_type, '');
BEGIN
    FOR n IN 1..100 LOOP
        SELECT q.job_type, q.tenant INTO other_type, other
        FROM scheduler.jobs AS q
        WHERE q.state = 'QUEUED' AND (q.job_type, q.tenant) > (other_type, other)
        ORDER BY q.job_type, q.tenant
        LIMIT 1;
        EXIT WHEN NOT FOUND OR other_type <> of_type;
        CONTINUE WHEN NOT scheduler.is_claimed_by(takers, other, other_type);
        SELECT q.fair_stamp INTO head
        FROM scheduler.jobs AS q
        WHERE q.state = 'QUEUED' AND q.job_type = other_type AND q.tenant = other
            AND q.priority = of_priority
        ORDER BY q.fair_stamp, q.job_id
        LIMIT 1;
        next_claimed := least(next_claimed, head);
    END LOOP;
    RETURN next_claimed;
END
$$
"""
# Start-time fair queueing. A job stands behind the last one of its tenant, type and priority, and
# never before the job that is claimed next by a worker that would claim it: whoever was idle has
# saved nothing up, and a queue that is paused or that such workers leave alone says nothing. Where
# no job of the type waits, the others say who is next, so that stamps of all types mean the same.
# `wanted` is an earlier stamp of the same job, which it keeps if it can.
FAIR_STAMP = """
CREATE OR REPLACE FUNCTION scheduler.fair_stamp(
    of_tenant text, of_type text, of_priority smallint, wanted bigint
) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    behind bigint;
    next_claimed bigint;
    takers uuid[] := scheduler.takers(of_tenant, of_type);
BEGIN
    SELECT q.fair_stamp + 1 INTO behind
    FROM scheduler.jobs AS q
    WHERE q.state = 'QUEUED' AND q.job_type = of_type AND q.tenant = of_tenant
        AND q.priority = of_priority
    ORDER BY q.fair_stamp DESC, q.job_id DESC
    LIMIT 1;
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
    RETURN greatest(next_claimed, least(wanted, coalesce(behind, next_claimed)));
END
$$
"""
OF_ALL_THAT_WAITS = """
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


def upgrade() -> None:
    """In place: releases before call it as it was called."""
    for statement in (TAKERS, IS_CLAIMED_BY, NEXT_STAMP, FAIR_STAMP):
        op.execute(statement)


def downgrade() -> None:
    """As before."""
    op.execute(OF_ALL_THAT_WAITS)
    op.execute("DROP FUNCTION scheduler.next_stamp(uuid[], text, smallint)")
    op.execute("DROP FUNCTION scheduler.is_claimed_by(uuid[], text, text)")
    op.execute("DROP FUNCTION scheduler.takers(text, text)")
