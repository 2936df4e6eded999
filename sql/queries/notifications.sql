-- Notifications: a person's own, newest first; how they want to hear of which kind.

-- name: notifications_list
WITH page AS (
	SELECT row_number() OVER (ORDER BY n.created_at DESC, n.id DESC) AS place, n.*
	FROM seen.notifications AS n
	WHERE (coalesce(:unread::boolean, false) = false OR n.read_at IS NULL)
		AND (:cursor::text IS NULL
			OR (n.created_at, n.id) < (app.cursor_instant(:cursor, 1), app.cursor_uuid(:cursor, 2)))
	ORDER BY place LIMIT :limit::integer + 1)
SELECT json_build_object(
	'data', coalesce(json_agg(app.notification_doc(id, kind, about, link, created_at, read_at) ORDER BY place)
		FILTER (WHERE place <= :limit::integer), '[]'),
	'next_cursor', CASE WHEN app.is_cursor(:cursor) AND count(*) > :limit::integer
		THEN max(app.cursor(created_at::text, id::text)) FILTER (WHERE place = :limit::integer) END) AS doc
FROM page;

-- name: notifications_unread
SELECT json_build_object('count', (SELECT count(*) FROM seen.notifications AS n WHERE n.read_at IS NULL)) AS doc;

-- Read once is read; asked again it is the same.
-- name: notifications_read
UPDATE seen.notifications AS n SET read_at = coalesce(n.read_at, now()) WHERE n.id = :notification_id::uuid
RETURNING app.notification_doc(id, kind, about, link, created_at, read_at) AS doc;

-- name: notifications_unread_again
UPDATE seen.notifications AS n SET read_at = NULL WHERE n.id = :notification_id::uuid
RETURNING app.notification_doc(id, kind, about, link, created_at, read_at) AS doc;

-- name: notifications_read_all
WITH done AS (UPDATE seen.notifications AS n SET read_at = now() WHERE n.read_at IS NULL RETURNING 1)
SELECT json_build_object('count', (SELECT count(*) FROM done)) AS doc;

-- name: notifications_preferences
SELECT json_build_object('data', app.notification_preferences(), 'next_cursor', NULL) AS doc;

-- One kind at a time; what was not sent stays.
-- name: notifications_prefer
WITH now_so AS (
	SELECT p ->> 'kind' AS kind, (p ->> 'in_app')::boolean AS in_app, p ->> 'mail' AS mail
	FROM json_array_elements(app.notification_preferences()) AS p WHERE p ->> 'kind' = :kind
), kept AS (
	INSERT INTO data.notification_preferences AS p (organization_id, member_id, kind, in_app, mail)
	SELECT app.org(), app.member(), kind, coalesce(:in_app::boolean, in_app), coalesce(:mail, mail) FROM now_so
	ON CONFLICT (organization_id, member_id, kind) DO UPDATE SET in_app = excluded.in_app, mail = excluded.mail
	RETURNING p.kind, p.in_app, p.mail
)
SELECT json_build_object('kind', kind, 'in_app', in_app, 'mail', mail) AS doc FROM kept;

-- name: notifications_unsubscribe
SELECT json_build_object('email', app.notifications_unsubscribe(:organization::uuid, :member::uuid)) AS doc;

-- name: notification_mail (worker)
SELECT app.notification_mail(:member_id::uuid) AS doc;

-- name: notifications_mailed (worker)
SELECT app.notifications_mailed(:member_id::uuid, :ids::uuid[]);

-- name: timers_watch (worker)
SELECT app.timers_watch(:hours::integer) AS n;

-- name: digests_enqueue (worker)
SELECT app.digests_enqueue() AS n;
