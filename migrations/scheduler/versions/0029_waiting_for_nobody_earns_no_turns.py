"""What waited while nobody could claim it earns no turns before its neighbours."""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

# Stamps of such a queue stay as they are, and count as later by so much, of each priority from 0:
# to write them anew would take as long as the queue is.
LATE_QUEUES = """
CREATE TABLE scheduler.late_queues (
    job_type text NOT NULL,
    tenant text NOT NULL,
    late_by bigint[] NOT NULL,
    CONSTRAINT late_queues_pkey PRIMARY KEY (job_type, tenant)
)
"""
LATE_BY = """
CREATE OR REPLACE FUNCTION scheduler.late_by(
    of_tenant text, of_type text, of_priority smallint
) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN coalesce((
        SELECT l.late_by[of_priority + 1] FROM scheduler.late_queues AS l
        WHERE l.job_type = of_type AND l.tenant = of_tenant
    ), 0);
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
    has_late boolean := EXISTS (SELECT FROM scheduler.late_queues);
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
        IF has_late THEN
            head := head + scheduler.late_by(other, other_type, of_priority);
        END IF;
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
# `wanted` is an earlier stamp of the same job, which it keeps if it can. In a late queue all stamps
# are as much earlier as they count as later. What is paused stands without gaps, for all of it is
# late by the same when the pause ends: what others claimed between two jobs would be waited for
# once more.
IN_A_PAUSE = """
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
    END IF;"""
FAIR_STAMP = """
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
    LIMIT 1;{in_a_pause}
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
""".replace("{in_a_pause}", IN_A_PAUSE)
NEXT_STAMP_OF_BEFORE = NEXT_STAMP.replace(
    """
    has_late boolean := EXISTS (SELECT FROM scheduler.late_queues);""",
    "",
).replace(
    """
        IF has_late THEN
            head := head + scheduler.late_by(other, other_type, of_priority);
        END IF;""",
    "",
)
FAIR_STAMP_OF_BEFORE = (
    FAIR_STAMP.replace(
        """
    next_claimed := next_claimed - scheduler.late_by(of_tenant, of_type, of_priority);""",
        "",
    )
    .replace(IN_A_PAUSE, "")
    .replace(
        """
    head bigint;""",
        "",
    )
)


def upgrade() -> None:
    """A table that is nearly always empty. Releases before call the functions as ever."""
    for statement in (LATE_QUEUES, LATE_BY, NEXT_STAMP, FAIR_STAMP):
        op.execute(statement)


def downgrade() -> None:
    """As before: what waited has its early stamps again."""
    op.execute(NEXT_STAMP_OF_BEFORE)
    op.execute(FAIR_STAMP_OF_BEFORE)
    op.execute("DROP FUNCTION scheduler.late_by(text, text, smallint)")
    op.execute("DROP TABLE scheduler.late_queues")
