-- What lists and pages of entries share: their filters, and changes in words.

SET LOCAL ROLE stint_owner;

-- A bound of a list: an instant, or a local day of the reader, which `to` includes.
CREATE OR REPLACE FUNCTION app.list_edge(edge text, upper boolean) RETURNS timestamptz
LANGUAGE sql STABLE
RETURN CASE
	WHEN edge IS NULL OR edge = '' THEN CASE WHEN upper THEN timestamptz 'infinity' ELSE timestamptz '-infinity' END
	WHEN edge ~ '^\d{4}-\d{2}-\d{2}$' THEN app.day_start(edge::date + CASE WHEN upper THEN 1 ELSE 0 END, app.zone())
	ELSE edge::timestamptz
END;

-- The filters of a list of entries, made ready: bounds, the projects of a client or the one asked for (NULL: any), the tag
-- if it is there to be seen. No finished entry is longer than 31 days, so the index is read no further back than that,
-- or than the oldest that runs.
CREATE OR REPLACE FUNCTION app.list_filter(from_text text, to_text text, project uuid, client uuid, asked_tag uuid, cursor text,
	OUT from_at timestamptz, OUT oldest_at timestamptz, OUT before_at timestamptz, OUT before_id uuid,
	OUT projects uuid[], OUT tag uuid)
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	from_at := app.list_edge(from_text, false);
	oldest_at := from_at;
	IF isfinite(from_at) THEN
		oldest_at := least(from_at - interval '32 days',
			(SELECT min(e.started_at) FROM seen.time_entries AS e WHERE e.ended_at IS NULL));
	END IF;
	before_at := app.list_edge(to_text, true);
	-- Smaller than every id: an entry that starts at the bound is not before it.
	before_id := '00000000-0000-0000-0000-000000000000';
	IF cursor <> '' AND app.cursor_instant(cursor, 1) < before_at THEN
		before_at := app.cursor_instant(cursor, 1);
		before_id := app.cursor_uuid(cursor, 2);
	END IF;
	IF client IS NOT NULL THEN
		projects := ARRAY(SELECT p.id FROM seen.projects AS p
			WHERE p.client_id = client AND (project IS NULL OR p.id = project));
	ELSIF project IS NOT NULL THEN
		projects := ARRAY[project];
	END IF;
	IF asked_tag IS NOT NULL THEN
		tag := coalesce((SELECT t.id FROM seen.tags AS t WHERE t.id = asked_tag), '00000000-0000-0000-0000-000000000000');
	END IF;
END
$$;

CREATE OR REPLACE FUNCTION app.is_listed(ended_at timestamptz, project_id uuid, tag_ids uuid[], billable boolean,
	description text, from_at timestamptz, projects uuid[], tag uuid, wanted_billable boolean, q text) RETURNS boolean
LANGUAGE sql STABLE
RETURN (ended_at IS NULL OR ended_at > from_at)
	AND (projects IS NULL OR project_id = ANY (projects))
	AND (tag IS NULL OR tag = ANY (tag_ids))
	AND (wanted_billable IS NULL OR billable = wanted_billable)
	AND (q IS NULL OR app.contains(description, q));

-- A value of an event in the words of a page.
CREATE OR REPLACE FUNCTION app.change_text(field text, value jsonb) RETURNS jsonb
LANGUAGE sql STABLE
AS $$
	SELECT CASE
		WHEN value IS NULL OR value = 'null' THEN NULL
		WHEN field = 'project_id' THEN
			(SELECT to_jsonb(p.name) FROM seen.projects AS p WHERE p.id = (value #>> '{}')::uuid)
		WHEN field = 'tag_ids' THEN (SELECT to_jsonb(coalesce(string_agg(t.name, ', ' ORDER BY lower(t.name)), ''))
			FROM seen.tags AS t WHERE t.id IN (SELECT e::uuid FROM jsonb_array_elements_text(value) AS e))
		WHEN field IN ('started_at', 'ended_at') THEN to_jsonb(app.instant((value #>> '{}')::timestamptz))
		ELSE value
	END;
$$;

-- What an event changed, one object per column: project and tags by name. Of a new entry nothing is listed: all of
-- it is new.
CREATE OR REPLACE FUNCTION app.changes(before jsonb, after jsonb) RETURNS jsonb
LANGUAGE sql STABLE
AS $$
	SELECT coalesce(jsonb_agg(jsonb_build_object('field', b.key, 'before', app.change_text(b.key, b.value),
		'after', app.change_text(b.key, after -> b.key)) ORDER BY b.key), '[]')
	FROM jsonb_each(before) AS b
	WHERE after IS NOT NULL AND b.key IN ('project_id', 'tag_ids', 'description', 'billable', 'type', 'started_at', 'ended_at',
		'status');
$$;

RESET ROLE;
