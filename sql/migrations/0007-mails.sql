-- The ledger of mails: one row a mail, under the id of its job, so that a job that is run again does not send again what was
-- sent. Kept for a month; what a mail said is not in it.

SET LOCAL lock_timeout = '5s';
SET LOCAL ROLE stint_owner;

CREATE TABLE jobs.mails (
	id uuid PRIMARY KEY,
	organization_id uuid CONSTRAINT mails_organization REFERENCES data.organizations,
	template text NOT NULL,
	recipient text NOT NULL,
	state text NOT NULL CONSTRAINT mails_state_choice CHECK (state IN ('sending', 'sent', 'later', 'refused')),
	tries integer NOT NULL DEFAULT 1,
	code integer,
	words text,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX mails_by_age ON jobs.mails (created_at);

ALTER TABLE jobs.mails ENABLE ROW LEVEL SECURITY;
ALTER TABLE jobs.mails FORCE ROW LEVEL SECURITY;

RESET ROLE;
