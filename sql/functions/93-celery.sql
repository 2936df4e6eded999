-- Calls by Celery clients and their answers. A message becomes a job under its own id, so that one that is read twice is one
-- job; the answer is written in the transaction that ends the job, and carried to Redis by the intake (src/queue/intake.c).

SET LOCAL ROLE stint_definer;

-- Answers ----------------------------------------------------------------------------------------------------------------

-- An exception as Celery's client makes it one of Python's again.
CREATE OR REPLACE FUNCTION jobs.fault(module text, type text, why text) RETURNS jsonb
LANGUAGE sql IMMUTABLE
RETURN jsonb_build_object('exc_type', type, 'exc_message', jsonb_build_array(why), 'exc_module', module);

CREATE OR REPLACE FUNCTION jobs.answer(given_task_id text, status text, given_result jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	INSERT INTO jobs.replies (task_id, body) VALUES (given_task_id, jsonb_build_object('status', status, 'result', given_result,
		'traceback', NULL, 'children', '[]'::jsonb, 'task_id', given_task_id,
		'date_done', to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'))::text);
	PERFORM pg_notify('replies', '');
END
$$;

-- Tells the caller of a job, if there is one, how it ended (done, dead, cancelled, expired) or that it failed and will be
-- run again (retry).
CREATE OR REPLACE FUNCTION jobs.reply(j jobs.jobs, ending text, given_result jsonb, why text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF j.caller IS NULL OR (j.caller ->> 'ignore')::boolean THEN
		RETURN;
	END IF;
	PERFORM jobs.answer(j.caller ->> 'task_id',
		CASE ending WHEN 'done' THEN 'SUCCESS' WHEN 'dead' THEN 'FAILURE' WHEN 'retry' THEN 'RETRY' ELSE 'REVOKED' END,
		CASE
			WHEN ending = 'done' THEN given_result
			WHEN ending IN ('cancelled', 'expired') THEN jobs.fault('celery.exceptions', 'TaskRevokedError',
				CASE ending WHEN 'expired' THEN 'expired' ELSE 'revoked' END)
			-- How a job says that it was called wrongly: JOB_WHY_INVALID of queue/job.h.
			WHEN why LIKE 'invalid arguments: %' THEN jobs.fault('builtins', 'ValueError', substr(why, 20))
			ELSE jobs.fault('builtins', 'RuntimeError', coalesce(why, 'it failed'))
		END);
END
$$;

CREATE OR REPLACE FUNCTION jobs.replies_next(most integer) RETURNS TABLE (id bigint, task_id text, body text)
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	SELECT r.id, r.task_id, r.body FROM jobs.replies AS r ORDER BY r.id LIMIT most;
$$;

CREATE OR REPLACE FUNCTION jobs.replies_sent(ids bigint[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	DELETE FROM jobs.replies AS r WHERE r.id = ANY (ids);
$$;

-- Intake -----------------------------------------------------------------------------------------------------------------

-- A message that is no call: kept for the operator, at most a thousand an hour of one queue, and answered when it says whom to. An id
-- that a job has is never answered from here: whoever sent this may not be who called that.
CREATE OR REPLACE FUNCTION jobs.letter(given_queue text, m jsonb, why text, module text, type text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	its_id constant text := m ->> 'task_id';
BEGIN
	INSERT INTO jobs.letters (id, queue, mark, reason, task, task_id, head)
	SELECT app.uuidv7(), given_queue, m ->> 'mark', why, m ->> 'task', its_id, m ->> 'head'
	WHERE (SELECT count(*) FROM jobs.letters AS l WHERE l.queue = given_queue AND l.at > now() - interval '1 hour') < 1000
	ON CONFLICT DO NOTHING;
	IF its_id IS NOT NULL AND NOT coalesce((m ->> 'ignore')::boolean, false) AND NOT EXISTS (
		SELECT FROM jobs.jobs AS j WHERE j.id = (m ->> 'id')::uuid)
	THEN
		PERFORM jobs.answer(its_id, 'FAILURE', jobs.fault(module, type, why));
	END IF;
END
$$;

-- One message, read by src/queue/celery.c, becomes a job.
CREATE OR REPLACE FUNCTION jobs.call(given_queue text, org uuid, m jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	j jobs.jobs;
	k jobs.kinds;
	its_id constant uuid := (m ->> 'id')::uuid;
BEGIN
	SELECT * INTO j FROM jobs.jobs AS x WHERE x.id = its_id FOR UPDATE;
	IF FOUND THEN
		IF j.organization_id IS DISTINCT FROM org OR j.kind <> m ->> 'task' OR j.caller IS NULL THEN
			PERFORM jobs.letter(given_queue, m, 'its id is another job''s', NULL, NULL);
		ELSIF j.finished_at IS NOT NULL THEN
			PERFORM jobs.reply(j, j.state, j.result, j.error); -- called again: told again
		END IF;
		RETURN;
	END IF;
	SELECT * INTO k FROM jobs.kinds AS x WHERE x.kind = m ->> 'task' AND x.public;
	IF NOT FOUND THEN
		PERFORM jobs.letter(given_queue, m, format('there is no public task named %s', m ->> 'task'), 'celery.exceptions', 'NotRegistered');
		RETURN;
	END IF;
	-- Celery's priority on Redis is 0 when nobody chose one: a call may ask to come later than its kind's, not sooner.
	PERFORM jobs.enqueue(k.kind, m -> 'args', jsonb_strip_nulls(jsonb_build_object('id', its_id, 'organization', org,
		'priority', greatest(k.priority, (m ->> 'priority')::integer), 'due_at', m ->> 'due_at', 'expires_at', m ->> 'expires_at')));
	-- What was called keeps its row for a while, so it is not one of the quick.
	UPDATE jobs.jobs AS x SET quick = false, attempts = least((m ->> 'retries')::integer, x.max_attempts - 1),
		caller = jsonb_build_object('task_id', m ->> 'task_id', 'ignore', (m ->> 'ignore')::boolean)
	WHERE x.id = its_id AND x.caller IS NULL;
END
$$;

-- Messages of a queue, in one transaction; each for itself, so that a bad one spoils no other.
CREATE OR REPLACE FUNCTION jobs.intake(given_queue text, messages jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	m jsonb;
	org uuid;
BEGIN
	SELECT i.organization_id INTO org FROM jobs.intakes AS i JOIN data.organizations AS o ON o.id = i.organization_id
	WHERE i.queue = given_queue AND o.deleted_at IS NULL FOR KEY SHARE OF i;
	FOR m IN SELECT * FROM jsonb_array_elements(messages) LOOP
		IF org IS NULL THEN
			PERFORM jobs.letter(given_queue, m, 'nobody''s calls are taken from this queue', 'builtins', 'RuntimeError');
		ELSIF m ? 'refused' THEN
			PERFORM jobs.letter(given_queue, m, m ->> 'refused', m ->> 'module', m ->> 'type');
		ELSE
			BEGIN
				PERFORM jobs.call(given_queue, org, m);
			EXCEPTION WHEN data_exception OR integrity_constraint_violation OR raise_exception THEN
				PERFORM jobs.letter(given_queue, m, 'it could not be kept', 'builtins', 'ValueError');
			END;
		END IF;
	END LOOP;
END
$$;

-- Asked for all the time, so it counts nothing.
CREATE OR REPLACE FUNCTION jobs.intake_queues() RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	SELECT i.queue FROM jobs.intakes AS i ORDER BY i.queue;
$$;

CREATE OR REPLACE FUNCTION jobs.intake_list() RETURNS TABLE (queue text, organization_id uuid, name text, letters bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	SELECT i.queue, i.organization_id, o.name, (SELECT count(*) FROM jobs.letters AS l WHERE l.queue = i.queue)
	FROM jobs.intakes AS i JOIN data.organizations AS o ON o.id = i.organization_id ORDER BY i.queue;
$$;

-- added; same: it was there already; taken: another organization's; unknown: there is no such organization.
CREATE OR REPLACE FUNCTION jobs.intake_add(given_queue text, org uuid) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM data.organizations AS o WHERE o.id = org AND o.deleted_at IS NULL) THEN
		RETURN 'unknown';
	END IF;
	INSERT INTO jobs.intakes (queue, organization_id) VALUES (given_queue, org) ON CONFLICT DO NOTHING;
	IF FOUND THEN
		RETURN 'added';
	END IF;
	RETURN CASE WHEN EXISTS (SELECT FROM jobs.intakes AS i WHERE i.queue = given_queue AND i.organization_id = org)
		THEN 'same' ELSE 'taken' END;
END
$$;

CREATE OR REPLACE FUNCTION jobs.intake_remove(given_queue text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	DELETE FROM jobs.intakes AS i WHERE i.queue = given_queue;
	RETURN FOUND;
END
$$;

CREATE OR REPLACE FUNCTION jobs.letter_list(most integer)
RETURNS TABLE (at timestamptz, queue text, reason text, task text, task_id text, head text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	SELECT l.at, l.queue, l.reason, l.task, l.task_id, l.head FROM jobs.letters AS l ORDER BY l.at DESC LIMIT most;
$$;

GRANT EXECUTE ON FUNCTION jobs.replies_next(integer), jobs.replies_sent(bigint[]), jobs.intake(text, jsonb), jobs.intake_queues()
	TO stint_worker;
-- Whose calls are taken from where is the operator's to say, whose command asks as stint_worker.
GRANT EXECUTE ON FUNCTION jobs.intake_list(), jobs.intake_add(text, uuid), jobs.intake_remove(text), jobs.letter_list(integer)
	TO stint_worker;

RESET ROLE;
