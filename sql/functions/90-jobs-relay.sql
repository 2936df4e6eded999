-- What waits and what is due: for the relay, the keepers and their schedules, and who leads. The essay is in src/queue/relay.c.

SET LOCAL ROLE stint_definer;

-- One leads, for as long as its connection lasts and says something. A process that was stopped (a paused machine, a debugger) keeps its
-- connection: the server ends it after five seconds without a word, or nobody else could lead.
CREATE OR REPLACE FUNCTION jobs.lead(what integer) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM set_config('idle_session_timeout', '5s', false);
	RETURN pg_try_advisory_lock(7320, what);
END
$$;

-- Every (queue, lane, priority) in which something waits: hopping through the index, not reading it.
CREATE OR REPLACE FUNCTION jobs.lanes() RETURNS TABLE (queue text, lane uuid, priority smallint)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	WITH RECURSIVE l AS (
		(SELECT j.queue, j.lane, j.priority FROM jobs.jobs AS j WHERE j.state = 'waiting'
		ORDER BY j.queue, j.lane, j.priority LIMIT 1)
		UNION ALL
		SELECT n.* FROM l CROSS JOIN LATERAL (
			SELECT j.queue, j.lane, j.priority FROM jobs.jobs AS j
			WHERE j.state = 'waiting' AND (j.queue, j.lane, j.priority) > (l.queue, l.lane, l.priority)
			ORDER BY j.queue, j.lane, j.priority LIMIT 1) AS n
	)
	SELECT * FROM l;
$$;

-- now() and not clock_timestamp(), here and below: a condition of an index may not change while it is read.
-- Queues in which something waits: whether any of it is due, and in how many milliseconds the next will be that is not.
CREATE OR REPLACE FUNCTION jobs.queues_waiting() RETURNS TABLE (queue text, due boolean, next_ms bigint)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	SELECT l.queue, bool_or(f.due_at <= now()),
		min(ceil(extract(epoch FROM n.due_at - now()) * 1000))::bigint
	FROM jobs.lanes() AS l
	CROSS JOIN LATERAL (
		SELECT j.due_at FROM jobs.jobs AS j
		WHERE j.state = 'waiting' AND j.queue = l.queue AND j.lane = l.lane AND j.priority = l.priority
		ORDER BY j.due_at LIMIT 1) AS f
	LEFT JOIN LATERAL (
		SELECT j.due_at FROM jobs.jobs AS j
		WHERE j.state = 'waiting' AND j.queue = l.queue AND j.lane = l.lane AND j.priority = l.priority
			AND j.due_at > now()
		ORDER BY j.due_at LIMIT 1) AS n ON true
	GROUP BY l.queue;
$$;

-- The next jobs of a queue: by priority, within one the lanes in turn, within a lane by due_at. turn: another one each time that
-- somebody has claimed the job.
DROP FUNCTION IF EXISTS jobs.due(text, integer);
CREATE FUNCTION jobs.due(given_queue text, most integer)
RETURNS TABLE (id uuid, priority smallint, quick boolean, turn bigint)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	WITH RECURSIVE lanes AS (
		(SELECT j.lane, j.priority FROM jobs.jobs AS j WHERE j.state = 'waiting' AND j.queue = given_queue
		ORDER BY j.lane, j.priority LIMIT 1)
		UNION ALL
		SELECT n.lane, n.priority FROM lanes AS l CROSS JOIN LATERAL (
			SELECT j.lane, j.priority FROM jobs.jobs AS j
			WHERE j.state = 'waiting' AND j.queue = given_queue AND (j.lane, j.priority) > (l.lane, l.priority)
			ORDER BY j.lane, j.priority LIMIT 1) AS n
	)
	SELECT d.id, l.priority, d.quick, d.turn FROM lanes AS l CROSS JOIN LATERAL (
		SELECT w.id, w.quick, w.turn, row_number() OVER () AS place FROM (
			SELECT j.id, j.quick, coalesce(extract(epoch FROM j.started_at) * 1000000, 0)::bigint AS turn FROM jobs.jobs AS j
			WHERE j.state = 'waiting' AND j.queue = given_queue AND j.lane = l.lane AND j.priority = l.priority
				AND j.due_at <= now()
			ORDER BY j.due_at, j.id LIMIT most) AS w) AS d
	ORDER BY l.priority, d.place, l.lane LIMIT most;
$$;

-- Whether a slot of a schedule is new, whoever of several asks first; then its job is there.
CREATE OR REPLACE FUNCTION jobs.fire(given_kind text, given_slot timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO jobs.slots (kind, slot) VALUES (given_kind, given_slot) ON CONFLICT DO NOTHING;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	UPDATE jobs.slots AS s SET job_id = jobs.enqueue(given_kind,
		jsonb_build_object('slot', to_char(given_slot AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')))
	WHERE s.kind = given_kind AND s.slot = given_slot;
	RETURN true;
END
$$;

CREATE OR REPLACE FUNCTION jobs.last_slot(given_kind text) RETURNS timestamptz
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	SELECT max(s.slot) FROM jobs.slots AS s WHERE s.kind = given_kind;
$$;

-- Whether anything is left that runs or could run now; what is due later is not.
CREATE OR REPLACE FUNCTION jobs.is_idle(queues text[]) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	SELECT NOT EXISTS (SELECT FROM jobs.jobs AS j WHERE j.state = 'running' AND j.queue = ANY (queues))
		AND NOT EXISTS (SELECT FROM jobs.jobs AS j WHERE j.state = 'waiting' AND j.queue = ANY (queues) AND j.due_at <= now())
		AND NOT EXISTS (SELECT FROM data.events AS e WHERE e.position IS NULL)
		AND NOT EXISTS (SELECT FROM jobs.replies);
$$;

CREATE OR REPLACE FUNCTION jobs.worker_beat(worker uuid, given_host text, given_pid integer, given_doc jsonb) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	INSERT INTO jobs.workers AS w (id, host, pid, started_at, seen_at, doc)
	VALUES (worker, given_host, given_pid, now(), now(), given_doc)
	ON CONFLICT (id) DO UPDATE SET seen_at = now(), doc = excluded.doc;
$$;

CREATE OR REPLACE FUNCTION jobs.worker_gone(worker uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	DELETE FROM jobs.workers AS w WHERE w.id = worker OR w.seen_at < now() - interval '1 hour';
$$;

-- Adds counts of the minute: [{"kind", "outcome", "count", "took_ms", "buckets": [6]}].
CREATE OR REPLACE FUNCTION jobs.count_add(counts jsonb) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	INSERT INTO jobs.stats AS s (minute, kind, outcome, count, took_ms, buckets)
	SELECT date_trunc('minute', now()), c ->> 'kind', c ->> 'outcome', (c ->> 'count')::bigint, (c ->> 'took_ms')::bigint,
		ARRAY(SELECT b::bigint FROM jsonb_array_elements_text(c -> 'buckets') WITH ORDINALITY AS v (b, n) ORDER BY n)
	FROM jsonb_array_elements(counts) AS c ORDER BY 2, 3
	ON CONFLICT (minute, kind, outcome) DO UPDATE SET count = s.count + excluded.count, took_ms = s.took_ms + excluded.took_ms,
		buckets = ARRAY(SELECT a + b FROM unnest(s.buckets, excluded.buckets) AS v (a, b));
	INSERT INTO jobs.totals AS s (kind, outcome, count, took_ms, buckets)
	SELECT c ->> 'kind', c ->> 'outcome', (c ->> 'count')::bigint, (c ->> 'took_ms')::bigint,
		ARRAY(SELECT b::bigint FROM jsonb_array_elements_text(c -> 'buckets') WITH ORDINALITY AS v (b, n) ORDER BY n)
	FROM jsonb_array_elements(counts) AS c ORDER BY 1, 2
	ON CONFLICT (kind, outcome) DO UPDATE SET count = s.count + excluded.count, took_ms = s.took_ms + excluded.took_ms,
		buckets = ARRAY(SELECT a + b FROM unnest(s.buckets, excluded.buckets) AS v (a, b));
$$;

GRANT EXECUTE ON FUNCTION jobs.lead(integer), jobs.queues_waiting(), jobs.due(text, integer), jobs.fire(text, timestamptz),
	jobs.last_slot(text), jobs.is_idle(text[]), jobs.worker_beat(uuid, text, integer, jsonb), jobs.worker_gone(uuid),
	jobs.count_add(jsonb) TO stint_worker;

RESET ROLE;
