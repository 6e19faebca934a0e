"""Which units' totals may differ from those stored, because their emissions changed since.

Totals say which state of the emissions they are the sums of. What was published since has newer
tokens: a new set that of its claim, a set that ended that of the claim that ended it, and a patched
set that of the factors of its patch.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from worker_service.ledger.emission_sets import emissions_ledger_scope
from worker_service.ledger.fences import Tokens
from worker_service.ledger.input_versions import factors_input
from worker_service.ledger.pool import Connection
from worker_service.ledger.totals import SetToSum, TotalsSlice

# More units are summed all together.
UNITS_MAX = 100
# Older totals are replaced whole. A set that ended since has its rows or its summary for a day.
BASE_AGE_MAX = timedelta(hours=12)

# Of totals only the newest row knows the newest tokens: a row that stays keeps its own.
BASE = """
SELECT input_tokens, claim_token, computed_at - CAST($4 AS interval) AS ended_after,
    computed_at > carbon.clock() - CAST($4 AS interval) AS is_recent
FROM carbon.totals
WHERE tenant = $1 AND year = $2 AND module = $3
ORDER BY claim_token DESC
LIMIT 1
"""
# By the indexes of sets that are not collected yet and of those that are, both of which are short.
ENDED = """
WITH ended AS (
    (SELECT s.tenant, s.data_entry_type, s.year, s.emission_set, s.entry_set, s.retired_by,
        false AS is_collected
    FROM carbon.emission_sets AS s
    WHERE s.state <> 'PUBLISHED' AND s.collected_at IS NULL
    OFFSET 0)
    UNION ALL
    (SELECT s.tenant, s.data_entry_type, s.year, s.emission_set, s.entry_set, s.retired_by, true
    FROM carbon.emission_sets AS s
    WHERE s.tenant = $1 AND s.collected_at > $5
    OFFSET 0)
)
SELECT e.emission_set, e.entry_set, e.is_collected
FROM ended AS e
JOIN unnest(
    CAST($3 AS smallint[]), CAST($4 AS bigint[])
) AS t (data_entry_type, token) USING (data_entry_type)
WHERE e.tenant = $1 AND e.year = $2 AND e.retired_by > t.token
"""
UNITS = """
SELECT unit
FROM (
    SELECT c.unit
    FROM unnest(CAST($2 AS bigint[]), CAST($3 AS bigint[])) AS s (emission_set, entry_set)
    JOIN carbon.outcome_counts AS c
        ON c.tenant = $1 AND c.emission_set = s.emission_set AND c.entry_set = s.entry_set
    UNION
    SELECT k.unit
    FROM unnest(CAST($2 AS bigint[]), CAST($3 AS bigint[])) AS s (emission_set, entry_set)
    JOIN carbon.emission_sums AS k
        ON k.tenant = $1 AND k.emission_set = s.emission_set AND k.entry_set = s.entry_set
) AS u
LIMIT $4
"""


def inputs_of(of: TotalsSlice, sets: Sequence[SetToSum], tokens: Tokens) -> Mapping[str, int]:
    """What totals of these sets are to say of their inputs, for `changed_units` later.

    `tokens` are those of the ledger scopes of the emissions, of the same snapshot.
    """
    # The least, so that none of them is taken for older than it is.
    factors: dict[str, int] = {}
    for one in sets:
        name = factors_input(one.data_entry_type, of.year)
        factors[name] = min(one.factors_token, factors.get(name, one.factors_token))
    return {**tokens, **factors}


async def changed_units(
    conn: Connection, of: TotalsSlice, sets: Sequence[SetToSum], totals_token: int
) -> Sequence[str] | None:
    """The units of all emissions that were published or ended since the totals were computed.

    None if totals are to be computed whole: there are none, they do not say enough of what they
    were computed from, or there are more than UNITS_MAX such units. `sets` are all published sets,
    `totals_token` is the token of the totals' ledger scope. Call it within their snapshot.
    """
    base = await conn.fetchrow(BASE, of.tenant, of.year, of.module, BASE_AGE_MAX)
    if base is None or not base["is_recent"] or base["claim_token"] != totals_token:
        return None
    read: Mapping[str, int] = base["input_tokens"]
    since = {one: read.get(emissions_ledger_scope(one, of.year), 0) for one in of.types}
    changed = []
    for one in sets:
        is_new = one.emission_set > since[one.data_entry_type]
        factors_token = read.get(factors_input(one.data_entry_type, of.year))
        if not is_new and factors_token is None:
            return None
        if is_new or (factors_token is not None and one.factors_token > factors_token):
            changed.append((one.emission_set, one.entry_set))
    ended = await conn.fetch(
        ENDED, of.tenant, of.year, list(since), list(since.values()), base["ended_after"]
    )
    if any(row["is_collected"] for row in ended):
        return None
    changed += [(row["emission_set"], row["entry_set"]) for row in ended]
    columns = [list(column) for column in zip(*changed, strict=True)] or [[], []]
    units = await conn.fetch(UNITS, of.tenant, *columns, UNITS_MAX + 1)
    return None if len(units) > UNITS_MAX else [row["unit"] for row in units]
