"""Tables, columns and views have the words of the glossary; one view has what decides of a job.

Statements of the build before name them otherwise: its schedulers are stopped first.
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

# Each view with its columns before its tables, and tables in the order of every transaction of the
# scheduler: whoever reads through a view holds the view first.
RENAMES = (
    ("VIEW", "pipeline_cards", "RENAME TO", "pipeline_summaries"),
    ("VIEW", "job_cards", "RENAME TO", "job_summaries"),
    ("VIEW", "job_summaries", "RENAME COLUMN lapses TO", "expiries"),
    ("VIEW", "job_summaries", "RENAME COLUMN dark_token TO", "in_doubt_token"),
    ("TABLE", "jobs", "RENAME COLUMN lapses TO", "expiries"),
    ("TABLE", "jobs", "RENAME COLUMN dark_token TO", "in_doubt_token"),
    ("TABLE", "wishes", "RENAME TO", "held_children"),
    ("TABLE", "held_children", "RENAME CONSTRAINT wishes_pkey TO", "held_children_pkey"),
    (
        "TABLE",
        "held_children",
        "RENAME CONSTRAINT a_wish_has_a_pipeline TO",
        "a_held_child_has_a_pipeline",
    ),
    ("TABLE", "dark_scopes", "RENAME TO", "ledger_scopes_in_doubt"),
    (
        "TABLE",
        "ledger_scopes_in_doubt",
        "RENAME CONSTRAINT dark_scopes_pkey TO",
        "ledger_scopes_in_doubt_pkey",
    ),
)
# What operations decide on: read unlocked and locked, by number and by pipeline.
IN_BRIEF = """
CREATE VIEW scheduler.jobs_in_brief AS
SELECT j.job_id, j.pipeline_id, j.tenant, j.job_type, j.module, j.data_entry_type, j.year, j.unit,
    j.reference_kind, j.state, j.result, j.claim_token, j.finished_by_token, j.coalesce_key,
    j.exclusive_key, j.in_doubt_token, j.attempts, j.attempts_max, j.releases, j.priority
FROM scheduler.jobs AS j
"""
SWEEP = "UPDATE scheduler.sweep_runs SET sweep = '{}' WHERE sweep = '{}'"


def upgrade() -> None:
    """New names; nothing is written anew."""
    for kind, name, change, new_name in RENAMES:
        op.execute(f"ALTER {kind} scheduler.{name} {change} {new_name}")
    op.execute(IN_BRIEF)
    op.execute(SWEEP.format("expiry", "lapse"))


def downgrade() -> None:
    """The names before."""
    op.execute(SWEEP.format("lapse", "expiry"))
    op.execute("DROP VIEW scheduler.jobs_in_brief")
    for kind, name, change, new_name in reversed(RENAMES):
        if change == "RENAME TO":
            op.execute(f"ALTER {kind} scheduler.{new_name} RENAME TO {name}")
        else:
            verb, what, old_name, _ = change.split(" ")
            op.execute(f"ALTER {kind} scheduler.{name} {verb} {what} {new_name} TO {old_name}")
