-- Rules of clients and projects.

SET LOCAL ROLE stint_owner;

-- True when nothing uses it; asked only of rows the caller can see.
CREATE OR REPLACE FUNCTION app.is_unused(users bigint) RETURNS boolean
LANGUAGE plpgsql STABLE COST 20000
AS $$
BEGIN
	IF users > 0 THEN
		PERFORM app.refuse('in_use', NULL, jsonb_build_object('count', users));
	END IF;
	RETURN true;
END
$$;

-- How many entries stand on a project, whoever's they are: a project is in use also for those who do not see by whom.
-- Up to a hundred, since beyond that the number says nothing.
CREATE OR REPLACE FUNCTION app.entries_on(project uuid) RETURNS bigint
LANGUAGE sql STABLE
AS $$
	SELECT count(*) FROM (
		SELECT FROM data.time_entries AS e
		WHERE e.organization_id = app.org() AND e.project_id = project LIMIT 100) AS found;
$$;

-- The client a project is to belong to: there, and not archived.
CREATE OR REPLACE FUNCTION app.client_wanted(client uuid) RETURNS uuid
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	found record;
BEGIN
	IF client IS NULL THEN
		RETURN NULL;
	END IF;
	SELECT c.archived INTO found FROM seen.clients AS c WHERE c.id = client;
	IF found IS NULL THEN
		PERFORM app.refuse('reference', 'client_id');
	ELSIF found.archived THEN
		PERFORM app.refuse('archived', 'client_id');
	END IF;
	RETURN client;
END
$$;

-- What a form offers: active clients, and the one that is chosen already.
CREATE OR REPLACE FUNCTION app.client_choices(chosen uuid) RETURNS json
LANGUAGE sql STABLE
AS $$
	SELECT coalesce(json_agg(json_build_object('id', c.id, 'name', c.name) ORDER BY lower(c.name)), '[]')
	FROM seen.clients AS c WHERE NOT c.archived OR c.id = chosen;
$$;

-- The same for an entry: active projects by client and name, and the one it is on, so that saving does not take it off.
CREATE OR REPLACE FUNCTION app.project_choices(chosen uuid) RETURNS json
LANGUAGE sql STABLE
AS $$
	SELECT coalesce(json_agg(json_build_object('id', p.id, 'name', p.name, 'client', p.client_name, 'archived', p.archived)
		ORDER BY lower(p.client_name) NULLS LAST, lower(p.name)), '[]')
	FROM seen.projects AS p WHERE NOT p.archived OR p.id = chosen;
$$;

-- The colour that active projects use least, so that neighbours can be told apart.
CREATE OR REPLACE FUNCTION app.next_color() RETURNS smallint
LANGUAGE sql STABLE
AS $$
	SELECT c::smallint FROM generate_series(1, 12) AS c
	LEFT JOIN seen.projects AS p ON p.color = c AND NOT p.archived
	GROUP BY c ORDER BY count(p.id), c LIMIT 1;
$$;

RESET ROLE;
