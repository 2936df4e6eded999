-- Row level security and the grants below it. RLS means tenant and nothing else: who sees which rows of a tenant is said
-- in seen.*, what may be done is said by the routes. Made anew as a whole, so that what is not said here is not allowed.

SET LOCAL ROLE stint_owner;

-- One policy per table of a tenant, from the catalogue, so that none can be forgotten. A table without organization_id
-- (accounts) has none: nobody reads it but the definer functions, which bypass.
DO $$
DECLARE
	t record;
BEGIN
	FOR t IN
		SELECT c.oid::regclass AS tab, CASE WHEN c.relname = 'organizations' THEN 'id' ELSE a.attname END AS tenant
		FROM pg_class AS c
		LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'organization_id'
		WHERE c.relnamespace = 'data'::regnamespace AND c.relkind = 'r'
			AND (a.attname IS NOT NULL OR c.relname = 'organizations')
	LOOP
		EXECUTE format('DROP POLICY IF EXISTS tenant ON %s', t.tab);
		EXECUTE format('CREATE POLICY tenant ON %s USING (%I = app.org()) WITH CHECK (%I = app.org())',
			t.tab, t.tenant, t.tenant);
	END LOOP;
END
$$;

-- Of its own jobs an organization may know; nobody reads another's, or the installation's own, but the functions of jobs.
DROP POLICY IF EXISTS tenant ON jobs.jobs;
CREATE POLICY tenant ON jobs.jobs FOR SELECT USING (organization_id = app.org());
DROP POLICY IF EXISTS tenant ON jobs.tallies;
CREATE POLICY tenant ON jobs.tallies FOR SELECT USING (lane = app.org());

-- What was granted before and is not granted below is taken back; columns' grants go with their table's.
REVOKE ALL ON ALL TABLES IN SCHEMA jobs FROM stint_web, stint_worker, stint_definer, stint_amender, stint_migrate;
REVOKE ALL ON ALL TABLES IN SCHEMA data FROM stint_web, stint_worker, stint_definer, stint_amender, stint_migrate;

-- The web reads the nouns (through seen.*), adds rows, and changes the columns that people may change. Nothing is ever
-- deleted, status and bookkeeping columns move by trigger or by functions alone, events cannot be written.
GRANT SELECT ON data.organizations, data.members, data.clients, data.projects, data.tags, data.time_entries,
	data.time_entry_tags, data.events TO stint_web, stint_worker;
GRANT SELECT ON data.notifications, data.notification_preferences TO stint_web;
GRANT UPDATE (read_at) ON data.notifications TO stint_web;
GRANT INSERT (organization_id, member_id, kind, in_app, mail), UPDATE (in_app, mail) ON data.notification_preferences TO stint_web;
GRANT SELECT (organization_id, position) ON data.event_heads TO stint_web;
GRANT UPDATE (name, zone, currency, overlap_policy, weekly_target_s) ON data.organizations TO stint_web;
GRANT UPDATE (role, active) ON data.members TO stint_web;
GRANT INSERT (organization_id, id, name, created_by), UPDATE (name, archived, deleted_at) ON data.clients TO stint_web;
GRANT INSERT (organization_id, id, client_id, name, color, billable, created_by),
	UPDATE (client_id, name, color, billable, archived, deleted_at) ON data.projects TO stint_web;
GRANT INSERT (organization_id, id, name, created_by), UPDATE (name, deleted_at) ON data.tags TO stint_web;
GRANT INSERT (organization_id, id, member_id, project_id, description, tag_ids, billable, type, started_at, ended_at,
		zone, first_day, exclusive, created_by),
	UPDATE (project_id, description, tag_ids, billable, type, started_at, ended_at, deleted_at)
	ON data.time_entries TO stint_web;

GRANT SELECT ON data.webhooks, data.webhook_deliveries TO stint_web, stint_worker;
-- Secrets are sealed, and all the same not the web's to read.
GRANT SELECT (organization_id, webhook_id, old_secret_until, succeeded_at, failing_since) ON data.webhook_states TO stint_web;
GRANT SELECT ON data.webhook_states TO stint_worker;
GRANT INSERT (organization_id, id, url, description, events, active, created_by),
	UPDATE (url, description, events, active, secret_changed_at, deleted_at) ON data.webhooks TO stint_web;
GRANT INSERT (organization_id, id, webhook_id, type, at, next_at), UPDATE (state, next_at, finished_at)
	ON data.webhook_deliveries TO stint_web;

-- The definer functions: sign-in, entering, events, repeats.
GRANT SELECT ON ALL TABLES IN SCHEMA data TO stint_definer;
GRANT INSERT, UPDATE ON data.users, data.organizations, data.members, data.event_heads
	TO stint_definer;
GRANT INSERT, UPDATE, DELETE ON data.credentials, data.one_time_tokens, data.idempotency_keys TO stint_definer;
GRANT INSERT, UPDATE ON data.events, data.notification_preferences TO stint_definer;
GRANT INSERT, UPDATE, DELETE ON data.notifications TO stint_definer;
GRANT INSERT, DELETE ON data.time_entry_tags TO stint_definer;
GRANT INSERT, UPDATE, DELETE ON data.webhooks, data.webhook_states, data.webhook_deliveries TO stint_definer;
-- Housekeeping: rows that were deleted long ago.
GRANT UPDATE, DELETE ON data.time_entries, data.tags, data.projects, data.clients TO stint_definer;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA jobs TO stint_definer;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA jobs TO stint_definer, stint_worker;
GRANT SELECT ON jobs.jobs, jobs.tallies TO stint_web;

-- Backups and the operator's tools read everything; what migrations change they change as the owner.
GRANT SELECT ON ALL TABLES IN SCHEMA data, jobs TO stint_migrate;

RESET ROLE;

-- What a role holds may have grown since people signed in.
SET LOCAL ROLE stint_definer;
UPDATE data.credentials AS c SET permissions = app.permissions(m.role) FROM data.members AS m
WHERE m.organization_id = c.organization_id AND m.id = c.member_id AND c.permissions <> app.permissions(m.role);
RESET ROLE;

-- What `stint migrate` keeps, for /readyz. Made before there were roles, and not there when files are applied by hand.
DO $$
BEGIN
	IF to_regclass('app.migrations') IS NOT NULL THEN
		GRANT SELECT ON app.migrations TO stint_definer;
	END IF;
END
$$;
