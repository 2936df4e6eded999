-- Live updates: what a ticket for stint-live stands for. The daemon has no database, so all it must know stands here once.

SET LOCAL ROLE stint_definer;

DROP FUNCTION IF EXISTS app.live_ticket(bytea);

-- The caller's own: which credential the socket ends with, until when it may stay, and whose events it may hear of.
-- position: what was sealed up to now; whoever loads content after this has seen it.
-- own: not of others' time, even for who may see it.
CREATE OR REPLACE FUNCTION app.live_ticket(credential_hash bytea, own boolean) RETURNS json
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	SELECT json_build_object('organization', c.organization_id, 'member', c.member_id, 'credential', c.id,
		'expires_at', floor(extract(epoch FROM c.expires_at))::bigint,
		'topics', array_remove(ARRAY['organization', 'member:' || c.member_id,
			CASE WHEN NOT own AND app.can('time_view_all') THEN 'members' END], NULL),
		'position', coalesce((SELECT h.position FROM data.event_heads AS h WHERE h.organization_id = c.organization_id), 0))
	FROM data.credentials AS c WHERE c.hash = credential_hash;
$$;

GRANT EXECUTE ON FUNCTION app.live_ticket(bytea, boolean) TO stint_web;

RESET ROLE;
