-- Clearing away what nobody needs any more.

SET LOCAL ROLE stint_definer;

DROP FUNCTION IF EXISTS app.purge_credentials(integer), app.purge_links(integer), app.purge_idempotency_keys(integer),
	app.purge_deleted(integer), app.purge_webhooks(integer), jobs.purge(integer), jobs.purge_mails(integer), jobs.purge_celery(integer);

-- Of each table at most so many rows x, so that no transaction is long, and none that somebody has locked. Gives what went, by
-- table: {"data.tags": 3}; {} says that it is done. Approved and referenced rows stay: what a report was made of is not purged for having been
-- deleted. What refers to something stands before it.
CREATE OR REPLACE FUNCTION app.purge(most integer) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	whose regclass;
	condition text;
	n bigint;
	gone jsonb := '{}';
BEGIN
	FOR whose, condition IN VALUES
		('data.credentials'::regclass, $_$x.expires_at < now()$_$),
		('data.one_time_tokens', $_$x.expires_at < now()$_$),
		('data.idempotency_keys', $_$x.created_at < now() - interval '24 hours'$_$),
		-- Undo ends after thirty days.
		('data.time_entries', $_$x.deleted_at < now() - interval '30 days' AND x.status = 'open'$_$),
		('data.tags', $_$x.deleted_at < now() - interval '30 days' AND NOT EXISTS (SELECT FROM data.time_entry_tags AS l
			WHERE l.organization_id = x.organization_id AND l.tag_id = x.id)$_$),
		('data.projects', $_$x.deleted_at < now() - interval '30 days' AND NOT EXISTS (SELECT FROM data.time_entries AS e
			WHERE e.organization_id = x.organization_id AND e.project_id = x.id)$_$),
		('data.clients', $_$x.deleted_at < now() - interval '30 days' AND NOT EXISTS (SELECT FROM data.projects AS p
			WHERE p.organization_id = x.organization_id AND p.client_id = x.id)$_$),
		('data.webhook_deliveries', $_$x.created_at < now() - interval '30 days'$_$),
		('data.webhooks', $_$x.deleted_at < now() - interval '30 days' AND NOT EXISTS (SELECT FROM data.webhook_deliveries AS d
			WHERE d.organization_id = x.organization_id AND d.webhook_id = x.id)$_$),
		('data.notifications', $_$x.created_at < now() - interval '90 days'$_$),
		('jobs.jobs', $_$x.purge_at < now()$_$),
		-- The latest slot of each schedule says what was missed.
		('jobs.slots', $_$x.fired_at < now() - interval '30 days' AND x.slot < (SELECT max(s.slot) FROM jobs.slots AS s
			WHERE s.kind = x.kind)$_$),
		('jobs.stats', $_$x.minute < now() - interval '7 days'$_$),
		('jobs.tallies', $_$x.minute < now() - interval '2 days'$_$),
		('jobs.rates', $_$x.free_at < now() - interval '1 hour'$_$),
		('jobs.mails', $_$x.created_at < now() - interval '30 days'$_$),
		('jobs.letters', $_$x.at < now() - interval '30 days'$_$),
		-- Nobody waits for a reply that long, and a result in Redis is gone by then as well.
		('jobs.replies', $_$x.at < now() - interval '1 day'$_$)
	LOOP
		EXECUTE format('DELETE FROM %1$s AS d WHERE d.ctid = ANY (ARRAY(SELECT x.ctid FROM %1$s AS x WHERE %2$s LIMIT %3$s FOR UPDATE SKIP LOCKED))',
			whose, condition, most);
		GET DIAGNOSTICS n = ROW_COUNT;
		IF n > 0 THEN
			gone := gone || jsonb_build_object(whose::text, n);
		END IF;
	END LOOP;
	RETURN gone;
END
$$;

GRANT EXECUTE ON FUNCTION app.purge(integer) TO stint_worker;

RESET ROLE;
