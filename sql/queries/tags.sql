-- Tags: words put on entries. The exemplar of a noun: what later nouns do, they do like this.
--
-- Each statement gives one row (doc, and where it says more: status, etag, location) or none, which is 404. Reading and changing
-- go through seen.*, which knows what the caller may see; a new row goes into data.*. The document is made by app.tag_doc
-- everywhere. Parameters are text and cast where they are used.

-- By name. `n` numbers the page, whose one row too many says that there is a next one.
-- name: tags_list
WITH page AS (
	SELECT row_number() OVER (ORDER BY lower(t.name), t.id) AS n, t.*
	FROM seen.tags AS t
	WHERE (:q::text IS NULL OR app.contains(t.name, :q))
		AND (:cursor::text IS NULL
			OR (lower(t.name), t.id) > (app.cursor_at(:cursor, 1), app.cursor_uuid(:cursor, 2)))
	ORDER BY n LIMIT :limit::integer + 1)
SELECT json_build_object(
	'data', coalesce(json_agg(app.tag_doc(id, version, name, entry_count, created_at, updated_at) ORDER BY n)
		FILTER (WHERE n <= :limit::integer), '[]'),
	'next_cursor', CASE WHEN app.is_cursor(:cursor) AND count(*) > :limit::integer
		THEN max(app.cursor(lower(name), id::text)) FILTER (WHERE n = :limit::integer) END) AS doc
FROM page;

-- A client may make the id. When the same member sends it again the tag that is there is the answer, as if it had just
-- been made; `taken` is what stands in the way otherwise. A name in use is refused by the index tags_name.
-- name: tags_create
WITH wanted AS MATERIALIZED (
	SELECT coalesce((:input::jsonb ->> 'id')::uuid, app.uuidv7()) AS id
), known AS (
	SELECT t.* FROM seen.tags AS t JOIN wanted USING (id) WHERE t.created_by = app.member()
), made AS (
	INSERT INTO data.tags (organization_id, id, name, created_by)
	SELECT app.org(), id, :name, app.member() FROM wanted WHERE NOT EXISTS (SELECT FROM known)
	RETURNING id, version, name, 0::bigint AS entry_count, created_at, updated_at
), answer AS (
	SELECT * FROM made
	UNION ALL
	SELECT id, version, name, entry_count, created_at, updated_at FROM known
)
SELECT 201 AS status, app.tag_doc(id, version, name, entry_count, created_at, updated_at) AS doc,
	version::text AS etag, '/api/v1/tags/' || id AS location
FROM answer;

-- name: tags_get
SELECT app.tag_doc(id, version, name, entry_count, created_at, updated_at) AS doc, version::text AS etag
FROM seen.tags WHERE id = :tag_id::uuid;

-- Absent is not null: what was not sent stays.
-- name: tags_update
UPDATE seen.tags AS t SET name = coalesce(:input::jsonb ->> 'name', t.name)
WHERE t.id = :tag_id::uuid AND app.is_version(t.version, :if_match::bigint)
RETURNING app.tag_doc(id, version, name, entry_count, created_at, updated_at) AS doc, version::text AS etag;

-- It goes off its entries with this, and is on them again when it is restored.
-- name: tags_delete
UPDATE seen.tags AS t SET deleted_at = now()
WHERE t.id = :tag_id::uuid AND app.is_version(t.version, :if_match::bigint)
RETURNING json_build_object('id', id) AS doc;

-- Undo. Asked again, or for a tag that was never deleted, it gives the tag as it is. Another tag may have taken the name
-- meanwhile: then tags_name refuses.
-- name: tags_restore
WITH back AS (
	UPDATE seen.deleted_tags AS t SET deleted_at = NULL WHERE t.id = :tag_id::uuid
	RETURNING id, version, name, entry_count, created_at, updated_at
), answer AS (
	SELECT * FROM back
	UNION ALL
	SELECT id, version, name, entry_count, created_at, updated_at FROM seen.tags WHERE id = :tag_id::uuid
)
SELECT app.tag_doc(id, version, name, entry_count, created_at, updated_at) AS doc, version::text AS etag
FROM answer;
