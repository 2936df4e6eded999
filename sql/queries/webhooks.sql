-- Webhooks: endpoints, their secrets, and what became of each delivery. What is more than one statement is a function
-- (functions/94-webhooks.sql).

-- In order of creation.
-- name: webhooks_list
WITH page AS (
	SELECT row_number() OVER (ORDER BY w.id) AS n, w.*
	FROM seen.webhook_docs AS w
	WHERE :cursor::text IS NULL OR w.id > app.cursor_uuid(:cursor, 2)
	ORDER BY n LIMIT :limit::integer + 1)
SELECT json_build_object(
	'data', coalesce(json_agg(doc ORDER BY n) FILTER (WHERE n <= :limit::integer), '[]'),
	'next_cursor', CASE WHEN app.is_cursor(:cursor) AND count(*) > :limit::integer
		THEN max(app.cursor(app.instant(created_at), id::text)) FILTER (WHERE n = :limit::integer) END) AS doc
FROM page;

-- name: webhooks_event_types
SELECT json_build_object('data', json_agg(json_build_object('type', n.noun || '.' || a.action, 'noun', n.noun, 'action', a.action)
	ORDER BY n.place, a.place), 'next_cursor', NULL) AS doc
FROM app.event_nouns() AS n CROSS JOIN LATERAL unnest(n.actions) WITH ORDINALITY AS a (action, place);

-- name: webhooks_new
SELECT json_build_object('groups', app.event_type_groups()) AS doc;

-- name: webhooks_create
SELECT status, doc, etag, location FROM app.webhook_create(:input::jsonb);

-- name: webhooks_get
SELECT w.doc, w.version::text AS etag FROM seen.webhook_docs AS w WHERE w.id = :webhook_id::uuid;

-- name: webhooks_edit
SELECT w.doc::jsonb || jsonb_build_object('groups', app.event_type_groups(), 'deliveries', (
		SELECT coalesce(json_agg(d.doc ORDER BY d.id DESC), '[]') FROM (
			SELECT x.id, x.doc FROM seen.webhook_delivery_docs AS x WHERE x.webhook_id = w.id ORDER BY x.id DESC LIMIT 5) AS d)) AS doc
FROM seen.webhook_docs AS w WHERE w.id = :webhook_id::uuid;

-- Absent is not null: what was not sent stays.
-- name: webhooks_update
SELECT doc, etag FROM app.webhook_update(:webhook_id::uuid, :input::jsonb, :if_match::bigint);

-- name: webhooks_delete
UPDATE seen.webhooks AS w SET deleted_at = now()
WHERE w.id = :webhook_id::uuid AND app.is_version(w.version, :if_match::bigint)
RETURNING json_build_object('id', id) AS doc;

-- Undo. Asked again it gives the endpoint as it is.
-- name: webhooks_restore
SELECT doc, etag FROM app.webhook_restore(:webhook_id::uuid);

-- name: webhooks_rotate_secret
SELECT doc, etag FROM app.webhook_rotate(:webhook_id::uuid, :input::jsonb, :if_match::bigint);

-- name: webhooks_ping
SELECT doc FROM app.webhook_ping(:webhook_id::uuid);

-- Newest first. Of an endpoint that is not there nothing is told, not even an empty list.
-- name: webhooks_deliveries
WITH page AS (
	SELECT row_number() OVER (ORDER BY d.id DESC) AS n, d.*
	FROM seen.webhook_delivery_docs AS d
	WHERE d.webhook_id = :webhook_id::uuid
		AND (:state::text IS NULL OR d.state = :state)
		AND (:type::text IS NULL OR d.type = :type)
		AND (:cursor::text IS NULL OR d.id < app.cursor_uuid(:cursor, 2))
	ORDER BY n LIMIT :limit::integer + 1)
SELECT json_build_object(
	'data', coalesce((SELECT json_agg(doc ORDER BY n) FILTER (WHERE n <= :limit::integer) FROM page), '[]'),
	'next_cursor', (SELECT CASE WHEN app.is_cursor(:cursor) AND count(*) > :limit::integer
		THEN max(app.cursor(app.instant(created_at), id::text)) FILTER (WHERE n = :limit::integer) END FROM page)) AS doc
FROM seen.webhooks AS w WHERE w.id = :webhook_id::uuid;

-- The page knows the endpoint besides.
-- name: webhooks_deliveries_page
WITH page AS (
	SELECT row_number() OVER (ORDER BY d.id DESC) AS n, d.*
	FROM seen.webhook_delivery_docs AS d
	WHERE d.webhook_id = :webhook_id::uuid
		AND (:state::text IS NULL OR d.state = :state)
		AND (:cursor::text IS NULL OR d.id < app.cursor_uuid(:cursor, 2))
	ORDER BY n LIMIT 51)
SELECT json_build_object(
	'webhook', w.doc, 'state', :state::text,
	'data', coalesce((SELECT json_agg(doc ORDER BY n) FILTER (WHERE n <= 50) FROM page), '[]'),
	'next_cursor', (SELECT CASE WHEN app.is_cursor(:cursor) AND count(*) > 50
		THEN max(app.cursor(app.instant(created_at), id::text)) FILTER (WHERE n = 50) END FROM page)) AS doc
FROM seen.webhook_docs AS w WHERE w.id = :webhook_id::uuid;

-- name: webhooks_delivery
SELECT d.doc::jsonb || jsonb_build_object('request', d.request, 'answer', d.answer) AS doc
FROM seen.webhook_delivery_docs AS d WHERE d.webhook_id = :webhook_id::uuid AND d.id = :delivery_id::uuid;

-- name: webhooks_delivery_page
SELECT d.doc::jsonb || jsonb_build_object('request', d.request, 'answer', d.answer, 'webhook', w.doc) AS doc
FROM seen.webhook_delivery_docs AS d JOIN seen.webhook_docs AS w ON w.id = d.webhook_id
WHERE d.webhook_id = :webhook_id::uuid AND d.id = :delivery_id::uuid;

-- name: webhooks_replay
SELECT doc FROM app.webhook_replay(:webhook_id::uuid, :delivery_id::uuid);

-- name: webhooks_fan (worker)
SELECT app.webhooks_fan(:most::integer) AS n;

-- What an attempt needs. The document is of now and not of then; its position says which of two is the later.
-- name: webhooks_delivery_load (worker)
SELECT d.webhook_id, w.url, w.active, d.state, s.secret, CASE WHEN s.old_secret_until > now() THEN s.old_secret END AS old_secret,
	json_build_object('type', d.type, 'timestamp', app.instant(d.at), 'data', json_build_object(
		'noun', coalesce(d.noun, 'webhook'), 'id', coalesce(d.row_id, d.webhook_id), 'action', coalesce(d.action, 'ping'),
		'position', d.position, 'organization_id', d.organization_id,
		'document', app.event_doc(coalesce(d.noun, 'webhook'), coalesce(d.row_id, d.webhook_id)))) AS body
FROM seen.webhook_deliveries AS d
JOIN seen.webhooks AS w ON w.organization_id = d.organization_id AND w.id = d.webhook_id
CROSS JOIN LATERAL app.webhook_secrets(d.webhook_id) AS s
WHERE d.id = :delivery_id::uuid;

-- name: webhooks_attempted (worker)
SELECT app.webhook_attempted(:delivery_id::uuid, :outcome, :given::jsonb, :rest_s::float8) AS outcome;
