-- Repeats of a request, the sealing of events, and what /readyz asks.

SET LOCAL ROLE stint_definer;

-- Claims an Idempotency-Key for the caller's organization, member and route, in the transaction of the work. A twin that is
-- under way holds the row: this waits for it and then repeats its answer, by raising idempotency_replay before the work is
-- done again. A failure takes its key with it.
CREATE OR REPLACE FUNCTION app.idempotency_begin(given_key text, given_route text, given_hash bytea) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	stored record;
BEGIN
	INSERT INTO data.idempotency_keys AS k (organization_id, member_id, route, key, body_hash)
	VALUES (app.org(), app.member(), given_route, given_key, given_hash)
	ON CONFLICT (organization_id, member_id, route, key) DO UPDATE
		SET body_hash = excluded.body_hash, status = NULL, doc = NULL, etag = NULL, location = NULL, created_at = now()
		WHERE k.created_at < now() - interval '24 hours';
	IF FOUND THEN
		RETURN true;
	END IF;
	SELECT k.body_hash, k.status, k.doc, k.etag, k.location INTO stored FROM data.idempotency_keys AS k
	WHERE k.organization_id = app.org() AND k.member_id = app.member() AND k.route = given_route AND k.key = given_key;
	IF stored.body_hash <> given_hash THEN
		PERFORM app.refuse('idempotency_reuse');
	END IF;
	PERFORM app.refuse('idempotency_replay', NULL, jsonb_build_object('status', stored.status, 'doc', stored.doc::json,
		'etag', stored.etag, 'location', stored.location));
	RETURN false;
END
$$;

-- Keeps the answer, in the same transaction; without one (status NULL) the key is free again.
CREATE OR REPLACE FUNCTION app.idempotency_store(given_key text, given_route text, given_status integer, given_doc text,
	given_etag text, given_location text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF given_status IS NULL THEN
		DELETE FROM data.idempotency_keys AS k WHERE k.organization_id = app.org() AND k.member_id = app.member()
			AND k.route = given_route AND k.key = given_key;
	ELSE
		UPDATE data.idempotency_keys AS k
		SET status = given_status, doc = given_doc, etag = given_etag, location = given_location
		WHERE k.organization_id = app.org() AND k.member_id = app.member() AND k.route = given_route AND k.key = given_key;
	END IF;
END
$$;

-- The hash of an event: over the one before it in its organization, so that none can be changed or taken out unseen.
CREATE OR REPLACE FUNCTION app.event_hash(prev bytea, e data.events) RETURNS bytea
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
	SELECT sha256(prev || convert_to(jsonb_build_array(e.organization_id, e.position, extract(epoch FROM e.at), e.member_id,
		e.noun, e.row_id, e.action, e.reason, e.before, e.after)::text, 'UTF8'));
$$;

-- Gives committed events their places, gapless in each organization, and chains them. By sequence number alone a reader
-- sees 2 before 1 exists; below the xmin horizon every transaction has ended, so in (xid, seq) order nothing can come in
-- between later. One sealer at a time; another one goes away with nothing. Gives what was sealed, in order; topic says to
-- whom an event may be told: to all of the organization, or to one member (and those who may see everybody's time).
DROP FUNCTION IF EXISTS app.events_seal(integer);
CREATE FUNCTION app.events_seal(most integer)
RETURNS TABLE (organization_id uuid, "position" bigint, noun text, row_id uuid, topic text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	e data.events;
	head data.event_heads;
	orgs uuid[] := '{}';
BEGIN
	IF NOT pg_try_advisory_xact_lock(hashtextextended('events_seal', 7318)) THEN
		RETURN;
	END IF;
	FOR e IN
		SELECT * FROM data.events AS v
		WHERE v.position IS NULL AND v.xid < pg_snapshot_xmin(pg_current_snapshot())
		ORDER BY v.xid, v.seq LIMIT most
	LOOP
		IF head.organization_id IS DISTINCT FROM e.organization_id THEN
			orgs := orgs || e.organization_id;
			SELECT * INTO head FROM data.event_heads AS h WHERE h.organization_id = e.organization_id;
			IF NOT FOUND THEN
				head := ROW (e.organization_id, 0, '\x'::bytea);
			END IF;
		END IF;
		e.position := head.position + 1;
		e.prev_hash := head.hash;
		e.hash := app.event_hash(head.hash, e);
		UPDATE data.events AS v SET position = e.position, prev_hash = e.prev_hash, hash = e.hash
		WHERE v.organization_id = e.organization_id AND v.seq = e.seq;
		INSERT INTO data.event_heads AS h (organization_id, position, hash)
		VALUES (e.organization_id, e.position, e.hash)
		ON CONFLICT (organization_id) DO UPDATE SET position = excluded.position, hash = excluded.hash;
		head := ROW (e.organization_id, e.position, e.hash);
		organization_id := e.organization_id;
		"position" := e.position;
		noun := e.noun;
		row_id := e.row_id;
		topic := app.event_topic(e);
		RETURN NEXT;
	END LOOP;
	IF orgs <> '{}' THEN
		PERFORM app.webhooks_wake(orgs);
	END IF;
END
$$;

CREATE OR REPLACE FUNCTION app.event_topic(e data.events) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce('member:' || CASE WHEN e.noun IN ('time_entry', 'notification') THEN coalesce(e.after ->> 'member_id', e.before ->> 'member_id',
		(SELECT t.member_id::text FROM data.time_entries AS t
		WHERE t.organization_id = e.organization_id AND t.id = e.row_id)) END, 'organization');
$$;

-- Sealed events behind a position, for who has lost some of them. Only the newest are of use: most of them, in order.
CREATE OR REPLACE FUNCTION app.events_after(org uuid, given_position bigint, most integer)
RETURNS TABLE ("position" bigint, noun text, row_id uuid, topic text)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	SELECT e.position, e.noun, e.row_id, e.topic FROM (
		SELECT v.position, v.noun, v.row_id, app.event_topic(v) AS topic FROM data.events AS v
		WHERE v.organization_id = org AND v.position > given_position ORDER BY v.position DESC LIMIT most) AS e
	ORDER BY e.position;
$$;

-- Organizations in which something was sealed a short while ago.
CREATE OR REPLACE FUNCTION app.event_heads_recent() RETURNS TABLE (organization_id uuid, "position" bigint)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	SELECT h.organization_id, h.position FROM data.event_heads AS h
	JOIN data.events AS v ON v.organization_id = h.organization_id AND v.position = h.position
	WHERE v.at > now() - interval '1 hour';
$$;

-- Events that wait to be sealed, and for how many seconds the oldest has: many seconds mean that a transaction is held open.
CREATE OR REPLACE FUNCTION app.events_lag() RETURNS TABLE (waiting bigint, oldest_s float8)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(v.at)), 0)::float8 FROM data.events AS v
	WHERE v.position IS NULL;
$$;

-- Which migrations this database has had: the number of the last one, NULL when that cannot be told. The table is made by
-- `stint migrate`, before the first migration.
CREATE OR REPLACE FUNCTION app.schema_version() RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	last text;
BEGIN
	IF to_regclass('app.migrations') IS NOT NULL THEN
		EXECUTE 'SELECT max(version)::text FROM app.migrations' INTO last;
	END IF;
	RETURN last;
END
$$;

GRANT EXECUTE ON FUNCTION app.schema_version() TO stint_web, stint_worker;
GRANT EXECUTE ON FUNCTION app.idempotency_begin(text, text, bytea),
	app.idempotency_store(text, text, integer, text, text, text) TO stint_web;
GRANT EXECUTE ON FUNCTION app.events_seal(integer), app.events_after(uuid, bigint, integer), app.event_heads_recent(),
	app.events_lag() TO stint_worker;

RESET ROLE;
