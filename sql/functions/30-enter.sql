-- Entering: every request of a signed-in caller begins here, in the same pipeline as its query.
--
-- One index look-up finds the session or token; its row carries all that is needed. Then the caller's settings are left
-- for this transaction, and row level security and seen.* do the rest. When it refuses, PostgreSQL skips the query.
--
-- This runs before every query there is, so its cost in microseconds bounds the whole product. Hence one statement that looks
-- up, judges and sets: each further expression of PL/pgSQL is made ready anew in every transaction. Hence three settings
-- and not seven, `caller` ready-made in the row, and a plain IF over one number. What is rare is in functions of its own.

SET LOCAL ROLE stint_definer;

-- last_seen_at moves at most every five minutes, and nobody waits for it: another request of the same caller that holds the
-- row is moving it already.
CREATE OR REPLACE FUNCTION app.enter_seen(credential_hash bytea) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	UPDATE data.credentials SET last_seen_at = now()
	WHERE hash = (SELECT c.hash FROM data.credentials AS c WHERE c.hash = credential_hash FOR UPDATE SKIP LOCKED);
$$;

-- What a caller meets who may not pass, or was not seen for a while. verdict: NULL nobody, 1 not seen, 2 not allowed.
CREATE OR REPLACE FUNCTION app.enter_rarely(verdict integer, credential_hash bytea, writes boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF verdict IS NULL THEN
		PERFORM app.refuse('unauthenticated');
	ELSIF verdict = 2 THEN
		PERFORM app.refuse('forbidden');
	END IF;
	IF NOT writes THEN
		-- A reader does not wait for the disk over this.
		PERFORM set_config('synchronous_commit', 'off', true);
	END IF;
	PERFORM app.enter_seen(credential_hash);
END
$$;

-- need: the permission's bit, -1 for any member. flags: 1 the request may write. (2, the frame of a page, is
-- added by the query `enter`, outside this function and so under row level security.)
CREATE OR REPLACE FUNCTION app.enter(credential_hash bytea, need bigint, flags integer,
	OUT organization_id uuid, OUT member_id uuid, OUT user_id uuid, OUT zone text, OUT language text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	verdict integer;
	done text;
BEGIN
	SELECT c.organization_id, c.member_id, c.user_id, c.zone, c.language,
		CASE WHEN need >= 0 AND c.permissions & (1::bigint << need::integer) = 0 THEN 2
			WHEN c.last_seen_at < now() - interval '5 minutes' THEN 1 ELSE 0 END,
		set_config('app.org', c.organization_id::text, true) || set_config('app.member', c.member_id::text, true)
			|| set_config('app.caller', c.caller, true)
	INTO organization_id, member_id, user_id, zone, language, verdict, done
	FROM data.credentials AS c WHERE c.hash = credential_hash AND c.expires_at > now();
	IF verdict IS DISTINCT FROM 0 THEN
		PERFORM app.enter_rarely(verdict, credential_hash, flags & 1 <> 0);
	END IF;
	IF flags & 1 = 0 THEN
		done := set_config('transaction_read_only', 'on', true);
	END IF;
END
$$;

GRANT EXECUTE ON FUNCTION app.enter(bytea, bigint, integer) TO stint_web;

-- A background job's statements act for its organization with all permissions, as long as its lease holds. An
-- installation's own job enters none, and sees no tenant's rows.
CREATE OR REPLACE FUNCTION app.enter_job(job uuid, fence bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM set_config('app.org', coalesce(jobs.is_leased(job, fence)::text, ''), true), set_config('app.member', '', true),
		set_config('app.caller', ' ' || app.permissions('owner') || ' 1 en UTC', true);
END
$$;

GRANT EXECUTE ON FUNCTION app.enter_job(uuid, bigint) TO stint_worker;

RESET ROLE;
