-- Data-entry types of a tenant with what is known of their freshness, in one year or in all.
SELECT f.data_entry_type, f.year, f.changed_token, f.changed_at, f.recalc_claim, f.recalc_end
FROM scheduler.type_freshness AS f
WHERE f.tenant = :tenant
    AND (CAST(:year AS smallint) IS NULL OR f.year = CAST(:year AS smallint))
ORDER BY f.year, f.data_entry_type;
