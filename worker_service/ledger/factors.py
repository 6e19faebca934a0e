"""Emission factors: changed in place or removed, with every change kept as a version."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from worker_service.ledger.frames import copy_out
from worker_service.ledger.input_versions import factors_input, mark_changed
from worker_service.ledger.pool import Connection

# Per part of a classification in a sentence. Its last part may be what differs.
PART_CHARACTERS_MAX = 38

FACTOR_SCHEMA: Mapping[str, type[pl.DataType]] = {
    "factor_id": pl.Int64,
    "version": pl.Int32,
    "kind": pl.String,
    "subkind": pl.String,
    "classification": pl.String,
    "values": pl.String,
    "stale": pl.Boolean,
    "stale_token": pl.Int64,
    "changed_token": pl.Int64,
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
            changed_token = excluded.changed_token, removed_at = NULL
        WHERE f.removed_at IS NOT NULL OR (f.kind, f.subkind, f.factor_values)
            IS DISTINCT FROM (excluded.kind, excluded.subkind, excluded.factor_values)
    RETURNING f.factor_id, f.version, f.kind, f.subkind, f.factor_values
)
INSERT INTO carbon.factor_versions (
    tenant, factor_id, version, kind, subkind, factor_values, blob, claim_token, made_at, file_name
)
SELECT $1, factor_id, version, kind, subkind, factor_values, $10, $9, carbon.clock(), $11
FROM changed
RETURNING version
"""
# Absent from the newest file: reported, and used only where no factor of the file matches. Of two
# such factors the one that was given last counts: its token is that of the first file without it.
MARK_STALE = """
UPDATE carbon.factors AS f
SET stale = NOT n.is_given, stale_token = CASE WHEN NOT n.is_given THEN CAST($7 AS bigint) END
FROM (
    SELECT o.factor_id, EXISTS (
        SELECT FROM unnest(CAST($4 AS text[]), CAST($5 AS text[])) AS g (emission_type, class)
        WHERE g.emission_type = o.emission_type AND CAST(g.class AS jsonb) = o.classification
    ) AS is_given
    FROM carbon.factors AS o
    WHERE o.tenant = $1 AND o.data_entry_type = $2 AND o.year = $3 AND o.removed_at IS NULL
) AS n
WHERE f.tenant = $1 AND f.factor_id = n.factor_id AND f.stale = n.is_given
    AND (n.is_given OR $6)
"""
COUNTS = """
SELECT count(*) AS factors, count(*) FILTER (WHERE stale) AS stale
FROM carbon.factors
WHERE tenant = $1 AND data_entry_type = $2 AND year = $3 AND removed_at IS NULL
"""
# Removed factors are kept: a version of their own says when and by which claim.
REMOVE = """
WITH removed AS (
    UPDATE carbon.factors
    SET removed_at = carbon.clock(), version = version + 1, changed_token = $2
    WHERE tenant = $1 AND factor_id = ANY(CAST($3 AS bigint[])) AND removed_at IS NULL
    RETURNING factor_id, version, kind, subkind, factor_values
)
INSERT INTO carbon.factor_versions (
    tenant, factor_id, version, kind, subkind, factor_values, blob, claim_token, made_at,
    file_name, removes
)
SELECT $1, factor_id, version, kind, subkind, factor_values, $4, $2, carbon.clock(), $5, true
FROM removed
"""
STALE = """
SELECT factor_id, classification
FROM carbon.factors
WHERE tenant = $1 AND data_entry_type = $2 AND year = $3 AND removed_at IS NULL AND stale
ORDER BY factor_id
"""
MISSING = """
SELECT o.factor_id, o.classification
FROM carbon.factors AS o
WHERE o.tenant = $1 AND o.data_entry_type = $2 AND o.year = $3 AND o.removed_at IS NULL
    AND NOT EXISTS (
        SELECT FROM unnest(CAST($4 AS text[]), CAST($5 AS text[])) AS g (emission_type, class)
        WHERE g.emission_type = o.emission_type AND CAST(g.class AS jsonb) = o.classification
    )
ORDER BY o.factor_id
"""
FACTORS = """
SELECT factor_id, version, kind, subkind, classification, factor_values,
    CAST(stale AS text) AS stale, coalesce(stale_token, 0) AS stale_token,
    changed_token
FROM carbon.factors
WHERE tenant = $1 AND data_entry_type = $2 AND year = $3 AND removed_at IS NULL
ORDER BY factor_id
"""


@dataclass(frozen=True, slots=True)
class FactorSlice:
    """The factors of one tenant, data-entry type and year."""

    tenant: str
    data_entry_type: int
    year: int


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a change comes from: a claim, and a file by name and blob ("" if none)."""

    blob: str
    file_name: str
    claim_token: int


@dataclass(frozen=True, slots=True)
class FactorChanges:
    """What a factor file changed.

    `changed`: factors that are new, have new values, or are used again after a removal; `new` of
    them were never there. `removed`: factors no longer used. `stale` of all `factors` in use are
    not in the file.
    """

    changed: int
    factors: int
    stale: int
    removed: int = 0
    new: int = 0


@dataclass(frozen=True, slots=True)
class NamedFactor:
    """A factor, with what distinguishes it from others of its type and year."""

    factor_id: int
    classification: Mapping[str, Any]

    @property
    def words(self) -> str:
        """Its classification as people write it, such as "short economy". Long parts are cut."""
        parts = [str(value) for value in self.classification.values() if value is not None]
        return " ".join(
            part if len(part) <= PART_CHARACTERS_MAX else part[:PART_CHARACTERS_MAX] + "…"
            for part in parts
        )


async def save_factors(
    conn: Connection,
    of: FactorSlice,
    factors: pl.DataFrame,
    origin: Origin,
    *,
    remove: Sequence[int] = (),
    is_whole: bool = True,
) -> FactorChanges:
    """Adds and changes the factors of a file. Call it within a publication.

    `factors` has the columns emission_type, classification, kind, subkind and values; the last and
    the second are JSON text. Factors of `remove` are removed. Others that the file lacks become
    stale and stay in use, if the file is a whole one and not only rows mended of another.
    """
    slice_ = (of.tenant, of.data_entry_type, of.year)
    identity = _identity(factors)
    values = [factors[name].to_list() for name in ("kind", "subkind", "values")]
    brought_by = (origin.claim_token, origin.blob, origin.file_name)
    made = await conn.fetch(UPSERT, *slice_, *identity, *values, *brought_by)
    changed, new = len(made), sum(row["version"] == 1 for row in made)
    removed = await _remove(conn, of, origin, remove)
    arguments = (*slice_, *identity, is_whole, origin.claim_token)
    restaled = _count(await conn.execute(MARK_STALE, *arguments))
    # What is stale decides between two factors that fit.
    if changed or restaled:
        await _mark(conn, of, origin)
    counts = await conn.fetchrow(COUNTS, *slice_)
    assert counts is not None, "an aggregate has a row"
    return FactorChanges(changed, counts["factors"], counts["stale"], removed, new)


async def remove_factors(
    conn: Connection, of: FactorSlice, origin: Origin, factor_ids: Sequence[int]
) -> int:
    """Removes factors. Call it within a publication. Returns how many were in use."""
    return await _remove(conn, of, origin, factor_ids)


async def factors_not_in(
    conn: Connection, of: FactorSlice, factors: pl.DataFrame
) -> list[NamedFactor]:
    """The factors in use that a file lacks."""
    slice_ = (of.tenant, of.data_entry_type, of.year)
    return [NamedFactor(**row) for row in await conn.fetch(MISSING, *slice_, *_identity(factors))]


async def stale_factors(conn: Connection, of: FactorSlice) -> list[NamedFactor]:
    """The factors in use that the newest file lacks."""
    rows = await conn.fetch(STALE, of.tenant, of.data_entry_type, of.year)
    return [NamedFactor(**row) for row in rows]


async def _remove(
    conn: Connection, of: FactorSlice, origin: Origin, factor_ids: Sequence[int]
) -> int:
    if not factor_ids:
        return 0
    arguments = (list(factor_ids), origin.blob, origin.file_name)
    removed = _count(await conn.execute(REMOVE, of.tenant, origin.claim_token, *arguments))
    if removed:
        await _mark(conn, of, origin)
    return removed


async def _mark(conn: Connection, of: FactorSlice, origin: Origin) -> None:
    versioned = factors_input(of.data_entry_type, of.year)
    await mark_changed(conn, of.tenant, versioned, origin.claim_token)


def _identity(factors: pl.DataFrame) -> list[list[str]]:
    return [factors[name].to_list() for name in ("emission_type", "classification")]


def _count(done: str) -> int:
    return int(done.rpartition(" ")[2])


async def read_factors(conn: Connection, of: FactorSlice) -> bytes:
    """All factors in use, stale ones included, for `frame_of` with FACTOR_SCHEMA."""
    return await copy_out(conn, FACTORS, of.tenant, of.data_entry_type, of.year)
