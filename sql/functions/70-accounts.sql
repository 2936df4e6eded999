-- Accounts: what happens before there is a tenant, or beyond one. Users, sessions, tokens and the links in mails can be
-- reached through these functions alone; each does one step of signing in and out. Passwords and tokens arrive hashed.

SET LOCAL ROLE stint_definer;

-- A new link of a purpose takes the place of older ones that carry nothing of their own.
CREATE OR REPLACE FUNCTION app.link_add(who uuid, what text, token_hash bytea, days integer, given_name text,
	given_password_hash text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	DELETE FROM data.one_time_tokens AS t
	WHERE t.user_id = who AND (t.expires_at < now() OR (t.purpose = what AND t.password_hash IS NULL));
	INSERT INTO data.one_time_tokens (hash, user_id, purpose, name, password_hash, expires_at)
	VALUES (token_hash, who, what, given_name, given_password_hash, now() + make_interval(days => days));
END
$$;

-- Takes a link: it works once, and not when it is too old.
CREATE OR REPLACE FUNCTION app.link_take(what text, token_hash bytea, OUT user_id uuid, OUT name text,
	OUT password_hash text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
	DELETE FROM data.one_time_tokens AS t WHERE t.hash = token_hash AND t.purpose = what AND t.expires_at > now()
	RETURNING t.user_id, t.name, t.password_hash INTO user_id, name, password_hash;
	IF NOT FOUND THEN
		PERFORM app.refuse('link_expired', 'token');
	END IF;
END
$$;

-- A person and the organization they begin with. An address that is known already gets nothing new: 'exists', or
-- 'unverified' when nobody has proved it yet, and then the new link carries the new name and password.
CREATE OR REPLACE FUNCTION app.register(given_email text, given_name text, organization_name text, given_zone text,
	given_password_hash text, token_hash bytea) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	there record;
	who uuid := app.uuidv7();
	org uuid := app.uuidv7();
BEGIN
	INSERT INTO data.users (id, email, name, password_hash, last_organization_id)
	VALUES (who, given_email, given_name, given_password_hash, NULL)
	ON CONFLICT (lower(email)) DO NOTHING;
	IF NOT FOUND THEN
		SELECT u.id, u.email, u.name, u.verified_at INTO there FROM data.users AS u WHERE lower(u.email) = lower(given_email);
		IF there.verified_at IS NULL THEN
			PERFORM app.link_add(there.id, 'verify', token_hash, 3, given_name, given_password_hash);
		END IF;
		RETURN json_build_object('outcome', CASE WHEN there.verified_at IS NULL THEN 'unverified' ELSE 'exists' END,
			'email', there.email, 'name', there.name);
	END IF;
	INSERT INTO data.organizations (id, name, zone) VALUES (org, organization_name, given_zone);
	INSERT INTO data.members (organization_id, id, user_id, name, email, role, zone)
	VALUES (org, app.uuidv7(), who, given_name, given_email, 'owner', given_zone);
	UPDATE data.users SET last_organization_id = org WHERE id = who;
	PERFORM app.link_add(who, 'verify', token_hash, 3, given_name, given_password_hash);
	RETURN json_build_object('outcome', 'created', 'email', given_email, 'name', given_name);
END
$$;

-- What signing in needs to know of an address. No row: nobody; the caller then spends the same time all the same.
CREATE OR REPLACE FUNCTION app.account(given_email text)
	RETURNS TABLE (user_id uuid, password_hash text, verified boolean, active_memberships integer, email text, name text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 1
AS $$
	SELECT u.id, u.password_hash, u.verified_at IS NOT NULL, (SELECT count(*)::integer FROM data.members AS m
			WHERE m.user_id = u.id AND m.active AND m.deleted_at IS NULL), u.email, u.name
	FROM data.users AS u WHERE lower(u.email) = lower(given_email);
$$;

-- A credential for a membership, with all that entering needs copied into it.
CREATE OR REPLACE FUNCTION app.credential_add(who uuid, org uuid, what text, new_hash bytea, agent text, address text,
	until timestamptz) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	m data.members;
	o_name text;
BEGIN
	-- Locked, so that a role that changes at this moment is either in the copy or ends it.
	SELECT * INTO m FROM data.members AS s
	WHERE s.user_id = who AND s.organization_id = org AND s.active AND s.deleted_at IS NULL FOR SHARE;
	IF NOT FOUND THEN
		RETURN NULL;
	END IF;
	INSERT INTO data.credentials (hash, id, kind, organization_id, member_id, user_id, permissions, zone, language,
		week_start, user_agent, ip, expires_at)
	VALUES (new_hash, app.uuidv7(), what, org, m.id, who, app.permissions(m.role), m.zone, m.language, m.week_start,
		left(coalesce(agent, ''), 400), left(coalesce(address, ''), 64), until);
	UPDATE data.users SET last_organization_id = org WHERE id = who AND last_organization_id IS DISTINCT FROM org;
	SELECT o.name INTO o_name FROM data.organizations AS o WHERE o.id = org;
	RETURN json_build_object('member_id', m.id, 'user_id', who, 'organization_id', org, 'organization_name', o_name,
		'name', m.name, 'email', m.email, 'role', m.role, 'zone', m.zone, 'language', m.language,
		'expires_at', app.instant(until));
END
$$;

-- Signs in: to the organization that is named, else to the one used last, else to the oldest.
CREATE OR REPLACE FUNCTION app.session_create(who uuid, org uuid, what text, new_hash bytea, agent text, address text,
	days integer) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	chosen uuid;
	made json;
BEGIN
	SELECT m.organization_id INTO chosen
	FROM data.members AS m JOIN data.users AS u ON u.id = m.user_id
	WHERE m.user_id = who AND m.active AND m.deleted_at IS NULL AND (org IS NULL OR m.organization_id = org)
	ORDER BY m.organization_id = u.last_organization_id DESC NULLS LAST, m.created_at, m.organization_id LIMIT 1;
	made := app.credential_add(who, chosen, what, new_hash, agent, address, now() + make_interval(days => days));
	IF made IS NULL THEN
		PERFORM app.refuse('forbidden');
	END IF;
	DELETE FROM data.credentials AS c WHERE c.user_id = who AND c.expires_at < now();
	RETURN made;
END
$$;

-- Whoever opens the link has the mailbox: the account is theirs, with the name and password given when it was sent.
CREATE OR REPLACE FUNCTION app.verify_email(token_hash bytea) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	link record := app.link_take('verify', token_hash);
BEGIN
	UPDATE data.users AS u SET verified_at = now(), updated_at = now(), name = coalesce(link.name, u.name),
		password_hash = coalesce(link.password_hash, u.password_hash)
	WHERE u.id = link.user_id AND u.verified_at IS NULL;
	IF FOUND THEN
		UPDATE data.members AS m SET name = link.name WHERE m.user_id = link.user_id AND link.name IS NOT NULL;
		DELETE FROM data.one_time_tokens AS t WHERE t.user_id = link.user_id AND t.purpose = 'verify';
	END IF;
	RETURN link.user_id;
END
$$;

DROP FUNCTION IF EXISTS app.verify_again(uuid, bytea);
CREATE OR REPLACE FUNCTION app.verify_again(given_email text, token_hash bytea) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	there record;
BEGIN
	SELECT u.id, u.email, u.name INTO there FROM data.users AS u
	WHERE lower(u.email) = lower(given_email) AND u.verified_at IS NULL;
	IF NOT FOUND THEN
		RETURN NULL;
	END IF;
	PERFORM app.link_add(there.id, 'verify', token_hash, 3, NULL, NULL);
	RETURN json_build_object('email', there.email, 'name', there.name);
END
$$;

CREATE OR REPLACE FUNCTION app.forgot(given_email text, token_hash bytea) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	there record;
BEGIN
	SELECT u.id, u.email, u.name INTO there FROM data.users AS u WHERE lower(u.email) = lower(given_email);
	IF NOT FOUND THEN
		RETURN NULL;
	END IF;
	PERFORM app.link_add(there.id, 'reset', token_hash, 1, NULL, NULL);
	RETURN json_build_object('email', there.email, 'name', there.name);
END
$$;

-- A new password by mail: it proves the address too, and ends everything that was signed in.
CREATE OR REPLACE FUNCTION app.reset(token_hash bytea, new_password_hash text) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	link record := app.link_take('reset', token_hash);
BEGIN
	UPDATE data.users AS u SET password_hash = new_password_hash, verified_at = coalesce(u.verified_at, now()),
		updated_at = now() WHERE u.id = link.user_id;
	DELETE FROM data.credentials AS c WHERE c.user_id = link.user_id;
	DELETE FROM data.one_time_tokens AS t WHERE t.user_id = link.user_id;
	RETURN link.user_id;
END
$$;

CREATE OR REPLACE FUNCTION app.logout(old_hash bytea) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	DELETE FROM data.credentials AS c WHERE c.hash = old_hash;
	RETURN FOUND;
END
$$;

-- Another organization of the same person: a new credential of the same kind and end, and the old one is gone.
CREATE OR REPLACE FUNCTION app.switch(old_hash bytea, org uuid, new_hash bytea) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	old data.credentials;
	made json;
BEGIN
	DELETE FROM data.credentials AS c WHERE c.hash = old_hash AND c.expires_at > now() RETURNING * INTO old;
	IF NOT FOUND THEN
		PERFORM app.refuse('unauthenticated');
	END IF;
	made := app.credential_add(old.user_id, org, old.kind, new_hash, old.user_agent, old.ip, old.expires_at);
	IF made IS NULL THEN
		PERFORM app.refuse('not_found', 'organization_id');
	END IF;
	RETURN made;
END
$$;

-- The same password under today's cost; nothing else changes by it.
CREATE OR REPLACE FUNCTION app.rehash(who uuid, new_password_hash text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	UPDATE data.users AS u SET password_hash = new_password_hash WHERE u.id = who;
$$;

CREATE OR REPLACE FUNCTION app.password_of(credential_hash bytea) RETURNS TABLE (user_id uuid, password_hash text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 1
AS $$
	SELECT u.id, u.password_hash FROM data.credentials AS c JOIN data.users AS u ON u.id = c.user_id
	WHERE c.hash = credential_hash AND c.expires_at > now();
$$;

-- A new password ends every other session and token of the person, and the links that are on their way.
CREATE OR REPLACE FUNCTION app.password_change(credential_hash bytea, new_password_hash text) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	who uuid;
BEGIN
	SELECT c.user_id INTO who FROM data.credentials AS c WHERE c.hash = credential_hash AND c.expires_at > now();
	IF NOT FOUND THEN
		PERFORM app.refuse('unauthenticated');
	END IF;
	UPDATE data.users AS u SET password_hash = new_password_hash, updated_at = now() WHERE u.id = who;
	DELETE FROM data.credentials AS c WHERE c.user_id = who AND c.hash <> credential_hash;
	DELETE FROM data.one_time_tokens AS t WHERE t.user_id = who AND t.purpose = 'reset';
	RETURN who;
END
$$;

-- A person's own things beyond the tenant -------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION app.memberships_of(who uuid)
	RETURNS TABLE (organization_id uuid, organization_name text, member_id uuid, role text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 2
AS $$
	SELECT m.organization_id, o.name, m.id, m.role
	FROM data.members AS m JOIN data.organizations AS o ON o.id = m.organization_id
	WHERE m.user_id = who AND m.active AND m.deleted_at IS NULL AND o.deleted_at IS NULL;
$$;

-- The sessions and tokens of the person behind a credential, whichever organization they act in.
CREATE OR REPLACE FUNCTION app.sessions_of(credential_hash bytea)
	RETURNS TABLE (id uuid, kind text, user_agent text, ip text, created_at timestamptz, last_seen_at timestamptz,
		expires_at timestamptz, current boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp ROWS 5
AS $$
	SELECT s.id, s.kind, s.user_agent, s.ip, s.created_at, s.last_seen_at, s.expires_at, s.hash = credential_hash
	FROM data.credentials AS c JOIN data.credentials AS s ON s.user_id = c.user_id
	WHERE c.hash = credential_hash AND s.expires_at > now();
$$;

CREATE OR REPLACE FUNCTION app.session_end(credential_hash bytea, session_id uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	DELETE FROM data.credentials AS s USING data.credentials AS c
	WHERE c.hash = credential_hash AND s.user_id = c.user_id AND s.id = session_id;
	RETURN FOUND;
END
$$;

-- A person is called the same and keeps the same clock in all their organizations.
CREATE OR REPLACE FUNCTION app.profile_change(credential_hash bytea, input jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	who uuid := (SELECT c.user_id FROM data.credentials AS c WHERE c.hash = credential_hash);
BEGIN
	UPDATE data.members AS m SET
		name = coalesce(input ->> 'name', m.name), zone = coalesce(input ->> 'zone', m.zone),
		language = coalesce(input ->> 'language', m.language),
		week_start = coalesce((input ->> 'week_start')::smallint, m.week_start),
		clock_12h = coalesce((input ->> 'clock_12h')::boolean, m.clock_12h),
		decimal_durations = coalesce((input ->> 'decimal_durations')::boolean, m.decimal_durations)
	WHERE m.user_id = who;
	UPDATE data.users AS u SET name = input ->> 'name', updated_at = now()
	WHERE u.id = who AND u.name <> input ->> 'name';
END
$$;

-- What needs to know whether an address has an account, before anybody has signed in, is the worker's (jobs/auth_mail.c).
GRANT EXECUTE ON FUNCTION app.register(text, text, text, text, text, bytea), app.verify_again(text, bytea),
	app.forgot(text, bytea) TO stint_worker;
GRANT EXECUTE ON FUNCTION app.account(text),
	app.session_create(uuid, uuid, text, bytea, text, text, integer), app.verify_email(bytea),
	app.reset(bytea, text), app.logout(bytea),
	app.switch(bytea, uuid, bytea), app.rehash(uuid, text), app.password_of(bytea), app.password_change(bytea, text),
	app.memberships_of(uuid), app.sessions_of(bytea), app.session_end(bytea, uuid), app.profile_change(bytea, jsonb)
	TO stint_web;

RESET ROLE;
