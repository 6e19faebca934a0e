"""What a schema is, as PostgreSQL itself writes it: lines that can be compared."""

from collections.abc import Sequence

from sqlalchemy import MetaData, text

from carbonline.migrations.run import open_engine

COLUMNS = """
SELECT format('%s.%s: %s%s%s%s #%s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
    CASE WHEN a.attnotnull THEN ' NOT NULL' END, ' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid),
    CASE a.attidentity WHEN 'a' THEN ' ALWAYS IDENTITY' WHEN 'd' THEN ' IDENTITY' END,
    row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum))
FROM pg_class AS c
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relkind = 'r' AND c.relnamespace = CAST(:schema AS regnamespace)
"""
# Since 18 a NOT NULL is a constraint, too; the column says it.
CONSTRAINTS = """
SELECT format('%s constraint %s: %s', c.relname, n.conname, pg_get_constraintdef(n.oid))
FROM pg_constraint AS n
JOIN pg_class AS c ON c.oid = n.conrelid
WHERE n.contype <> 'n' AND c.relnamespace = CAST(:schema AS regnamespace)
"""
INDEXES = """
SELECT pg_get_indexdef(i.indexrelid)
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indrelid
WHERE c.relnamespace = CAST(:schema AS regnamespace)
"""
SEQUENCES = """
SELECT format('sequence %s: %s from %s by %s cache %s cycle %s', c.relname,
    format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, s.seqcache, s.seqcycle)
FROM pg_sequence AS s
JOIN pg_class AS c ON c.oid = s.seqrelid
WHERE c.relnamespace = CAST(:schema AS regnamespace)
"""
# What tables/ does not declare, and migrations make all the same.
FUNCTIONS = """
SELECT pg_get_functiondef(p.oid) FROM pg_proc AS p
WHERE p.pronamespace = CAST(:schema AS regnamespace)
"""
# Only these may an index use, so tables cannot be made without them.
IMMUTABLE_FUNCTIONS = FUNCTIONS + " AND p.provolatile = 'i'"
VIEWS = """
SELECT format('view %s: %s', c.relname, pg_get_viewdef(c.oid)) FROM pg_class AS c
WHERE c.relkind = 'v' AND c.relnamespace = CAST(:schema AS regnamespace)
"""
STORAGE = """
SELECT format('%s with %s', c.relname, c.reloptions) FROM pg_class AS c
WHERE c.reloptions IS NOT NULL AND c.relnamespace = CAST(:schema AS regnamespace)
"""
DECLARED = (COLUMNS, CONSTRAINTS, INDEXES, SEQUENCES)
EVERYTHING = (*DECLARED, FUNCTIONS, VIEWS, STORAGE)
ALEMBIC = "alembic_version"


async def schema_text(
    database_url: str, schema: str, queries: tuple[str, ...] = EVERYTHING
) -> list[str]:
    """The sorted lines of a schema, alembic's own table left out."""
    engine = open_engine(database_url)
    lines: list[str] = []
    try:
        async with engine.connect() as connection:
            for query in queries:
                rows = await connection.scalars(text(query), {"schema": schema})
                lines += [line for line in rows if ALEMBIC not in line]
    finally:
        await engine.dispose()
    return sorted(lines)


async def make_declared(
    database_url: str, metadata: MetaData, functions: Sequence[str] = ()
) -> None:
    """The tables of a tables/ in an empty database, without any migration. Their indexes use
    these functions.
    """
    engine = open_engine(database_url)
    try:
        async with engine.begin() as connection:
            await connection.execute(text(f"CREATE SCHEMA {metadata.schema}"))
            for function in functions:
                await connection.exec_driver_sql(function)
            await connection.run_sync(metadata.create_all)
    finally:
        await engine.dispose()
