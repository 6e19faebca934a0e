-- Of some pipelines those that have not ended. Asked once their schedules are locked: an older
-- snapshot would not see the pipeline that another scheduler has just submitted.
SELECT p.pipeline_id
FROM scheduler.pipelines AS p
WHERE p.pipeline_id = ANY(CAST(:pipeline_ids AS bigint[])) AND p.status = 'LIVE';
