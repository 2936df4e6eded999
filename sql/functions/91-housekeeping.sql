-- Clearing away what nobody needs any more, a chunk at a time so that no transaction is long. Each gives how many rows went;
-- 0 says that it is done. Approved and referenced rows stay: what a report was made of is not purged for having been deleted.

SET LOCAL ROLE stint_definer;

CREATE OR REPLACE FUNCTION app.purge_credentials(most integer) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	WITH gone AS (
		DELETE FROM data.credentials AS c WHERE c.hash IN (
			SELECT x.hash FROM data.credentials AS x WHERE x.expires_at < now() LIMIT most FOR UPDATE SKIP LOCKED)
		RETURNING 1)
	SELECT count(*) FROM gone;
$$;

CREATE OR REPLACE FUNCTION app.purge_links(most integer) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	WITH gone AS (
		DELETE FROM data.one_time_tokens AS t WHERE t.hash IN (
			SELECT x.hash FROM data.one_time_tokens AS x WHERE x.expires_at < now() LIMIT most FOR UPDATE SKIP LOCKED)
		RETURNING 1)
	SELECT count(*) FROM gone;
$$;

CREATE OR REPLACE FUNCTION app.purge_idempotency_keys(most integer) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	WITH gone AS (
		DELETE FROM data.idempotency_keys AS k WHERE k.ctid = ANY (ARRAY(
			SELECT x.ctid FROM data.idempotency_keys AS x WHERE x.created_at < now() - interval '24 hours'
			LIMIT most FOR UPDATE SKIP LOCKED))
		RETURNING 1)
	SELECT count(*) FROM gone;
$$;

-- Undo ends after thirty days.
CREATE OR REPLACE FUNCTION app.purge_deleted(most integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	old constant timestamptz := now() - interval '30 days';
	n bigint;
	total bigint := 0;
BEGIN
	DELETE FROM data.time_entries AS e WHERE e.ctid = ANY (ARRAY(SELECT x.ctid FROM data.time_entries AS x
		WHERE x.deleted_at < old AND x.status = 'open' LIMIT most FOR UPDATE SKIP LOCKED));
	GET DIAGNOSTICS n = ROW_COUNT;
	total := total + n;
	DELETE FROM data.tags AS t WHERE t.ctid = ANY (ARRAY(SELECT x.ctid FROM data.tags AS x WHERE x.deleted_at < old
		AND NOT EXISTS (SELECT FROM data.time_entry_tags AS l WHERE l.organization_id = x.organization_id AND l.tag_id = x.id)
		LIMIT most FOR UPDATE SKIP LOCKED));
	GET DIAGNOSTICS n = ROW_COUNT;
	total := total + n;
	DELETE FROM data.projects AS p WHERE p.ctid = ANY (ARRAY(SELECT x.ctid FROM data.projects AS x WHERE x.deleted_at < old
		AND NOT EXISTS (SELECT FROM data.time_entries AS e WHERE e.organization_id = x.organization_id AND e.project_id = x.id)
		LIMIT most FOR UPDATE SKIP LOCKED));
	GET DIAGNOSTICS n = ROW_COUNT;
	total := total + n;
	DELETE FROM data.clients AS c WHERE c.ctid = ANY (ARRAY(SELECT x.ctid FROM data.clients AS x WHERE x.deleted_at < old
		AND NOT EXISTS (SELECT FROM data.projects AS p WHERE p.organization_id = x.organization_id AND p.client_id = x.id)
		LIMIT most FOR UPDATE SKIP LOCKED));
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN total + n;
END
$$;

-- Deliveries are kept for thirty days, and endpoints that were deleted for as long.
CREATE OR REPLACE FUNCTION app.purge_webhooks(most integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	old constant timestamptz := now() - interval '30 days';
	n bigint;
	total bigint := 0;
BEGIN
	DELETE FROM data.webhook_deliveries AS d WHERE d.ctid = ANY (ARRAY(SELECT x.ctid FROM data.webhook_deliveries AS x
		WHERE x.created_at < old LIMIT most FOR UPDATE SKIP LOCKED));
	GET DIAGNOSTICS n = ROW_COUNT;
	total := total + n;
	DELETE FROM data.webhooks AS w WHERE w.ctid = ANY (ARRAY(SELECT x.ctid FROM data.webhooks AS x WHERE x.deleted_at < old
		AND NOT EXISTS (SELECT FROM data.webhook_deliveries AS d WHERE d.organization_id = x.organization_id AND d.webhook_id = x.id)
		LIMIT most FOR UPDATE SKIP LOCKED));
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN total + n;
END
$$;

CREATE OR REPLACE FUNCTION jobs.purge(most integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	n bigint;
	total bigint := 0;
BEGIN
	DELETE FROM jobs.jobs AS j WHERE j.id = ANY (ARRAY(
		SELECT x.id FROM jobs.jobs AS x WHERE x.purge_at < now() LIMIT most FOR UPDATE SKIP LOCKED));
	GET DIAGNOSTICS n = ROW_COUNT;
	total := total + n;
	-- The latest slot of each schedule stays: it says what was missed.
	DELETE FROM jobs.slots AS s WHERE s.fired_at < now() - interval '30 days'
		AND s.slot < (SELECT max(x.slot) FROM jobs.slots AS x WHERE x.kind = s.kind);
	GET DIAGNOSTICS n = ROW_COUNT;
	total := total + n;
	DELETE FROM jobs.stats AS s WHERE s.minute < now() - interval '7 days';
	GET DIAGNOSTICS n = ROW_COUNT;
	total := total + n;
	DELETE FROM jobs.tallies AS t WHERE t.minute < now() - interval '2 days';
	GET DIAGNOSTICS n = ROW_COUNT;
	total := total + n;
	DELETE FROM jobs.rates AS r WHERE r.free_at < now() - interval '1 hour';
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN total + n;
END
$$;

GRANT EXECUTE ON FUNCTION app.purge_credentials(integer), app.purge_links(integer), app.purge_idempotency_keys(integer),
	app.purge_deleted(integer), app.purge_webhooks(integer), jobs.purge(integer) TO stint_worker;

RESET ROLE;
