-- Enqueueing. jobs.enqueue runs in the transaction of the work it belongs to: when that is rolled
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
		-- A twin that waits. It is kept from being claimed until this transaction has ended: it is to see what was done here.
		SELECT j.id INTO made FROM jobs.jobs AS j
		WHERE j.kind = given_kind AND j.lane = coalesce(org, nobody) AND j.unique_key = options ->> 'unique'
			AND j.state = 'waiting'
		FOR SHARE;
		IF FOUND THEN
			RETURN made;
		END IF;
		-- Another one that stands for this one. It may end just now: then there is room on the next try.
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

GRANT EXECUTE ON FUNCTION jobs.enqueue(text, jsonb, jsonb), jobs.enqueue_all(text, jsonb[], jsonb),
	jobs.group_open(integer, jsonb, jsonb) TO stint_web, stint_worker, stint_owner, stint_amender, stint_migrate;
GRANT EXECUTE ON FUNCTION jobs.kinds_declare(jsonb) TO stint_worker, stint_migrate;

RESET ROLE;
