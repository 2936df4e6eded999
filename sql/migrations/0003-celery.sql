-- The edges of the queue at which it speaks Celery: who may call from where, what they are answered, and what could not be read.
--
-- Machinery like the rest of schema `jobs`: written by its functions alone (functions/93-celery.sql). The organization of a call is
-- that of the list it came in by, and who may write to a list Redis decides.

SET LOCAL lock_timeout = '5s';
SET LOCAL ROLE stint_owner;

-- Of a job that a Celery client called: {"task_id": as the client wrote it, "ignore": it wants no result}.
ALTER TABLE jobs.jobs ADD COLUMN caller jsonb;

CREATE TABLE jobs.intakes (
	queue text PRIMARY KEY CONSTRAINT intakes_queue_form CHECK (queue ~ '^[A-Za-z][A-Za-z0-9_.-]{0,62}$'),
	organization_id uuid NOT NULL CONSTRAINT intakes_organization REFERENCES data.organizations,
	created_at timestamptz NOT NULL DEFAULT now()
);

-- Messages that were no call of anything. mark tells the bytes of one from another's, so that one read twice is one letter; head is
-- its beginning without arguments.
CREATE TABLE jobs.letters (
	id uuid PRIMARY KEY,
	queue text NOT NULL,
	mark text NOT NULL,
	reason text NOT NULL,
	task text,
	task_id text,
	at timestamptz NOT NULL DEFAULT clock_timestamp(),
	head text NOT NULL,
	CONSTRAINT letters_once UNIQUE (queue, mark)
);
CREATE INDEX letters_by_time ON jobs.letters (queue, at);

-- Answers on their way to Redis: written with what they tell of, gone when they are there.
CREATE TABLE jobs.replies (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	task_id text NOT NULL,
	body text NOT NULL,
	at timestamptz NOT NULL DEFAULT clock_timestamp()
);

ALTER TABLE jobs.intakes ENABLE ROW LEVEL SECURITY;
ALTER TABLE jobs.intakes FORCE ROW LEVEL SECURITY;
ALTER TABLE jobs.letters ENABLE ROW LEVEL SECURITY;
ALTER TABLE jobs.letters FORCE ROW LEVEL SECURITY;
ALTER TABLE jobs.replies ENABLE ROW LEVEL SECURITY;
ALTER TABLE jobs.replies FORCE ROW LEVEL SECURITY;

RESET ROLE;
