-- What was tried again after its pause, and failed no more, counts anew.
DELETE FROM scheduler.set_asides
WHERE until < scheduler.clock() - CAST(:kept_seconds AS double precision) * interval '1 second';
