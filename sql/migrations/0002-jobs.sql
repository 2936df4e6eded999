-- Background work: the truth of every job.
--
-- Schema `jobs` is machinery of the whole installation: a job may belong to an organization or to nobody (housekeeping), so
-- its tables are keyed by id and not by tenant. Nobody writes them but the functions of this schema (functions/90-jobs.sql);
-- of its own jobs an organization may read (policies.sql). Redis carries ids to the runners and knows nothing more.
--
-- Columns the relay searches by stand in one partial index; a job that is done leaves it. lane is the organization, or the
-- nil uuid for the installation's own: the relay serves lanes in turn, so that nobody's thousand jobs stand before another's one.

SET LOCAL lock_timeout = '5s';
SET LOCAL ROLE stint_owner;

CREATE SCHEMA jobs;
GRANT USAGE, CREATE ON SCHEMA jobs TO stint_definer;
GRANT USAGE ON SCHEMA jobs TO stint_web, stint_worker, stint_migrate, stint_amender;

-- What kinds there are, as the program declares them (src/jobs/); renewed by `stint migrate` and by each starting worker.
CREATE TABLE jobs.kinds (
	kind text PRIMARY KEY CONSTRAINT kinds_kind_length CHECK (char_length(kind) BETWEEN 1 AND 100),
	about text NOT NULL,
	queue text NOT NULL,
	priority smallint NOT NULL,
	max_attempts integer NOT NULL,
	quick boolean NOT NULL,
	public boolean NOT NULL,
	soft_s integer NOT NULL,
	hard_s integer NOT NULL,
	rate_per_minute integer NOT NULL,
	keep_s integer NOT NULL,
	schedule text,
	zone text,
	backfill text
);

CREATE SEQUENCE jobs.leases;
CREATE SEQUENCE jobs.holders AS integer CYCLE;

-- A job. state: waiting (due now or later), running (under a lease), and the ends: done, dead, cancelled, expired.
-- attempts counts the runs that ended in a failure; crashes those that took their process along. lease is the fence: what a
-- runner says of a job counts only while the job runs under the lease it was given.
CREATE TABLE jobs.jobs (
	id uuid PRIMARY KEY,
	organization_id uuid CONSTRAINT jobs_organization REFERENCES data.organizations,
	lane uuid NOT NULL GENERATED ALWAYS AS (coalesce(organization_id, '00000000-0000-0000-0000-000000000000')) STORED,
	member_id uuid,
	kind text NOT NULL,
	queue text NOT NULL CONSTRAINT jobs_queue_form CHECK (queue ~ '^[a-z][a-z0-9_.:-]{0,62}$'),
	priority smallint NOT NULL CONSTRAINT jobs_priority_range CHECK (priority IN (0, 3, 6, 9)),
	quick boolean NOT NULL,
	rated boolean NOT NULL,
	state text NOT NULL DEFAULT 'waiting'
		CONSTRAINT jobs_state_choice CHECK (state IN ('waiting', 'running', 'done', 'dead', 'cancelled', 'expired')),
	args jsonb NOT NULL,
	due_at timestamptz NOT NULL,
	expires_at timestamptz,
	attempts integer NOT NULL DEFAULT 0,
	max_attempts integer NOT NULL CONSTRAINT jobs_max_attempts_range CHECK (max_attempts BETWEEN 1 AND 1000),
	crashes integer NOT NULL DEFAULT 0,
	cancel boolean NOT NULL DEFAULT false,
	lease bigint,
	holder integer,
	leased_until timestamptz,
	created_at timestamptz NOT NULL DEFAULT now(),
	started_at timestamptz,
	finished_at timestamptz,
	purge_at timestamptz,
	unique_key text CONSTRAINT jobs_unique_key_length CHECK (char_length(unique_key) <= 300),
	unique_running boolean NOT NULL DEFAULT false,
	once_key text CONSTRAINT jobs_once_key_length CHECK (char_length(once_key) <= 300),
	group_id uuid,
	next jsonb,
	memo jsonb,
	result jsonb,
	error text,
	CONSTRAINT jobs_leased CHECK (state <> 'running' OR (lease IS NOT NULL AND leased_until IS NOT NULL))
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX jobs_waiting ON jobs.jobs (queue, lane, priority, due_at, id) WHERE state = 'waiting';
CREATE INDEX jobs_running ON jobs.jobs (leased_until) WHERE state = 'running';
CREATE INDEX jobs_finished ON jobs.jobs (lane, finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX jobs_purge ON jobs.jobs (purge_at) WHERE purge_at IS NOT NULL;
CREATE INDEX jobs_grouped ON jobs.jobs (group_id) WHERE group_id IS NOT NULL;
-- One job of a key at a time: among those that wait, or (unique_running) also while one runs.
CREATE UNIQUE INDEX jobs_unique ON jobs.jobs (kind, lane, unique_key)
	WHERE unique_key IS NOT NULL AND (state = 'waiting' OR (state = 'running' AND unique_running));
-- The same request for a job, sent again, is the same job, for as long as its row is kept.
CREATE UNIQUE INDEX jobs_once ON jobs.jobs (kind, lane, once_key) WHERE once_key IS NOT NULL;

-- Jobs that belong together; when the last has ended `callback` is enqueued with what all of them gave.
CREATE TABLE jobs.groups (
	id uuid PRIMARY KEY,
	organization_id uuid CONSTRAINT groups_organization REFERENCES data.organizations,
	open integer NOT NULL,
	callback jsonb NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now()
);

-- How far a limited kind has used up its rate in a lane: the moment from which the next may start (GCRA).
CREATE TABLE jobs.rates (
	kind text NOT NULL,
	lane uuid NOT NULL,
	free_at timestamptz NOT NULL,
	PRIMARY KEY (kind, lane)
);

-- The slots of schedules that were seen to, each once whoever comes first.
CREATE TABLE jobs.slots (
	kind text NOT NULL,
	slot timestamptz NOT NULL,
	job_id uuid,
	fired_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (kind, slot)
);

-- The workers that live, by their own word. doc: its queues and what its children do.
CREATE TABLE jobs.workers (
	id uuid PRIMARY KEY,
	host text NOT NULL,
	pid integer NOT NULL,
	started_at timestamptz NOT NULL,
	seen_at timestamptz NOT NULL,
	doc jsonb NOT NULL
);

-- What was done, by minute: kind, how it ended, how many, how long they took in all, and how many took at most
-- 10 ms, 100 ms, 1 s, 10 s, 60 s, longer.
CREATE TABLE jobs.stats (
	minute timestamptz NOT NULL,
	kind text NOT NULL,
	outcome text NOT NULL,
	count bigint NOT NULL,
	took_ms bigint NOT NULL,
	buckets bigint[] NOT NULL,
	PRIMARY KEY (minute, kind, outcome)
);

DO $$
DECLARE
	t regclass;
BEGIN
	FOR t IN SELECT oid FROM pg_class WHERE relnamespace = 'jobs'::regnamespace AND relkind = 'r' LOOP
		EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', t);
		EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', t);
	END LOOP;
END
$$;

RESET ROLE;
