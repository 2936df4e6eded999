-- What people see of background work: jobs taken out of sight, each organization's own figures, counters that only grow.

SET LOCAL lock_timeout = '5s';
SET LOCAL ROLE stint_owner;

-- What the job was before somebody dropped it ({"state", "once_key"}), until it is restored or purged.
ALTER TABLE jobs.jobs ADD COLUMN dropped jsonb;
CREATE INDEX jobs_dead ON jobs.jobs (queue, lane) WHERE state = 'dead';

-- How many of an organization's jobs ended how, by minute. Each connection counts in a row of its own (shard), so that
-- nobody who settles a job waits for another; the installation's own jobs are in jobs.stats alone.
CREATE TABLE jobs.tallies (
	lane uuid NOT NULL,
	minute timestamptz NOT NULL,
	shard integer NOT NULL,
	done bigint NOT NULL,
	failed bigint NOT NULL,
	dead bigint NOT NULL,
	PRIMARY KEY (lane, minute, shard)
) WITH (fillfactor = 50);

-- The sums of jobs.stats since the beginning, which purging leaves alone: what counts for monitoring never goes back.
CREATE TABLE jobs.totals (
	kind text NOT NULL,
	outcome text NOT NULL,
	count bigint NOT NULL,
	took_ms bigint NOT NULL,
	buckets bigint[] NOT NULL,
	PRIMARY KEY (kind, outcome)
) WITH (fillfactor = 50);

DO $$
DECLARE
	t text;
BEGIN
	FOREACH t IN ARRAY ARRAY['jobs.tallies', 'jobs.totals'] LOOP
		EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', t);
		EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', t);
	END LOOP;
END
$$;

RESET ROLE;
