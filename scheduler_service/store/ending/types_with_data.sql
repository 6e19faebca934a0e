-- Data-entry types of some years whose data ever changed.
SELECT f.data_entry_type, f.year
FROM scheduler.type_freshness AS f
WHERE f.tenant = :tenant AND f.year = ANY(CAST(:years AS smallint[]));
