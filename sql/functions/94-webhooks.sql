-- Webhooks: what there is to hear of, endpoints and their secrets, from events to deliveries, and what a delivery's attempt
-- leaves behind. What happens while an endpoint is off or deleted is not delivered later.

SET LOCAL ROLE stint_owner;

-- Every noun that is told to other programs, and what can happen to it. A noun with events is either here or in the list of
-- tests/db/webhooks.test.js, which says why not.
CREATE OR REPLACE FUNCTION app.event_nouns() RETURNS TABLE (place integer, noun text, actions text[])
LANGUAGE sql IMMUTABLE
AS $$
	VALUES (1, 'time_entry', ARRAY['create', 'update', 'delete', 'restore', 'purge']),
		(2, 'project', ARRAY['create', 'update', 'delete', 'restore', 'purge']),
		(3, 'client', ARRAY['create', 'update', 'delete', 'restore', 'purge']),
		(4, 'tag', ARRAY['create', 'update', 'delete', 'restore', 'purge']),
		(5, 'member', ARRAY['create', 'update']),
		(6, 'organization', ARRAY['update']),
		(7, 'webhook', ARRAY['create', 'update', 'delete', 'restore', 'purge']);
$$;

-- For the page: [{noun, all, types: [{type, action}]}].
CREATE OR REPLACE FUNCTION app.event_type_groups() RETURNS json
LANGUAGE sql IMMUTABLE
AS $$
	SELECT json_agg(json_build_object('noun', n.noun, 'all', n.noun || '.*',
		'types', (SELECT json_agg(json_build_object('type', n.noun || '.' || a, 'action', a)) FROM unnest(n.actions) AS a))
		ORDER BY n.place)
	FROM app.event_nouns() AS n;
$$;

CREATE OR REPLACE FUNCTION app.is_event_filter(filter text) RETURNS boolean
LANGUAGE sql IMMUTABLE
AS $$
	SELECT filter = '*' OR EXISTS (SELECT FROM app.event_nouns() AS n
		WHERE filter = n.noun || '.*' OR filter = ANY (SELECT n.noun || '.' || a FROM unnest(n.actions) AS a));
$$;

-- What never is in the catalogue (a person's notifications) is not told to whoever asked for everything either.
CREATE OR REPLACE FUNCTION app.is_wanted(filters text[], given_noun text, action text) RETURNS boolean
LANGUAGE sql IMMUTABLE
AS $$
	SELECT EXISTS (SELECT FROM app.event_nouns() AS n WHERE n.noun = given_noun)
		AND filters && ARRAY['*', given_noun || '.*', given_noun || '.' || action];
$$;

-- The filters of an input, each once, in their order; NULL when none were sent.
CREATE OR REPLACE FUNCTION app.event_filters(input jsonb) RETURNS text[]
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	filters text[];
	odd text;
BEGIN
	IF NOT input ? 'events' THEN
		RETURN NULL;
	END IF;
	SELECT array_agg(f.filter ORDER BY f.place) INTO filters FROM (
		SELECT e.filter, min(e.place) AS place
		FROM jsonb_array_elements_text(input -> 'events') WITH ORDINALITY AS e (filter, place) GROUP BY e.filter) AS f;
	IF filters IS NULL THEN
		PERFORM app.refuse('required', 'events');
	END IF;
	SELECT f INTO odd FROM unnest(filters) AS f WHERE NOT app.is_event_filter(f) LIMIT 1;
	IF FOUND THEN
		PERFORM app.refuse('event_type', 'events', jsonb_build_object('event_type', odd));
	END IF;
	RETURN filters;
END
$$;

-- The current document of a row, as the API gives it to who may see all; NULL when it is not there (any more).
CREATE OR REPLACE FUNCTION app.event_doc(noun text, row_id uuid) RETURNS json
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN CASE noun
		WHEN 'time_entry' THEN (SELECT e.doc FROM seen.time_entry_docs AS e WHERE e.id = row_id)
		WHEN 'project' THEN (SELECT app.project_doc(p.id, p.version, p.name, p.client_id, p.client_name, p.color, p.billable,
			p.archived, p.tracked_s, p.created_at, p.updated_at) FROM seen.projects AS p WHERE p.id = row_id)
		WHEN 'client' THEN (SELECT app.client_doc(c.id, c.version, c.name, c.archived, c.project_count, c.created_at,
			c.updated_at) FROM seen.clients AS c WHERE c.id = row_id)
		WHEN 'tag' THEN (SELECT app.tag_doc(t.id, t.version, t.name, t.entry_count, t.created_at, t.updated_at)
			FROM seen.tags AS t WHERE t.id = row_id)
		WHEN 'member' THEN (SELECT app.member_doc(m.id, m.version, m.name, m.email, m.role, m.zone, m.active, m.created_at,
			m.updated_at) FROM seen.members AS m WHERE m.id = row_id)
		WHEN 'organization' THEN (SELECT app.organization_doc(o.id, o.version, o.name, o.zone, o.currency, o.overlap_policy,
			o.weekly_target_s, o.created_at) FROM seen.organizations AS o WHERE o.id = row_id)
		WHEN 'webhook' THEN (SELECT w.doc FROM seen.webhook_docs AS w WHERE w.id = row_id)
	END;
END
$$;

-- Endpoints ----------------------------------------------------------------------------------------------------------

RESET ROLE;
SET LOCAL ROLE stint_definer;

-- A new endpoint hears of what comes after it. Gives the sealed secret; of one that was there already (a creation sent again)
-- the one it has, for a day.
CREATE OR REPLACE FUNCTION app.webhook_begin(webhook uuid, sealed text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO data.webhook_states (organization_id, webhook_id, secret, cursor)
	VALUES (app.org(), webhook, sealed,
		coalesce((SELECT h.position FROM data.event_heads AS h WHERE h.organization_id = app.org()), 0))
	ON CONFLICT DO NOTHING;
	RETURN (SELECT s.secret FROM data.webhook_states AS s
		JOIN data.webhooks AS w ON w.organization_id = s.organization_id AND w.id = s.webhook_id
		WHERE s.organization_id = app.org() AND s.webhook_id = webhook AND w.created_at > now() - interval '1 day');
END
$$;

CREATE OR REPLACE FUNCTION app.webhook_secret_next(webhook uuid, sealed text, overlap_s integer) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	UPDATE data.webhook_states AS s SET secret = sealed, old_secret = CASE WHEN overlap_s > 0 THEN s.secret END,
		old_secret_until = CASE WHEN overlap_s > 0 THEN now() + make_interval(secs => overlap_s) END
	WHERE s.organization_id = app.org() AND s.webhook_id = webhook;
$$;

-- On again, or back from being deleted: it begins anew with what comes now.
CREATE OR REPLACE FUNCTION app.on_webhook_again() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	UPDATE data.webhook_states AS s SET failing_since = NULL, failed_in_a_row = 0,
		cursor = greatest(s.cursor, coalesce((SELECT h.position FROM data.event_heads AS h
			WHERE h.organization_id = NEW.organization_id), 0))
	WHERE s.organization_id = NEW.organization_id AND s.webhook_id = NEW.id;
	RETURN NULL;
END
$$;

GRANT EXECUTE ON FUNCTION app.webhook_begin(uuid, text), app.webhook_secret_next(uuid, text, integer) TO stint_web, stint_owner;
GRANT EXECUTE ON FUNCTION app.on_webhook_again() TO stint_owner;

RESET ROLE;
SET LOCAL ROLE stint_owner;

CREATE OR REPLACE FUNCTION app.on_webhook_switch() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
	NEW.disabled_reason := NULL;
	RETURN NEW;
END
$$;

-- Fifty an organization: each is work at every change. Two that come at the same moment take turns.
CREATE OR REPLACE FUNCTION app.on_webhook_more() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM pg_advisory_xact_lock(hashtextextended(NEW.organization_id::text, 7322));
	IF (SELECT count(*) FROM data.webhooks AS w WHERE w.organization_id = NEW.organization_id AND w.deleted_at IS NULL) >= 50 THEN
		PERFORM app.refuse('limit_reached', NULL, jsonb_build_object('limit', 50));
	END IF;
	RETURN NEW;
END
$$;

CREATE OR REPLACE TRIGGER "0_added" BEFORE INSERT ON data.webhooks FOR EACH ROW EXECUTE FUNCTION app.on_webhook_more();
CREATE OR REPLACE TRIGGER "0_restored" BEFORE UPDATE ON data.webhooks
	FOR EACH ROW WHEN (NEW.deleted_at IS NULL AND OLD.deleted_at IS NOT NULL) EXECUTE FUNCTION app.on_webhook_more();
CREATE OR REPLACE TRIGGER "0_switched_on" BEFORE UPDATE ON data.webhooks
	FOR EACH ROW WHEN (NEW.active AND NOT OLD.active) EXECUTE FUNCTION app.on_webhook_switch();
CREATE OR REPLACE TRIGGER y_again AFTER UPDATE ON data.webhooks
	FOR EACH ROW WHEN (NEW.active AND NEW.deleted_at IS NULL AND (NOT OLD.active OR OLD.deleted_at IS NOT NULL))
	EXECUTE FUNCTION app.on_webhook_again();

-- The secret stands in the document as it is kept, sealed; the program shows it once. So a stored answer holds none.
CREATE OR REPLACE FUNCTION app.webhook_create(input jsonb) RETURNS TABLE (status integer, doc jsonb, etag text, location text)
LANGUAGE plpgsql VOLATILE ROWS 1
AS $$
DECLARE
	wanted uuid := (input ->> 'id')::uuid;
	secret text;
BEGIN
	IF NOT EXISTS (SELECT FROM seen.webhooks AS w WHERE w.id = wanted AND w.created_by = app.member()) THEN
		INSERT INTO data.webhooks (organization_id, id, url, description, events, active, created_by)
		VALUES (app.org(), wanted, input ->> 'url', coalesce(input ->> 'description', ''), app.event_filters(input),
			coalesce((input ->> 'active')::boolean, true), app.member());
	END IF;
	secret := app.webhook_begin(wanted, input ->> 'sealed');
	RETURN QUERY SELECT 201, w.doc::jsonb || jsonb_build_object('secret', secret), w.version::text, '/api/v1/webhooks/' || w.id
		FROM seen.webhook_docs AS w WHERE w.id = wanted;
END
$$;

CREATE OR REPLACE FUNCTION app.webhook_update(webhook uuid, input jsonb, if_match bigint) RETURNS TABLE (doc json, etag text)
LANGUAGE plpgsql VOLATILE ROWS 1
AS $$
BEGIN
	UPDATE seen.webhooks AS w SET url = coalesce(input ->> 'url', w.url),
		description = coalesce(input ->> 'description', w.description), events = coalesce(app.event_filters(input), w.events),
		active = coalesce((input ->> 'active')::boolean, w.active)
	WHERE w.id = webhook AND app.is_version(w.version, if_match);
	RETURN QUERY SELECT w.doc, w.version::text FROM seen.webhook_docs AS w WHERE w.id = webhook;
END
$$;

CREATE OR REPLACE FUNCTION app.webhook_restore(webhook uuid) RETURNS TABLE (doc json, etag text)
LANGUAGE plpgsql VOLATILE ROWS 1
AS $$
BEGIN
	UPDATE seen.deleted_webhooks AS w SET deleted_at = NULL WHERE w.id = webhook;
	RETURN QUERY SELECT w.doc, w.version::text FROM seen.webhook_docs AS w WHERE w.id = webhook;
END
$$;

-- Sealed; for the worker, which signs with them.
CREATE OR REPLACE FUNCTION app.webhook_secrets(webhook uuid)
	RETURNS TABLE (secret text, old_secret text, old_secret_until timestamptz)
LANGUAGE sql STABLE ROWS 1
AS $$
	SELECT s.secret, s.old_secret, s.old_secret_until FROM data.webhook_states AS s
	WHERE s.organization_id = app.org() AND s.webhook_id = webhook;
$$;

CREATE OR REPLACE FUNCTION app.webhook_rotate(webhook uuid, input jsonb, if_match bigint)
	RETURNS TABLE (doc jsonb, etag text)
LANGUAGE plpgsql VOLATILE ROWS 1
AS $$
BEGIN
	UPDATE seen.webhooks AS w SET secret_changed_at = clock_timestamp()
	WHERE w.id = webhook AND app.is_version(w.version, if_match);
	IF FOUND THEN
		PERFORM app.webhook_secret_next(webhook, input ->> 'sealed', (input ->> 'overlap_s')::integer);
	END IF;
	RETURN QUERY SELECT w.doc::jsonb || jsonb_build_object('secret', input ->> 'sealed'), w.version::text
		FROM seen.webhook_docs AS w WHERE w.id = webhook;
END
$$;

-- Said by hand, these two go out whether the endpoint is on or off.
CREATE OR REPLACE FUNCTION app.webhook_ping(webhook uuid) RETURNS TABLE (doc json)
LANGUAGE plpgsql VOLATILE ROWS 1
AS $$
DECLARE
	made uuid := app.uuidv7();
BEGIN
	INSERT INTO data.webhook_deliveries (organization_id, id, webhook_id, type, at, next_at)
	SELECT app.org(), made, w.id, 'ping', now(), now() FROM seen.webhooks AS w WHERE w.id = webhook;
	IF FOUND THEN
		PERFORM jobs.enqueue('webhook.deliver', jsonb_build_object('delivery_id', made, 'by_hand', true));
	END IF;
	RETURN QUERY SELECT d.doc FROM seen.webhook_delivery_docs AS d WHERE d.id = made;
END
$$;

CREATE OR REPLACE FUNCTION app.webhook_replay(webhook uuid, delivery uuid) RETURNS TABLE (doc json)
LANGUAGE plpgsql VOLATILE ROWS 1
AS $$
BEGIN
	-- One that should have gone out an hour ago has lost its job.
	IF EXISTS (SELECT FROM seen.webhook_deliveries AS d WHERE d.webhook_id = webhook AND d.id = delivery AND d.state = 'waiting'
		AND d.next_at > now() - interval '1 hour') THEN
		PERFORM app.refuse('delivery_waiting');
	END IF;
	UPDATE seen.webhook_deliveries AS d SET state = 'waiting', next_at = now(), finished_at = NULL
	WHERE d.webhook_id = webhook AND d.id = delivery
		AND EXISTS (SELECT FROM seen.webhooks AS w WHERE w.id = webhook);
	IF FOUND THEN
		PERFORM jobs.enqueue('webhook.deliver', jsonb_build_object('delivery_id', delivery, 'by_hand', true));
	END IF;
	RETURN QUERY SELECT d.doc FROM seen.webhook_delivery_docs AS d WHERE d.webhook_id = webhook AND d.id = delivery;
END
$$;

RESET ROLE;
SET LOCAL ROLE stint_definer;

-- From events to deliveries ------------------------------------------------------------------------------------------

-- Called by the sealer, in its transaction: organizations whose events were given positions. One look-up for all of them.
CREATE OR REPLACE FUNCTION app.webhooks_wake(orgs uuid[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	org uuid;
BEGIN
	FOR org IN SELECT DISTINCT w.organization_id FROM data.webhooks AS w
		WHERE w.organization_id = ANY (orgs) AND w.active AND w.deleted_at IS NULL
	LOOP
		PERFORM jobs.enqueue('webhook.fan', '{}', jsonb_build_object('organization', org, 'unique', org));
	END LOOP;
END
$$;

-- Events behind each endpoint's cursor become deliveries and their jobs, and the cursor moves, in one transaction: each event
-- once for each endpoint, in order of position. Gives how many events were looked at; 0: nothing is left.
--
-- No event falls between. A sealer that found this job still waiting made no second one; it may not have committed when this
-- begins. It holds its lock until it has, so to have waited for the lock is to see what it sealed. A sealer that begins later
-- finds this job running, and makes another.
CREATE OR REPLACE FUNCTION app.webhooks_fan(most integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	org constant uuid := app.org();
	sealing constant bigint := hashtextextended('events_seal', 7318);
	head bigint;
	upto bigint;
	w record;
	many jsonb[];
	n bigint := 0;
BEGIN
	-- Had and given back at once, whatever happens: kept to the end it would keep the sealer from its work.
	BEGIN
		PERFORM pg_advisory_xact_lock_shared(sealing);
		RAISE EXCEPTION USING ERRCODE = 'STLCK';
	EXCEPTION WHEN SQLSTATE 'STLCK' THEN
		NULL;
	END;
	SELECT h.position INTO head FROM data.event_heads AS h WHERE h.organization_id = org;
	FOR w IN
		SELECT s.webhook_id, s.cursor, h.events FROM data.webhook_states AS s
		JOIN data.webhooks AS h ON h.organization_id = s.organization_id AND h.id = s.webhook_id
		WHERE s.organization_id = org AND h.active AND h.deleted_at IS NULL AND s.cursor < head
		ORDER BY s.webhook_id FOR UPDATE OF s
	LOOP
		upto := least(w.cursor + most, head);
		WITH made AS (
			INSERT INTO data.webhook_deliveries (organization_id, id, webhook_id, type, position, noun, row_id, action, at, next_at)
			SELECT org, app.uuidv7(), w.webhook_id, v.noun || '.' || v.action, v.position, v.noun, v.row_id, v.action, v.at, now()
			FROM data.events AS v
			WHERE v.organization_id = org AND v.position > w.cursor AND v.position <= upto
				AND app.is_wanted(w.events, v.noun, v.action)
			ORDER BY v.position
			RETURNING id, position
		)
		SELECT array_agg(jsonb_build_object('delivery_id', made.id) ORDER BY made.position) INTO many FROM made;
		IF many IS NOT NULL THEN
			PERFORM jobs.enqueue_all('webhook.deliver', many, jsonb_build_object('organization', org));
		END IF;
		UPDATE data.webhook_states AS s SET cursor = upto WHERE s.organization_id = org AND s.webhook_id = w.webhook_id;
		n := n + upto - w.cursor;
	END LOOP;
	RETURN n;
END
$$;

-- Attempts -----------------------------------------------------------------------------------------------------------

-- The one place where people are told that Stint switched an endpoint off; that it did is an event too.
CREATE OR REPLACE FUNCTION app.webhook_disabled_notice(org uuid, webhook uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	SELECT app.notify_all(org, 'webhooks_edit', 'webhook_disabled', jsonb_build_object('webhook_id', w.id, 'url', w.url,
		'gone', w.disabled_reason = 'gone'), '/settings/webhooks/' || w.id)
	FROM data.webhooks AS w WHERE w.organization_id = org AND w.id = webhook;
$$;

CREATE OR REPLACE FUNCTION app.webhook_disable(org uuid, webhook uuid, reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	UPDATE data.webhooks AS w SET active = false, disabled_reason = reason
	WHERE w.organization_id = org AND w.id = webhook AND w.active AND w.deleted_at IS NULL;
	IF FOUND THEN
		PERFORM app.webhook_disabled_notice(org, webhook);
	END IF;
END
$$;

-- What an attempt came to: delivered; waiting (again in rest_s); failed (that was the last); gone (410: the endpoint itself
-- says that nobody is there); cancelled (not sent: the endpoint is off). An endpoint that has only failed for five days, or
-- whose last hundred deliveries all ended so, is switched off.
CREATE OR REPLACE FUNCTION app.webhook_attempted(delivery uuid, outcome text, given jsonb, rest_s float8) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	org constant uuid := app.org();
	ends constant boolean := outcome IN ('failed', 'gone');
	d data.webhook_deliveries;
	s data.webhook_states;
BEGIN
	IF outcome = 'cancelled' THEN
		UPDATE data.webhook_deliveries AS x SET state = outcome, next_at = NULL, finished_at = now()
		WHERE x.organization_id = org AND x.id = delivery;
		RETURN outcome;
	END IF;
	UPDATE data.webhook_deliveries AS x SET state = CASE outcome WHEN 'gone' THEN 'failed' ELSE outcome END,
		attempts = x.attempts + 1,
		next_at = CASE WHEN outcome = 'waiting' THEN now() + make_interval(secs => rest_s) END,
		finished_at = CASE WHEN outcome <> 'waiting' THEN now() END,
		last_status = (given ->> 'status')::integer, last_error = given ->> 'error', took_ms = (given ->> 'took_ms')::integer,
		request_id = (given ->> 'request_id')::uuid, request = coalesce(given ->> 'request', x.request), answer = given ->> 'answer'
	WHERE x.organization_id = org AND x.id = delivery RETURNING * INTO d;
	IF NOT FOUND THEN
		RETURN outcome;
	ELSIF outcome = 'delivered' THEN
		UPDATE data.webhook_states AS x SET succeeded_at = now(), failing_since = NULL, failed_in_a_row = 0
		WHERE x.organization_id = org AND x.webhook_id = d.webhook_id
			AND (x.failing_since IS NOT NULL OR x.failed_in_a_row > 0 OR x.succeeded_at IS NULL
				OR x.succeeded_at < now() - interval '1 minute');
		RETURN outcome;
	END IF;
	UPDATE data.webhook_states AS x SET failing_since = coalesce(x.failing_since, now()),
		failed_in_a_row = x.failed_in_a_row + ends::integer
	WHERE x.organization_id = org AND x.webhook_id = d.webhook_id RETURNING * INTO s;
	IF outcome = 'gone' THEN
		PERFORM app.webhook_disable(org, d.webhook_id, 'gone');
	ELSIF s.failing_since <= now() - interval '5 days' OR s.failed_in_a_row >= 100 THEN
		PERFORM app.webhook_disable(org, d.webhook_id, 'failing');
	END IF;
	RETURN outcome;
END
$$;

GRANT EXECUTE ON FUNCTION app.webhooks_fan(integer), app.webhook_attempted(uuid, text, jsonb, float8) TO stint_worker;

RESET ROLE;
