-- Of some submissions those that would have to wait now: somebody else has locked their key, their
-- year, or the waiting job that they would join. Waits for nothing. The locks are released with the
-- statement, so this is a hint: it says what to leave out.
WITH asked AS MATERIALIZED (
    SELECT n.exclusive_key, n.coalesce_key, n.tenant, n.year, n.number
    FROM unnest(
        CAST(:exclusive_keys AS text[]), CAST(:coalesce_keys AS text[]), CAST(:tenants AS text[]),
        CAST(:years AS smallint[])
    ) WITH ORDINALITY AS n (exclusive_key, coalesce_key, tenant, year, number)
), keys AS MATERIALIZED (
    SELECT k.exclusive_key FROM scheduler.exclusive_keys AS k
    WHERE k.exclusive_key = ANY(ARRAY(SELECT a.exclusive_key FROM asked AS a))
    FOR UPDATE SKIP LOCKED
), years AS MATERIALIZED (
    SELECT y.tenant, y.year FROM scheduler.years AS y
    WHERE y.tenant = ANY(ARRAY(SELECT a.tenant FROM asked AS a))
        AND y.year = ANY(ARRAY(SELECT a.year FROM asked AS a))
    FOR SHARE SKIP LOCKED
), duplicates AS MATERIALIZED (
    SELECT j.coalesce_key FROM scheduler.jobs AS j
    WHERE j.coalesce_key = ANY(ARRAY(SELECT a.coalesce_key FROM asked AS a))
        AND j.state IN ('NOT_STARTED', 'QUEUED') AND j.coalesce_key IS NOT NULL
    FOR UPDATE SKIP LOCKED
)
SELECT a.number
FROM asked AS a
-- What does not exist is locked by nobody. No join: a plan for it might read all keys.
WHERE (
        a.exclusive_key NOT IN (SELECT k.exclusive_key FROM keys AS k)
        AND (
            SELECT true FROM scheduler.exclusive_keys AS k
            WHERE k.exclusive_key = a.exclusive_key
        )
    )
    OR (
        (a.tenant, a.year) NOT IN (SELECT y.tenant, y.year FROM years AS y)
        AND (
            SELECT true FROM scheduler.years AS y WHERE y.tenant = a.tenant AND y.year = a.year
        )
    )
    OR (
        a.coalesce_key NOT IN (SELECT d.coalesce_key FROM duplicates AS d)
        AND (
            SELECT true FROM scheduler.jobs AS j
            WHERE j.coalesce_key = a.coalesce_key
                AND j.state IN ('NOT_STARTED', 'QUEUED') AND j.coalesce_key IS NOT NULL
        )
    );
