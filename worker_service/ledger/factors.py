"""Emission factors: changed in place, every change kept as a version."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from worker_service.ledger.frames import copy_out
from worker_service.ledger.input_versions import factors_input, mark_changed
from worker_service.ledger.pool import Connection

FACTOR_SCHEMA: Mapping[str, type[pl.DataType]] = {
    "factor_id": pl.Int64,
    "version": pl.Int32,
    "kind": pl.String,
    "subkind": pl.String,
    "classification": pl.String,
    "values": pl.String,
    "stale": pl.Boolean,
}
# A factor whose values are the same keeps its row, its version and its emissions.
UPSERT = """
WITH given AS (
    SELECT n.*
    FROM unnest(
        CAST($4 AS text[]), CAST($5 AS text[]), CAST($6 AS text[]), CAST($7 AS text[]),
        CAST($8 AS text[])
    ) AS n (emission_type, classification, kind, subkind, factor_values)
), changed AS (
    INSERT INTO carbon.factors AS f (
        tenant, data_entry_type, year, emission_type, classification, kind, subkind,
        factor_values, version, changed_token
    )
    SELECT $1, $2, $3, emission_type, CAST(classification AS jsonb), kind, subkind,
        CAST(factor_values AS jsonb), 1, $9
    FROM given
    ORDER BY emission_type, classification
    ON CONFLICT (tenant, data_entry_type, year, emission_type, classification)
        DO UPDATE SET kind = excluded.kind, subkind = excluded.subkind,
            factor_values = excluded.factor_values, version = f.version + 1,
            changed_token = excluded.changed_token
        WHERE (f.kind, f.subkind, f.factor_values)
            IS DISTINCT FROM (excluded.kind, excluded.subkind, excluded.factor_values)
    RETURNING f.factor_id, f.version, f.kind, f.subkind, f.factor_values
)
INSERT INTO carbon.factor_versions
    (tenant, factor_id, version, kind, subkind, factor_values, blob, claim_token, made_at)
SELECT $1, factor_id, version, kind, subkind, factor_values, $10, $9, carbon.clock()
FROM changed
"""
# Absent from the newest file: told, and used where the file's own factors do not fit.
MARK_STALE = """
UPDATE carbon.factors AS f
SET stale = NOT n.is_given
FROM (
    SELECT o.factor_id, EXISTS (
        SELECT FROM unnest(CAST($4 AS text[]), CAST($5 AS text[])) AS g (emission_type, class)
        WHERE g.emission_type = o.emission_type AND CAST(g.class AS jsonb) = o.classification
    ) AS is_given
    FROM carbon.factors AS o
    WHERE o.tenant = $1 AND o.data_entry_type = $2 AND o.year = $3
) AS n
WHERE f.tenant = $1 AND f.factor_id = n.factor_id AND f.stale = n.is_given
"""
COUNTS = """
SELECT count(*) AS factors, count(*) FILTER (WHERE stale) AS stale
FROM carbon.factors
WHERE tenant = $1 AND data_entry_type = $2 AND year = $3
"""
FACTORS = """
SELECT factor_id, version, kind, subkind, classification, factor_values,
    CAST(stale AS text) AS stale
FROM carbon.factors
WHERE tenant = $1 AND data_entry_type = $2 AND year = $3
ORDER BY factor_id
"""


@dataclass(frozen=True, slots=True)
class FactorSlice:
    """The factors of one tenant, type and year."""

    tenant: str
    data_entry_type: int
    year: int


@dataclass(frozen=True, slots=True)
class FactorChanges:
    """`changed` are new or have new values; `stale` of all `factors` are not in the file."""

    changed: int
    factors: int
    stale: int


async def save_factors(
    conn: Connection, of: FactorSlice, factors: pl.DataFrame, blob: str, claim_token: int
) -> FactorChanges:
    """Within a publication: emission_type, classification, kind, subkind, values as JSON text."""
    slice_ = (of.tenant, of.data_entry_type, of.year)
    identity = [factors[name].to_list() for name in ("emission_type", "classification")]
    values = [factors[name].to_list() for name in ("kind", "subkind", "values")]
    done = await conn.execute(UPSERT, *slice_, *identity, *values, claim_token, blob)
    changed = int(done.rpartition(" ")[2])
    restaled = int((await conn.execute(MARK_STALE, *slice_, *identity)).rpartition(" ")[2])
    # What is stale decides between two factors that fit.
    if changed or restaled:
        versioned = factors_input(of.data_entry_type, of.year)
        await mark_changed(conn, of.tenant, versioned, claim_token)
    counts = await conn.fetchrow(COUNTS, *slice_)
    assert counts is not None, "an aggregate has a row"
    return FactorChanges(changed, counts["factors"], counts["stale"])


async def read_factors(conn: Connection, of: FactorSlice) -> bytes:
    """All of them, stale ones too, for `frame_of` with FACTOR_SCHEMA."""
    return await copy_out(conn, FACTORS, of.tenant, of.data_entry_type, of.year)
