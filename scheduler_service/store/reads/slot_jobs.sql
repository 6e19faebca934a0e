-- Per slot its current job, the one with the newest claim, and the last one that ended well: a
-- newer one that failed or was cancelled hides nothing.
SELECT n.slot_key, s.ended_well, j.*
FROM unnest(CAST(:slot_keys AS text[])) AS n (slot_key)
CROSS JOIN LATERAL (
    (
        SELECT o.job_id, false AS ended_well
        FROM scheduler.jobs AS o
        WHERE o.slot_key = n.slot_key AND o.slot_key IS NOT NULL AND o.last_token IS NOT NULL
        ORDER BY o.last_token DESC
        LIMIT 1
    )
    UNION ALL
    (
        SELECT o.job_id, true
        FROM scheduler.jobs AS o
        WHERE o.slot_key = n.slot_key AND o.slot_key IS NOT NULL AND o.last_token IS NOT NULL
            AND o.result IN ('SUCCESS', 'WARNING')
        ORDER BY o.last_token DESC
        LIMIT 1
    )
) AS s
JOIN scheduler.job_summaries AS j ON j.job_id = s.job_id
ORDER BY n.slot_key, s.ended_well;
