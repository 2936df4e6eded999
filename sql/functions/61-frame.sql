-- The frame of a page: who is asking, which organizations there are to switch to, what the timer bar offers. Runs as the
-- web, after app.enter in the same statement, and so under row level security; only the list of one's organizations looks
-- beyond the tenant, by app.memberships_of.

SET LOCAL ROLE stint_owner;

-- What the timer bar offers: active projects, those the member used lately first.
CREATE OR REPLACE FUNCTION app.frame_projects() RETURNS json
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN (
		WITH used AS (
			SELECT u.project_id, max(u.started_at) AS at FROM (
				SELECT e.project_id, e.started_at FROM seen.time_entries AS e
				WHERE e.member_id = app.member() AND e.project_id IS NOT NULL
				ORDER BY e.started_at DESC LIMIT 100) AS u
			GROUP BY u.project_id)
		SELECT coalesce(json_agg(json_build_object('id', p.id, 'name', p.name, 'color', p.color, 'client', p.client_name,
			'billable', p.billable) ORDER BY p.at DESC NULLS LAST, lower(p.name)), '[]')
		FROM (
			SELECT p.id, p.name, p.color, p.client_name, p.billable, used.at
			FROM seen.projects AS p LEFT JOIN used ON used.project_id = p.id
			WHERE NOT p.archived ORDER BY used.at DESC NULLS LAST, lower(p.name) LIMIT 200) AS p);
END
$$;

-- A member's entries that touch [from_at, to_at). No finished entry is longer than 31 days: two short index ranges.
-- PL/pgSQL, because it keeps its plans: what is not inlined (arguments that are subqueries) SQL plans at each call.
CREATE OR REPLACE FUNCTION app.time_between(who uuid, from_at timestamptz, to_at timestamptz)
	RETURNS TABLE (id uuid, project_id uuid, description text, type text, started_at timestamptz, ended_at timestamptz)
LANGUAGE plpgsql STABLE ROWS 50
AS $$
BEGIN
	RETURN QUERY
	SELECT e.id, e.project_id, e.description, e.type, e.started_at, e.ended_at FROM seen.time_entries AS e
	WHERE e.member_id = who AND e.started_at < to_at AND e.started_at >= from_at - interval '32 days'
		AND e.ended_at > from_at
	UNION ALL
	SELECT e.id, e.project_id, e.description, e.type, e.started_at, e.ended_at FROM seen.time_entries AS e
	WHERE e.member_id = who AND e.started_at < to_at AND e.ended_at IS NULL;
END
$$;

-- The same as lines of a page. Not a join on the above: that would leave it to the planner's guess of how many there are
-- whether it reads these few or all of the organization's.
CREATE OR REPLACE FUNCTION app.rows_between(who uuid, from_at timestamptz, to_at timestamptz)
	RETURNS TABLE (id uuid, project_id uuid, description text, billable boolean, tag_ids uuid[], type text,
		started_at timestamptz, ended_at timestamptz, row_doc jsonb)
LANGUAGE plpgsql STABLE ROWS 50
AS $$
BEGIN
	RETURN QUERY
	SELECT e.id, e.project_id, e.description, e.billable, e.tag_ids, e.type, e.started_at, e.ended_at, e.row_doc
	FROM seen.time_entry_rows AS e
	WHERE e.member_id = who AND e.started_at < to_at AND e.started_at >= from_at - interval '32 days'
		AND e.ended_at > from_at
	UNION ALL
	SELECT e.id, e.project_id, e.description, e.billable, e.tag_ids, e.type, e.started_at, e.ended_at, e.row_doc
	FROM seen.time_entry_rows AS e
	WHERE e.member_id = who AND e.started_at < to_at AND e.ended_at IS NULL;
END
$$;

-- The newest local days before a date on which a member has time, each with its bounds, at most so many, and fewer when they
-- are full: beyond some forty entries a page is too long to be read and too large to be quick. more says that there may be
-- older ones. Told from the newest few hundred entries: enough for a page, and one short index range.
CREATE OR REPLACE FUNCTION app.days_with_time(who uuid, before_day date, most integer)
	RETURNS TABLE (day date, from_at timestamptz, to_at timestamptz, more boolean)
LANGUAGE plpgsql STABLE ROWS 14
AS $$
DECLARE
	zone text := app.zone();
	edge timestamptz := coalesce(app.day_start(before_day, zone), 'infinity');
	enough integer := most * 20;
	full_page CONSTANT integer := 40;
BEGIN
	RETURN QUERY
	WITH newest AS MATERIALIZED (
		SELECT e.started_at, least(coalesce(e.ended_at, greatest(date_trunc('second', now()), e.started_at + interval '1 second')),
			edge) - interval '1 second' AS last_at
		FROM seen.time_entries AS e
		WHERE e.member_id = who AND e.started_at < edge ORDER BY e.started_at DESC LIMIT enough
	), days AS MATERIALIZED (
		SELECT d::date AS day, count(*) AS entries FROM newest AS n,
			generate_series(app.day_of(n.started_at, zone)::timestamp, app.day_of(n.last_at, zone)::timestamp, interval '1 day') AS d
		GROUP BY d
	), fitting AS MATERIALIZED (
		SELECT p.day FROM (
			SELECT d.day, row_number() OVER so_far AS n, sum(d.entries) OVER so_far AS entries FROM days AS d
			WHERE before_day IS NULL OR d.day < before_day WINDOW so_far AS (ORDER BY d.day DESC)) AS p
		WHERE p.n = 1 OR (p.n <= most AND p.entries <= full_page)
	)
	SELECT f.day, app.day_start(f.day, zone), app.day_start(f.day + 1, zone),
		(SELECT count(*) FROM days) > (SELECT count(*) FROM fitting) OR (SELECT count(*) FROM newest) = enough
	FROM fitting AS f;
END
$$;

-- Seconds of work of a member between two instants, running ones up to now. Breaks are shown beside work and not counted.
CREATE OR REPLACE FUNCTION app.tracked_s(who uuid, from_at timestamptz, to_at timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN (SELECT coalesce(sum(app.part_s(e.started_at, e.ended_at, from_at, to_at)), 0)
		FROM app.time_between(who, from_at, to_at) AS e WHERE e.type = 'work');
END
$$;

CREATE OR REPLACE FUNCTION app.frame() RETURNS json
LANGUAGE plpgsql STABLE COST 100000
AS $$
DECLARE
	today date := app.day_of(now(), app.zone());
BEGIN
	RETURN (
		SELECT json_build_object(
			'person', json_build_object('member_id', m.id, 'name', m.name, 'email', m.email,
				'initials', app.initials(m.name), 'role', m.role, 'zone', m.zone, 'week_start', m.week_start,
				'clock_12h', m.clock_12h, 'decimal_durations', m.decimal_durations, 'language', m.language),
			'organization', (SELECT json_build_object('id', o.id, 'name', o.name, 'initials', app.initials(o.name))
				FROM seen.organizations AS o),
			'organizations', (SELECT json_agg(json_build_object('id', o.organization_id, 'name', o.organization_name,
					'initials', app.initials(o.organization_name), 'current', o.organization_id = m.organization_id)
					ORDER BY lower(o.organization_name))
				FROM app.memberships_of(m.user_id) AS o),
			'can', app.permissions_held(app.granted()),
			'unread', (SELECT count(*) FROM seen.notifications AS n WHERE n.read_at IS NULL),
			'running', (SELECT r.row_doc FROM seen.time_entry_rows AS r
				WHERE r.member_id = app.member() AND r.ended_at IS NULL),
			'today_s', app.tracked_s(app.member(), app.day_start(today, app.zone()), app.day_start(today + 1, app.zone())),
			'projects', app.frame_projects(),
			'tags', (SELECT coalesce(json_agg(json_build_object('id', t.id, 'name', t.name) ORDER BY lower(t.name)), '[]')
				FROM (SELECT s.id, s.name FROM seen.tags AS s ORDER BY lower(s.name) LIMIT 200) AS t),
			'position', coalesce((SELECT h.position FROM seen.event_heads AS h), 0),
			'now', app.instant(now()))
		FROM seen.members AS m WHERE m.id = app.member());
END
$$;

-- Changes the caller's profile and gives the new one. A function, so that the answer is read after the change.
CREATE OR REPLACE FUNCTION app.profile_update(credential_hash bytea, input jsonb, if_match bigint)
	RETURNS TABLE (doc json, etag text)
LANGUAGE plpgsql VOLATILE ROWS 1
AS $$
BEGIN
	PERFORM app.is_version(m.version, if_match) FROM seen.members AS m WHERE m.id = app.member() FOR UPDATE;
	PERFORM app.profile_change(credential_hash, input);
	RETURN QUERY SELECT p.doc, p.etag FROM seen.profile AS p;
END
$$;

RESET ROLE;
