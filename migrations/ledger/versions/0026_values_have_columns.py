"""Values of entries stand in typed columns; what finds none stays in a JSON object."""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

TEXTS = [f"text_{number}" for number in range(1, 11)]
NUMBERS = [f"number_{number}" for number in range(1, 5)]

# For few rows, and for people who look into the database. One key of each column of the set.
ENTRY_VALUES = f"""
CREATE OR REPLACE FUNCTION carbon.entry_values(
    e carbon.entries, text_keys text[], number_keys text[]
)
RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT coalesce(e.extra, '{{}}') || coalesce(
        (
            SELECT jsonb_object_agg(v.key, v.value)
            FROM (
                SELECT t.key, to_jsonb(t.value) AS value
                FROM unnest(text_keys, ARRAY[{", ".join(f"e.{one}" for one in TEXTS)}])
                    AS t (key, value)
                UNION ALL
                SELECT n.key, to_jsonb(n.value)
                FROM unnest(number_keys, ARRAY[{", ".join(f"e.{one}" for one in NUMBERS)}])
                    AS n (key, value)
            ) AS v
            WHERE v.key IS NOT NULL AND v.value IS NOT NULL
        ),
        '{{}}'
    )
$$
"""
# One value of a row, as text. How a number is written is a setting of the session, so it is STABLE.
ENTRY_VALUE = f"""
CREATE OR REPLACE FUNCTION carbon.entry_value(
    e carbon.entries, text_keys text[], number_keys text[], key text
)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT coalesce(
        (ARRAY[{", ".join(f"e.{one}" for one in TEXTS)}])[array_position(text_keys, key)],
        CAST(
            (ARRAY[{", ".join(f"e.{one}" for one in NUMBERS)}])[array_position(number_keys, key)]
            AS text
        ),
        e.extra ->> key
    )
$$
"""


def upgrade() -> None:
    """Adds columns, and gives `data` its new name. No row is written.

    A worker of an earlier build, which knows no columns, fails instead of reading nothing in them.
    """
    columns = [f"ADD COLUMN IF NOT EXISTS {one} text" for one in TEXTS]
    columns += [f"ADD COLUMN IF NOT EXISTS {one} double precision" for one in NUMBERS]
    op.execute("ALTER TABLE carbon.entries RENAME COLUMN data TO extra")
    op.execute(f"ALTER TABLE carbon.entries ALTER COLUMN extra DROP NOT NULL, {', '.join(columns)}")
    op.execute(
        """
        ALTER TABLE carbon.entry_sets
            ADD COLUMN IF NOT EXISTS text_keys text[] NOT NULL DEFAULT '{}',
            ADD COLUMN IF NOT EXISTS number_keys text[] NOT NULL DEFAULT '{}'
        """
    )
    op.execute(ENTRY_VALUES)
    op.execute(ENTRY_VALUE)


def downgrade() -> None:
    """Puts all values back into one object. This writes each row that has columns."""
    op.execute(
        """
        UPDATE carbon.entries AS e
        SET extra = carbon.entry_values(e, s.text_keys, s.number_keys)
        FROM carbon.entry_sets AS s
        WHERE s.tenant = e.tenant AND s.entry_set = e.entry_set
        """
    )
    op.execute("UPDATE carbon.entries SET extra = '{}' WHERE extra IS NULL")
    op.execute("DROP FUNCTION carbon.entry_value(carbon.entries, text[], text[], text)")
    op.execute("DROP FUNCTION carbon.entry_values(carbon.entries, text[], text[])")
    columns = ", ".join(f"DROP COLUMN {one}" for one in (*TEXTS, *NUMBERS))
    op.execute(f"ALTER TABLE carbon.entries ALTER COLUMN extra SET NOT NULL, {columns}")
    op.execute("ALTER TABLE carbon.entries RENAME COLUMN extra TO data")
    op.execute("ALTER TABLE carbon.entry_sets DROP COLUMN text_keys, DROP COLUMN number_keys")
