-- Projects: what time is tracked on. One that has entries is archived and not deleted, deleted entries counting too: they
-- may come back.

-- By name. archived: false shows the active ones, true the archived ones, all shows both. The page is cut before its totals
-- are added up.
-- name: projects_list
WITH page AS (
	SELECT row_number() OVER (ORDER BY lower(p.name), p.id) AS n, p.id
	FROM seen.projects AS p
	WHERE (:archived = 'all' OR p.archived = (coalesce(:archived, 'false') = 'true'))
		AND (:client_id::uuid IS NULL OR p.client_id = :client_id::uuid)
		AND (:q::text IS NULL OR app.contains(p.name, :q) OR app.contains(coalesce(p.client_name, ''), :q))
		AND (:cursor::text IS NULL
			OR (lower(p.name), p.id) > (app.cursor_at(:cursor, 1), app.cursor_uuid(:cursor, 2)))
	ORDER BY n LIMIT :limit::integer + 1)
SELECT json_build_object(
	'data', coalesce(json_agg(app.project_doc(p.id, p.version, p.name, p.client_id, p.client_name, p.color, p.billable,
		p.archived, p.tracked_s, p.created_at, p.updated_at) ORDER BY n) FILTER (WHERE n <= :limit::integer), '[]'),
	'next_cursor', CASE WHEN app.is_cursor(:cursor) AND count(*) > :limit::integer
		THEN max(app.cursor(lower(p.name), p.id::text)) FILTER (WHERE n = :limit::integer) END) AS doc
FROM page JOIN seen.projects AS p USING (id);

-- name: projects_create
WITH wanted AS MATERIALIZED (
	SELECT coalesce((:input::jsonb ->> 'id')::uuid, app.uuidv7()) AS id
), known AS (
	SELECT p.* FROM seen.projects AS p JOIN wanted USING (id) WHERE p.created_by = app.member()
), made AS (
	INSERT INTO data.projects (organization_id, id, client_id, name, color, billable, created_by)
	SELECT app.org(), id, app.client_wanted((:input::jsonb ->> 'client_id')::uuid), :name,
		coalesce((:input::jsonb ->> 'color')::smallint, app.next_color()),
		coalesce((:input::jsonb ->> 'billable')::boolean, false), app.member()
	FROM wanted WHERE NOT EXISTS (SELECT FROM known)
	RETURNING *
), answer AS (
	SELECT id, version, name, client_id, (SELECT c.name FROM seen.clients AS c WHERE c.id = client_id) AS client_name,
		color, billable, archived, 0::bigint AS tracked_s, created_at, updated_at FROM made
	UNION ALL
	SELECT id, version, name, client_id, client_name, color, billable, archived, tracked_s, created_at, updated_at FROM known
)
SELECT 201 AS status, app.project_doc(id, version, name, client_id, client_name, color, billable, archived, tracked_s,
	created_at, updated_at) AS doc, version::text AS etag, '/api/v1/projects/' || id AS location
FROM answer;

-- name: projects_get
SELECT app.project_doc(id, version, name, client_id, client_name, color, billable, archived, tracked_s, created_at,
	updated_at) AS doc, version::text AS etag
FROM seen.projects WHERE id = :project_id::uuid;

-- The page of one project: the project, and the clients it may belong to (active ones, and its own).
-- name: projects_edit
SELECT app.project_doc(p.id, p.version, p.name, p.client_id, p.client_name, p.color, p.billable, p.archived, p.tracked_s,
		p.created_at, p.updated_at)::jsonb
	|| jsonb_build_object('clients', app.client_choices(p.client_id)) AS doc, p.version::text AS etag
FROM seen.projects AS p WHERE p.id = :project_id::uuid;

-- The page of all projects: as the list, and the clients a new one may belong to.
-- name: projects_page
SELECT json_build_object(
	'data', (SELECT coalesce(json_agg(app.project_doc(p.id, p.version, p.name, p.client_id, p.client_name, p.color,
			p.billable, p.archived, p.tracked_s, p.created_at, p.updated_at) ORDER BY lower(p.name), p.id), '[]')
		FROM seen.projects AS p
		WHERE (:archived = 'all' OR p.archived = (coalesce(:archived, 'false') = 'true'))
			AND (:q::text IS NULL OR app.contains(p.name, :q) OR app.contains(coalesce(p.client_name, ''), :q))),
	'next_cursor', NULL,
	'clients', app.client_choices(NULL)) AS doc;

-- client_id may be taken away by null; what was not sent stays.
-- name: projects_update
UPDATE seen.projects AS p SET name = coalesce(:input::jsonb ->> 'name', p.name),
	client_id = CASE WHEN :input::jsonb ? 'client_id' AND (:input::jsonb ->> 'client_id')::uuid IS DISTINCT FROM p.client_id
		THEN app.client_wanted((:input::jsonb ->> 'client_id')::uuid) ELSE p.client_id END,
	color = coalesce((:input::jsonb ->> 'color')::smallint, p.color),
	billable = coalesce((:input::jsonb ->> 'billable')::boolean, p.billable),
	archived = coalesce((:input::jsonb ->> 'archived')::boolean, p.archived)
WHERE p.id = :project_id::uuid AND app.is_version(p.version, :if_match::bigint)
RETURNING app.project_doc(id, version, name, client_id, client_name, color, billable, archived, tracked_s, created_at,
	updated_at) AS doc, version::text AS etag;

-- name: projects_delete
UPDATE seen.projects AS p SET deleted_at = now()
WHERE p.id = :project_id::uuid AND app.is_version(p.version, :if_match::bigint) AND app.is_unused(app.entries_on(p.id))
RETURNING json_build_object('id', id) AS doc;

-- name: projects_restore
WITH back AS (
	UPDATE seen.deleted_projects AS p SET deleted_at = NULL WHERE p.id = :project_id::uuid
	RETURNING id, version, name, client_id, client_name, color, billable, archived, tracked_s, created_at, updated_at
), answer AS (
	SELECT * FROM back
	UNION ALL
	SELECT id, version, name, client_id, client_name, color, billable, archived, tracked_s, created_at, updated_at
	FROM seen.projects WHERE id = :project_id::uuid
)
SELECT app.project_doc(id, version, name, client_id, client_name, color, billable, archived, tracked_s, created_at,
	updated_at) AS doc, version::text AS etag
FROM answer;
