-- The timer: the one entry of a member that runs. Writing is in sql/functions/65-time-entries.sql, since it waits for its
-- turn first and must look again after that.

-- name: timer_get
SELECT d.doc, d.version::text AS etag
FROM seen.time_entry_docs AS d WHERE d.member_id = app.member() AND d.ended_at IS NULL;

-- name: timer_start
SELECT 201 AS status, a.doc, a.etag, '/api/v1/time-entries/' || started.id AS location
FROM app.timer_start(:input::jsonb) AS started (id), app.entry_answer(started.id) AS a;

-- name: timer_stop
SELECT a.doc, a.etag
FROM app.timer_stop(:input::jsonb) AS stopped (id), app.entry_answer(stopped.id) AS a;

-- Seven days with entries, newest first, from before a date when one is given. A day shows what falls on it: an
-- entry over midnight stands on both days, each with its part. Equal work of a day is one group, its newest entry first.
-- name: timer_page
WITH today AS (
	SELECT app.day_of(now(), app.zone()) AS day
), shown AS MATERIALIZED (
	SELECT * FROM app.days_with_time(app.member(), :before::date, 7)
), entries AS MATERIALIZED (
	SELECT * FROM app.rows_between(app.member(), (SELECT min(from_at) FROM shown), (SELECT max(to_at) FROM shown))
), parts AS MATERIALIZED (
	SELECT s.day, e.id, e.project_id, e.description, e.billable, e.type, e.tag_ids, e.started_at, e.ended_at, p.part_s,
		e.row_doc || jsonb_build_object('part_s', p.part_s, 'continues_before', e.started_at < s.from_at,
			'continues_after', coalesce(e.ended_at, now()) > s.to_at) AS line
	FROM shown AS s
	JOIN entries AS e ON e.started_at < s.to_at AND coalesce(e.ended_at, now()) > s.from_at,
	LATERAL (SELECT app.part_s(e.started_at, e.ended_at, s.from_at, s.to_at) AS part_s) AS p
), groups AS (
	SELECT p.day, max(p.started_at) AS newest_at, sum(p.part_s) AS total_s,
		(array_agg(p.line ORDER BY p.started_at DESC))[1] || jsonb_build_object(
			'count', count(*), 'many', count(*) > 1, 'total_s', sum(p.part_s),
			'key', p.day || '-' || left(md5(concat_ws('|', p.project_id, p.description, p.billable, p.type, p.tag_ids,
				CASE WHEN p.ended_at IS NULL THEN p.id END)), 8),
			'entries', jsonb_agg(p.line ORDER BY p.started_at DESC)) AS doc
	FROM parts AS p
	-- The running one stands alone: its clock runs.
	GROUP BY p.day, p.project_id, p.description, p.billable, p.type, p.tag_ids, CASE WHEN p.ended_at IS NULL THEN p.id END
), totals AS (
	SELECT day, sum(part_s) FILTER (WHERE type = 'work') AS total_s FROM parts GROUP BY day
)
SELECT json_build_object(
	'today', today.day,
	'days', coalesce((SELECT json_agg(json_build_object('date', t.day, 'is_today', t.day = today.day,
			'total_s', coalesce(t.total_s, 0),
			'groups', (SELECT json_agg(g.doc ORDER BY g.newest_at DESC) FROM groups AS g WHERE g.day = t.day))
			ORDER BY t.day DESC)
		FROM totals AS t), '[]'),
	'older', (SELECT min(day) FROM shown WHERE more),
	'running', (SELECT r.row_doc FROM seen.time_entry_rows AS r WHERE r.member_id = app.member() AND r.ended_at IS NULL)) AS doc
FROM today;
