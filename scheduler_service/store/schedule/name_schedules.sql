-- Pipelines say which schedule made them.
UPDATE scheduler.pipelines AS p
SET schedule = n.schedule
FROM unnest(CAST(:pipeline_ids AS bigint[]), CAST(:schedules AS text[]))
    AS n (pipeline_id, schedule)
WHERE p.pipeline_id = n.pipeline_id;
