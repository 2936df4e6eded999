-- The foundation: roles, schemas and the tables of the first nouns.
--
-- Three schemas. `data` holds the tables and nobody but migrations owns anything there; `seen` holds what a member
-- may see, one security_invoker view per noun; `app` holds the machinery. Functions, triggers, views, policies and
-- grants are CREATE OR REPLACE files beside this one (functions/, policies.sql), applied after the migrations.
--
-- What every table of a tenant has: organization_id with its own key to organizations, so that no row can outlive its
-- tenant; the primary key (organization_id, id), so that an id made by a client cannot probe another tenant; composite
-- foreign keys, so that nothing can point across; row level security enabled and forced; indexes that begin with
-- organization_id, because the policy adds that condition to every query; a version, raised by trigger.
--
-- The first run needs a superuser (roles, BYPASSRLS); later ones run as stint_migrate.

SET LOCAL lock_timeout = '5s';

DO $$
DECLARE
	wanted record;
BEGIN
	FOR wanted IN
		SELECT * FROM (VALUES
			('stint_owner',   'NOLOGIN'),
			('stint_definer', 'NOLOGIN BYPASSRLS'),
			('stint_amender', 'NOLOGIN'),
			('stint_migrate', 'LOGIN BYPASSRLS'),
			('stint_web',     'LOGIN'),
			('stint_worker',  'LOGIN')) AS roles (name, options)
	LOOP
		-- Roles belong to the cluster: another Stint beside this one may have made them already.
		IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.name) THEN
			EXECUTE format('CREATE ROLE %I %s', wanted.name, wanted.options);
		END IF;
	END LOOP;
	-- Each refused entry would write its statement to the server's log. And every statement of the web is prepared and made
	-- to run by one plan, without compiling it: planning again costs more than most of them do.
	ALTER ROLE stint_web SET log_min_messages = 'fatal';
	ALTER ROLE stint_web SET plan_cache_mode = 'force_generic_plan';
	ALTER ROLE stint_web SET jit = off;
	ALTER ROLE stint_web SET TimeZone = 'UTC';
	ALTER ROLE stint_worker SET plan_cache_mode = 'force_generic_plan';
	ALTER ROLE stint_worker SET jit = off;
	ALTER ROLE stint_worker SET TimeZone = 'UTC';
	-- Later migrations run without a superuser and may need a schema.
	EXECUTE format('GRANT CREATE ON DATABASE %I TO stint_owner', current_database());
	IF NOT pg_has_role('stint_migrate', 'stint_owner', 'MEMBER') THEN
		GRANT stint_owner TO stint_migrate;
	END IF;
	IF NOT pg_has_role('stint_migrate', 'stint_definer', 'MEMBER') THEN
		GRANT stint_definer TO stint_migrate;
	END IF;
	IF NOT pg_has_role('stint_migrate', 'stint_amender', 'MEMBER') THEN
		GRANT stint_amender TO stint_migrate;
	END IF;
END
$$;

CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE SCHEMA IF NOT EXISTS app;
CREATE SCHEMA data;
CREATE SCHEMA seen;
ALTER SCHEMA app OWNER TO stint_owner;
ALTER SCHEMA data OWNER TO stint_owner;
ALTER SCHEMA seen OWNER TO stint_owner;
-- stint_definer owns its functions in app, and reads and writes tables only where policies.sql says so.
GRANT USAGE, CREATE ON SCHEMA app TO stint_definer;
GRANT USAGE ON SCHEMA data TO stint_definer, stint_amender;
GRANT USAGE ON SCHEMA app, data, seen TO stint_web, stint_worker, stint_migrate;

-- A function may be called by those who are named, never by everybody.
ALTER DEFAULT PRIVILEGES FOR ROLE stint_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE stint_definer REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
-- What stint_owner owns in app runs with the rights of its caller, and a view of seen shows what its reader may see:
-- those the running program may use. A SECURITY DEFINER function is granted by hand, beside its definition.
ALTER DEFAULT PRIVILEGES FOR ROLE stint_owner IN SCHEMA app
	GRANT EXECUTE ON FUNCTIONS TO stint_web, stint_worker, stint_definer, stint_amender, stint_migrate;
ALTER DEFAULT PRIVILEGES FOR ROLE stint_owner IN SCHEMA seen GRANT SELECT ON TABLES TO stint_web, stint_worker;

SET LOCAL ROLE stint_owner;

-- Accounts -----------------------------------------------------------------------------------------------------------

-- A person who can sign in. Global, and reached through definer functions alone: what colleagues may know of a person
-- (name, address, zone) stands in members.
CREATE TABLE data.users (
	id uuid PRIMARY KEY,
	email text NOT NULL CONSTRAINT users_email_length CHECK (char_length(email) BETWEEN 3 AND 254),
	name text NOT NULL CONSTRAINT users_name_length CHECK (char_length(name) BETWEEN 1 AND 200),
	password_hash text,
	verified_at timestamptz,
	last_organization_id uuid,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX users_email ON data.users (lower(email));

CREATE TABLE data.organizations (
	id uuid PRIMARY KEY,
	version bigint NOT NULL DEFAULT 1,
	name text NOT NULL CONSTRAINT organizations_name_length CHECK (char_length(name) BETWEEN 1 AND 200),
	zone text NOT NULL CONSTRAINT organizations_zone_length CHECK (char_length(zone) BETWEEN 1 AND 64),
	currency text NOT NULL DEFAULT 'EUR' CONSTRAINT organizations_currency_iso CHECK (currency ~ '^[A-Z]{3}$'),
	overlap_policy text NOT NULL DEFAULT 'forbid'
		CONSTRAINT organizations_overlap_policy_choice CHECK (overlap_policy IN ('allow', 'forbid')),
	weekly_target_s integer NOT NULL DEFAULT 144000
		CONSTRAINT organizations_weekly_target_range CHECK (weekly_target_s BETWEEN 0 AND 604800),
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	deleted_at timestamptz
);
ALTER TABLE data.users ADD CONSTRAINT users_last_organization
	FOREIGN KEY (last_organization_id) REFERENCES data.organizations ON DELETE SET NULL;

-- A person in an organization, or a placeholder for one who never signs in (user_id null: imports, leavers).
CREATE TABLE data.members (
	organization_id uuid NOT NULL CONSTRAINT members_organization REFERENCES data.organizations,
	id uuid NOT NULL,
	version bigint NOT NULL DEFAULT 1,
	user_id uuid CONSTRAINT members_user REFERENCES data.users,
	name text NOT NULL CONSTRAINT members_name_length CHECK (char_length(name) BETWEEN 1 AND 200),
	email text NOT NULL CONSTRAINT members_email_length CHECK (char_length(email) BETWEEN 3 AND 254),
	role text NOT NULL CONSTRAINT members_role_choice CHECK (role IN ('owner', 'manager', 'member')),
	active boolean NOT NULL DEFAULT true,
	zone text NOT NULL CONSTRAINT members_zone_length CHECK (char_length(zone) BETWEEN 1 AND 64),
	language text NOT NULL DEFAULT 'en' CONSTRAINT members_language_form CHECK (language ~ '^[a-z]{2,3}(-[A-Z]{2})?$'),
	week_start smallint NOT NULL DEFAULT 1 CONSTRAINT members_week_start_range CHECK (week_start BETWEEN 1 AND 7),
	clock_12h boolean NOT NULL DEFAULT false,
	decimal_durations boolean NOT NULL DEFAULT false,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	deleted_at timestamptz,
	PRIMARY KEY (organization_id, id),
	CONSTRAINT members_user_once UNIQUE (organization_id, user_id)
);
-- Which organizations somebody belongs to, asked at sign-in, before there is a tenant.
CREATE INDEX members_by_user ON data.members (user_id);

-- Sessions of browsers and tokens of programs. The row carries all that entering needs, so that app.enter is one index
-- look-up; triggers on members keep it true. Only the hash of what the caller holds is here.
CREATE TABLE data.credentials (
	hash bytea PRIMARY KEY,
	id uuid NOT NULL,
	kind text NOT NULL CONSTRAINT credentials_kind_choice CHECK (kind IN ('session', 'token')),
	organization_id uuid NOT NULL CONSTRAINT credentials_organization REFERENCES data.organizations,
	member_id uuid NOT NULL,
	user_id uuid NOT NULL CONSTRAINT credentials_user REFERENCES data.users,
	permissions bigint NOT NULL,
	zone text NOT NULL,
	language text NOT NULL,
	week_start smallint NOT NULL,
	-- What app.enter leaves as the setting app.caller; read by the functions in 10-context.sql.
	caller text NOT NULL GENERATED ALWAYS AS (user_id::text || ' ' || permissions::text || ' ' || week_start::text || ' '
		|| language || ' ' || zone) STORED,
	user_agent text NOT NULL DEFAULT '' CONSTRAINT credentials_user_agent_length CHECK (char_length(user_agent) <= 400),
	ip text NOT NULL DEFAULT '' CONSTRAINT credentials_ip_length CHECK (char_length(ip) <= 64),
	created_at timestamptz NOT NULL DEFAULT now(),
	last_seen_at timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz NOT NULL,
	CONSTRAINT credentials_member FOREIGN KEY (organization_id, member_id)
		REFERENCES data.members ON DELETE CASCADE
) WITH (fillfactor = 80); -- room for last_seen_at to change in place
CREATE UNIQUE INDEX credentials_by_user ON data.credentials (user_id, id);
CREATE INDEX credentials_by_member ON data.credentials (organization_id, member_id);

-- What a link in a mail stands for. Each verification link carries the registration it was sent for: whoever opens it
-- proves the address for *that* password, not for one that a stranger gave with the same address.
CREATE TABLE data.one_time_tokens (
	hash bytea PRIMARY KEY,
	user_id uuid NOT NULL CONSTRAINT one_time_tokens_user REFERENCES data.users ON DELETE CASCADE,
	purpose text NOT NULL CONSTRAINT one_time_tokens_purpose_choice CHECK (purpose IN ('verify', 'reset')),
	name text,
	password_hash text,
	created_at timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz NOT NULL
);
CREATE INDEX one_time_tokens_by_user ON data.one_time_tokens (user_id);

-- Work ---------------------------------------------------------------------------------------------------------------

-- created_by lets a replayed create (same id, same member) be told from an id that is taken.
CREATE TABLE data.clients (
	organization_id uuid NOT NULL CONSTRAINT clients_organization REFERENCES data.organizations,
	id uuid NOT NULL,
	version bigint NOT NULL DEFAULT 1,
	name text NOT NULL CONSTRAINT clients_name_length CHECK (char_length(name) BETWEEN 1 AND 200),
	archived boolean NOT NULL DEFAULT false,
	created_by uuid,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	deleted_at timestamptz,
	PRIMARY KEY (organization_id, id),
	CONSTRAINT clients_created_by FOREIGN KEY (organization_id, created_by) REFERENCES data.members
);
CREATE UNIQUE INDEX clients_name ON data.clients (organization_id, lower(name)) WHERE deleted_at IS NULL;

CREATE TABLE data.projects (
	organization_id uuid NOT NULL CONSTRAINT projects_organization REFERENCES data.organizations,
	id uuid NOT NULL,
	version bigint NOT NULL DEFAULT 1,
	client_id uuid,
	name text NOT NULL CONSTRAINT projects_name_length CHECK (char_length(name) BETWEEN 1 AND 200),
	color smallint NOT NULL DEFAULT 1 CONSTRAINT projects_color_range CHECK (color BETWEEN 1 AND 12),
	billable boolean NOT NULL DEFAULT false,
	archived boolean NOT NULL DEFAULT false,
	created_by uuid,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	deleted_at timestamptz,
	PRIMARY KEY (organization_id, id),
	CONSTRAINT projects_client FOREIGN KEY (organization_id, client_id) REFERENCES data.clients,
	CONSTRAINT projects_created_by FOREIGN KEY (organization_id, created_by) REFERENCES data.members
);
-- A name may come back under another client; without a client it is unique among those without.
CREATE UNIQUE INDEX projects_name ON data.projects
	(organization_id, coalesce(client_id, '00000000-0000-0000-0000-000000000000'), lower(name)) WHERE deleted_at IS NULL;
CREATE INDEX projects_by_client ON data.projects (organization_id, client_id);

CREATE TABLE data.tags (
	organization_id uuid NOT NULL CONSTRAINT tags_organization REFERENCES data.organizations,
	id uuid NOT NULL,
	version bigint NOT NULL DEFAULT 1,
	name text NOT NULL CONSTRAINT tags_name_length CHECK (char_length(name) BETWEEN 1 AND 100),
	created_by uuid,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	deleted_at timestamptz,
	PRIMARY KEY (organization_id, id),
	CONSTRAINT tags_created_by FOREIGN KEY (organization_id, created_by) REFERENCES data.members
);
CREATE UNIQUE INDEX tags_name ON data.tags (organization_id, lower(name)) WHERE deleted_at IS NULL;

-- Time ---------------------------------------------------------------------------------------------------------------

-- One stretch of a member's time, [started_at, ended_at), whole seconds; ended_at is null while it runs.
-- zone is where its person was; first_day and last_day are the local days it touches there (last_day null while it runs).
-- exclusive and the days are set by trigger. tag_ids is the truth of an entry's tags (so an entry and its event are one
-- row); a trigger mirrors it into time_entry_tags, whose keys guard it and whose index finds the entries of a tag.
CREATE TABLE data.time_entries (
	organization_id uuid NOT NULL CONSTRAINT time_entries_organization REFERENCES data.organizations,
	id uuid NOT NULL,
	version bigint NOT NULL DEFAULT 1,
	member_id uuid NOT NULL,
	project_id uuid,
	description text NOT NULL DEFAULT ''
		CONSTRAINT time_entries_description_length CHECK (char_length(description) <= 1000),
	tag_ids uuid[] NOT NULL DEFAULT '{}' CONSTRAINT time_entries_tags_many CHECK (cardinality(tag_ids) <= 50),
	billable boolean NOT NULL DEFAULT false,
	type text NOT NULL DEFAULT 'work' CONSTRAINT time_entries_type_choice CHECK (type IN ('work', 'break')),
	status text NOT NULL DEFAULT 'open' CONSTRAINT time_entries_status_choice
		CHECK (status IN ('open', 'submitted', 'approved', 'locked', 'invoiced')),
	started_at timestamptz NOT NULL
		CONSTRAINT time_entries_start_range CHECK (started_at >= '1970-01-01Z' AND started_at < '2200-01-01Z'),
	ended_at timestamptz
		CONSTRAINT time_entries_end_range CHECK (ended_at < '2200-02-01Z'),
	zone text NOT NULL,
	first_day date NOT NULL,
	last_day date,
	exclusive boolean NOT NULL,
	created_by uuid,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	deleted_at timestamptz,
	PRIMARY KEY (organization_id, id),
	CONSTRAINT time_entries_end_after_start CHECK (ended_at > started_at),
	CONSTRAINT time_entries_at_most_31_days CHECK (ended_at - started_at <= interval '31 days'),
	CONSTRAINT time_entries_member FOREIGN KEY (organization_id, member_id) REFERENCES data.members,
	CONSTRAINT time_entries_project FOREIGN KEY (organization_id, project_id) REFERENCES data.projects,
	CONSTRAINT time_entries_created_by FOREIGN KEY (organization_id, created_by) REFERENCES data.members,
	-- The guarantee behind the friendly check of the trigger. Deferrable, so that neighbours may move together.
	CONSTRAINT time_entries_no_overlap EXCLUDE USING gist
		(organization_id WITH =, member_id WITH =, tstzrange(started_at, ended_at) WITH &&)
		WHERE (exclusive) DEFERRABLE INITIALLY IMMEDIATE
);
CREATE UNIQUE INDEX time_entries_one_running ON data.time_entries (organization_id, member_id)
	WHERE ended_at IS NULL AND deleted_at IS NULL;
CREATE INDEX time_entries_by_member ON data.time_entries (organization_id, member_id, started_at DESC, id DESC)
	WHERE deleted_at IS NULL;
CREATE INDEX time_entries_by_start ON data.time_entries (organization_id, started_at DESC, id DESC)
	WHERE deleted_at IS NULL;
-- Totals of projects are added up from the index alone.
CREATE INDEX time_entries_by_project ON data.time_entries (organization_id, project_id, started_at DESC)
	INCLUDE (ended_at, member_id, type) WHERE deleted_at IS NULL;

CREATE TABLE data.time_entry_tags (
	organization_id uuid NOT NULL CONSTRAINT time_entry_tags_organization REFERENCES data.organizations,
	time_entry_id uuid NOT NULL,
	tag_id uuid NOT NULL,
	PRIMARY KEY (organization_id, time_entry_id, tag_id),
	CONSTRAINT time_entry_tags_entry FOREIGN KEY (organization_id, time_entry_id)
		REFERENCES data.time_entries ON DELETE CASCADE,
	CONSTRAINT time_entry_tags_tag FOREIGN KEY (organization_id, tag_id) REFERENCES data.tags
);
CREATE INDEX time_entry_tags_by_tag ON data.time_entry_tags (organization_id, tag_id);

-- Events -------------------------------------------------------------------------------------------------------------

-- Every change of a tenant's row, written by trigger in the change's own transaction. A created row's event holds it
-- whole in `after`; a changed row's holds the changed columns in `before` and `after`. seq says the order of writing
-- within a transaction; position is the event's id to the world, given by app.events_seal once nothing can come before it.
CREATE TABLE data.events (
	organization_id uuid NOT NULL CONSTRAINT events_organization REFERENCES data.organizations,
	seq bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
	xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
	position bigint,
	at timestamptz NOT NULL DEFAULT now(),
	member_id uuid,
	noun text NOT NULL,
	row_id uuid NOT NULL,
	action text NOT NULL CONSTRAINT events_action_choice CHECK (action IN ('create', 'update', 'delete', 'restore', 'purge')),
	reason text,
	before jsonb,
	after jsonb,
	prev_hash bytea,
	hash bytea,
	PRIMARY KEY (organization_id, seq),
	CONSTRAINT events_sealed_whole CHECK ((position IS NULL) = (hash IS NULL))
);
CREATE UNIQUE INDEX events_position ON data.events (organization_id, position) WHERE position IS NOT NULL;
CREATE INDEX events_by_row ON data.events (organization_id, noun, row_id, seq);
-- The sealer's queue over all tenants.
CREATE INDEX events_unsealed ON data.events (xid, seq) WHERE position IS NULL;

-- Where each organization's chain stands.
CREATE TABLE data.event_heads (
	organization_id uuid PRIMARY KEY CONSTRAINT event_heads_organization REFERENCES data.organizations,
	position bigint NOT NULL,
	hash bytea NOT NULL
);

-- Answers kept for repeats of a writing request, 24 h.
CREATE TABLE data.idempotency_keys (
	organization_id uuid NOT NULL CONSTRAINT idempotency_keys_organization REFERENCES data.organizations,
	member_id uuid NOT NULL,
	route text NOT NULL,
	key text NOT NULL CONSTRAINT idempotency_keys_key_length CHECK (char_length(key) BETWEEN 1 AND 200),
	body_hash bytea NOT NULL,
	status integer,
	doc text,
	etag text,
	location text,
	created_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (organization_id, member_id, route, key),
	CONSTRAINT idempotency_keys_member FOREIGN KEY (organization_id, member_id)
		REFERENCES data.members ON DELETE CASCADE
);
CREATE INDEX idempotency_keys_by_age ON data.idempotency_keys (organization_id, created_at);

-- Tenancy ------------------------------------------------------------------------------------------------------------

-- Switched on here, so that no row is ever open to anybody; the policies that open them to their tenant are in
-- policies.sql. Until those are applied nobody sees anything, which is the right way to fail.
DO $$
DECLARE
	t regclass;
BEGIN
	FOR t IN SELECT oid FROM pg_class WHERE relnamespace = 'data'::regnamespace AND relkind = 'r' LOOP
		EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', t);
		EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', t);
	END LOOP;
END
$$;

RESET ROLE;
