-- What the test worker asks besides; its tables are made by tests/jobs/support.js.

-- name: test_run_add (worker)
SELECT scratch.run_add(:job_id::uuid, :kind) AS n;

-- name: test_effect_add (worker)
INSERT INTO scratch.effects (job_id, kind, n) VALUES (:job_id::uuid, :kind, :n::integer);

-- name: test_effect_refused (worker)
INSERT INTO scratch.effects (job_id, kind, n) SELECT :job_id::uuid, 'refused', 1 / (random() * 0)::integer;
