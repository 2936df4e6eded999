-- Telling people. app.notify is the one way to do so; it heeds what the person wants to hear, and how.

SET LOCAL ROLE stint_owner;

-- The kinds, who can get them (a permission; NULL: everybody), and how they are told unless a person has decided otherwise.
CREATE OR REPLACE FUNCTION app.notification_kinds()
	RETURNS TABLE (place integer, kind text, audience text, in_app boolean, mail text)
LANGUAGE sql IMMUTABLE
AS $$
	VALUES (1, 'entry_changed', NULL, true, 'daily'), (2, 'role_changed', NULL, true, 'at_once'),
		(3, 'timer_long', 'time_own', true, 'at_once'), (4, 'webhook_disabled', 'organization_edit', true, 'at_once'),
		(5, 'job_dead', 'organization_edit', true, 'daily');
$$;

-- The caller's preferences, all kinds that can reach them.
CREATE OR REPLACE FUNCTION app.notification_preferences() RETURNS json
LANGUAGE sql STABLE
AS $$
	SELECT json_agg(json_build_object('kind', k.kind, 'in_app', coalesce(p.in_app, k.in_app), 'mail', coalesce(p.mail, k.mail))
		ORDER BY k.place)
	FROM app.notification_kinds() AS k LEFT JOIN seen.notification_preferences AS p ON p.kind = k.kind
	WHERE k.audience IS NULL OR app.can(k.audience);
$$;

CREATE OR REPLACE FUNCTION app.notification_doc(id uuid, kind text, about jsonb, link text, created_at timestamptz,
	read_at timestamptz) RETURNS json
LANGUAGE sql STABLE
RETURN json_build_object('id', id, 'kind', kind, 'about', about,
	-- For templates, which choose their words by what is there.
	'by_kind', (SELECT json_object_agg(k.kind, CASE WHEN k.kind = notification_doc.kind THEN about END)
		FROM app.notification_kinds() AS k),
	'link', link, 'created_at', app.instant(created_at), 'read_at', app.instant(read_at), 'unread', read_at IS NULL);

RESET ROLE;
SET LOCAL ROLE stint_definer;

-- Nobody may write notifications but this. Gives the id, or NULL when the person wants to hear of it in no way.
CREATE OR REPLACE FUNCTION app.notify(org uuid, who uuid, given_kind text, given_about jsonb, given_link text) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	way record;
	made uuid := app.uuidv7();
BEGIN
	SELECT coalesce(p.in_app, k.in_app) AS in_app, coalesce(p.mail, k.mail) AS mail INTO way
	FROM app.notification_kinds() AS k
	JOIN data.members AS m ON m.organization_id = org AND m.id = who AND m.active AND m.deleted_at IS NULL
		AND m.user_id IS NOT NULL
	LEFT JOIN data.notification_preferences AS p ON p.organization_id = org AND p.member_id = who AND p.kind = k.kind
	WHERE k.kind = given_kind;
	IF NOT FOUND OR (NOT way.in_app AND way.mail = 'off') THEN
		RETURN NULL;
	END IF;
	INSERT INTO data.notifications (organization_id, id, member_id, kind, about, link, in_app, mail)
	VALUES (org, made, who, given_kind, given_about, given_link, way.in_app,
		CASE WHEN way.mail = 'off' THEN 'none' ELSE 'pending' END);
	-- A moment later, so that what happens together arrives in one mail; all that is pending goes with it.
	IF way.mail = 'at_once' THEN
		PERFORM jobs.enqueue('notification.mail', jsonb_build_object('member_id', who),
			jsonb_build_object('organization', org, 'unique', who, 'delay_s', 10));
	END IF;
	RETURN made;
END
$$;

-- To everybody who holds a permission. What stands unread with the same kind and about is said once.
CREATE OR REPLACE FUNCTION app.notify_all(org uuid, permission text, given_kind text, given_about jsonb, given_link text)
	RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	SELECT app.notify(org, m.id, given_kind, given_about, given_link) FROM data.members AS m
	WHERE m.organization_id = org AND m.active AND m.deleted_at IS NULL
		AND app.permissions(m.role) & app.permission_bit(permission) <> 0
		AND NOT EXISTS (SELECT FROM data.notifications AS n WHERE n.organization_id = org AND n.member_id = m.id
			AND n.in_app AND n.read_at IS NULL AND n.kind = given_kind AND n.about = given_about);
$$;

-- Somebody else changed a person's time: they are told, once an hour for an entry.
CREATE OR REPLACE FUNCTION app.on_time_entry_by_other() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	by_whom text;
BEGIN
	IF TG_OP = 'UPDATE' AND (NEW.started_at, NEW.ended_at, NEW.project_id, NEW.description, NEW.tag_ids, NEW.billable, NEW.type,
		NEW.deleted_at, NEW.status) IS NOT DISTINCT FROM (OLD.started_at, OLD.ended_at, OLD.project_id, OLD.description,
		OLD.tag_ids, OLD.billable, OLD.type, OLD.deleted_at, OLD.status)
		OR EXISTS (SELECT FROM data.notifications AS n WHERE n.organization_id = NEW.organization_id
			AND n.member_id = NEW.member_id AND n.in_app AND n.kind = 'entry_changed' AND n.read_at IS NULL
			AND n.created_at > now() - interval '1 hour' AND n.about ->> 'entry_id' = NEW.id::text
			AND n.about ->> 'deleted' = (NEW.deleted_at IS NOT NULL)::text) THEN
		RETURN NULL;
	END IF;
	SELECT m.name INTO by_whom FROM data.members AS m WHERE m.organization_id = NEW.organization_id AND m.id = app.member();
	PERFORM app.notify(NEW.organization_id, NEW.member_id, 'entry_changed', jsonb_build_object('entry_id', NEW.id,
		'who', by_whom, 'description', NEW.description, 'day', NEW.first_day, 'added', TG_OP = 'INSERT',
		'deleted', NEW.deleted_at IS NOT NULL),
		CASE WHEN NEW.deleted_at IS NULL THEN '/time-entries/' || NEW.id ELSE '/timer' END);
	RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION app.on_member_role() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM app.notify(NEW.organization_id, NEW.id, 'role_changed', jsonb_build_object('role', NEW.role, 'was', OLD.role,
		'who', (SELECT m.name FROM data.members AS m WHERE m.organization_id = NEW.organization_id AND m.id = app.member())),
		'/settings/profile');
	RETURN NULL;
END
$$;

-- Pages are told that the person's count of unread changed; what it says is nobody else's.
CREATE OR REPLACE FUNCTION app.on_notification() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO data.events (organization_id, member_id, noun, row_id, action, after)
	VALUES (NEW.organization_id, app.member(), 'notification', NEW.id, CASE TG_OP WHEN 'INSERT' THEN 'create' ELSE 'update' END,
		jsonb_build_object('member_id', NEW.member_id));
	RETURN NULL;
END
$$;

-- Timers that run for so long that they were probably forgotten: said once for each.
CREATE OR REPLACE FUNCTION app.timers_watch(hours integer) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	SELECT count(app.notify(e.organization_id, e.member_id, 'timer_long', jsonb_build_object('entry_id', e.id,
			'description', e.description, 'started_at', app.instant(e.started_at), 'hours', hours), '/timer'))
	FROM data.time_entries AS e
	WHERE e.ended_at IS NULL AND e.deleted_at IS NULL AND e.started_at < now() - make_interval(hours => hours)
		AND NOT EXISTS (SELECT FROM data.notifications AS n WHERE n.organization_id = e.organization_id
			AND n.member_id = e.member_id AND n.kind = 'timer_long' AND n.about ->> 'entry_id' = e.id::text);
$$;

-- Mail --------------------------------------------------------------------------------------------------------------

-- Those whose morning it is (eight o'clock on their wall) and who have something pending get their mail.
CREATE OR REPLACE FUNCTION app.digests_enqueue() RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	SELECT count(jobs.enqueue('notification.mail', jsonb_build_object('member_id', p.member_id),
			jsonb_build_object('organization', p.organization_id, 'unique', p.member_id)))
	FROM (SELECT DISTINCT n.organization_id, n.member_id FROM data.notifications AS n WHERE n.mail = 'pending') AS p
	JOIN data.members AS m ON m.organization_id = p.organization_id AND m.id = p.member_id
	WHERE extract(hour FROM now() AT TIME ZONE m.zone) = 8;
$$;

-- What a mail to a member of the caller's organization says: the person and all that is pending and not read yet.
CREATE OR REPLACE FUNCTION app.notification_mail(who uuid) RETURNS json
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	SELECT json_build_object('name', m.name, 'email', m.email, 'language', m.language, 'zone', m.zone, 'organization', o.name,
		'ids', (SELECT json_agg(n.id ORDER BY n.created_at) FROM data.notifications AS n
			WHERE n.organization_id = m.organization_id AND n.member_id = m.id AND n.mail = 'pending'),
		'lines', (SELECT coalesce(json_agg(app.notification_doc(l.id, l.kind, l.about, l.link, l.created_at, l.read_at)
				ORDER BY l.created_at), '[]')
			FROM (SELECT * FROM data.notifications AS n
				WHERE n.organization_id = m.organization_id AND n.member_id = m.id AND n.mail = 'pending' AND n.read_at IS NULL
				ORDER BY n.created_at LIMIT 50) AS l))
	FROM data.members AS m JOIN data.organizations AS o ON o.id = m.organization_id
	WHERE m.organization_id = app.org() AND m.id = who AND m.active AND m.deleted_at IS NULL;
$$;

CREATE OR REPLACE FUNCTION app.notifications_mailed(who uuid, ids uuid[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	UPDATE data.notifications AS n SET mail = 'sent'
	WHERE n.organization_id = app.org() AND n.member_id = who AND n.id = ANY (ids);
$$;

-- From the link in a mail, which proves by its seal whose it is: no more mail of any kind to that member.
CREATE OR REPLACE FUNCTION app.notifications_unsubscribe(org uuid, who uuid) RETURNS text
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	WITH quiet AS (
		INSERT INTO data.notification_preferences AS p (organization_id, member_id, kind, in_app, mail)
		SELECT m.organization_id, m.id, k.kind, k.in_app, 'off' FROM data.members AS m, app.notification_kinds() AS k
		WHERE m.organization_id = org AND m.id = who
		ON CONFLICT (organization_id, member_id, kind) DO UPDATE SET mail = 'off')
	SELECT m.email FROM data.members AS m WHERE m.organization_id = org AND m.id = who;
$$;

GRANT EXECUTE ON FUNCTION app.on_time_entry_by_other(), app.on_member_role(), app.on_notification() TO stint_owner;
GRANT EXECUTE ON FUNCTION app.notifications_unsubscribe(uuid, uuid) TO stint_web;
GRANT EXECUTE ON FUNCTION app.timers_watch(integer), app.digests_enqueue(), app.notification_mail(uuid),
	app.notifications_mailed(uuid, uuid[]) TO stint_worker;

RESET ROLE;
SET LOCAL ROLE stint_owner;

CREATE OR REPLACE TRIGGER w_other_added AFTER INSERT ON data.time_entries
	FOR EACH ROW WHEN (NEW.created_by <> NEW.member_id) EXECUTE FUNCTION app.on_time_entry_by_other();
CREATE OR REPLACE TRIGGER w_other_changed AFTER UPDATE ON data.time_entries
	FOR EACH ROW WHEN (app.member() <> NEW.member_id) EXECUTE FUNCTION app.on_time_entry_by_other();
CREATE OR REPLACE TRIGGER w_role AFTER UPDATE ON data.members
	FOR EACH ROW WHEN (OLD.role <> NEW.role) EXECUTE FUNCTION app.on_member_role();
CREATE OR REPLACE TRIGGER z_event_added AFTER INSERT ON data.notifications
	FOR EACH ROW WHEN (NEW.in_app) EXECUTE FUNCTION app.on_notification();
CREATE OR REPLACE TRIGGER z_event_read AFTER UPDATE ON data.notifications
	FOR EACH ROW WHEN (NEW.in_app AND NEW.read_at IS DISTINCT FROM OLD.read_at) EXECUTE FUNCTION app.on_notification();

RESET ROLE;
