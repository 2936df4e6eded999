-- Clients: whom work is done for. As tags, with an archive; one that has projects is archived and not deleted.

-- By name. archived: false shows the active ones, true the archived ones, all shows both.
-- name: clients_list
WITH page AS (
	SELECT row_number() OVER (ORDER BY lower(c.name), c.id) AS n, c.*
	FROM seen.clients AS c
	WHERE (:archived = 'all' OR c.archived = (coalesce(:archived, 'false') = 'true'))
		AND (:q::text IS NULL OR app.contains(c.name, :q))
		AND (:cursor::text IS NULL
			OR (lower(c.name), c.id) > (app.cursor_at(:cursor, 1), app.cursor_uuid(:cursor, 2)))
	ORDER BY n LIMIT :limit::integer + 1)
SELECT json_build_object(
	'data', coalesce(json_agg(app.client_doc(id, version, name, archived, project_count, created_at, updated_at)
		ORDER BY n) FILTER (WHERE n <= :limit::integer), '[]'),
	'next_cursor', CASE WHEN app.is_cursor(:cursor) AND count(*) > :limit::integer
		THEN max(app.cursor(lower(name), id::text)) FILTER (WHERE n = :limit::integer) END) AS doc
FROM page;

-- name: clients_create
WITH wanted AS MATERIALIZED (
	SELECT coalesce((:input::jsonb ->> 'id')::uuid, app.uuidv7()) AS id
), known AS (
	SELECT c.* FROM seen.clients AS c JOIN wanted USING (id) WHERE c.created_by = app.member()
), made AS (
	INSERT INTO data.clients (organization_id, id, name, created_by)
	SELECT app.org(), id, :name, app.member() FROM wanted WHERE NOT EXISTS (SELECT FROM known)
	RETURNING id, version, name, archived, 0::bigint AS project_count, created_at, updated_at
), answer AS (
	SELECT * FROM made
	UNION ALL
	SELECT id, version, name, archived, project_count, created_at, updated_at FROM known
)
SELECT 201 AS status, app.client_doc(id, version, name, archived, project_count, created_at, updated_at) AS doc,
	version::text AS etag, '/api/v1/clients/' || id AS location
FROM answer;

-- name: clients_get
SELECT app.client_doc(id, version, name, archived, project_count, created_at, updated_at) AS doc, version::text AS etag
FROM seen.clients WHERE id = :client_id::uuid;

-- name: clients_update
UPDATE seen.clients AS c SET name = coalesce(:input::jsonb ->> 'name', c.name),
	archived = coalesce((:input::jsonb ->> 'archived')::boolean, c.archived)
WHERE c.id = :client_id::uuid AND app.is_version(c.version, :if_match::bigint)
RETURNING app.client_doc(id, version, name, archived, project_count, created_at, updated_at) AS doc,
	version::text AS etag;

-- name: clients_delete
UPDATE seen.clients AS c SET deleted_at = now()
WHERE c.id = :client_id::uuid AND app.is_version(c.version, :if_match::bigint) AND app.is_unused(c.project_count)
RETURNING json_build_object('id', id) AS doc;

-- name: clients_restore
WITH back AS (
	UPDATE seen.deleted_clients AS c SET deleted_at = NULL WHERE c.id = :client_id::uuid
	RETURNING id, version, name, archived, project_count, created_at, updated_at
), answer AS (
	SELECT * FROM back
	UNION ALL
	SELECT id, version, name, archived, project_count, created_at, updated_at FROM seen.clients
	WHERE id = :client_id::uuid
)
SELECT app.client_doc(id, version, name, archived, project_count, created_at, updated_at) AS doc, version::text AS etag
FROM answer;
