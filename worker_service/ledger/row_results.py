"""What became of each row of an upload: its emissions, with the factors in the versions used."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from worker_service.ledger.factors import FactorSlice
from worker_service.ledger.freshness import Computable, computable_types
from worker_service.ledger.input_versions import factors_input, newest_change
from worker_service.ledger.pool import Connection, Ledger
from worker_service.ledger.sums_of_units import references_number

# By primary key: an institution has a few thousand uploads. An upload that counts no more is shown
# with the emissions that it had last, while they are there.
SETS = """
SELECT s.entry_set, s.module, s.data_entry_type, s.year, s.state, s.last_row_number,
    s.collected_at IS NOT NULL AS gone, n.entry_set AS replaced_by, c.emission_set,
    c.formula_version, c.entries_token, c.factors_token, c.references_token, coalesce((
        SELECT max(e.changed_token) FROM carbon.entries AS e
        WHERE e.tenant = s.tenant AND e.entry_set = s.entry_set AND e.changed_token IS NOT NULL
    ), 0) AS changed_token
FROM carbon.entry_sets AS s
LEFT JOIN carbon.entry_sets AS n ON n.tenant = s.tenant AND n.entry_set = s.retired_by
LEFT JOIN LATERAL (
    SELECT m.*
    FROM carbon.emission_sets AS m
    WHERE m.tenant = s.tenant AND m.entry_set = s.entry_set AND m.state <> 'LOADING'
        AND m.collected_at IS NULL
    ORDER BY m.state = 'PUBLISHED' DESC, m.emission_set DESC
    LIMIT 1
) AS c ON true
WHERE s.tenant = $1 AND s.state <> 'LOADING' AND s.entry_set >= $2
    AND (CAST($3 AS bigint) IS NULL OR s.pipeline_id = $3)
    AND (CAST($4 AS bigint) IS NULL OR s.entry_set = $4)
    AND (CAST($5 AS smallint[]) IS NULL OR s.module = ANY(CAST($5 AS smallint[])))
ORDER BY s.entry_set
"""
# Of rows of some nodes of the emission tree alone, no more than so many are looked at for a page.
LOOKED_AT_MAX = 50_000
ROW_NUMBER_MAX = 2**31 - 1
# The version that was used: today's may be another.
ROWS = """
WITH page AS MATERIALIZED (
    SELECT e.row_number, e.unit, e AS entry
    FROM carbon.entries AS e
    WHERE e.tenant = $1 AND e.entry_set = $2 AND e.row_number > $4 AND e.row_number <= $7
        AND (CAST($5 AS text[]) IS NULL OR e.unit = ANY(CAST($5 AS text[])))
        AND (CAST($8 AS text[]) IS NULL OR EXISTS (
            SELECT
            FROM carbon.emissions AS n
            WHERE n.tenant = $1 AND n.emission_set = $3 AND n.entry_set = $2
                AND n.row_number = e.row_number AND n.emission_type = ANY($8)
        ))
    ORDER BY e.row_number
    LIMIT $6
)
SELECT p.row_number, p.unit,
    carbon.entry_values(p.entry, s.text_keys, s.number_keys) AS data,
    u.outcome, u.detail, m.part, m.scope, m.kg,
    m.additional_value, m.overridden, m.emission_type, m.factor_id, m.factor_version,
    v.kind, v.subkind, v.factor_values, v.file_name
FROM page AS p
JOIN carbon.entry_sets AS s ON s.tenant = $1 AND s.entry_set = $2
LEFT JOIN carbon.emissions AS m
    ON m.tenant = $1 AND m.emission_set = $3 AND m.entry_set = $2 AND m.row_number = p.row_number
    AND (CAST($8 AS text[]) IS NULL OR m.emission_type = ANY($8))
LEFT JOIN carbon.uncomputed_entries AS u
    ON u.tenant = $1 AND u.emission_set = $3 AND u.entry_set = $2 AND u.row_number = p.row_number
LEFT JOIN carbon.factor_versions AS v
    ON v.tenant = $1 AND v.factor_id = m.factor_id AND v.version = m.factor_version
ORDER BY p.row_number, m.part
"""


@dataclass(frozen=True, slots=True)
class ResultFilter:
    """Which rows of a tenant. None stands for any. A pipeline or an upload is given.

    `nodes` are paths of emission types: rows with emissions there, and only these emissions.
    """

    tenant: str
    pipeline_id: int | None
    upload: int | None
    modules: Sequence[int] | None
    units: Sequence[str] | None
    nodes: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class RowResult:
    """A row, what it is worth now, and its emissions.

    `state` is one of the words of EntryResult.state. `emissions` are rows of `ROWS`.
    """

    upload: int
    row_number: int
    module: int
    data_entry_type: int
    unit: str
    data: Mapping[str, Any]
    state: str
    outcome: str
    detail: str
    formula_version: str
    emissions: Sequence[Any]


@dataclass(frozen=True, slots=True)
class ResultPage:
    """Rows by upload and row number, and uploads whose rows are deleted.

    `last` is the upload and the row after which the next page begins; None after all rows.
    """

    rows: Sequence[RowResult]
    last: tuple[int, int] | None
    deleted: Sequence[int]


async def list_results(
    ledger: Ledger, of: ResultFilter, after: tuple[int, int], rows_max: int
) -> ResultPage:
    """A page after an upload's row, read at one moment. Raises DatabaseUnavailable."""
    rows: list[RowResult] = []
    looked_at, last = 0, None
    computable = {one.data_entry_type: one for one in computable_types(None)}
    async with ledger.snapshot() as conn:
        sets = await conn.fetch(SETS, of.tenant, after[0], of.pipeline_id, of.upload, of.modules)
        deleted = [one["entry_set"] for one in sets if one["gone"]]
        for one in sets:
            # One row more than fits says that there are more.
            room = rows_max + 1 - len(rows)
            if one["gone"] or (of.nodes and one["emission_set"] is None):
                continue
            behind = after[1] if one["entry_set"] == after[0] else 0
            end = ROW_NUMBER_MAX
            if of.nodes:
                end = min(behind + LOOKED_AT_MAX - looked_at, one["last_row_number"])
                looked_at += end - behind
            which = (of.tenant, one["entry_set"], one["emission_set"], behind, of.units, room)
            found = await conn.fetch(ROWS, *which, end, of.nodes)
            state = await _state(conn, of.tenant, one, computable[one["data_entry_type"]])
            for _, parts in groupby(found, lambda row: row["row_number"]):
                rows.append(_result(one, state, list(parts)))
            if len(rows) > rows_max:
                last = (rows[rows_max - 1].upload, rows[rows_max - 1].row_number)
                break
            if end < one["last_row_number"]:
                last = (one["entry_set"], end)
                break
    return ResultPage(rows[:rows_max], last, deleted)


async def _state(conn: Connection, tenant: str, one: Any, known: Computable) -> str:
    if one["state"] == "RETIRED":
        return "withdrawn" if one["replaced_by"] is None else "replaced"
    if one["emission_set"] is None:
        return "waiting"
    factors = [factors_input(one["data_entry_type"], one["year"])]
    of_factors = FactorSlice(tenant, one["data_entry_type"], one["year"])
    now = (
        known.formula_version,
        one["changed_token"],
        await newest_change(conn, tenant, factors),
        await references_number(conn, of_factors, known.references, known.unit_sums),
    )
    then = (
        one["formula_version"],
        one["entries_token"],
        one["factors_token"],
        one["references_token"],
    )
    return "counts" if now == then else "stale"


def _result(one: Any, state: str, parts: Sequence[Any]) -> RowResult:
    first = parts[0]
    emissions = [part for part in parts if part["part"] is not None]
    outcome = first["outcome"] or ""
    if emissions:
        outcome = "overridden" if first["overridden"] else "computed"
    return RowResult(
        one["entry_set"],
        first["row_number"],
        one["module"],
        one["data_entry_type"],
        first["unit"],
        first["data"],
        state,
        outcome,
        first["detail"] or "",
        one["formula_version"] or "",
        emissions,
    )
