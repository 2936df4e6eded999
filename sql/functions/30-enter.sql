-- Entering: every request of a signed-in caller begins here, in the same pipeline as its query.
--
-- One index look-up finds the session or token; its row carries all that is needed. Then the caller's settings are left
-- for this transaction, and row level security and seen.* do the rest. When it refuses, PostgreSQL skips the query.
-- This runs before every query there is, so its cost in microseconds bounds the whole product (tests/db/bench-enter.sh):
-- three settings and not seven, because each costs its share; simple expressions, which PL/pgSQL evaluates without the
-- executor; nothing else unless asked for.

SET LOCAL ROLE stint_definer;

-- last_seen_at moves at most every five minutes, and nobody waits for it: another request of the same caller that holds the
-- row is moving it already.
CREATE OR REPLACE FUNCTION app.enter_seen(credential_hash bytea) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	UPDATE data.credentials SET last_seen_at = now()
	WHERE hash = (SELECT c.hash FROM data.credentials AS c WHERE c.hash = credential_hash FOR UPDATE SKIP LOCKED);
$$;

-- need: the permission's bit, -1 for any member. flags: 1 the request may write. (2, the frame of a page, is
-- added by the query `enter`, outside this function and so under row level security.)
CREATE OR REPLACE FUNCTION app.enter(credential_hash bytea, need bigint, flags integer,
	OUT organization_id uuid, OUT member_id uuid, OUT user_id uuid, OUT zone text, OUT language text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	granted bigint;
	week_start integer;
	seen_at timestamptz;
	done text;
BEGIN
	SELECT c.organization_id, c.member_id, c.user_id, c.permissions, c.zone, c.language, c.week_start, c.last_seen_at
	INTO organization_id, member_id, user_id, granted, zone, language, week_start, seen_at
	FROM data.credentials AS c WHERE c.hash = credential_hash AND c.expires_at > now();
	IF organization_id IS NULL THEN
		PERFORM app.refuse('unauthenticated');
	END IF;
	IF need >= 0 AND granted & (1::bigint << need::integer) = 0 THEN
		PERFORM app.refuse('forbidden');
	END IF;
	done := set_config('app.org', organization_id::text, true);
	done := set_config('app.member', member_id::text, true);
	done := set_config('app.caller',
		user_id || ' ' || granted || ' ' || week_start || ' ' || language || ' ' || zone, true);
	IF seen_at < now() - interval '5 minutes' THEN
		IF flags & 1 = 0 THEN
			-- A reader does not wait for the disk over this.
			done := set_config('synchronous_commit', 'off', true);
		END IF;
		PERFORM app.enter_seen(credential_hash);
	END IF;
	IF flags & 1 = 0 THEN
		done := set_config('transaction_read_only', 'on', true);
	END IF;
END
$$;

GRANT EXECUTE ON FUNCTION app.enter(bytea, bigint, integer) TO stint_web;

RESET ROLE;
