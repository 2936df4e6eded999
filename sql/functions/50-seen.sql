-- Who sees what, decided once: one view per noun, and queries read nothing else. Row level security below says which
-- tenant; here is said which of its rows, and that deleted ones are gone. security_invoker, so that the policies of the
-- tables apply to the one who asks and not to the views' owner.
--
-- The plain views can be updated through. A noun's document, the JSON of the API, is made in one place: by app.NOUN_doc()
-- for small nouns, which creating, changing and listing share, and by seen.time_entry_docs for entries.

SET LOCAL ROLE stint_owner;

-- Columns may have changed since, so they are made anew, in one transaction. No CASCADE: a function that took a view's row
-- as its type would vanish with it.
DO $$
DECLARE
	views text;
BEGIN
	SELECT string_agg(oid::regclass::text, ', ') INTO views
	FROM pg_class WHERE relnamespace = 'seen'::regnamespace AND relkind = 'v';
	IF views IS NOT NULL THEN
		EXECUTE 'DROP VIEW ' || views;
	END IF;
END
$$;

-- Organization and people --------------------------------------------------------------------------------------------

CREATE VIEW seen.organizations WITH (security_invoker) AS
SELECT o.* FROM data.organizations AS o WHERE o.deleted_at IS NULL;

CREATE VIEW seen.members WITH (security_invoker) AS
SELECT m.* FROM data.members AS m
WHERE m.deleted_at IS NULL AND ((SELECT app.can('members_view')) OR m.id = app.member());

-- How far the organization's events have come: what a page shows is at least that new.
CREATE VIEW seen.event_heads WITH (security_invoker) AS
SELECT h.organization_id, h.position FROM data.event_heads AS h;

-- The caller's own profile, as a document.
CREATE VIEW seen.profile WITH (security_invoker) AS
SELECT json_build_object('id', app.user(), 'member_id', m.id, 'name', m.name, 'email', m.email, 'role', m.role,
	'zone', m.zone, 'language', m.language, 'week_start', m.week_start, 'clock_12h', m.clock_12h,
	'decimal_durations', m.decimal_durations,
	'permissions', ARRAY(SELECT name FROM unnest(app.permission_names()) AS name WHERE app.can(name)),
	'organization', json_build_object('id', o.id, 'name', o.name)) AS doc, m.version::text AS etag
FROM seen.members AS m, seen.organizations AS o WHERE m.id = app.member();

-- Time ---------------------------------------------------------------------------------------------------------------

-- One's own, and everybody's for those who may see it: asked once a statement (a subquery) and not for each row.
CREATE VIEW seen.time_entries WITH (security_invoker) AS
SELECT e.*, app.seconds(e.started_at, e.ended_at) AS duration_s
FROM data.time_entries AS e
WHERE e.deleted_at IS NULL AND ((SELECT app.can('time_view_all')) OR e.member_id = app.member());

CREATE VIEW seen.deleted_time_entries WITH (security_invoker) AS
SELECT e.* FROM data.time_entries AS e
WHERE e.deleted_at IS NOT NULL AND ((SELECT app.can('time_view_all')) OR e.member_id = app.member());

-- Work ---------------------------------------------------------------------------------------------------------------

-- all_* knows the deleted ones too, for undo; the others stand on it.
CREATE VIEW seen.all_tags WITH (security_invoker) AS
SELECT t.*, (
	SELECT count(*) FROM data.time_entry_tags AS x
	JOIN seen.time_entries AS e ON e.organization_id = x.organization_id AND e.id = x.time_entry_id
	WHERE x.organization_id = t.organization_id AND x.tag_id = t.id
) AS entry_count
FROM data.tags AS t;

CREATE VIEW seen.tags WITH (security_invoker) AS
SELECT * FROM seen.all_tags WHERE deleted_at IS NULL;

CREATE VIEW seen.deleted_tags WITH (security_invoker) AS
SELECT * FROM seen.all_tags WHERE deleted_at IS NOT NULL;

-- An entry's tags: a deleted tag is off its entries, and on them again when it is restored.
CREATE VIEW seen.time_entry_tags WITH (security_invoker) AS
SELECT x.organization_id, x.time_entry_id, x.tag_id
FROM data.time_entry_tags AS x
JOIN seen.time_entries AS e ON e.organization_id = x.organization_id AND e.id = x.time_entry_id
JOIN data.tags AS t ON t.organization_id = x.organization_id AND t.id = x.tag_id AND t.deleted_at IS NULL;

-- What is tracked is what the one who asks can see of it: a total must not tell what a list hides.
CREATE VIEW seen.all_projects WITH (security_invoker) AS
SELECT p.*,
	(SELECT c.name FROM data.clients AS c
		WHERE c.organization_id = p.organization_id AND c.id = p.client_id AND c.deleted_at IS NULL) AS client_name,
	(SELECT coalesce(sum(e.duration_s), 0) FROM seen.time_entries AS e
		WHERE e.organization_id = p.organization_id AND e.project_id = p.id AND e.type = 'work') AS tracked_s
FROM data.projects AS p;

CREATE VIEW seen.projects WITH (security_invoker) AS
SELECT * FROM seen.all_projects WHERE deleted_at IS NULL;

CREATE VIEW seen.deleted_projects WITH (security_invoker) AS
SELECT * FROM seen.all_projects WHERE deleted_at IS NOT NULL;

CREATE VIEW seen.all_clients WITH (security_invoker) AS
SELECT c.*, (
	SELECT count(*) FROM data.projects AS p
	WHERE p.organization_id = c.organization_id AND p.client_id = c.id AND p.deleted_at IS NULL
) AS project_count
FROM data.clients AS c;

CREATE VIEW seen.clients WITH (security_invoker) AS
SELECT * FROM seen.all_clients WHERE deleted_at IS NULL;

CREATE VIEW seen.deleted_clients WITH (security_invoker) AS
SELECT * FROM seen.all_clients WHERE deleted_at IS NOT NULL;

-- A person's own, and nobody else's.
CREATE VIEW seen.notifications WITH (security_invoker) AS
SELECT n.* FROM data.notifications AS n WHERE n.member_id = app.member() AND n.in_app;

CREATE VIEW seen.notification_preferences WITH (security_invoker) AS
SELECT p.* FROM data.notification_preferences AS p WHERE p.member_id = app.member();

-- Endpoints are for those who may change them: an address may hold a key. Of their secrets nothing is seen.
CREATE VIEW seen.all_webhooks WITH (security_invoker) AS
SELECT w.* FROM data.webhooks AS w WHERE (SELECT app.can('webhooks_edit'));

CREATE VIEW seen.webhooks WITH (security_invoker) AS
SELECT * FROM seen.all_webhooks WHERE deleted_at IS NULL;

CREATE VIEW seen.deleted_webhooks WITH (security_invoker) AS
SELECT * FROM seen.all_webhooks WHERE deleted_at IS NOT NULL;

CREATE VIEW seen.webhook_docs WITH (security_invoker) AS
SELECT w.*, json_build_object('id', w.id, 'version', w.version, 'url', w.url, 'description', w.description, 'events', w.events,
	'active', w.active, 'disabled_reason', w.disabled_reason,
	'health', CASE WHEN NOT w.active THEN 'off' WHEN s.failing_since IS NOT NULL THEN 'failing'
		WHEN s.succeeded_at IS NOT NULL THEN 'good' ELSE 'new' END,
	'failing_since', app.instant(s.failing_since), 'succeeded_at', app.instant(s.succeeded_at),
	'secret_changed_at', app.instant(w.secret_changed_at),
	'old_secret_until', CASE WHEN s.old_secret_until > now() THEN app.instant(s.old_secret_until) END,
	'created_at', app.instant(w.created_at), 'updated_at', app.instant(w.updated_at)) AS doc
FROM seen.webhooks AS w
JOIN data.webhook_states AS s ON s.organization_id = w.organization_id AND s.webhook_id = w.id;

CREATE VIEW seen.webhook_deliveries WITH (security_invoker) AS
SELECT d.* FROM data.webhook_deliveries AS d WHERE (SELECT app.can('webhooks_edit'));

-- doc is a line of a list; what went out and what came back is in `whole` besides.
CREATE VIEW seen.webhook_delivery_docs WITH (security_invoker) AS
SELECT d.*, json_build_object('id', d.id, 'webhook_id', d.webhook_id, 'type', d.type, 'position', d.position, 'noun', d.noun,
	'row_id', d.row_id, 'state', d.state, 'attempts', d.attempts, 'next_at', app.instant(d.next_at),
	'last_status', d.last_status, 'last_error', d.last_error, 'took_ms', d.took_ms, 'request_id', d.request_id,
	'at', app.instant(d.at), 'created_at', app.instant(d.created_at), 'finished_at', app.instant(d.finished_at)) AS doc
FROM seen.webhook_deliveries AS d
JOIN seen.webhooks AS w ON w.organization_id = d.organization_id AND w.id = d.webhook_id;

-- Entries as documents -----------------------------------------------------------------------------------------------

-- Tags by name, for the API and for pages. Functions and not subqueries: most entries have no tags, and a subquery is made
-- ready for each statement even when no row asks for it, which the running timer's few microseconds would feel.
CREATE OR REPLACE FUNCTION app.entry_tags(tag_ids uuid[]) RETURNS json
LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
BEGIN
	RETURN (SELECT coalesce(json_agg(t.id ORDER BY lower(t.name)), '[]') FROM seen.tags AS t WHERE t.id = ANY (tag_ids));
END
$$;

CREATE OR REPLACE FUNCTION app.entry_tag_names(tag_ids uuid[]) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
BEGIN
	RETURN (SELECT coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'name', t.name) ORDER BY lower(t.name)), '[]')
		FROM seen.tags AS t WHERE t.id = ANY (tag_ids));
END
$$;

-- doc is the entry of the API.
CREATE VIEW seen.time_entry_docs WITH (security_invoker) AS
SELECT e.*, json_build_object(
	'id', e.id, 'version', e.version, 'member_id', e.member_id, 'project_id', e.project_id, 'task_id', NULL,
	'description', e.description,
	'tags', CASE WHEN e.tag_ids = '{}' THEN '[]'::json ELSE app.entry_tags(e.tag_ids) END,
	'billable', e.billable, 'type', e.type,
	'started_at', app.instant(e.started_at), 'ended_at', app.instant(e.ended_at), 'duration_s', e.duration_s,
	'zone', e.zone, 'status', e.status,
	'created_at', app.instant(e.created_at), 'updated_at', app.instant(e.updated_at)) AS doc
FROM seen.time_entries AS e;

-- row_doc is the entry as a line of a page: names in place of ids, so that a template needs nothing else.
CREATE VIEW seen.time_entry_rows WITH (security_invoker) AS
SELECT e.*, jsonb_build_object(
	'id', e.id, 'version', e.version, 'member_id', e.member_id, 'description', e.description, 'billable', e.billable,
	'type', e.type, 'status', e.status, 'started_at', app.instant(e.started_at), 'ended_at', app.instant(e.ended_at),
	'duration_s', e.duration_s, 'zone', e.zone, 'running', e.ended_at IS NULL,
	'project', CASE WHEN e.project_id IS NULL THEN NULL ELSE (
		SELECT jsonb_build_object('id', p.id, 'name', p.name, 'color', p.color, 'client', p.client_name)
		FROM seen.projects AS p WHERE p.organization_id = e.organization_id AND p.id = e.project_id) END,
	'tags', CASE WHEN e.tag_ids = '{}' THEN '[]'::jsonb ELSE app.entry_tag_names(e.tag_ids) END) AS row_doc
FROM seen.time_entries AS e;

-- What happened to the entries one can see, oldest first; who did it, as they are called now.
CREATE VIEW seen.time_entry_events WITH (security_invoker) AS
SELECT v.seq, v.position, v.at, v.member_id, m.name AS who, v.row_id AS time_entry_id, v.action, v.before, v.after
FROM data.events AS v
JOIN seen.time_entries AS e ON e.organization_id = v.organization_id AND e.id = v.row_id
LEFT JOIN data.members AS m ON m.organization_id = v.organization_id AND m.id = v.member_id
WHERE v.noun = 'time_entry';

-- Background work: the organization's own, for those who may, without the secrets among what a job was given. A dropped job is
-- out of sight until it is restored.
CREATE VIEW seen.jobs WITH (security_invoker) AS
SELECT j.id, j.lane, j.member_id, j.kind, j.queue, j.priority, j.state, app.masked(j.args) AS args, j.due_at, j.expires_at,
	j.attempts, j.max_attempts, j.crashes, j.cancel AS cancelling, j.created_at, j.started_at, j.finished_at,
	app.masked(j.result) AS result, app.masked_text(j.error) AS error
FROM jobs.jobs AS j
WHERE j.lane = app.org() AND j.dropped IS NULL AND (SELECT app.can('jobs_view'));

CREATE VIEW seen.job_docs WITH (security_invoker) AS
SELECT j.*, json_build_object('id', j.id, 'kind', j.kind, 'queue', j.queue, 'priority', j.priority,
	'state', CASE WHEN j.state = 'running' AND j.cancelling THEN 'cancelling' ELSE j.state END,
	'attempts', j.attempts, 'max_attempts', j.max_attempts, 'member_id', j.member_id, 'created_at', app.instant(j.created_at),
	'due_at', app.instant(j.due_at), 'started_at', app.instant(j.started_at), 'finished_at', app.instant(j.finished_at),
	'error', j.error, 'args', j.args, 'result', j.result) AS doc
FROM seen.jobs AS j;

CREATE VIEW seen.job_tallies WITH (security_invoker) AS
SELECT t.minute, t.done, t.failed, t.dead FROM jobs.tallies AS t
WHERE t.lane = app.org() AND (SELECT app.can('jobs_view'));

-- Deleting is an update that the view lets through; which columns, the grants on the tables say.
GRANT UPDATE ON seen.organizations, seen.members, seen.all_clients, seen.clients, seen.deleted_clients,
	seen.all_projects, seen.projects, seen.deleted_projects, seen.all_tags, seen.tags, seen.deleted_tags,
	seen.time_entries, seen.deleted_time_entries, seen.notifications, seen.all_webhooks, seen.webhooks, seen.deleted_webhooks,
	seen.webhook_deliveries TO stint_web;

RESET ROLE;
