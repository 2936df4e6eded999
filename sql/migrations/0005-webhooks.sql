-- Webhooks: addresses of other programs that are told what happened, and what became of each telling.
--
-- What people decide about an endpoint stands in data.webhooks and leaves events like every noun; what machinery keeps of it
-- (secrets, how far events were handed out, how it fares) stands beside it in data.webhook_states, so that no secret comes into
-- an event and no version rises because a position moved. Secrets are sealed by the program and opened by the worker alone.

SET LOCAL lock_timeout = '5s';
SET LOCAL ROLE stint_owner;

-- events: what it wants to hear of: "*", "NOUN.*", "NOUN.ACTION". disabled_reason: why Stint itself switched it off.
CREATE TABLE data.webhooks (
	organization_id uuid NOT NULL CONSTRAINT webhooks_organization REFERENCES data.organizations,
	id uuid NOT NULL,
	version bigint NOT NULL DEFAULT 1,
	url text NOT NULL CONSTRAINT webhooks_url_length CHECK (char_length(url) BETWEEN 1 AND 2000),
	description text NOT NULL DEFAULT '' CONSTRAINT webhooks_description_length CHECK (char_length(description) <= 200),
	events text[] NOT NULL CONSTRAINT webhooks_events_many CHECK (cardinality(events) BETWEEN 1 AND 100),
	active boolean NOT NULL DEFAULT true,
	disabled_reason text CONSTRAINT webhooks_disabled_reason_choice CHECK (disabled_reason IN ('gone', 'failing')),
	secret_changed_at timestamptz NOT NULL DEFAULT now(),
	created_by uuid,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	deleted_at timestamptz,
	PRIMARY KEY (organization_id, id),
	CONSTRAINT webhooks_created_by FOREIGN KEY (organization_id, created_by) REFERENCES data.members
);
-- The sealer asks this of every batch.
CREATE INDEX webhooks_active ON data.webhooks (organization_id) WHERE active AND deleted_at IS NULL;

-- cursor: the position of the last event that was looked at for this endpoint. old_secret signs too, until it ends.
CREATE TABLE data.webhook_states (
	organization_id uuid NOT NULL CONSTRAINT webhook_states_organization REFERENCES data.organizations,
	webhook_id uuid NOT NULL,
	secret text NOT NULL,
	old_secret text,
	old_secret_until timestamptz,
	cursor bigint NOT NULL,
	succeeded_at timestamptz,
	failing_since timestamptz,
	failed_in_a_row integer NOT NULL DEFAULT 0,
	PRIMARY KEY (organization_id, webhook_id),
	CONSTRAINT webhook_states_webhook FOREIGN KEY (organization_id, webhook_id) REFERENCES data.webhooks ON DELETE CASCADE
);

-- One event for one endpoint, or a ping (position null). Its id is the webhook-id that the endpoint sees, the same for each
-- attempt. request is what was sent last, answer the beginning of what came back.
CREATE TABLE data.webhook_deliveries (
	organization_id uuid NOT NULL CONSTRAINT webhook_deliveries_organization REFERENCES data.organizations,
	id uuid NOT NULL,
	webhook_id uuid NOT NULL,
	type text NOT NULL,
	position bigint,
	noun text,
	row_id uuid,
	action text,
	at timestamptz NOT NULL,
	state text NOT NULL DEFAULT 'waiting'
		CONSTRAINT webhook_deliveries_state_choice CHECK (state IN ('waiting', 'delivered', 'failed', 'cancelled')),
	attempts integer NOT NULL DEFAULT 0,
	next_at timestamptz,
	last_status integer,
	last_error text,
	took_ms integer,
	request_id uuid,
	request text,
	answer text CONSTRAINT webhook_deliveries_answer_length CHECK (octet_length(answer) <= 1024),
	created_at timestamptz NOT NULL DEFAULT now(),
	finished_at timestamptz,
	PRIMARY KEY (organization_id, id),
	CONSTRAINT webhook_deliveries_webhook FOREIGN KEY (organization_id, webhook_id) REFERENCES data.webhooks ON DELETE CASCADE
);
CREATE UNIQUE INDEX webhook_deliveries_once ON data.webhook_deliveries (organization_id, webhook_id, position)
	WHERE position IS NOT NULL;
CREATE INDEX webhook_deliveries_by_webhook ON data.webhook_deliveries (organization_id, webhook_id, id DESC);
CREATE INDEX webhook_deliveries_by_age ON data.webhook_deliveries (organization_id, created_at);

DO $$
DECLARE
	t regclass;
BEGIN
	FOREACH t IN ARRAY ARRAY['data.webhooks', 'data.webhook_states', 'data.webhook_deliveries']::regclass[] LOOP
		EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', t);
		EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', t);
	END LOOP;
END
$$;

RESET ROLE;
