-- Who is asking: the caller's settings, as app.enter left them for this transaction.
--
-- app.enter (30-enter.sql) is the only writer. Here are the readers, all of them single expressions, so that the planner
-- puts them into the query and a policy becomes part of an index condition. After a transaction a local setting
-- reads '' and not NULL, hence nullif everywhere. Nobody entered: every one of these is NULL and no row matches.

SET LOCAL ROLE stint_owner;

CREATE OR REPLACE FUNCTION app.org() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('app.org', true), '')::uuid;

CREATE OR REPLACE FUNCTION app.member() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('app.member', true), '')::uuid;

-- The rest of the caller is asked for seldom and set together, because each setting costs every request:
-- 'user permissions week_start language zone'.
CREATE OR REPLACE FUNCTION app.user() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(split_part(current_setting('app.caller', true), ' ', 1), '')::uuid;

CREATE OR REPLACE FUNCTION app.granted() RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(nullif(split_part(current_setting('app.caller', true), ' ', 2), '')::bigint, 0);

CREATE OR REPLACE FUNCTION app.week_start() RETURNS integer
LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(nullif(split_part(current_setting('app.caller', true), ' ', 3), '')::integer, 1);

CREATE OR REPLACE FUNCTION app.language() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(nullif(split_part(current_setting('app.caller', true), ' ', 4), ''), 'en');

CREATE OR REPLACE FUNCTION app.zone() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(nullif(split_part(current_setting('app.caller', true), ' ', 5), ''), 'UTC');

-- Permissions, one bit each: the same list and order as src/app/permissions.def (a test compares). A name that is not
-- listed gives NULL, so that a misspelt one grants nothing.
CREATE OR REPLACE FUNCTION app.permission_names() RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ARRAY['time_own', 'time_view_all', 'time_edit_all', 'clients_edit', 'projects_edit', 'tags_edit', 'members_view',
	'members_edit', 'organization_edit', 'jobs_view', 'webhooks_edit'];

CREATE OR REPLACE FUNCTION app.permission_bit(name text) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 1::bigint << (array_position(app.permission_names(), name) - 1);

CREATE OR REPLACE FUNCTION app.can(permission text) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(app.granted() & app.permission_bit(permission), 0) <> 0;

-- What a role holds by default.
CREATE OR REPLACE FUNCTION app.permissions(role text) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE role WHEN 'owner' THEN 2047 WHEN 'manager' THEN 127 WHEN 'member' THEN 65 ELSE 0 END::bigint;

CREATE OR REPLACE FUNCTION app.permissions_held(granted bigint) RETURNS json
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (SELECT json_object_agg(name, granted & (1::bigint << (place - 1)::integer) <> 0 ORDER BY place)
	FROM unnest(app.permission_names()) WITH ORDINALITY AS held (name, place));

RESET ROLE;
