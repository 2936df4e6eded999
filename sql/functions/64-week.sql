-- The week and the dashboard: what people look at to see where their time went. Each gathers its facts once, in plain
-- statements whose plans stay, and makes its document of them. Days are those of the person it is about.

SET LOCAL ROLE stint_owner;

-- A project as a page shows it; NULL for work without one.
CREATE OR REPLACE FUNCTION app.project_brief(project uuid) RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN (SELECT jsonb_build_object('id', p.id, 'name', p.name, 'color', p.color, 'client', p.client_name)
		FROM seen.projects AS p WHERE p.id = project);
END
$$;

CREATE OR REPLACE FUNCTION app.week(who uuid, some_day date) RETURNS json
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	its_zone text := coalesce((SELECT m.zone FROM seen.members AS m WHERE m.id = who), app.zone());
	today date := app.day_of(now(), its_zone);
	first date := app.week_of(coalesce(some_day, today), app.week_start());
BEGIN
	RETURN (
		WITH bounds AS MATERIALIZED (
			SELECT * FROM app.days(first, first + 6, its_zone)
		), entries AS MATERIALIZED (
			SELECT * FROM app.rows_between(who, (SELECT min(from_at) FROM bounds), (SELECT max(to_at) FROM bounds))
		), parts AS MATERIALIZED (
			SELECT d.day, e.project_id, e.type, e.started_at, p.part_s,
				e.row_doc || jsonb_build_object('part_s', p.part_s, 'continues_before', e.started_at < d.from_at,
					'continues_after', coalesce(e.ended_at, now()) > d.to_at) AS line
			FROM bounds AS d
			JOIN entries AS e ON e.started_at < d.to_at AND coalesce(e.ended_at, now()) > d.from_at,
			LATERAL (SELECT app.part_s(e.started_at, e.ended_at, d.from_at, d.to_at) AS part_s) AS p
			WHERE d.length_s > 0
		), days AS (
			SELECT d.day, d.length_s, coalesce((SELECT sum(p.part_s) FROM parts AS p
				WHERE p.day = d.day AND p.type = 'work'), 0) AS total_s
			FROM bounds AS d
		), cells AS (
			SELECT p.project_id, p.day, sum(p.part_s) AS total_s FROM parts AS p WHERE p.type = 'work'
			GROUP BY p.project_id, p.day
		), projects AS (
			SELECT c.project_id, app.project_brief(c.project_id) AS project, sum(c.total_s) AS total_s
			FROM cells AS c GROUP BY c.project_id
		)
		SELECT json_build_object('from', first, 'to', first + 6, 'previous', first - 7, 'next', first + 7, 'today', today,
			'current', today BETWEEN first AND first + 6, 'zone', its_zone, 'member_id', who,
			'member_name', (SELECT m.name FROM seen.members AS m WHERE m.id = who), 'own', who = app.member(),
			'total_s', (SELECT sum(total_s) FROM days),
			'target_s', (SELECT o.weekly_target_s FROM seen.organizations AS o),
			'days', (SELECT json_agg(json_build_object('date', d.day, 'is_today', d.day = today, 'length_s', d.length_s,
				'total_s', d.total_s, 'entries', (SELECT coalesce(jsonb_agg(p.line ORDER BY p.started_at), '[]')
					FROM parts AS p WHERE p.day = d.day)) ORDER BY d.day) FROM days AS d),
			'projects', (SELECT coalesce(json_agg(json_build_object('project', p.project, 'total_s', p.total_s,
				'cells', (SELECT json_agg(json_build_object('date', d.day, 'total_s', coalesce(c.total_s, 0)) ORDER BY d.day)
					FROM days AS d LEFT JOIN cells AS c
						ON c.day = d.day AND c.project_id IS NOT DISTINCT FROM p.project_id))
				ORDER BY p.total_s DESC, p.project ->> 'name'), '[]') FROM projects AS p)));
END
$$;

-- The newest entries of six different works to go on with: project, description, tags, billable.
CREATE OR REPLACE FUNCTION app.recent_works(who uuid, most integer) RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN (
		WITH last AS (
			SELECT e.id, e.started_at, e.project_id, e.description, e.tag_ids, e.billable FROM seen.time_entries AS e
			WHERE e.member_id = who AND e.ended_at IS NOT NULL AND e.type = 'work'
			ORDER BY e.started_at DESC, e.id DESC LIMIT 100
		), works AS (
			SELECT DISTINCT ON (project_id, description, tag_ids, billable) id, started_at FROM last
			ORDER BY project_id, description, tag_ids, billable, started_at DESC
		)
		SELECT coalesce(jsonb_agg(r.row_doc ORDER BY w.started_at DESC), '[]')
		FROM (SELECT * FROM works ORDER BY started_at DESC LIMIT most) AS w,
			LATERAL (SELECT s.row_doc FROM seen.time_entry_rows AS s WHERE s.id = w.id LIMIT 1) AS r);
END
$$;

-- Whole percents that add up to 100: each is cut, and the largest remainders get what is left.
CREATE OR REPLACE FUNCTION app.shares(amounts bigint[]) RETURNS integer[]
LANGUAGE sql IMMUTABLE
AS $$
	WITH parts AS (
		SELECT place, amount * 100 / total AS share, amount * 100 % total AS rest
		FROM unnest(amounts) WITH ORDINALITY AS a (amount, place), (SELECT sum(b) FROM unnest(amounts) AS b) AS t (total)
		WHERE total > 0
	)
	SELECT array_agg((floor(share) + CASE WHEN rank <= 100 - whole THEN 1 ELSE 0 END)::integer ORDER BY place)
	FROM (SELECT *, row_number() OVER (ORDER BY rest DESC, place) AS rank, sum(floor(share)) OVER () AS whole FROM parts) AS p;
$$;

-- Five working days share the week's target; the weekend has none. Today is also a line: where on the day each entry lies,
-- in seconds since it began (a day of 25 hours has 90000 of them). What the week went to is ranked, most first.
-- Who works now, on what and since when: of the running entries, those the one who asks can see. A member sees their own
-- at most, and pages show it to those who see everybody's.
CREATE OR REPLACE FUNCTION app.working_now() RETURNS json
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN (
		SELECT coalesce(json_agg(json_build_object('member_id', r.member_id, 'name', m.name, 'initials', app.initials(m.name),
			'entry_id', r.id, 'description', r.description, 'type', r.type, 'started_at', app.instant(r.started_at),
			'duration_s', r.duration_s, 'project', r.row_doc -> 'project') ORDER BY r.started_at, r.id), '[]')
		FROM (SELECT e.* FROM seen.time_entry_rows AS e WHERE e.ended_at IS NULL ORDER BY e.started_at, e.id LIMIT 100) AS r
		JOIN seen.members AS m ON m.id = r.member_id);
END
$$;

CREATE OR REPLACE FUNCTION app.dashboard(who uuid) RETURNS json
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	its_zone text := app.zone();
	today date := app.day_of(now(), its_zone);
	first date := app.week_of(today, app.week_start());
	target integer := (SELECT o.weekly_target_s FROM seen.organizations AS o);
BEGIN
	RETURN (
		WITH bounds AS MATERIALIZED (
			SELECT * FROM app.days(first, first + 6, its_zone)
		), entries AS MATERIALIZED (
			SELECT * FROM app.time_between(who, (SELECT min(from_at) FROM bounds), (SELECT max(to_at) FROM bounds))
		), parts AS MATERIALIZED (
			SELECT d.day, e.id, e.project_id, e.description, e.type, e.started_at, e.ended_at IS NULL AS running,
				app.part_s(e.started_at, e.ended_at, d.from_at, d.to_at) AS part_s,
				app.seconds(d.from_at, greatest(e.started_at, d.from_at)) AS start_s
			FROM bounds AS d
			JOIN entries AS e ON e.started_at < d.to_at AND coalesce(e.ended_at, 'infinity') > d.from_at
			WHERE d.length_s > 0
		), projects AS MATERIALIZED (
			SELECT p.id, p.name, p.color, p.client_name FROM seen.projects AS p
			WHERE p.id = ANY (ARRAY(SELECT project_id FROM parts))
		), days AS MATERIALIZED (
			SELECT d.day, d.length_s, (SELECT coalesce(sum(p.part_s), 0) FROM parts AS p
				WHERE p.day = d.day AND p.type = 'work') AS total_s
			FROM bounds AS d
		), sums AS MATERIALIZED (
			SELECT row_number() OVER (ORDER BY sum(p.part_s) DESC, p.project_id) AS place, p.project_id,
				sum(p.part_s) AS total_s
			FROM parts AS p WHERE p.type = 'work' GROUP BY p.project_id HAVING sum(p.part_s) > 0
		), shares AS MATERIALIZED (
			SELECT app.shares(array_agg(total_s ORDER BY place)) AS share FROM sums
		)
		SELECT json_build_object(
			'working', app.working_now(),
			'today', (SELECT json_build_object('date', d.day, 'length_s', d.length_s, 'total_s', d.total_s,
				'segments', (SELECT coalesce(json_agg(json_build_object('start_s', s.start_s, 'end_s', s.start_s + s.part_s,
					'duration_s', s.part_s,
					'color', p.color, 'label', coalesce(nullif(s.description, ''), p.name, ''), 'type', s.type,
					'entry_id', s.id, 'running', s.running) ORDER BY s.started_at), '[]')
					FROM parts AS s LEFT JOIN projects AS p ON p.id = s.project_id WHERE s.day = today))
				FROM days AS d WHERE d.day = today),
			'week', json_build_object('from', first, 'to', first + 6, 'target_s', target,
				'total_s', (SELECT sum(total_s) FROM days),
				'days', (SELECT json_agg(json_build_object('date', d.day, 'total_s', d.total_s, 'is_today', d.day = today,
					'target_s', CASE WHEN extract(isodow FROM d.day) < 6 THEN target / 5 ELSE 0 END) ORDER BY d.day)
					FROM days AS d)),
			'projects', (SELECT coalesce(json_agg(json_build_object('id', s.project_id, 'name', p.name, 'color', p.color,
				'client', p.client_name, 'total_s', s.total_s, 'share', shares.share[s.place]) ORDER BY s.place), '[]')
				FROM shares, sums AS s LEFT JOIN projects AS p ON p.id = s.project_id),
			'recent', app.recent_works(who, 6),
			'running', (SELECT r.row_doc FROM seen.time_entry_rows AS r WHERE r.member_id = who AND r.ended_at IS NULL)));
END
$$;

RESET ROLE;
