-- What becomes of a job: claimed under a lease, settled under its fence, given back when its holder is lost; and what people do by
-- hand. Whatever a runner says counts only while the job runs under the lease it was given.

SET LOCAL ROLE stint_definer;

-- When a job of a limited kind may start: NULL for now.
CREATE OR REPLACE FUNCTION jobs.rate_take(given_kind text, given_lane uuid) RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	step interval;
	at constant timestamptz := clock_timestamp();
	free timestamptz;
BEGIN
	SELECT make_interval(secs => 60.0 / k.rate_per_minute) INTO step FROM jobs.kinds AS k
	WHERE k.kind = given_kind AND k.rate_per_minute > 0;
	IF NOT FOUND THEN
		RETURN NULL;
	END IF;
	INSERT INTO jobs.rates AS r (kind, lane, free_at) VALUES (given_kind, given_lane, at + step)
	ON CONFLICT (kind, lane) DO UPDATE SET free_at = greatest(r.free_at, at) + step WHERE r.free_at <= at
	RETURNING free_at INTO free;
	IF FOUND THEN
		RETURN NULL;
	END IF;
	RETURN (SELECT r.free_at FROM jobs.rates AS r WHERE r.kind = given_kind AND r.lane = given_lane);
END
$$;

-- (state || '', here and in jobs.take_quick, keeps the planner at the primary key. Statistics of a quiet hour say that nothing waits, and
-- then it reads all of jobs_waiting for each few ids.)
-- Takes jobs under a lease each; those that are not there any more, or not to be run now, are left out.
CREATE OR REPLACE FUNCTION jobs.claim(ids uuid[], given_holder integer, lease_s integer)
RETURNS TABLE (id uuid, lease bigint, kind text, organization_id uuid, member_id uuid, args jsonb, attempt integer,
	last boolean, memo jsonb)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	late jobs.jobs;
BEGIN
	-- Lost in a crash of the server, a claim is a job that waits again: nobody waits for the disk over it.
	PERFORM set_config('synchronous_commit', 'off', true);
	FOR late IN
		SELECT * FROM jobs.jobs AS j
		WHERE j.id = ANY (ids) AND j.state || '' = 'waiting' AND j.due_at <= now() AND j.expires_at <= now() FOR UPDATE SKIP LOCKED
	LOOP
		PERFORM jobs.finish(late, 'expired', NULL, 'it was not run in time');
	END LOOP;
	RETURN QUERY
	WITH mine AS MATERIALIZED (
		SELECT j.id FROM jobs.jobs AS j WHERE j.id = ANY (ids) AND j.state || '' = 'waiting' AND j.due_at <= now()
			AND (j.expires_at > now()) IS NOT FALSE
		FOR UPDATE SKIP LOCKED
	), judged AS MATERIALIZED (
		SELECT j.id, CASE WHEN j.rated THEN jobs.rate_take(j.kind, j.lane) END AS later
		FROM jobs.jobs AS j JOIN mine USING (id)
	), taken AS (
		UPDATE jobs.jobs AS j SET
			state = CASE WHEN g.later IS NOT NULL THEN 'waiting' ELSE 'running' END,
			due_at = coalesce(g.later, j.due_at), lease = nextval('jobs.leases'), holder = given_holder,
			leased_until = now() + make_interval(secs => lease_s), started_at = clock_timestamp()
		FROM judged AS g WHERE j.id = g.id
		RETURNING j.*
	)
	SELECT t.id, t.lease, t.kind, t.organization_id, t.member_id, t.args, t.attempts + 1, t.attempts + 1 >= t.max_attempts, t.memo
	FROM taken AS t WHERE t.state = 'running';
	PERFORM jobs.reply(j, 'expired', NULL, NULL) FROM jobs.jobs AS j
	WHERE j.id = ANY (ids) AND j.state = 'expired' AND j.finished_at = now() AND j.caller IS NOT NULL;
END
$$;

-- Lets a job's statements act for its organization, with all permissions; refuses when the lease is not the job's any more.
-- Keeps the row until the transaction ends, so that nobody takes the job over in between.
CREATE OR REPLACE FUNCTION jobs.is_leased(job uuid, fence bigint) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	org uuid;
BEGIN
	SELECT j.organization_id INTO org FROM jobs.jobs AS j
	WHERE j.id = job AND j.lease = fence AND j.state = 'running' FOR UPDATE;
	IF NOT FOUND THEN
		PERFORM app.refuse('job_lease_lost');
	END IF;
	RETURN org;
END
$$;

-- After a job of a group has ended. The group's row is locked by the first to come, so the last one sees all.
CREATE OR REPLACE FUNCTION jobs.group_count(given_group uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	g jobs.groups;
	c jsonb;
BEGIN
	UPDATE jobs.groups AS x SET open = x.open - 1 WHERE x.id = given_group RETURNING * INTO g;
	IF g.open IS DISTINCT FROM 0 THEN
		RETURN; -- some are open; or the group is gone, and this one was retried by hand
	END IF;
	c := g.callback;
	PERFORM jobs.enqueue(c ->> 'kind', coalesce(c -> 'args', '{}') || jsonb_build_object('results', (
			SELECT coalesce(jsonb_agg(jsonb_build_object('id', j.id, 'state', j.state, 'result', j.result, 'error', j.error)
				ORDER BY j.id), '[]') FROM jobs.jobs AS j WHERE j.group_id = given_group)),
		coalesce(c -> 'options', '{}') || jobs.own_options(g.organization_id));
	DELETE FROM jobs.groups AS x WHERE x.id = given_group;
END
$$;

-- What an organization's job came to, for its own figures; see jobs.tallies.
CREATE OR REPLACE FUNCTION jobs.tally(given_lane uuid, n_done bigint, n_failed bigint, n_dead bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO jobs.tallies AS t (lane, minute, shard, done, failed, dead)
	VALUES (given_lane, date_trunc('minute', now()), pg_backend_pid(), n_done, n_failed, n_dead)
	ON CONFLICT (lane, minute, shard) DO UPDATE SET done = t.done + excluded.done, failed = t.failed + excluded.failed,
		dead = t.dead + excluded.dead;
END
$$;

-- A job ends. Keeps its row for as long as its kind says, or not at all.
CREATE OR REPLACE FUNCTION jobs.finish(j jobs.jobs, ending text, given_result jsonb, why text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	keep_s integer;
BEGIN
	SELECT k.keep_s INTO keep_s FROM jobs.kinds AS k WHERE k.kind = j.kind;
	PERFORM jobs.tally(j.lane, (ending = 'done')::integer, (ending = 'dead')::integer, (ending = 'dead')::integer)
	WHERE j.organization_id IS NOT NULL AND ending IN ('done', 'dead');
	IF ending = 'done' AND coalesce(keep_s, 0) = 0 AND j.group_id IS NULL AND j.once_key IS NULL AND j.caller IS NULL THEN
		DELETE FROM jobs.jobs AS x WHERE x.id = j.id;
	ELSE
		-- What went wrong stays for a month, so that somebody may look into it.
		UPDATE jobs.jobs AS x SET state = ending, finished_at = clock_timestamp(), result = given_result, error = why,
			leased_until = NULL, memo = NULL, attempts = x.attempts + (ending = 'dead')::integer,
			purge_at = now() + make_interval(secs => CASE WHEN ending = 'dead' THEN 2592000
				WHEN ending = 'expired' THEN 604800 ELSE greatest(keep_s, 86400) END)
		WHERE x.id = j.id;
	END IF;
	IF ending = 'done' AND j.next IS NOT NULL THEN
		PERFORM jobs.enqueue(j.next ->> 'kind', coalesce(j.next -> 'args', '{}') || jsonb_build_object('previous', given_result),
			coalesce(j.next -> 'options', '{}') || jobs.own_options(j.organization_id));
	END IF;
	IF j.group_id IS NOT NULL THEN
		PERFORM jobs.group_count(j.group_id);
	END IF;
	-- Who called is told below; nobody else needs to look.
	IF ending = 'dead' AND j.organization_id IS NOT NULL AND j.caller IS NULL THEN
		PERFORM app.notify_all(j.organization_id, 'organization_edit', 'job_dead', jsonb_build_object('kind', j.kind), '/settings/jobs');
	END IF;
	PERFORM jobs.reply(j, ending, given_result, why);
END
$$;

-- Back to those that wait. When a twin with the same key waits already this one is not needed. Gives `said`, or what became of it.
-- keeps_lease: news of a crash under it may still come.
DROP FUNCTION IF EXISTS jobs.put_back(jobs.jobs, float8, integer, text, jsonb);
CREATE OR REPLACE FUNCTION jobs.put_back(j jobs.jobs, delay_s float8, failed integer, why text, given_memo jsonb, said text,
	keeps_lease boolean DEFAULT false) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	UPDATE jobs.jobs AS x SET state = 'waiting', due_at = clock_timestamp() + make_interval(secs => delay_s), quick = false,
		attempts = x.attempts + failed, error = why, memo = coalesce(given_memo, x.memo), leased_until = NULL,
		lease = CASE WHEN keeps_lease THEN x.lease END
	WHERE x.id = j.id;
	IF failed > 0 THEN
		PERFORM jobs.reply(j, 'retry', NULL, why);
	END IF;
	IF delay_s <= 0 THEN
		PERFORM pg_notify('jobs', '');
	END IF;
	RETURN said;
EXCEPTION WHEN unique_violation THEN
	PERFORM jobs.finish(j, 'cancelled', NULL, 'a newer one with the same key waits');
	RETURN 'cancelled';
END
$$;

-- How long a job rests after its nth failure: 15 s + n^4, at most six hours, one tenth up or down.
CREATE OR REPLACE FUNCTION jobs.rest_s(failures integer) RETURNS float8
LANGUAGE sql VOLATILE
RETURN least(15 + failures::float8 ^ 4, 21600) * (0.9 + 0.2 * random());

-- What a runner says of a job it holds: ok, retry, snooze, cancel, dead, or release (nothing happened; no attempt is
-- charged). delay_s: for snooze, and for retry instead of the usual rest. Gives what became of it.
CREATE OR REPLACE FUNCTION jobs.settle(job uuid, fence bigint, outcome text, given_result jsonb, why text, delay_s float8,
	given_memo jsonb) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	j jobs.jobs;
BEGIN
	SELECT * INTO j FROM jobs.jobs AS x WHERE x.id = job AND x.lease = fence AND x.state = 'running' FOR UPDATE;
	IF NOT FOUND THEN
		PERFORM app.refuse('job_lease_lost');
	END IF;
	IF outcome = 'ok' THEN
		PERFORM jobs.finish(j, 'done', given_result, NULL);
		RETURN 'done';
	ELSIF outcome = 'cancel' OR j.cancel THEN
		PERFORM jobs.finish(j, 'cancelled', NULL, why);
		RETURN 'cancelled';
	ELSIF outcome = 'release' THEN
		RETURN jobs.put_back(j, 0, 0, j.error, NULL, 'waiting');
	ELSIF outcome = 'snooze' THEN
		RETURN jobs.put_back(j, coalesce(delay_s, 0), 0, why, given_memo, 'snoozed');
	ELSIF outcome = 'dead' OR j.attempts + 1 >= j.max_attempts THEN
		PERFORM jobs.finish(j, 'dead', NULL, why);
		RETURN 'dead';
	END IF;
	PERFORM jobs.tally(j.lane, 0, 1, 0) WHERE j.organization_id IS NOT NULL;
	RETURN jobs.put_back(j, coalesce(delay_s, jobs.rest_s(j.attempts + 1)), 1, why, given_memo, 'retry');
END
$$;

-- Quick jobs: taken and settled in one transaction whose row locks are the lease. Who is stopped in between loses them
-- with the session (idle_in_transaction_session_timeout), and settles nothing.
CREATE OR REPLACE FUNCTION jobs.take_quick(ids uuid[])
RETURNS TABLE (id uuid, kind text, organization_id uuid, member_id uuid, args jsonb)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	SELECT j.id, j.kind, j.organization_id, j.member_id, j.args FROM jobs.jobs AS j
	WHERE j.id = ANY (ids) AND j.state || '' = 'waiting' AND j.quick AND j.due_at <= now()
	FOR UPDATE SKIP LOCKED;
$$;

-- done are gone. others need more than a batch can give (a retry, an effect in the database): each is run alone.
CREATE OR REPLACE FUNCTION jobs.settle_quick(done uuid[], others uuid[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	lanes bigint;
BEGIN
	WITH gone AS (
		DELETE FROM jobs.jobs AS j WHERE j.id = ANY (done) RETURNING j.organization_id AS lane
	), counted AS (
		SELECT lane, count(*) AS n FROM gone WHERE lane IS NOT NULL GROUP BY lane
	)
	SELECT count(jobs.tally(lane, n, 0, 0)) INTO lanes FROM counted;
	IF others <> '{}' THEN
		UPDATE jobs.jobs AS j SET quick = false WHERE j.id = ANY (others);
		PERFORM pg_notify('jobs', '');
	END IF;
END
$$;

-- A child died with the job: by its own fault, as far as anybody can tell. The third time is the last. A quick job has no lease:
-- fence NULL. The news may be late: when the job waits again, or somebody else runs it already, it counts all the same (leases
-- only grow); when the job was settled after all, it does not.
CREATE OR REPLACE FUNCTION jobs.crashed(job uuid, fence bigint, how text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	j jobs.jobs;
BEGIN
	UPDATE jobs.jobs AS x SET crashes = x.crashes + 1, quick = false
	WHERE x.id = job AND x.state IN ('waiting', 'running') AND (fence IS NULL OR x.lease >= fence)
	RETURNING * INTO j;
	IF NOT FOUND THEN
		RETURN 'gone';
	END IF;
	-- How long it had run nobody knows any more.
	PERFORM jobs.count_add(jsonb_build_array(jsonb_build_object('kind', j.kind, 'outcome', 'crashed', 'count', 1, 'took_ms', 0,
		'buckets', '[0, 0, 0, 0, 0, 0]'::jsonb)));
	IF j.crashes >= 3 THEN
		PERFORM jobs.finish(j, 'dead', NULL, 'took its process along three times, at last: ' || how);
		RETURN 'dead';
	ELSIF j.lease > fence THEN
		RETURN 'counted';
	ELSIF j.cancel THEN
		PERFORM jobs.finish(j, 'cancelled', NULL, how);
		RETURN 'cancelled';
	END IF;
	PERFORM jobs.tally(j.lane, 0, 1, 0) WHERE j.organization_id IS NOT NULL;
	RETURN jobs.put_back(j, j.crashes - 1, 0, how, NULL, 'retry');
END
$$;

-- Longer leases for what a worker's children are at; a job in the middle of a transaction of its own is passed over, since nobody
-- can take it away then, and one that writes for long would keep the keeper from all the others. Gives the jobs whose end is asked for, and those that are not theirs any more.
CREATE OR REPLACE FUNCTION jobs.heartbeat(ids uuid[], fences bigint[], lease_s integer)
RETURNS TABLE (id uuid, cancel boolean, lost boolean)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	WITH free AS MATERIALIZED (
		SELECT j.id FROM unnest(ids, fences) AS h (id, fence) JOIN jobs.jobs AS j ON j.id = h.id AND j.lease = h.fence
		WHERE j.state = 'running' FOR UPDATE OF j SKIP LOCKED
	), longer AS (
		UPDATE jobs.jobs AS j SET leased_until = now() + make_interval(secs => lease_s) FROM free WHERE j.id = free.id
	)
	SELECT h.id, coalesce(j.cancel, false), j.id IS NULL FROM unnest(ids, fences) AS h (id, fence)
	LEFT JOIN jobs.jobs AS j ON j.id = h.id AND j.lease = h.fence AND j.state = 'running'
	WHERE j.id IS NULL OR j.cancel;
$$;

CREATE OR REPLACE FUNCTION jobs.holders_alive() RETURNS integer[]
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(array_agg(l.objid::bigint::integer), '{}') FROM pg_locks AS l
	WHERE l.locktype = 'advisory' AND l.classid = 7319 AND l.objsubid = 2 AND l.granted
		AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database());
$$;

-- Jobs whose lease ran out, or whose holder is gone (each child keeps an advisory lock (7319, holder) on its connection):
-- they wait again. Nobody's fault, so nothing is charged. Gives how many.
CREATE OR REPLACE FUNCTION jobs.reap(most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	j jobs.jobs;
	n integer := 0;
	alive integer[] := jobs.holders_alive();
	ids uuid[] := ARRAY(
		SELECT x.id FROM jobs.jobs AS x WHERE x.state = 'running' AND (x.leased_until < now() OR x.holder <> ALL (alive))
		ORDER BY x.leased_until LIMIT most FOR UPDATE SKIP LOCKED);
BEGIN
	IF ids = '{}' THEN
		RETURN 0;
	END IF;
	-- Somebody may have come after the first look and have claimed a job before the second: now that the rows are locked, who
	-- holds one and lives is seen.
	alive := jobs.holders_alive();
	FOR j IN SELECT * FROM jobs.jobs AS x WHERE x.id = ANY (ids) LOOP
		CONTINUE WHEN j.leased_until >= now() AND j.holder = ANY (alive);
		IF j.cancel THEN
			PERFORM jobs.finish(j, 'cancelled', NULL, 'its worker was lost');
		ELSE
			PERFORM jobs.put_back(j, 0, 0, 'its worker was lost', NULL, 'waiting', true);
		END IF;
		n := n + 1;
	END LOOP;
	RETURN n;
END
$$;

-- By hand ----------------------------------------------------------------------------------------------------------------

-- Whoever has entered an organization reaches its jobs alone. NULL when there is no such job, else what became of it.
CREATE OR REPLACE FUNCTION jobs.cancel(job uuid) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	j jobs.jobs;
BEGIN
	SELECT * INTO j FROM jobs.jobs AS x
	WHERE x.id = job AND x.organization_id IS NOT DISTINCT FROM coalesce(app.org(), x.organization_id) AND x.dropped IS NULL
	FOR UPDATE;
	IF j.state = 'waiting' THEN
		PERFORM jobs.finish(j, 'cancelled', NULL, 'cancelled before it ran');
		RETURN 'cancelled';
	ELSIF j.state = 'running' THEN
		UPDATE jobs.jobs AS x SET cancel = true WHERE x.id = job;
		RETURN 'cancelling';
	END IF;
	RETURN j.state;
END
$$;

-- A job that had ended belongs to its group again when that still waits for others; else it is on its own.
CREATE OR REPLACE FUNCTION jobs.group_rejoin(job uuid, given_group uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	UPDATE jobs.groups AS g SET open = g.open + 1 WHERE g.id = given_group;
	IF NOT FOUND THEN
		UPDATE jobs.jobs AS j SET group_id = NULL WHERE j.id = job;
	END IF;
END
$$;

-- What ended badly, or waits for a later time, runs now, with its attempts given back.
CREATE OR REPLACE FUNCTION jobs.retry(job uuid) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	was jobs.jobs;
BEGIN
	SELECT * INTO was FROM jobs.jobs AS x
	WHERE x.id = job AND x.organization_id IS NOT DISTINCT FROM coalesce(app.org(), x.organization_id) AND x.dropped IS NULL
	FOR UPDATE;
	IF was.state IN ('dead', 'cancelled', 'expired', 'waiting') THEN
		UPDATE jobs.jobs AS x SET state = 'waiting', due_at = now(), attempts = 0, crashes = 0, cancel = false, quick = false,
			expires_at = NULL, finished_at = NULL, purge_at = NULL, lease = NULL WHERE x.id = job;
		IF was.state <> 'waiting' THEN
			PERFORM jobs.group_rejoin(job, was.group_id);
		END IF;
		PERFORM pg_notify('jobs', '');
		RETURN 'waiting';
	END IF;
	RETURN was.state;
EXCEPTION WHEN unique_violation THEN
	PERFORM app.refuse('job_twin');
	RETURN NULL;
END
$$;

GRANT EXECUTE ON FUNCTION jobs.cancel(uuid), jobs.retry(uuid) TO stint_web, stint_worker, stint_owner, stint_amender, stint_migrate;
GRANT EXECUTE ON FUNCTION jobs.claim(uuid[], integer, integer), jobs.settle(uuid, bigint, text, jsonb, text, float8, jsonb),
	jobs.take_quick(uuid[]), jobs.settle_quick(uuid[], uuid[]), jobs.crashed(uuid, bigint, text),
	jobs.heartbeat(uuid[], bigint[], integer), jobs.reap(integer) TO stint_worker;

RESET ROLE;
