"""An upload has a source, and says from where it came and what became of it."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# `source` stays as it is: a worker of the build before tells a year's uploads from a unit's by it.
UPLOADS = """
ALTER TABLE carbon.entry_sets
    ADD COLUMN source_name text NOT NULL DEFAULT 'default',
    ADD COLUMN file_name text NOT NULL DEFAULT '',
    ADD COLUMN submitted_by text NOT NULL DEFAULT '',
    ADD COLUMN pipeline_id bigint,
    ADD COLUMN content_digest text,
    ADD COLUMN rows_rejected bigint NOT NULL DEFAULT 0,
    ADD COLUMN rows_warned bigint NOT NULL DEFAULT 0,
    ADD COLUMN retired_by_pipeline bigint
"""
# A unit's uploads added up: all that count today go on counting, under names of their own.
NAME_APART = """
UPDATE carbon.entry_sets AS s
SET source_name = 'default-' || n.place
FROM (
    SELECT tenant, entry_set,
        row_number() OVER (
            PARTITION BY tenant, data_entry_type, year, unit ORDER BY entry_set
        ) AS place
    FROM carbon.entry_sets
    WHERE state = 'PUBLISHED' AND unit IS NOT NULL
) AS n
WHERE n.tenant = s.tenant AND n.entry_set = s.entry_set AND n.place > 1
"""
ONE_PER_IDENTITY = """
CREATE UNIQUE INDEX one_published_upload_per_type_year_unit_and_source
    ON carbon.entry_sets (tenant, data_entry_type, year, unit, source_name)
    NULLS NOT DISTINCT WHERE state = 'PUBLISHED'
"""
KILOGRAMS = """
ALTER TABLE carbon.emission_sets
    ADD COLUMN total_kg double precision,
    ADD COLUMN entries_without_kg bigint
"""
SETS_OF_AN_UPLOAD = """
CREATE INDEX emission_sets_of_an_entry_set
    ON carbon.emission_sets (tenant, entry_set, emission_set)
"""


def upgrade() -> None:
    """In one transaction: nothing is published between the names and their index. Both tables
    have a row for each upload, so this takes no time worth speaking of.
    """
    for statement in (UPLOADS, NAME_APART, ONE_PER_IDENTITY, KILOGRAMS, SETS_OF_AN_UPLOAD):
        op.execute(statement)


def downgrade() -> None:
    """As before. A year's uploads of several sources all go on counting, too."""
    op.execute("DROP INDEX carbon.emission_sets_of_an_entry_set")
    op.execute("DROP INDEX carbon.one_published_upload_per_type_year_unit_and_source")
    op.execute(
        "ALTER TABLE carbon.emission_sets DROP COLUMN total_kg, DROP COLUMN entries_without_kg"
    )
    op.execute(
        """
        ALTER TABLE carbon.entry_sets
            DROP COLUMN source_name, DROP COLUMN file_name, DROP COLUMN submitted_by,
            DROP COLUMN pipeline_id, DROP COLUMN content_digest, DROP COLUMN rows_rejected,
            DROP COLUMN rows_warned, DROP COLUMN retired_by_pipeline
        """
    )
