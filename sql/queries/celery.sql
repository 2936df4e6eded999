-- Celery at the edges of the queue: functions/93-celery.sql has the rules.

-- name: celery_queues (worker)
SELECT queue FROM jobs.intake_queues() AS queue;

-- name: celery_intake (worker)
SELECT jobs.intake(:queue, :messages::jsonb);

-- name: celery_replies (worker)
SELECT id, task_id, body FROM jobs.replies_next(:most::integer);

-- name: celery_replies_sent (worker)
SELECT jobs.replies_sent(:ids::bigint[]);

-- Asked by the operator's command.

-- name: celery_intakes (worker)
SELECT queue, organization_id, name, letters FROM jobs.intake_list();

-- name: celery_intake_add (worker)
SELECT jobs.intake_add(:queue, :organization_id::uuid) AS how;

-- name: celery_intake_remove (worker)
SELECT jobs.intake_remove(:queue) AS removed;

-- name: celery_letters (worker)
SELECT app.instant(at) AS at, queue, reason, task, task_id, head FROM jobs.letter_list(:most::integer);

-- Tracked time of some members in some local days, by member and by project: what stint.summary answers. unknown: how many of the
-- ids are nobody here. Breaks do not count.
-- name: summary_get (worker)
WITH bounds AS (
	SELECT z.zone, app.day_start(:from::date, z.zone) AS from_at, app.day_start(:to::date + 1, z.zone) AS to_at
	FROM (SELECT coalesce(:zone, (SELECT o.zone FROM seen.organizations AS o)) AS zone) AS z
), wanted AS (
	SELECT m.id, m.name FROM seen.members AS m WHERE m.id = ANY (:member_ids::uuid[])
), parts AS MATERIALIZED (
	SELECT e.member_id, e.project_id, sum(app.part_s(e.started_at, e.ended_at, b.from_at, b.to_at)) AS tracked_s
	FROM bounds AS b, seen.time_entries AS e
	WHERE e.member_id IN (SELECT w.id FROM wanted AS w) AND e.type = 'work'
		AND e.started_at < b.to_at AND coalesce(e.ended_at, 'infinity') > b.from_at
	GROUP BY e.member_id, e.project_id
), named AS (
	SELECT x.member_id, x.project_id, p.name, x.tracked_s FROM parts AS x LEFT JOIN seen.projects AS p ON p.id = x.project_id
)
SELECT cardinality(ARRAY(SELECT DISTINCT unnest(:member_ids::uuid[]))) - (SELECT count(*) FROM wanted) AS unknown,
	json_build_object('from', :from::date, 'to', :to::date, 'zone', b.zone,
	'tracked_s', (SELECT coalesce(sum(n.tracked_s), 0) FROM named AS n),
	'members', (SELECT coalesce(json_agg(json_build_object('member_id', w.id, 'name', w.name,
		'tracked_s', (SELECT coalesce(sum(n.tracked_s), 0) FROM named AS n WHERE n.member_id = w.id),
		'projects', (SELECT coalesce(json_agg(json_build_object('project_id', n.project_id, 'name', n.name,
				'tracked_s', n.tracked_s) ORDER BY n.tracked_s DESC, n.project_id), '[]')
			FROM named AS n WHERE n.member_id = w.id)) ORDER BY lower(w.name), w.id), '[]') FROM wanted AS w),
	'projects', (SELECT coalesce(json_agg(json_build_object('project_id', s.project_id, 'name', s.name,
			'tracked_s', s.tracked_s) ORDER BY s.tracked_s DESC, s.project_id), '[]')
		FROM (SELECT n.project_id, n.name, sum(n.tracked_s) AS tracked_s FROM named AS n GROUP BY n.project_id, n.name) AS s)) AS doc
FROM bounds AS b;
