-- Background work as people see and handle it: an organization's owner (through seen.jobs, and by jobs.own_act), the operator
-- (by the functions granted to stint_worker), and monitoring. Numbers of single organizations leave here only to those
-- who entered that organization, and to the operator.

SET LOCAL ROLE stint_definer;

-- By hand ----------------------------------------------------------------------------------------------------------------

-- Out of sight and out of the way; the row stays a day, so that it can be taken back.
CREATE OR REPLACE FUNCTION jobs.drop_row(j jobs.jobs) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	UPDATE jobs.jobs AS x SET state = 'cancelled', once_key = NULL, finished_at = coalesce(x.finished_at, clock_timestamp()),
		purge_at = now() + interval '1 day', dropped = jsonb_build_object('state', x.state, 'once_key', x.once_key)
	WHERE x.id = j.id;
	IF j.state = 'waiting' AND j.group_id IS NOT NULL THEN
		PERFORM jobs.group_count(j.group_id);
	END IF;
	-- Who called it is told now; should it be taken back it is told again.
	PERFORM jobs.reply(j, 'cancelled', NULL, NULL) WHERE j.state = 'waiting';
END
$$;

CREATE OR REPLACE FUNCTION jobs.restore_row(j jobs.jobs) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	was text := j.dropped ->> 'state';
BEGIN
	UPDATE jobs.jobs AS x SET state = was, once_key = x.dropped ->> 'once_key', dropped = NULL,
		finished_at = CASE WHEN was <> 'waiting' THEN x.finished_at END,
		purge_at = CASE WHEN was <> 'waiting' THEN now() + interval '30 days' END
	WHERE x.id = j.id;
	IF was = 'waiting' THEN
		PERFORM jobs.group_rejoin(j.id, j.group_id);
		PERFORM pg_notify('jobs', '');
	END IF;
EXCEPTION WHEN unique_violation THEN
	PERFORM app.refuse('job_twin');
END
$$;

-- what: retry, cancel, drop, restore. Asked again, each gives the job as it is; what its state does not allow is refused.
CREATE OR REPLACE FUNCTION jobs.act_on(j jobs.jobs, what text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF what = 'restore' THEN
		PERFORM jobs.restore_row(j) WHERE j.dropped IS NOT NULL;
	ELSIF what = 'drop' THEN
		PERFORM app.refuse('job_running') WHERE j.state = 'running';
		PERFORM jobs.drop_row(j) WHERE j.dropped IS NULL;
	ELSIF what = 'retry' THEN
		PERFORM app.refuse('job_running') WHERE j.state = 'running';
		PERFORM app.refuse('job_done') WHERE j.state = 'done';
		PERFORM jobs.retry(j.id);
	ELSE
		PERFORM app.refuse('job_done') WHERE j.state IN ('done', 'dead', 'expired');
		PERFORM jobs.cancel(j.id);
	END IF;
END
$$;

-- For those who entered the organization the job belongs to; nothing for anybody else. A dropped one can be restored alone.
CREATE OR REPLACE FUNCTION jobs.own_act(what text, job uuid) RETURNS SETOF uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	j jobs.jobs;
BEGIN
	SELECT * INTO j FROM jobs.jobs AS x WHERE x.id = job AND x.organization_id = app.org() AND app.can('jobs_view')
		AND (x.dropped IS NULL OR what IN ('restore', 'drop')) FOR UPDATE;
	IF FOUND THEN
		PERFORM jobs.act_on(j, what);
		RETURN NEXT j.id;
	END IF;
END
$$;

CREATE OR REPLACE FUNCTION jobs.operator_act(what text, job uuid) RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	j jobs.jobs;
BEGIN
	SELECT * INTO j FROM jobs.jobs AS x WHERE x.id = job AND (x.dropped IS NULL OR what IN ('restore', 'drop')) FOR UPDATE;
	IF FOUND THEN
		PERFORM jobs.act_on(j, what);
		RETURN QUERY SELECT CASE WHEN x.dropped IS NOT NULL THEN 'dropped' WHEN x.cancel THEN 'cancelling' ELSE x.state END
			FROM jobs.jobs AS x WHERE x.id = job;
	END IF;
END
$$;

-- All of a kind that ended so, at most so many; one whose key waits anew already stays.
CREATE OR REPLACE FUNCTION jobs.operator_retry_all(given_kind text, given_state text, most integer)
RETURNS TABLE (retried bigint, kept bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	job uuid;
BEGIN
	retried := 0;
	kept := 0;
	FOR job IN
		SELECT x.id FROM jobs.jobs AS x WHERE x.state = given_state AND x.kind = given_kind AND x.dropped IS NULL
			AND NOT EXISTS (SELECT FROM jobs.jobs AS t WHERE t.kind = x.kind AND t.lane = x.lane AND t.unique_key = x.unique_key
				AND (t.state = 'waiting' OR (t.state = 'running' AND t.unique_running)))
		ORDER BY x.id LIMIT most FOR UPDATE SKIP LOCKED
	LOOP
		BEGIN
			PERFORM jobs.retry(job);
			retried := retried + 1;
		EXCEPTION WHEN SQLSTATE 'ST001' THEN
			kept := kept + 1;
		END;
	END LOOP;
	RETURN NEXT;
END
$$;

-- What is there ----------------------------------------------------------------------------------------------------------

-- Queues in which something waits or runs, or that a kind goes to. How many wait is counted up to `most` each.
CREATE OR REPLACE FUNCTION jobs.queue_depths(most integer)
RETURNS TABLE (queue text, waiting bigint, due bigint, running bigint, oldest_due_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	WITH lanes AS MATERIALIZED (
		SELECT * FROM jobs.lanes()
	), heads AS (
		SELECT l.queue, min(f.due_at) AS first_at FROM lanes AS l CROSS JOIN LATERAL (
			SELECT j.due_at FROM jobs.jobs AS j
			WHERE j.state = 'waiting' AND j.queue = l.queue AND j.lane = l.lane AND j.priority = l.priority
			ORDER BY j.due_at LIMIT 1) AS f GROUP BY 1
	), running AS (
		SELECT j.queue, count(*) AS n FROM jobs.jobs AS j WHERE j.state = 'running' GROUP BY 1
	), names AS (
		SELECT h.queue FROM heads AS h UNION SELECT r.queue FROM running AS r UNION SELECT k.queue FROM jobs.kinds AS k
	)
	SELECT n.queue, coalesce(w.waiting, 0), coalesce(w.due, 0), coalesce(r.n, 0),
		CASE WHEN h.first_at <= now() THEN h.first_at END
	FROM names AS n LEFT JOIN heads AS h USING (queue) LEFT JOIN running AS r USING (queue)
	LEFT JOIN LATERAL (
		SELECT count(*) AS waiting, count(*) FILTER (WHERE c.due_at <= now()) AS due FROM (
			SELECT j.due_at FROM jobs.jobs AS j WHERE j.state = 'waiting' AND j.queue = n.queue LIMIT most) AS c) AS w ON true
	ORDER BY 1;
$$;

-- Whether anybody is there to do the work: heard of in the last minute.
CREATE OR REPLACE FUNCTION jobs.workers_alive() RETURNS TABLE (host text, queues jsonb, started_at timestamptz, seen_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	SELECT w.host, coalesce(w.doc -> 'queues', '[]'), w.started_at, w.seen_at FROM jobs.workers AS w
	WHERE w.seen_at > now() - interval '1 minute' ORDER BY w.started_at, w.id;
$$;

CREATE OR REPLACE FUNCTION jobs.schedules() RETURNS json
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(json_agg(json_build_object('kind', k.kind, 'about', k.about, 'cron', k.schedule, 'zone', k.zone,
		'backfill', k.backfill, 'last_at', app.instant((SELECT max(s.slot) FROM jobs.slots AS s WHERE s.kind = k.kind)))
		ORDER BY k.kind), '[]')
	FROM jobs.kinds AS k WHERE k.schedule IS NOT NULL;
$$;

-- What a kind of job is for, in a line.
CREATE OR REPLACE FUNCTION jobs.about(given_kind text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	SELECT k.about FROM jobs.kinds AS k WHERE k.kind = given_kind;
$$;

-- How long at most p of the runs took, in milliseconds, from counts by 10 ms, 100 ms, 1 s, 10 s, 60 s, longer: between the
-- bounds of a bucket its runs are taken to lie evenly. NULL without runs.
CREATE OR REPLACE FUNCTION jobs.percentile_ms(buckets bigint[], p float8) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	bounds constant bigint[] := '{0,10,100,1000,10000,60000,600000}';
	wanted float8 := p * (SELECT sum(n) FROM unnest(buckets) AS n);
	seen bigint := 0;
BEGIN
	FOR i IN 1..6 LOOP
		IF buckets[i] > 0 AND seen + buckets[i] >= wanted THEN
			RETURN round(bounds[i] + (bounds[i + 1] - bounds[i]) * (wanted - seen) / buckets[i]);
		END IF;
		seen := seen + buckets[i];
	END LOOP;
	RETURN NULL;
END
$$;

-- The operator's -----------------------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION jobs.operator_list(given_state text, given_kind text, given_queue text, org uuid, most integer)
RETURNS json
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(json_agg(json_build_object('id', j.id, 'kind', j.kind, 'queue', j.queue, 'state', j.state,
		'attempts', j.attempts, 'max_attempts', j.max_attempts, 'due_at', app.instant(j.due_at),
		'created_at', app.instant(j.created_at), 'finished_at', app.instant(j.finished_at),
		'organization_id', j.organization_id, 'organization', (SELECT o.name FROM data.organizations AS o WHERE o.id = j.organization_id),
		'error', app.masked_text(j.error)) ORDER BY j.id DESC), '[]')
	FROM (
		SELECT * FROM jobs.jobs AS x
		WHERE x.dropped IS NULL AND (given_state IS NULL OR x.state = given_state) AND (given_kind IS NULL OR x.kind = given_kind)
			AND (given_queue IS NULL OR x.queue = given_queue) AND (org IS NULL OR x.organization_id = org)
		ORDER BY x.id DESC LIMIT most) AS j;
$$;

-- Everything of one job but its secrets.
CREATE OR REPLACE FUNCTION jobs.operator_show(job uuid) RETURNS json
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	SELECT json_build_object('id', j.id, 'kind', j.kind, 'about', k.about, 'state', j.state, 'queue', j.queue,
		'priority', j.priority, 'organization_id', j.organization_id,
		'organization', (SELECT o.name FROM data.organizations AS o WHERE o.id = j.organization_id),
		'member_id', j.member_id, 'attempts', j.attempts, 'max_attempts', j.max_attempts, 'crashes', j.crashes,
		'cancelling', j.cancel, 'created_at', app.instant(j.created_at), 'due_at', app.instant(j.due_at),
		'expires_at', app.instant(j.expires_at), 'started_at', app.instant(j.started_at),
		'finished_at', app.instant(j.finished_at), 'purge_at', app.instant(j.purge_at), 'lease', j.lease,
		'leased_until', app.instant(j.leased_until), 'unique_key', j.unique_key, 'once_key', j.once_key, 'group_id', j.group_id,
		'dropped', j.dropped IS NOT NULL, 'error', app.masked_text(j.error), 'args', app.masked(j.args),
		'next', app.masked(j.next), 'memo', app.masked(j.memo), 'result', app.masked(j.result))
	FROM jobs.jobs AS j LEFT JOIN jobs.kinds AS k USING (kind) WHERE j.id = job;
$$;

CREATE OR REPLACE FUNCTION jobs.operator_inspect() RETURNS json
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	SELECT json_build_object(
		'workers', (SELECT coalesce(json_agg(json_build_object('id', w.id, 'host', w.host, 'pid', w.pid,
				'started_at', app.instant(w.started_at), 'seen_at', app.instant(w.seen_at),
				'alive', w.seen_at > now() - interval '1 minute', 'queues', coalesce(w.doc -> 'queues', '[]'),
				'running', coalesce(w.doc -> 'running', '[]')) ORDER BY w.started_at, w.id), '[]') FROM jobs.workers AS w),
		'queues', (SELECT coalesce(json_agg(json_build_object('queue', q.queue, 'waiting', q.waiting, 'due', q.due,
				'running', q.running, 'oldest_due_at', app.instant(q.oldest_due_at)) ORDER BY q.queue), '[]')
			FROM jobs.queue_depths(1000000) AS q));
$$;

CREATE OR REPLACE FUNCTION jobs.operator_stats(minutes integer) RETURNS json
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	WITH sums AS (
		SELECT s.kind, s.outcome, sum(s.count) AS n, sum(s.took_ms) AS ms, ARRAY[sum(s.buckets[1]), sum(s.buckets[2]),
			sum(s.buckets[3]), sum(s.buckets[4]), sum(s.buckets[5]), sum(s.buckets[6])]::bigint[] AS buckets
		FROM jobs.stats AS s WHERE s.minute > now() - make_interval(mins => minutes) GROUP BY 1, 2
	)
	SELECT coalesce(json_agg(json_build_object('kind', s.kind, 'outcome', s.outcome, 'count', s.n,
		'per_minute', round(s.n / minutes, 2), 'mean_ms', round(s.ms / nullif(s.n, 0)), 'p50_ms', jobs.percentile_ms(s.buckets, 0.5),
		'p95_ms', jobs.percentile_ms(s.buckets, 0.95), 'p99_ms', jobs.percentile_ms(s.buckets, 0.99))
		ORDER BY s.kind, s.outcome), '[]')
	FROM sums AS s;
$$;

-- Monitoring ---------------------------------------------------------------------------------------------------------------

-- A line of Prometheus' text format: name, then label, value, label, value.
CREATE OR REPLACE FUNCTION jobs.series(name text, VARIADIC labels text[] DEFAULT '{}') RETURNS text
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	SELECT name || coalesce('{' || string_agg(labels[i] || '="'
		|| replace(replace(replace(labels[i + 1], '\', '\\'), '"', '\"'), E'\n', '\n') || '"', ',' ORDER BY i) || '}', '')
	FROM generate_series(1, cardinality(labels), 2) AS i;
$$;

-- Each family's lines; what the families are called and mean stands in src/features/system_jobs.c. Waiting jobs are counted up
-- to 100000 a queue, so that a scrape costs the same however many there are.
CREATE OR REPLACE FUNCTION jobs.metrics() RETURNS TABLE (family text, series text, value text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	WITH depths AS MATERIALIZED (
		SELECT * FROM jobs.queue_depths(100000)
	), of_queues AS (
		SELECT v.family, jobs.series(v.family, 'queue', d.queue) AS series, v.value FROM depths AS d CROSS JOIN LATERAL (VALUES
			('stint_jobs_waiting', d.waiting::text), ('stint_jobs_due', d.due::text), ('stint_jobs_running', d.running::text),
			('stint_jobs_oldest_due_seconds', round(coalesce(extract(epoch FROM now() - d.oldest_due_at), 0), 3)::text),
			('stint_jobs_dead', (SELECT count(*) FROM jobs.jobs AS j WHERE j.state = 'dead' AND j.queue = d.queue)::text)) AS v (family, value)
	), of_kinds AS (
		SELECT v.family, jobs.series(v.family, 'kind', t.kind) AS series, sum(t.count)::text AS value
		FROM jobs.totals AS t JOIN (VALUES ('stint_job_failures_total', '{retry,dead,crashed}'::text[]),
			('stint_job_retries_total', '{retry}')) AS v (family, outcomes) ON t.outcome = ANY (v.outcomes) GROUP BY v.family, t.kind
	), took AS (
		SELECT t.kind, sum(t.count) AS n, sum(t.took_ms) AS ms, ARRAY[sum(t.buckets[1]), sum(t.buckets[2]), sum(t.buckets[3]),
			sum(t.buckets[4]), sum(t.buckets[5]), sum(t.buckets[6])] AS buckets FROM jobs.totals AS t GROUP BY 1
	), histograms AS (
		SELECT t.kind, 1 AS part, b.n AS place, jobs.series('stint_job_duration_seconds_bucket', 'kind', t.kind, 'le', b.le) AS series,
			(SELECT sum(x) FROM unnest(t.buckets[1 : b.n::integer]) AS x)::text AS value
		FROM took AS t CROSS JOIN unnest('{0.01,0.1,1,10,60,+Inf}'::text[]) WITH ORDINALITY AS b (le, n)
		UNION ALL
		SELECT t.kind, 2, 0, jobs.series('stint_job_duration_seconds_sum', 'kind', t.kind), round(t.ms / 1000.0, 3)::text FROM took AS t
		UNION ALL
		SELECT t.kind, 3, 0, jobs.series('stint_job_duration_seconds_count', 'kind', t.kind),
			(SELECT sum(x) FROM unnest(t.buckets) AS x)::text FROM took AS t
	)
	SELECT * FROM (SELECT * FROM of_queues ORDER BY 1, 2) AS q
	UNION ALL
	SELECT 'stint_job_runs_total', jobs.series('stint_job_runs_total', 'kind', t.kind, 'outcome', t.outcome), t.count::text
	FROM jobs.totals AS t
	UNION ALL
	SELECT * FROM of_kinds
	UNION ALL
	SELECT * FROM (SELECT 'stint_job_duration_seconds', h.series, h.value FROM histograms AS h ORDER BY h.kind, h.part, h.place) AS h
	UNION ALL
	SELECT 'stint_job_workers', 'stint_job_workers', (SELECT count(*) FROM jobs.workers_alive())::text
	UNION ALL
	SELECT v.family, v.family, v.value FROM app.events_lag() AS l CROSS JOIN LATERAL (VALUES
		('stint_events_unsealed', l.waiting::text),
		('stint_events_unsealed_oldest_seconds', round(l.oldest_s::numeric, 3)::text)) AS v (family, value);
$$;

GRANT EXECUTE ON FUNCTION jobs.own_act(text, uuid), jobs.workers_alive(), jobs.schedules(), jobs.about(text), jobs.metrics() TO stint_web;
GRANT EXECUTE ON FUNCTION jobs.operator_act(text, uuid), jobs.operator_retry_all(text, text, integer),
	jobs.operator_list(text, text, text, uuid, integer), jobs.operator_show(uuid), jobs.operator_inspect(),
	jobs.operator_stats(integer), jobs.schedules() TO stint_worker;

RESET ROLE;

-- The owner's -------------------------------------------------------------------------------------------------------------

SET LOCAL ROLE stint_owner;

-- A job as it is by now, and not as it was when the statement began: for what has just changed it.
CREATE OR REPLACE FUNCTION app.job_now(job uuid) RETURNS json
LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
	RETURN (SELECT d.doc FROM seen.job_docs AS d WHERE d.id = job);
END
$$;

-- An organization's figures; who works and by what clock is the installation's.
CREATE OR REPLACE FUNCTION app.jobs_summary() RETURNS jsonb
LANGUAGE sql STABLE
AS $$
	WITH queues AS (
		SELECT j.queue, count(*) FILTER (WHERE j.state = 'waiting') AS waiting,
			count(*) FILTER (WHERE j.state = 'waiting' AND j.due_at <= now()) AS due,
			count(*) FILTER (WHERE j.state = 'running') AS running,
			min(j.due_at) FILTER (WHERE j.state = 'waiting' AND j.due_at <= now()) AS oldest_due_at
		FROM seen.jobs AS j WHERE j.state IN ('waiting', 'running') GROUP BY 1
	), rates AS (
		SELECT p.period, coalesce(sum(t.done), 0) AS done, coalesce(sum(t.failed), 0) AS failed, coalesce(sum(t.dead), 0) AS dead
		FROM (VALUES ('minute'), ('hour'), ('day')) AS p (period)
		LEFT JOIN seen.job_tallies AS t ON t.minute > now() - ('1 ' || p.period)::interval GROUP BY 1
	)
	SELECT jsonb_build_object(
		'waiting', (SELECT coalesce(sum(q.waiting), 0) FROM queues AS q),
		'running', (SELECT coalesce(sum(q.running), 0) FROM queues AS q),
		'dead', (SELECT count(*) FROM seen.jobs AS j WHERE j.state = 'dead'),
		'oldest_due_at', (SELECT app.instant(min(q.oldest_due_at)) FROM queues AS q),
		'queues', (SELECT coalesce(jsonb_agg(jsonb_build_object('queue', q.queue, 'waiting', q.waiting, 'due', q.due,
			'running', q.running, 'oldest_due_at', app.instant(q.oldest_due_at)) ORDER BY q.queue), '[]') FROM queues AS q),
		'rates', (SELECT jsonb_object_agg(r.period, jsonb_build_object('done', r.done, 'failed', r.failed, 'dead', r.dead))
			FROM rates AS r),
		'workers', (SELECT coalesce(jsonb_agg(jsonb_build_object('host', w.host, 'queues', w.queues,
			'started_at', app.instant(w.started_at), 'seen_at', app.instant(w.seen_at)) ORDER BY w.started_at), '[]')
			FROM jobs.workers_alive() AS w),
		'schedules', jobs.schedules());
$$;

-- The rows of a page: what a template shows of jobs in one state, the latest first. failing: those that wait after a failure.
CREATE OR REPLACE FUNCTION app.jobs_rows(given_state text, most integer) RETURNS jsonb
LANGUAGE sql STABLE
AS $$
	SELECT coalesce(jsonb_agg(j.doc::jsonb || jsonb_build_object('args_text', jsonb_pretty(j.args), 'has_args', j.args <> '{}',
		'about', jobs.about(j.kind), 'tries', j.attempts + j.crashes, 'ended_at', coalesce(j.doc ->> 'finished_at', j.doc ->> 'due_at'),
		'is_done', j.state = 'done', 'is_cancelled', j.state = 'cancelled', 'is_expired', j.state = 'expired',
		'is_cancelling', j.cancelling) ORDER BY j.at DESC, j.id DESC), '[]')
	FROM (
		SELECT d.*, coalesce(d.finished_at, d.started_at, d.due_at) AS at FROM seen.job_docs AS d
		WHERE CASE given_state WHEN 'failing' THEN d.state = 'waiting' AND d.error IS NOT NULL AND d.attempts + d.crashes > 0
			WHEN 'done' THEN d.state IN ('done', 'cancelled', 'expired') ELSE d.state = given_state END
		ORDER BY at DESC, d.id DESC LIMIT most) AS j;
$$;

RESET ROLE;
