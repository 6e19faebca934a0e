-- Which of these blobs the jobs of a tenant name, in their payload or in their stats.
SELECT n.blob
FROM unnest(CAST(:blobs AS text[])) AS n (blob)
WHERE (
    SELECT true
    FROM scheduler.jobs AS j
    WHERE scheduler.named_blobs(j.payload, j.stats) ? n.blob
        AND (j.payload IS NOT NULL OR j.stats IS NOT NULL)
        AND scheduler.named_blobs(j.payload, j.stats) <> '[]'
        AND j.tenant = CAST(:tenant AS text)
    LIMIT 1
) IS TRUE;
