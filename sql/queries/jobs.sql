-- What stint-worker asks. Each is one call of a function of schema jobs (functions/90-jobs-*.sql) or app, where the rules are.
-- (worker) marks what stint_worker may and stint_web may not.

-- name: jobs_kinds_declare (worker)
SELECT jobs.kinds_declare(:kinds::jsonb);

-- name: jobs_enqueue
SELECT jobs.enqueue(:kind, coalesce(:args::jsonb, '{}'), coalesce(:options::jsonb, '{}')) AS id;

-- A child's own number, and the lock on its connection that says it lives.
-- name: jobs_hold (worker)
SELECT h.holder, pg_advisory_lock(7319, h.holder) FROM (SELECT nextval('jobs.holders')::integer AS holder OFFSET 0) AS h;

-- name: jobs_claim (worker)
SELECT id, lease, kind, organization_id, member_id, args, attempt, last, memo
FROM jobs.claim(:ids::uuid[], :holder::integer, :lease_s::integer);

-- name: jobs_enter (worker)
SELECT app.enter_job(:job_id::uuid, :lease::bigint);

-- name: jobs_settle (worker)
SELECT jobs.settle(:job_id::uuid, :lease::bigint, :outcome, :result::jsonb, :why, :delay_s::float8, :memo::jsonb) AS state;

-- name: jobs_take_quick (worker)
SELECT id, kind, organization_id, member_id, args FROM jobs.take_quick(:ids::uuid[]);

-- name: jobs_settle_quick (worker)
SELECT jobs.settle_quick(:done::uuid[], :others::uuid[]);

-- name: jobs_crashed (worker)
SELECT jobs.crashed(:job_id::uuid, :lease::bigint, :how) AS state;

-- name: jobs_heartbeat (worker)
SELECT id, cancel, lost FROM jobs.heartbeat(:ids::uuid[], :leases::bigint[], :lease_s::integer);

-- name: jobs_reap (worker)
SELECT jobs.reap(:most::integer) AS n;

-- One relay at a time, for as long as its connection lasts. An advisory lock counts how often it is taken: asked once.
-- name: jobs_lead (worker)
SELECT jobs.lead(:what::integer) AS leads;

-- name: jobs_queues_waiting (worker)
SELECT queue, due, next_ms FROM jobs.queues_waiting();

-- name: jobs_due (worker)
SELECT id, priority, quick, turn FROM jobs.due(:queue, :most::integer);

-- name: jobs_fire (worker)
SELECT jobs.fire(:kind, :slot::timestamptz) AS fired;

-- name: jobs_last_slot (worker)
SELECT extract(epoch FROM jobs.last_slot(:kind))::bigint AS slot;

-- name: jobs_is_idle (worker)
SELECT jobs.is_idle(:queues::text[]) AS idle;

-- name: jobs_worker_beat (worker)
SELECT jobs.worker_beat(:worker_id::uuid, :host, :pid::integer, :doc::jsonb);

-- name: jobs_worker_gone (worker)
SELECT jobs.worker_gone(:worker_id::uuid);

-- name: jobs_count_add (worker)
SELECT jobs.count_add(:counts::jsonb);

-- name: events_seal (worker)
SELECT organization_id, position, noun, row_id, topic FROM app.events_seal(:most::integer);

-- name: events_after (worker)
SELECT position, noun, row_id, topic FROM app.events_after(:organization_id::uuid, :position::bigint, :most::integer);

-- name: event_heads_recent (worker)
SELECT organization_id, position FROM app.event_heads_recent();
