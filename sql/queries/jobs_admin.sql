-- What `stint jobs` asks, as stint_worker: all organizations' jobs and the installation's own.

-- name: jobs_operator_list (worker)
SELECT jobs.operator_list(:state, :kind, :queue, :organization::uuid, :limit::integer) AS doc;

-- name: jobs_operator_show (worker)
SELECT s.doc FROM (SELECT jobs.operator_show(:job_id::uuid) AS doc) AS s WHERE s.doc IS NOT NULL;

-- name: jobs_operator_act (worker)
SELECT a.state FROM jobs.operator_act(:what, :job_id::uuid) AS a (state);

-- name: jobs_operator_retry_all (worker)
SELECT r.retried, r.kept FROM jobs.operator_retry_all(:kind, :state, :most::integer) AS r;

-- name: jobs_operator_inspect (worker)
SELECT jobs.operator_inspect() AS doc;

-- name: jobs_operator_stats (worker)
SELECT jobs.operator_stats(:minutes::integer) AS doc;

-- name: jobs_operator_schedules (worker)
SELECT jobs.schedules() AS doc;
