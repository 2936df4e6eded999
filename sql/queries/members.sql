-- Members: the people of an organization. Inviting comes with accounts of others; here is who they are and what they may.

-- By name.
-- name: members_list
WITH page AS (
	SELECT row_number() OVER (ORDER BY lower(m.name), m.id) AS n, m.*
	FROM seen.members AS m
	WHERE (:active::boolean IS NULL OR m.active = :active::boolean)
		AND (:q::text IS NULL OR app.contains(m.name, :q) OR app.contains(m.email, :q))
		AND (:cursor::text IS NULL
			OR (lower(m.name), m.id) > (app.cursor_at(:cursor, 1), app.cursor_uuid(:cursor, 2)))
	ORDER BY n LIMIT :limit::integer + 1)
SELECT json_build_object(
	'data', coalesce(json_agg(app.member_doc(id, version, name, email, role, zone, active, created_at, updated_at) ORDER BY n)
		FILTER (WHERE n <= :limit::integer), '[]'),
	'next_cursor', CASE WHEN app.is_cursor(:cursor) AND count(*) > :limit::integer
		THEN max(app.cursor(lower(name), id::text)) FILTER (WHERE n = :limit::integer) END) AS doc
FROM page;

-- name: members_get
SELECT app.member_doc(id, version, name, email, role, zone, active, created_at, updated_at) AS doc, version::text AS etag
FROM seen.members WHERE id = :member_id::uuid;

-- A role that changes, or a member who is switched off, ends what that member is signed in with (trigger); the last owner
-- stays one (trigger).
-- name: members_update
UPDATE seen.members AS m SET role = coalesce(:input::jsonb ->> 'role', m.role),
	active = coalesce((:input::jsonb ->> 'active')::boolean, m.active)
WHERE m.id = :member_id::uuid AND app.is_version(m.version, :if_match::bigint)
RETURNING app.member_doc(id, version, name, email, role, zone, active, created_at, updated_at) AS doc,
	version::text AS etag;
