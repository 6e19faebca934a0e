"""Tables whose rows come and go with every job are vacuumed by what changed, not by their size."""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

# By default a fifth of a table must be dead first. Of ten million rows of activity data that are
# two million, the room of forty files of 50,000 rows, before a new file may use it again. The lock
# that this takes stops no reader and no writer.
#
# Rows that the collector deletes with their set. A vacuum reads every index of the table once, so
# that a smaller share would cost more than the room is worth.
ROWS_OF_SETS = (
    "entries",
    "row_digests",
    "emissions",
    "emission_sums",
    "factor_uses",
    "outcome_counts",
    "uncomputed_entries",
)
# Rows that every job changes, or that the next job replaces, and that each look passes when dead.
CHANGED_BY_EACH_JOB = (
    "entry_sets",
    "emission_sets",
    "totals",
    "job_answers",
    "write_fences",
    "input_versions",
)
SET = """
ALTER TABLE carbon.{} SET (
    autovacuum_vacuum_scale_factor = {}, autovacuum_vacuum_threshold = 1000,
    autovacuum_analyze_scale_factor = 0.05, autovacuum_analyze_threshold = 1000
)
"""
RESET = """
ALTER TABLE carbon.{} RESET (
    autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold,
    autovacuum_analyze_scale_factor, autovacuum_analyze_threshold
)
"""
SHARES = dict.fromkeys(ROWS_OF_SETS, 0.05) | dict.fromkeys(CHANGED_BY_EACH_JOB, 0.02)


def upgrade() -> None:
    """Each in a transaction of its own: two locked tables could be a deadlock."""
    for table, share in SHARES.items():
        with op.get_context().autocommit_block():
            op.execute(SET.format(table, share))


def downgrade() -> None:
    """As before."""
    for table in SHARES:
        with op.get_context().autocommit_block():
            op.execute(RESET.format(table))
