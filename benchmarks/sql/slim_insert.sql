-- A hundred rows with nothing to them.
INSERT INTO slim.jobs (state) SELECT 'QUEUED' FROM generate_series(1, 100);
