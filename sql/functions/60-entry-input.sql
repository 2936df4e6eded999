-- What people and programs say of an entry, made into what an entry holds: its id, tags, project, start and end. Each refuses
-- by field what cannot be. Writing is in 65-time-entries.sql.

SET LOCAL ROLE stint_owner;

-- The tags an entry is to have: those that were asked for, which must exist, each once; and those deleted ones that it had,
-- so that a restored tag is on its entries again.
CREATE OR REPLACE FUNCTION app.tags_wanted(input jsonb, had uuid[]) RETURNS uuid[]
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	wanted uuid[];
BEGIN
	IF NOT input ? 'tags' THEN
		RETURN had;
	ELSIF input -> 'tags' IN ('null', '[]') AND had = '{}' THEN
		RETURN had;
	END IF;
	SELECT coalesce(array_agg(DISTINCT tag::uuid), '{}') INTO wanted
	FROM jsonb_array_elements_text(coalesce(nullif(input -> 'tags', 'null'), '[]')) AS tag;
	IF (SELECT count(*) FROM seen.tags AS t WHERE t.id = ANY (wanted)) <> cardinality(wanted) THEN
		PERFORM app.refuse('reference', 'tags');
	END IF;
	RETURN wanted || ARRAY(SELECT t.id FROM seen.deleted_tags AS t WHERE t.id = ANY (had));
END
$$;

-- Whether work on this project is billable by itself. Refuses a project that is not there or takes no new work.
CREATE OR REPLACE FUNCTION app.project_billable(project uuid) RETURNS boolean
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	found record;
BEGIN
	IF project IS NULL THEN
		RETURN false;
	END IF;
	SELECT p.billable, p.archived INTO found FROM seen.projects AS p WHERE p.id = project;
	IF found IS NULL THEN
		PERFORM app.refuse('reference', 'project_id');
	ELSIF found.archived THEN
		PERFORM app.refuse('archived', 'project_id');
	END IF;
	RETURN found.billable;
END
$$;

-- The id a new entry is to have. A repeated create by the same member gives the entry that is there (known), and an
-- id that is somebody else's, or was deleted, is taken.
CREATE OR REPLACE FUNCTION app.entry_id_wanted(input jsonb, OUT id uuid, OUT known boolean)
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
	there record;
BEGIN
	known := false;
	id := (input ->> 'id')::uuid;
	IF id IS NULL THEN
		id := app.uuidv7();
		RETURN;
	END IF;
	SELECT e.created_by, e.deleted_at INTO there FROM data.time_entries AS e
	WHERE e.organization_id = app.org() AND e.id = entry_id_wanted.id;
	IF FOUND THEN
		known := there.created_by = app.member() AND there.deleted_at IS NULL;
		IF NOT known THEN
			PERFORM app.refuse('id_taken', 'id');
		END IF;
	END IF;
END
$$;

-- Start and end as people and programs give them. Programs give instants (started_at, ended_at); people a day and clock
-- times in their own zone (day, start, end, end_day, and start_fold, end_fold on the night clocks go back) or a duration.
-- What is not given stays as it was: editing one end never moves the other. Forms send back what they showed, to the
-- minute: a time that is typed as it was shown is no change, so that seconds and folds survive an edit of something else.
CREATE OR REPLACE FUNCTION app.clock_given(input jsonb, field text, day date, was timestamptz) RETURNS timestamptz
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	clock time := (input ->> field)::time;
	fold text := input ->> (field || '_fold');
	shown timestamp := was AT TIME ZONE app.zone();
BEGIN
	IF fold IS NULL AND day + clock IN (shown, date_trunc('minute', shown)) THEN
		RETURN was;
	END IF;
	RETURN app.local_instant(day, clock, app.zone(), fold, field);
END
$$;

CREATE OR REPLACE FUNCTION app.entry_times(input jsonb, was_started timestamptz, was_ended timestamptz,
	OUT started_at timestamptz, OUT ended_at timestamptz)
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	was_day date := app.day_of(was_started, app.zone());
	day date := coalesce((input ->> 'day')::date, was_day, app.day_of(now(), app.zone()));
	end_day date := coalesce((input ->> 'end_day')::date,
		CASE WHEN input ->> 'day' IS NULL THEN app.day_of(was_ended, app.zone()) END, day);
	length interval := make_interval(secs => (input ->> 'duration_s')::double precision);
BEGIN
	started_at := CASE
		WHEN input ->> 'started_at' IS NOT NULL THEN (input ->> 'started_at')::timestamptz
		WHEN input ->> 'start' IS NOT NULL THEN app.clock_given(input, 'start', day, was_started)
		WHEN day <> was_day THEN
			app.local_instant(day, (was_started AT TIME ZONE app.zone())::time, app.zone(), 'first', 'day')
		ELSE was_started
	END;
	ended_at := CASE
		WHEN input ->> 'ended_at' IS NOT NULL THEN (input ->> 'ended_at')::timestamptz
		WHEN input ->> 'end' IS NOT NULL THEN app.clock_given(input, 'end', end_day, was_ended)
		-- The day alone moves the whole entry, by the clock.
		WHEN day <> was_day AND input ->> 'start' IS NULL AND input ->> 'started_at' IS NULL THEN
			app.local_instant(app.day_of(was_ended, app.zone()) + (day - was_day),
				(was_ended AT TIME ZONE app.zone())::time, app.zone(), 'first', 'day')
		ELSE was_ended
	END;
	-- A duration counts from the start; beside an end that was typed anew the end holds.
	IF length IS NOT NULL AND started_at IS NOT NULL AND (ended_at IS NULL OR ended_at IS NOT DISTINCT FROM was_ended)
		AND (was_ended IS NULL OR length <> date_trunc('minute', was_ended - was_started)) THEN
		ended_at := started_at + length;
	END IF;
	started_at := date_trunc('second', started_at);
	ended_at := date_trunc('second', ended_at);
	IF ended_at <= started_at THEN
		PERFORM app.refuse('end_before_start', CASE WHEN input ? 'end' THEN 'end'
			WHEN input ? 'ended_at' THEN 'ended_at' WHEN input ? 'duration_s' THEN 'duration_s'
			WHEN input ? 'start' THEN 'start' ELSE 'started_at' END);
	ELSIF ended_at - started_at > interval '31 days' THEN
		PERFORM app.refuse('entry_too_long', CASE WHEN input ? 'end' OR input ? 'end_day' THEN 'end'
			WHEN input ? 'duration_s' THEN 'duration_s' ELSE 'ended_at' END);
	END IF;
END
$$;

-- The first moment from from_at on where the member is free for so long, before until_at.
CREATE OR REPLACE FUNCTION app.free_gap(who uuid, from_at timestamptz, until_at timestamptz, length interval)
	RETURNS timestamptz
LANGUAGE sql STABLE
AS $$
	WITH near AS (
		SELECT e.started_at, coalesce(e.ended_at, 'infinity') AS ended_at FROM data.time_entries AS e
		WHERE e.organization_id = app.org() AND e.member_id = who AND e.deleted_at IS NULL
			AND e.started_at < until_at AND e.started_at >= from_at - interval '32 days'
			AND coalesce(e.ended_at, 'infinity') > from_at)
	SELECT c.at FROM (SELECT from_at UNION SELECT near.ended_at FROM near WHERE near.ended_at < until_at) AS c (at)
	WHERE c.at + length <= until_at
		AND NOT EXISTS (SELECT FROM near WHERE near.started_at < c.at + length AND near.ended_at > c.at)
	ORDER BY c.at LIMIT 1;
$$;

RESET ROLE;
