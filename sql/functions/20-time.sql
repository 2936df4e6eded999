-- Days and clocks. A day is what the named zone says it is: 23, 24, 25, sometimes 24.5 hours, and once 0.
-- Everything shown that has to do with days comes through here, so that week, dashboard, list and report cannot disagree.

SET LOCAL ROLE stint_owner;

-- The first instant of a local day where PostgreSQL's own answer is not it: midnight does not exist or happens twice.
--
-- PostgreSQL reads a missing local time with the offset before the gap and a doubled one with the offset after. So where
-- midnight is doubled (Havana goes from 01:00 back to 00:00) the day began an hour earlier, and where it is missing the
-- day begins at the jump, which lies between that reading and the one with the later offset.
CREATE OR REPLACE FUNCTION app.day_start_odd(day date, zone text) RETURNS timestamptz
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
AS $$
DECLARE
	midnight timestamp := day;
	reading timestamptz := midnight AT TIME ZONE zone;
	-- How far the clock is ahead of UTC well before and well after.
	before interval := ((reading - interval '1 day') AT TIME ZONE zone) - ((reading - interval '1 day') AT TIME ZONE 'UTC');
	after interval := ((reading + interval '1 day') AT TIME ZONE zone) - ((reading + interval '1 day') AT TIME ZONE 'UTC');
	early timestamptz := (midnight - greatest(before, after)) AT TIME ZONE 'UTC';
	late timestamptz := (midnight - least(before, after)) AT TIME ZONE 'UTC';
	middle timestamptz;
BEGIN
	IF early AT TIME ZONE zone = midnight THEN
		RETURN early;
	ELSIF late AT TIME ZONE zone = midnight THEN
		RETURN late;
	END IF;
	-- No midnight: halve the way to the jump, to the second. `early` is before it, `late` at or after it.
	WHILE late - early > interval '1 second' LOOP
		middle := early + make_interval(secs => floor(extract(epoch FROM late - early) / 2)::integer);
		IF middle AT TIME ZONE zone < midnight THEN
			early := middle;
		ELSE
			late := middle;
		END IF;
	END LOOP;
	RETURN late;
END
$$;

-- The first instant of a local day. The plain case stays a plain expression: midnight is there, and three hours
-- earlier the clock ran with the same offset.
CREATE OR REPLACE FUNCTION app.day_start(day date, zone text) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE
	WHEN ((day::timestamp AT TIME ZONE zone) - interval '3 hours') AT TIME ZONE zone = day::timestamp - interval '3 hours'
		AND (day::timestamp AT TIME ZONE zone) AT TIME ZONE zone = day::timestamp
	THEN day::timestamp AT TIME ZONE zone
	ELSE app.day_start_odd(day, zone)
END;

CREATE OR REPLACE FUNCTION app.day_of(at timestamptz, zone text) RETURNS date
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (at AT TIME ZONE zone)::date;

-- Whole seconds between two instants; what a duration is, everywhere. One that still runs counts to now.
CREATE OR REPLACE FUNCTION app.seconds(started_at timestamptz, ended_at timestamptz) RETURNS integer
LANGUAGE sql STABLE PARALLEL SAFE
RETURN greatest(extract(epoch FROM coalesce(ended_at, date_trunc('second', now())) - started_at)::integer, 0);

-- The seconds of [started_at, ended_at) that lie in [from_at, to_at).
CREATE OR REPLACE FUNCTION app.part_s(started_at timestamptz, ended_at timestamptz, from_at timestamptz, to_at timestamptz)
	RETURNS integer
LANGUAGE sql STABLE PARALLEL SAFE
RETURN greatest(extract(epoch FROM least(coalesce(ended_at, date_trunc('second', now())), to_at)
	- greatest(started_at, from_at))::integer, 0);

-- Local days from first to last, each with its bounds and its length.
CREATE OR REPLACE FUNCTION app.days(first_day date, last_day date, zone text)
	RETURNS TABLE (day date, from_at timestamptz, to_at timestamptz, length_s integer)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 7
AS $$
	SELECT d::date, b.from_at, b.to_at, extract(epoch FROM b.to_at - b.from_at)::integer
	FROM generate_series(first_day::timestamp, last_day::timestamp, interval '1 day') AS d,
	LATERAL (SELECT app.day_start(d::date, zone) AS from_at, app.day_start(d::date + 1, zone) AS to_at) AS b;
$$;

-- [started_at, ended_at) cut at local midnights; the parts add up to the whole. One that still runs is cut up to now.
-- A day more on both ends, since a clock that is set back over midnight makes the date of an instant go back too.
CREATE OR REPLACE FUNCTION app.day_parts(started_at timestamptz, ended_at timestamptz, zone text)
	RETURNS TABLE (day date, from_at timestamptz, to_at timestamptz, part_s integer)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 2
AS $$
	SELECT d.day, greatest(started_at, d.from_at), least(e.ended_at, d.to_at),
		app.part_s(started_at, e.ended_at, d.from_at, d.to_at)
	FROM (SELECT coalesce(ended_at, date_trunc('second', now()))) AS e (ended_at),
	LATERAL app.days(app.day_of(started_at, zone) - 1, app.day_of(e.ended_at, zone) + 1, zone) AS d
	WHERE d.from_at < e.ended_at AND d.to_at > started_at AND d.from_at < d.to_at;
$$;

-- The instant where a local clock was changed, between two instants that lie on both sides of the change.
CREATE OR REPLACE FUNCTION app.clock_change(early timestamptz, late timestamptz, zone text) RETURNS timestamptz
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE
AS $$
DECLARE
	ahead interval := (early AT TIME ZONE zone) - (early AT TIME ZONE 'UTC');
	middle timestamptz;
BEGIN
	WHILE late - early > interval '1 second' LOOP
		middle := early + make_interval(secs => floor(extract(epoch FROM late - early) / 2)::integer);
		IF (middle AT TIME ZONE zone) - (middle AT TIME ZONE 'UTC') = ahead THEN
			early := middle;
		ELSE
			late := middle;
		END IF;
	END LOOP;
	RETURN late;
END
$$;

-- The instant somebody means by a date and a clock time in a zone. A time that happens twice is asked back, unless fold
-- says 'first' or 'second'; one that the clocks skipped is refused, with the last time before and the first after it.
CREATE OR REPLACE FUNCTION app.local_instant(day date, clock time, zone text, fold text, field text) RETURNS timestamptz
LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
DECLARE
	wanted timestamp := day + clock;
	reading timestamptz;
	first timestamptz;
	second timestamptz;
	jump timestamptz;
BEGIN
	IF wanted IS NULL THEN
		RETURN NULL;
	ELSIF NOT isfinite(day) OR day NOT BETWEEN '1970-01-02' AND '2199-12-30' THEN
		PERFORM app.refuse('range', field);
	END IF;
	reading := wanted AT TIME ZONE zone;
	-- Read with the offsets of a day before and a day after: the same but around a change.
	first := (wanted - (((reading - interval '1 day') AT TIME ZONE zone)
		- ((reading - interval '1 day') AT TIME ZONE 'UTC'))) AT TIME ZONE 'UTC';
	second := (wanted - (((reading + interval '1 day') AT TIME ZONE zone)
		- ((reading + interval '1 day') AT TIME ZONE 'UTC'))) AT TIME ZONE 'UTC';
	IF first = second THEN
		RETURN first;
	ELSIF first AT TIME ZONE zone <> wanted AND second AT TIME ZONE zone <> wanted THEN
		jump := app.clock_change(least(first, second) - interval '1 day', greatest(first, second) + interval '1 day', zone);
		PERFORM app.refuse('time_missing', field, jsonb_build_object(
			'before', to_char((jump - interval '1 second') AT TIME ZONE zone, 'YYYY-MM-DD"T"HH24:MI:SS'),
			'after', to_char(jump AT TIME ZONE zone, 'YYYY-MM-DD"T"HH24:MI:SS')));
	ELSIF first AT TIME ZONE zone <> wanted THEN
		RETURN second;
	ELSIF second AT TIME ZONE zone <> wanted THEN
		RETURN first;
	ELSIF fold = 'first' THEN
		RETURN least(first, second);
	ELSIF fold = 'second' THEN
		RETURN greatest(first, second);
	END IF;
	PERFORM app.refuse('time_ambiguous', field, jsonb_build_object(
		'first', app.instant(least(first, second)), 'second', app.instant(greatest(first, second))));
	RETURN NULL;
END
$$;

-- The first day of the week a day lies in; weeks begin on 1 (Monday) … 7 (Sunday).
CREATE OR REPLACE FUNCTION app.week_of(day date, week_start integer) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN day - (extract(isodow FROM day)::integer - week_start + 7) % 7;

-- A zone the database knows; refuses on zone_unknown. PostgreSQL also takes abbreviations (CEST) and rules (XYZ5), which
-- are no names of zones: neither has a slash and no digit. What does is tried; the rest is looked for in the list of all
-- names, which takes reading all their files.
CREATE OR REPLACE FUNCTION app.is_zone(zone text) RETURNS boolean
LANGUAGE plpgsql STABLE COST 10000
AS $$
BEGIN
	IF zone ~ '^[A-Za-z]+(/[A-Za-z_-]+)+$' THEN
		PERFORM now() AT TIME ZONE zone;
	ELSIF zone <> 'UTC' AND zone NOT IN (SELECT name FROM pg_timezone_names) THEN
		PERFORM app.refuse('zone_unknown', 'zone');
	END IF;
	RETURN true;
EXCEPTION WHEN invalid_parameter_value THEN
	PERFORM app.refuse('zone_unknown', 'zone');
	RETURN false;
END
$$;

RESET ROLE;
