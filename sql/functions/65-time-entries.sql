-- Writing time. These are functions and not statements because each first waits for its turn (app.lock_time) and must then
-- look again: a statement's own snapshot is older than the wait. They run as the caller, under row level security, and
-- give the id of the entry, whose document the query then asks for: NULL when there is none such to be seen.

SET LOCAL ROLE stint_owner;

-- The document of an entry as it is now, with what this very statement did; no row for NULL.
CREATE OR REPLACE FUNCTION app.entry_answer(entry uuid) RETURNS TABLE (doc json, etag text)
LANGUAGE plpgsql VOLATILE ROWS 1
AS $$
BEGIN
	RETURN QUERY SELECT d.doc, d.version::text FROM seen.time_entry_docs AS d WHERE d.id = entry;
END
$$;

CREATE OR REPLACE FUNCTION app.entry_insert(entry uuid, who uuid, its_zone text, start_at timestamptz, end_at timestamptz,
	input jsonb) RETURNS uuid
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
	project uuid := (input ->> 'project_id')::uuid;
	by_project boolean := app.project_billable(project);
BEGIN
	-- first_day and exclusive are set by trigger; they are named because they may not be null before it.
	INSERT INTO data.time_entries (organization_id, id, member_id, project_id, description, tag_ids, billable, type,
		started_at, ended_at, zone, first_day, exclusive, created_by)
	VALUES (app.org(), entry, who, project, coalesce(input ->> 'description', ''), app.tags_wanted(input, '{}'),
		coalesce((input ->> 'billable')::boolean, by_project), coalesce(input ->> 'type', 'work'),
		start_at, end_at, its_zone, start_at::date, false, app.member());
	RETURN entry;
END
$$;

-- Ends the caller's running entry at a moment. A timer stopped within its first second is a second long.
CREATE OR REPLACE FUNCTION app.timer_end(entry uuid, end_at timestamptz) RETURNS void
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
	UPDATE seen.time_entries SET ended_at = end_at WHERE id = entry;
END
$$;

-- When a new timer starts: as told, or on the clock of today (of yesterday when that is still to come), or now. A
-- program's clock may be some seconds ahead of ours.
CREATE OR REPLACE FUNCTION app.timer_start_at(input jsonb, clock timestamptz) RETURNS timestamptz
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	start_at timestamptz := date_trunc('second', (input ->> 'started_at')::timestamptz);
	today date := app.day_of(clock, app.zone());
	typed time := (input ->> 'start')::time;
	length interval := make_interval(secs => (input ->> 'duration_s')::double precision);
BEGIN
	IF start_at IS NULL AND typed IS NOT NULL THEN
		IF today + typed > clock AT TIME ZONE app.zone() THEN
			today := today - 1;
		END IF;
		start_at := app.local_instant(today, typed, app.zone(), coalesce(input ->> 'start_fold', 'second'), 'start');
	END IF;
	start_at := coalesce(start_at, clock - coalesce(length, interval '0'));
	IF start_at > clock AND length IS NULL THEN
		IF start_at > clock + interval '10 seconds' THEN
			PERFORM app.refuse('start_in_future', 'started_at');
		END IF;
		start_at := clock;
	END IF;
	RETURN start_at;
END
$$;

-- Now, for a timer. now() itself is older than what a twin did while this one waited. And an entry that was stopped within
-- its first second ends up to a second from now: the next one begins there, and does not overlap it.
CREATE OR REPLACE FUNCTION app.timer_clock() RETURNS timestamptz
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
	clock timestamptz := date_trunc('second', clock_timestamp());
BEGIN
	RETURN coalesce((
		SELECT e.ended_at FROM data.time_entries AS e
		WHERE e.organization_id = app.org() AND e.member_id = app.member() AND e.deleted_at IS NULL
			AND e.started_at BETWEEN clock - interval '1 second' AND clock + interval '1 minute'
			AND e.ended_at BETWEEN clock AND clock + interval '1 minute'
		ORDER BY e.started_at DESC LIMIT 1), clock);
END
$$;

CREATE OR REPLACE FUNCTION app.timer_start(input jsonb) RETURNS uuid
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
	clock timestamptz;
	start_at timestamptz;
	end_at timestamptz;
	running record;
	entry record;
BEGIN
	PERFORM app.lock_time(app.member());
	entry := app.entry_id_wanted(input);
	IF entry.known THEN
		RETURN entry.id;
	END IF;
	clock := app.timer_clock();
	start_at := app.timer_start_at(input, clock);
	IF (input ->> 'duration_s') IS NOT NULL THEN
		end_at := start_at + make_interval(secs => (input ->> 'duration_s')::double precision);
		RETURN app.entry_insert(entry.id, app.member(), app.zone(), start_at, end_at, input);
	END IF;
	SELECT e.id, e.started_at INTO running FROM seen.time_entries AS e
	WHERE e.member_id = app.member() AND e.ended_at IS NULL;
	IF FOUND THEN
		IF NOT coalesce((input ->> 'switch')::boolean, false) THEN
			PERFORM app.refuse('timer_running', NULL, jsonb_build_object('running_id', running.id));
		ELSIF start_at <= running.started_at AND start_at < clock THEN
			PERFORM app.refuse('entry_overlap', 'started_at', jsonb_build_object('entry_id', running.id));
		END IF;
		-- Twice within a second: the first one gets its second.
		start_at := greatest(start_at, running.started_at + interval '1 second');
		PERFORM app.timer_end(running.id, start_at);
	END IF;
	RETURN app.entry_insert(entry.id, app.member(), app.zone(), start_at, NULL, input);
END
$$;

CREATE OR REPLACE FUNCTION app.timer_stop(input jsonb) RETURNS uuid
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
	running record;
	end_at timestamptz := date_trunc('second', (input ->> 'ended_at')::timestamptz);
BEGIN
	PERFORM app.lock_time(app.member());
	SELECT e.id, e.started_at INTO running FROM seen.time_entries AS e
	WHERE e.member_id = app.member() AND e.ended_at IS NULL;
	IF NOT FOUND THEN
		PERFORM app.refuse('timer_not_running');
	ELSIF end_at <= running.started_at THEN
		PERFORM app.refuse('end_before_start', 'ended_at');
	END IF;
	PERFORM app.timer_end(running.id, coalesce(end_at,
		greatest(date_trunc('second', clock_timestamp()), running.started_at + interval '1 second')));
	RETURN running.id;
END
$$;

-- For whom a new entry is: oneself, or another active member for those who may change everybody's time.
CREATE OR REPLACE FUNCTION app.entry_member(input jsonb, OUT id uuid, OUT zone text)
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	id := coalesce((input ->> 'member_id')::uuid, app.member());
	IF id = app.member() THEN
		zone := app.zone();
		RETURN;
	END IF;
	SELECT m.zone INTO zone FROM seen.members AS m WHERE m.id = entry_member.id AND m.active;
	IF NOT FOUND THEN
		PERFORM app.refuse('reference', 'member_id');
	END IF;
	PERFORM app.may_edit_time(id);
END
$$;

-- Where a duration goes that came without a start: today it ends now; on another day it lies at nine o'clock, or in the
-- first gap after that where it fits.
CREATE OR REPLACE FUNCTION app.duration_start(input jsonb, who uuid) RETURNS timestamptz
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	today date := app.day_of(now(), app.zone());
	day date := coalesce((input ->> 'day')::date, today);
	length interval := make_interval(secs => (input ->> 'duration_s')::double precision);
	gap timestamptz;
BEGIN
	IF day = today THEN
		RETURN date_trunc('second', now()) - length;
	END IF;
	gap := app.free_gap(who, app.day_start(day, app.zone()) + interval '9 hours', app.day_start(day + 1, app.zone()), length);
	IF gap IS NULL THEN
		gap := app.free_gap(who, app.day_start(day, app.zone()), app.day_start(day + 1, app.zone()), length);
	END IF;
	IF gap IS NULL THEN
		PERFORM app.refuse('entry_overlap', 'duration_s');
	END IF;
	RETURN gap;
END
$$;

CREATE OR REPLACE FUNCTION app.entry_create(input jsonb) RETURNS uuid
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
	who record := app.entry_member(input);
	entry record;
	times record;
	running uuid;
BEGIN
	PERFORM app.lock_time(who.id);
	entry := app.entry_id_wanted(input);
	IF entry.known THEN
		RETURN entry.id;
	END IF;
	times := app.entry_times(input, NULL, NULL);
	IF times.started_at IS NULL AND (input ->> 'duration_s') IS NOT NULL THEN
		times.started_at := app.duration_start(input, who.id);
		times.ended_at := times.started_at + make_interval(secs => (input ->> 'duration_s')::double precision);
	ELSIF times.started_at IS NULL THEN
		PERFORM app.refuse('required', CASE WHEN input ? 'day' OR input ? 'end' THEN 'start' ELSE 'started_at' END);
	END IF;
	IF times.ended_at IS NULL THEN
		IF times.started_at > clock_timestamp() THEN
			PERFORM app.refuse('start_in_future', CASE WHEN input ? 'start' THEN 'start' ELSE 'started_at' END);
		END IF;
		SELECT e.id INTO running FROM data.time_entries AS e
		WHERE e.organization_id = app.org() AND e.member_id = who.id AND e.ended_at IS NULL AND e.deleted_at IS NULL;
		IF FOUND THEN
			PERFORM app.refuse('timer_running', NULL, jsonb_build_object('running_id', running));
		END IF;
	END IF;
	RETURN app.entry_insert(entry.id, who.id, who.zone, times.started_at, times.ended_at, input);
END
$$;

CREATE OR REPLACE FUNCTION app.entry_update(entry uuid, input jsonb, if_match bigint) RETURNS uuid
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
	e record;
	times record;
	project uuid;
BEGIN
	SELECT * INTO e FROM seen.time_entries AS s WHERE s.id = entry;
	IF NOT FOUND THEN
		RETURN NULL;
	END IF;
	PERFORM app.may_edit_time(e.member_id);
	PERFORM app.lock_time(e.member_id);
	-- As it is now that it is our turn.
	SELECT * INTO e FROM seen.time_entries AS s WHERE s.id = entry FOR UPDATE;
	IF NOT FOUND THEN
		RETURN NULL;
	END IF;
	PERFORM app.is_version(e.version, if_match);
	IF input -> 'ended_at' = 'null' AND e.ended_at IS NOT NULL THEN
		PERFORM app.refuse('required', 'ended_at');
	END IF;
	times := app.entry_times(input, e.started_at, e.ended_at);
	IF times.ended_at IS NULL AND times.started_at > clock_timestamp() THEN
		PERFORM app.refuse('start_in_future', CASE WHEN input ? 'start' THEN 'start' ELSE 'started_at' END);
	END IF;
	project := CASE WHEN input ? 'project_id' THEN (input ->> 'project_id')::uuid ELSE e.project_id END;
	IF project IS DISTINCT FROM e.project_id THEN
		PERFORM app.project_billable(project);
	END IF;
	UPDATE seen.time_entries AS s SET
		started_at = times.started_at, ended_at = times.ended_at, project_id = project,
		description = CASE WHEN input ? 'description' THEN coalesce(input ->> 'description', '') ELSE s.description END,
		billable = coalesce((input ->> 'billable')::boolean, s.billable), type = coalesce(input ->> 'type', s.type),
		tag_ids = app.tags_wanted(input, s.tag_ids)
	WHERE s.id = entry;
	RETURN entry;
END
$$;

CREATE OR REPLACE FUNCTION app.entry_delete(entry uuid, if_match bigint) RETURNS uuid
LANGUAGE sql VOLATILE
AS $$
	UPDATE seen.time_entries AS e SET deleted_at = now()
	WHERE e.id = entry AND app.may_edit_time(e.member_id) AND app.is_version(e.version, if_match)
	RETURNING e.id;
$$;

CREATE OR REPLACE FUNCTION app.entry_restore(entry uuid) RETURNS uuid
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
	e record;
	running uuid;
BEGIN
	SELECT s.member_id, s.ended_at INTO e FROM seen.deleted_time_entries AS s WHERE s.id = entry;
	IF NOT FOUND THEN
		-- Undone already: the same answer again.
		RETURN (SELECT s.id FROM seen.time_entries AS s WHERE s.id = entry);
	END IF;
	PERFORM app.may_edit_time(e.member_id);
	PERFORM app.lock_time(e.member_id);
	IF e.ended_at IS NULL THEN
		SELECT r.id INTO running FROM data.time_entries AS r
		WHERE r.organization_id = app.org() AND r.member_id = e.member_id AND r.ended_at IS NULL AND r.deleted_at IS NULL
			AND r.id <> entry;
		IF FOUND THEN
			PERFORM app.refuse('timer_running', NULL, jsonb_build_object('running_id', running));
		END IF;
	END IF;
	UPDATE seen.deleted_time_entries SET deleted_at = NULL WHERE id = entry;
	RETURN entry;
END
$$;

-- What a new entry takes from an old one: project, tags, description, billable, and nothing else.
CREATE OR REPLACE FUNCTION app.entry_template(entry uuid, input jsonb) RETURNS jsonb
LANGUAGE sql STABLE
AS $$
	SELECT jsonb_strip_nulls(jsonb_build_object('id', input -> 'id', 'project_id', e.project_id,
		'description', e.description, 'billable', e.billable, 'type', e.type,
		'tags', ARRAY(SELECT t.id FROM seen.tags AS t WHERE t.id = ANY (e.tag_ids))))
	FROM seen.time_entries AS e WHERE e.id = entry;
$$;

CREATE OR REPLACE FUNCTION app.entry_continue(entry uuid, input jsonb) RETURNS uuid
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
	e record;
BEGIN
	SELECT * INTO e FROM seen.time_entries AS s WHERE s.id = entry;
	IF NOT FOUND THEN
		RETURN NULL;
	ELSIF e.ended_at IS NULL AND e.member_id = app.member() THEN
		PERFORM app.refuse('timer_running', NULL, jsonb_build_object('running_id', e.id));
	END IF;
	RETURN app.timer_start(app.entry_template(entry, input) || '{"switch": true}');
END
$$;

-- The same again for the same member. Where overlaps are forbidden it takes the first gap after the original that is long
-- enough, before that day ends.
CREATE OR REPLACE FUNCTION app.entry_duplicate(entry uuid, input jsonb) RETURNS uuid
LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
	e record;
	made record;
	start_at timestamptz;
BEGIN
	SELECT * INTO e FROM seen.time_entries AS s WHERE s.id = entry;
	IF NOT FOUND THEN
		RETURN NULL;
	END IF;
	PERFORM app.may_edit_time(e.member_id);
	IF e.ended_at IS NULL THEN
		PERFORM app.refuse('timer_running', NULL, jsonb_build_object('running_id', e.id));
	END IF;
	PERFORM app.lock_time(e.member_id);
	made := app.entry_id_wanted(input);
	IF made.known THEN
		RETURN made.id;
	END IF;
	start_at := e.started_at;
	IF (SELECT o.overlap_policy FROM seen.organizations AS o) = 'forbid' THEN
		start_at := app.free_gap(e.member_id, e.ended_at,
			app.day_start(app.day_of(e.ended_at - interval '1 second', e.zone) + 1, e.zone), e.ended_at - e.started_at);
		IF start_at IS NULL THEN
			PERFORM app.refuse('entry_overlap', NULL, jsonb_build_object('entry_id', e.id));
		END IF;
	END IF;
	RETURN app.entry_insert(made.id, e.member_id, e.zone, start_at, start_at + (e.ended_at - e.started_at),
		app.entry_template(entry, input));
END
$$;

RESET ROLE;
