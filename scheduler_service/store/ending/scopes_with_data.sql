-- Of some data-entry types and years, those whose data ever changed.
SELECT n.place
FROM unnest(
    CAST(:tenants AS text[]), CAST(:types AS smallint[]), CAST(:years AS smallint[])
) WITH ORDINALITY AS n (tenant, data_entry_type, year, place)
JOIN scheduler.type_freshness AS f
    ON f.tenant = n.tenant AND f.data_entry_type = n.data_entry_type AND f.year = n.year;
