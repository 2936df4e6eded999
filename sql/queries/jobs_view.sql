-- An organization's background work, for those who may see it: reading through seen.*, changing by jobs.own_act
-- (functions/94-jobs-view.sql), which knows the organization's jobs alone. What the worker asks is in jobs.sql.

-- The newest first; an id begins with the time it was made.
-- name: jobs_list
WITH page AS (
	SELECT row_number() OVER (ORDER BY j.id DESC) AS n, j.id, j.created_at, j.doc
	FROM seen.job_docs AS j
	WHERE (:state::text IS NULL OR j.state = :state) AND (:kind::text IS NULL OR j.kind = :kind)
		AND (:queue::text IS NULL OR j.queue = :queue)
		AND (:cursor::text IS NULL OR j.id < app.cursor_uuid(:cursor, 2))
	ORDER BY n LIMIT :limit::integer + 1)
SELECT json_build_object(
	'data', coalesce(json_agg(doc ORDER BY n) FILTER (WHERE n <= :limit::integer), '[]'),
	'next_cursor', CASE WHEN app.is_cursor(:cursor) AND count(*) > :limit::integer
		THEN max(app.cursor('jobs', id::text)) FILTER (WHERE n = :limit::integer) END) AS doc
FROM page;

-- name: jobs_get
SELECT doc FROM seen.job_docs WHERE id = :job_id::uuid;

-- name: jobs_summary
SELECT app.jobs_summary() AS doc;

-- name: jobs_overview
SELECT s.doc || r.doc || (SELECT jsonb_object_agg('has_' || key, value <> '[]')
	FROM jsonb_each(r.doc || jsonb_build_object('queues', s.doc -> 'queues'))) AS doc
FROM (SELECT app.jobs_summary() AS doc) AS s,
	(SELECT jsonb_build_object('dead_jobs', app.jobs_rows('dead', 50), 'failing_jobs', app.jobs_rows('failing', 20),
		'running_jobs', app.jobs_rows('running', 20), 'done_jobs', app.jobs_rows('done', 20)) AS doc OFFSET 0) AS r;

-- name: jobs_retry
SELECT app.job_now(j.id) AS doc FROM jobs.own_act('retry', :job_id::uuid) AS j (id);

-- name: jobs_cancel
SELECT app.job_now(j.id) AS doc FROM jobs.own_act('cancel', :job_id::uuid) AS j (id);

-- name: jobs_delete
SELECT json_build_object('id', j.id) AS doc FROM jobs.own_act('drop', :job_id::uuid) AS j (id);

-- name: jobs_restore
SELECT app.job_now(j.id) AS doc FROM jobs.own_act('restore', :job_id::uuid) AS j (id);
