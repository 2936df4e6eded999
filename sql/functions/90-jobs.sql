-- Enqueueing, and what becomes of a job. jobs.enqueue runs in the transaction of the work it belongs to: when that is rolled
-- back there never was a job, when it commits there is one for good.
--
-- Options of jobs.enqueue, all optional:
--   organization    whose job it is; a caller who has entered one can name no other
--   due_at | delay_s   not before: an instant, or seconds from now
--   expires_at | expires_s   not after
--   priority        0 (first), 3, 6, 9; queue; max_attempts: instead of the kind's own
--   unique          text: while one of this kind, organization and text waits, it is the answer instead of a second one
--   unique_running  true: also while one runs
--   once            text (an idempotency key): the same, for as long as the first one's row is kept
--   next            {"kind", "args", "options"}: enqueued when this is done, with its result as args.previous
--   group           made by jobs.group_open

SET LOCAL ROLE stint_definer;

CREATE OR REPLACE FUNCTION jobs.option_names() RETURNS text[]
LANGUAGE sql IMMUTABLE
RETURN ARRAY['organization', 'due_at', 'delay_s', 'expires_at', 'expires_s', 'priority', 'queue', 'max_attempts', 'unique',
	'unique_running', 'once', 'next', 'group', 'id'];

-- The program declares what kinds there are; what is no longer declared stays for the jobs that are still there.
CREATE OR REPLACE FUNCTION jobs.kinds_declare(declared jsonb) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	INSERT INTO jobs.kinds AS k
	SELECT d.* FROM jsonb_populate_recordset(NULL::jobs.kinds, declared) AS d ORDER BY d.kind
	ON CONFLICT (kind) DO UPDATE SET about = excluded.about, queue = excluded.queue, priority = excluded.priority,
		max_attempts = excluded.max_attempts, quick = excluded.quick, public = excluded.public, soft_s = excluded.soft_s,
		hard_s = excluded.hard_s, rate_per_minute = excluded.rate_per_minute, keep_s = excluded.keep_s,
		schedule = excluded.schedule, zone = excluded.zone, backfill = excluded.backfill
	WHERE k IS DISTINCT FROM excluded;
$$;

-- A batch deletes what is done and asks for no rate: what is kept or limited is run alone.
CREATE OR REPLACE FUNCTION jobs.is_quick(k jobs.kinds) RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN k.quick AND k.keep_s = 0 AND k.rate_per_minute = 0;

CREATE OR REPLACE FUNCTION jobs.organization_of(options jsonb) RETURNS uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	named uuid := (options ->> 'organization')::uuid;
BEGIN
	IF named <> app.org() THEN
		RAISE EXCEPTION 'a job for another organization than the caller''s';
	END IF;
	RETURN coalesce(app.org(), named);
END
$$;

-- The options by which what follows a job belongs to whom the job does.
CREATE OR REPLACE FUNCTION jobs.own_options(org uuid) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN CASE WHEN org IS NULL THEN '{}' ELSE jsonb_build_object('organization', org) END;

-- Whether a call that a settlement will enqueue later can be: what fails there would keep its job from ever ending. It is
-- enqueued and taken back, so that the rules are those of jobs.enqueue.
CREATE OR REPLACE FUNCTION jobs.call_check(call jsonb, own jsonb, what text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF call IS NULL THEN
		RETURN;
	END IF;
	PERFORM jobs.enqueue(call ->> 'kind', coalesce(call -> 'args', '{}'), coalesce(call -> 'options', '{}') || own);
	RAISE EXCEPTION USING ERRCODE = 'ST000', MESSAGE = 'it can';
EXCEPTION
	WHEN SQLSTATE 'ST000' THEN
		RETURN;
	WHEN OTHERS THEN
		RAISE EXCEPTION USING ERRCODE = SQLSTATE, MESSAGE = what || ': ' || SQLERRM;
END
$$;

CREATE OR REPLACE FUNCTION jobs.enqueue(given_kind text, given_args jsonb DEFAULT '{}', options jsonb DEFAULT '{}')
RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	k jobs.kinds;
	made uuid;
	org uuid := jobs.organization_of(options);
	nobody constant uuid := '00000000-0000-0000-0000-000000000000';
	due timestamptz := coalesce((options ->> 'due_at')::timestamptz,
		now() + make_interval(secs => coalesce((options ->> 'delay_s')::float8, 0)));
	odd text;
BEGIN
	SELECT * INTO k FROM jobs.kinds AS d WHERE d.kind = given_kind;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no kind of job named %', given_kind;
	END IF;
	SELECT name INTO odd FROM jsonb_object_keys(options) AS name WHERE name <> ALL (jobs.option_names()) LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'jobs.enqueue has no option %', odd;
	END IF;
	IF options ? 'group' AND options ?| ARRAY['unique', 'once'] THEN
		RAISE EXCEPTION 'a job of a group can have no key: the one that stands for it may be of no group';
	END IF;
	PERFORM jobs.call_check(options -> 'next', jobs.own_options(org), 'next');
	FOR tries IN 1..3 LOOP
		INSERT INTO jobs.jobs (id, organization_id, member_id, kind, queue, priority, quick, rated, args, due_at, expires_at,
			max_attempts, unique_key, unique_running, once_key, group_id, next)
		VALUES (coalesce((options ->> 'id')::uuid, app.uuidv7()), org, app.member(), k.kind,
			coalesce(options ->> 'queue', k.queue), coalesce((options ->> 'priority')::smallint, k.priority),
			jobs.is_quick(k) AND options - 'organization' - 'id' - 'delay_s' - 'due_at' - 'priority' = '{}', k.rate_per_minute > 0,
			given_args, due,
			coalesce((options ->> 'expires_at')::timestamptz, now() + make_interval(secs => (options ->> 'expires_s')::float8)),
			coalesce((options ->> 'max_attempts')::integer, k.max_attempts), options ->> 'unique',
			coalesce((options ->> 'unique_running')::boolean, false), options ->> 'once', (options ->> 'group')::uuid,
			options -> 'next')
		ON CONFLICT DO NOTHING
		RETURNING id INTO made;
		IF FOUND THEN
			IF due <= now() THEN
				PERFORM pg_notify('jobs', '');
			END IF;
			RETURN made;
		END IF;
		-- One that stands for this one. It may end just now: then there is room on the next try.
		SELECT j.id INTO made FROM jobs.jobs AS j
		WHERE j.kind = given_kind AND j.lane = coalesce(org, nobody) AND (j.once_key = options ->> 'once'
			OR (j.unique_key = options ->> 'unique' AND (j.state = 'waiting' OR (j.state = 'running' AND j.unique_running)))
			OR j.id = (options ->> 'id')::uuid)
		LIMIT 1;
		IF FOUND THEN
			RETURN made;
		END IF;
	END LOOP;
	RAISE EXCEPTION 'a job of kind % could not be enqueued: its id or key is taken', given_kind;
END
$$;

-- Many of one kind at once, due now, without keys: one statement, one notice.
CREATE OR REPLACE FUNCTION jobs.enqueue_all(given_kind text, many jsonb[], options jsonb DEFAULT '{}') RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	k jobs.kinds;
	n bigint;
BEGIN
	SELECT * INTO k FROM jobs.kinds AS d WHERE d.kind = given_kind;
	IF NOT FOUND OR options - 'organization' - 'group' <> '{}' THEN
		RAISE EXCEPTION 'there is no kind of job named %, or an option that jobs.enqueue_all does not take', given_kind;
	END IF;
	INSERT INTO jobs.jobs (id, organization_id, member_id, kind, queue, priority, quick, rated, args, due_at, max_attempts, group_id)
	SELECT app.uuidv7(), jobs.organization_of(options), app.member(), k.kind, k.queue, k.priority,
		jobs.is_quick(k) AND NOT options ? 'group', k.rate_per_minute > 0, args, now(), k.max_attempts, (options ->> 'group')::uuid
	FROM unnest(many) AS args;
	GET DIAGNOSTICS n = ROW_COUNT;
	PERFORM pg_notify('jobs', '');
	RETURN n;
END
$$;

-- A group of so many jobs, which are then enqueued with {"group": id}; callback: {"kind", "args", "options"}. Its args get
-- `results`: [{"id", "state", "result", "error"}] of all.
CREATE OR REPLACE FUNCTION jobs.group_open(size integer, callback jsonb, options jsonb DEFAULT '{}') RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	made uuid := app.uuidv7();
BEGIN
	IF size < 1 OR callback IS NULL THEN
		RAISE EXCEPTION 'a group has at least one job, and a callback';
	END IF;
	PERFORM jobs.call_check(callback, jobs.own_options(jobs.organization_of(options)), 'callback');
	INSERT INTO jobs.groups (id, organization_id, open, callback) VALUES (made, jobs.organization_of(options), size, callback);
	RETURN made;
END
$$;

-- The fenced part: what runners do -------------------------------------------------------------------------------------

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
		WHERE j.id = ANY (ids) AND j.state = 'waiting' AND j.due_at <= now() AND j.expires_at <= now() FOR UPDATE SKIP LOCKED
	LOOP
		PERFORM jobs.finish(late, 'expired', NULL, 'it was not run in time');
	END LOOP;
	RETURN QUERY
	WITH mine AS MATERIALIZED (
		SELECT j.id FROM jobs.jobs AS j WHERE j.id = ANY (ids) AND j.state = 'waiting' AND j.due_at <= now()
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
	WHERE j.id = ANY (ids) AND j.state = 'waiting' AND j.quick AND j.due_at <= now()
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

-- The relay's part -----------------------------------------------------------------------------------------------------

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

GRANT EXECUTE ON FUNCTION jobs.enqueue(text, jsonb, jsonb), jobs.enqueue_all(text, jsonb[], jsonb),
	jobs.group_open(integer, jsonb, jsonb), jobs.cancel(uuid), jobs.retry(uuid)
	TO stint_web, stint_worker, stint_owner, stint_amender, stint_migrate;
GRANT EXECUTE ON FUNCTION jobs.kinds_declare(jsonb) TO stint_worker, stint_migrate;
GRANT EXECUTE ON FUNCTION jobs.claim(uuid[], integer, integer), jobs.settle(uuid, bigint, text, jsonb, text, float8, jsonb),
	jobs.take_quick(uuid[]), jobs.settle_quick(uuid[], uuid[]), jobs.crashed(uuid, bigint, text),
	jobs.heartbeat(uuid[], bigint[], integer), jobs.reap(integer), jobs.lead(integer), jobs.queues_waiting(), jobs.due(text, integer),
	jobs.fire(text, timestamptz), jobs.last_slot(text), jobs.is_idle(text[]), jobs.worker_beat(uuid, text, integer, jsonb),
	jobs.worker_gone(uuid), jobs.count_add(jsonb) TO stint_worker;

RESET ROLE;
