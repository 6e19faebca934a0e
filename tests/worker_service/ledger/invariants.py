"""The invariants of the ledger, as queries that must find nothing."""

from worker_service.ledger.pool import Ledger

# Every published row carries the token of a claim that passed its scope's fence.
_BEHIND_ITS_FENCE = """
    SELECT d.tenant, d.scope, d.token, f.newest_token
    FROM ({data}) AS d (tenant, scope, token)
    LEFT JOIN carbon.write_fences AS f ON f.tenant = d.tenant AND f.scope = d.scope
    WHERE d.token > coalesce(f.newest_token, 0)
"""
INVARIANTS = {
    "no published set of entries is newer than its scope's fence": _BEHIND_ITS_FENCE.format(
        data="""SELECT tenant, 'entries/' || module || '/' || year, entry_set
        FROM carbon.entry_sets WHERE state <> 'LOADING'"""
    ),
    "no published set of emissions is newer than its scope's fence": _BEHIND_ITS_FENCE.format(
        data="""SELECT tenant, 'emissions/' || data_entry_type || '/' || year, emission_set
        FROM carbon.emission_sets WHERE state <> 'LOADING'"""
    ),
    "no factor is newer than its scope's fence": _BEHIND_ITS_FENCE.format(
        data="SELECT tenant, 'factors/' || year, changed_token FROM carbon.factors"
    ),
    "no totals are newer than their scope's fence": _BEHIND_ITS_FENCE.format(
        data="SELECT tenant, 'totals/' || module || '/' || year, claim_token FROM carbon.totals"
    ),
    "no unit is newer than the fence of units": _BEHIND_ITS_FENCE.format(
        data="SELECT tenant, 'units', changed_token FROM carbon.units"
    ),
    "of uploads with one identity one counts": """
        SELECT tenant, data_entry_type, year, unit, source_name, array_agg(entry_set)
        FROM carbon.entry_sets WHERE state = 'PUBLISHED'
        GROUP BY tenant, data_entry_type, year, unit, source_name HAVING count(*) > 1""",
    "a set that counts has the rows that it says": """
        SELECT s.entry_set, s.row_count, count(e.row_number) FROM carbon.entry_sets AS s
        LEFT JOIN carbon.entries AS e ON e.tenant = s.tenant AND e.entry_set = s.entry_set
        WHERE s.state = 'PUBLISHED'
        GROUP BY s.tenant, s.entry_set, s.row_count
        HAVING s.row_count <> count(e.row_number)""",
    "what is left of a set after its rows has no digests of them": """
        SELECT d.entry_set, d.first_row FROM carbon.row_digests AS d
        LEFT JOIN carbon.entry_sets AS s USING (tenant, entry_set)
        WHERE s.entry_set IS NULL OR s.collected_at IS NOT NULL""",
    "a set that counts ends where it says": """
        SELECT s.entry_set FROM carbon.entry_sets AS s
        JOIN carbon.entries AS e ON e.tenant = s.tenant AND e.entry_set = s.entry_set
        WHERE s.state = 'PUBLISHED' AND e.row_number > s.last_row_number""",
    "every entry that was computed has emissions or a reason for none": """
        SELECT s.emission_set, e.row_number FROM carbon.emission_sets AS s
        JOIN carbon.entries AS e ON e.tenant = s.tenant AND e.entry_set = s.entry_set
        WHERE s.state = 'PUBLISHED'
            AND NOT EXISTS (
                SELECT FROM carbon.emissions AS m
                WHERE (m.tenant, m.emission_set, m.entry_set, m.row_number)
                    = (s.tenant, s.emission_set, s.entry_set, e.row_number))
            AND NOT EXISTS (
                SELECT FROM carbon.uncomputed_entries AS u
                WHERE (u.tenant, u.emission_set, u.entry_set, u.row_number)
                    = (s.tenant, s.emission_set, s.entry_set, e.row_number))""",
    "the counts of outcomes are those of the set's rows": """
        SELECT s.emission_set, s.entry_set FROM carbon.emission_sets AS s
        JOIN carbon.entry_sets AS e USING (tenant, entry_set)
        WHERE s.state = 'PUBLISHED' AND e.state = 'PUBLISHED' AND e.row_count <> (
            SELECT coalesce(sum(c.entry_count), 0) FROM carbon.outcome_counts AS c
            WHERE (c.tenant, c.emission_set, c.entry_set)
                = (s.tenant, s.emission_set, s.entry_set))""",
    "the sums of a set are those of its rows": """
        SELECT s.emission_set, s.entry_set, d.unit FROM carbon.emission_sets AS s
        CROSS JOIN LATERAL (
            SELECT unit, r.kg AS kg_of_rows, k.kg,
                r.additional_value AS additional_of_rows, k.additional_value
            FROM (
                SELECT m.unit, m.emission_type, sum(CAST(m.kg AS numeric)) AS kg,
                    sum(CAST(m.additional_value AS numeric)) AS additional_value
                FROM carbon.emissions AS m
                WHERE (m.tenant, m.emission_set, m.entry_set)
                    = (s.tenant, s.emission_set, s.entry_set)
                GROUP BY m.unit, m.emission_type
            ) AS r
            FULL JOIN (
                SELECT n.unit, n.emission_type, n.kg, n.additional_value
                FROM carbon.emission_sums AS n
                WHERE (n.tenant, n.emission_set, n.entry_set)
                    = (s.tenant, s.emission_set, s.entry_set)
            ) AS k USING (unit, emission_type)
        ) AS d
        WHERE s.state = 'PUBLISHED' AND s.is_summed
            AND (d.kg, d.additional_value)
                IS DISTINCT FROM (d.kg_of_rows, d.additional_of_rows)""",
    "a set whose rows are gone has no sums": """
        SELECT s.emission_set, s.entry_set, k.unit FROM carbon.emission_sums AS k
        LEFT JOIN carbon.emission_sets AS s USING (tenant, emission_set, entry_set)
        WHERE s.collected_at IS NOT NULL OR s.emission_set IS NULL""",
    "a set lists the rows that use a factor, or says that there are many": """
        SELECT s.emission_set, s.entry_set, d.factor_id, d.row_number
        FROM carbon.emission_sets AS s
        CROSS JOIN LATERAL (
            SELECT factor_id, row_number
            FROM (
                SELECT DISTINCT m.factor_id, m.row_number, true AS uses FROM carbon.emissions AS m
                WHERE (m.tenant, m.emission_set, m.entry_set)
                    = (s.tenant, s.emission_set, s.entry_set) AND m.factor_id IS NOT NULL
            ) AS r
            FULL JOIN (
                SELECT n.factor_id, n.row_number, true AS is_listed FROM carbon.factor_uses AS c
                CROSS JOIN LATERAL unnest(c.factor_ids, c.row_numbers) AS n (factor_id, row_number)
                WHERE (c.tenant, c.emission_set, c.entry_set)
                    = (s.tenant, s.emission_set, s.entry_set) AND c.row_numbers IS NOT NULL
            ) AS k USING (factor_id, row_number)
            WHERE r.uses IS NULL OR k.is_listed IS NULL
        ) AS d
        WHERE s.state = 'PUBLISHED' AND s.lists_factor_uses AND NOT EXISTS (
            SELECT FROM carbon.factor_uses AS c
            WHERE (c.tenant, c.emission_set, c.entry_set)
                = (s.tenant, s.emission_set, s.entry_set)
                AND c.row_numbers IS NULL AND d.factor_id = ANY(c.factor_ids))""",
    "a set whose rows are gone lists none of them": """
        SELECT s.emission_set, s.entry_set FROM carbon.factor_uses AS c
        JOIN carbon.emission_sets AS s USING (tenant, emission_set, entry_set)
        WHERE s.collected_at IS NOT NULL OR NOT s.lists_factor_uses""",
    "a factor's newest version is what it holds": """
        SELECT f.factor_id FROM carbon.factors AS f
        LEFT JOIN carbon.factor_versions AS v USING (tenant, factor_id, version)
        WHERE (v.kind, v.subkind, v.factor_values, v.claim_token)
            IS DISTINCT FROM (f.kind, f.subkind, f.factor_values, f.changed_token)""",
    "totals whose inputs are unchanged are those of the published emissions": """
        SELECT t.unit, t.module, t.year, t.total_kg FROM carbon.totals AS t
        WHERE NOT EXISTS (
            SELECT FROM jsonb_each_text(t.input_tokens) AS i (scope, token)
            JOIN carbon.write_fences AS f ON f.tenant = t.tenant AND f.scope = i.scope
            WHERE f.newest_token <> CAST(i.token AS bigint))
        AND t.total_kg <> (
            SELECT coalesce(sum(CAST(m.kg AS numeric)), 0) FROM carbon.emissions AS m
            JOIN carbon.emission_sets AS s USING (tenant, emission_set, entry_set)
            WHERE s.tenant = t.tenant AND s.module = t.module AND s.year = t.year
                AND s.state = 'PUBLISHED' AND m.unit = t.unit)""",
}

ANALYZE = "ANALYZE carbon.entries, carbon.emissions, carbon.emission_sets, carbon.entry_sets"


async def broken_invariants(ledger: Ledger) -> dict[str, list[object]]:
    """The invariants that do not hold, each with the rows that break it."""
    broken: dict[str, list[object]] = {}
    async with ledger.session() as conn:
        # Plans made for what the tables were a minute ago may take minutes.
        await conn.execute(ANALYZE)
        for sentence, query in INVARIANTS.items():
            rows = await conn.fetch(query)
            if rows:
                broken[sentence] = [tuple(row) for row in rows]
    return broken
