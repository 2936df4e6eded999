-- The documents of the small nouns, one function each: the shape stands here once and is made of plain columns, so that
-- INSERT and UPDATE … RETURNING, single reads and lists all give the same. Single expressions: the planner takes them in.

SET LOCAL ROLE stint_owner;

CREATE OR REPLACE FUNCTION app.tag_doc(id uuid, version bigint, name text, entry_count bigint, created_at timestamptz,
	updated_at timestamptz) RETURNS json
LANGUAGE sql STABLE PARALLEL SAFE
RETURN json_build_object('id', id, 'version', version, 'name', name, 'entry_count', entry_count,
	'created_at', app.instant(created_at), 'updated_at', app.instant(updated_at));

CREATE OR REPLACE FUNCTION app.client_doc(id uuid, version bigint, name text, archived boolean, project_count bigint,
	created_at timestamptz, updated_at timestamptz) RETURNS json
LANGUAGE sql STABLE PARALLEL SAFE
RETURN json_build_object('id', id, 'version', version, 'name', name, 'archived', archived,
	'project_count', project_count, 'created_at', app.instant(created_at), 'updated_at', app.instant(updated_at));

CREATE OR REPLACE FUNCTION app.project_doc(id uuid, version bigint, name text, client_id uuid, client_name text,
	color smallint, billable boolean, archived boolean, tracked_s bigint, created_at timestamptz, updated_at timestamptz)
	RETURNS json
LANGUAGE sql STABLE PARALLEL SAFE
RETURN json_build_object('id', id, 'version', version, 'name', name, 'client_id', client_id, 'client_name', client_name,
	'color', color, 'billable', billable, 'archived', archived, 'tracked_s', tracked_s,
	'created_at', app.instant(created_at), 'updated_at', app.instant(updated_at));

CREATE OR REPLACE FUNCTION app.member_doc(id uuid, version bigint, name text, email text, role text, zone text,
	active boolean, created_at timestamptz, updated_at timestamptz) RETURNS json
LANGUAGE sql STABLE PARALLEL SAFE
RETURN json_build_object('id', id, 'version', version, 'name', name, 'email', email, 'role', role, 'zone', zone,
	'active', active, 'created_at', app.instant(created_at), 'updated_at', app.instant(updated_at));

CREATE OR REPLACE FUNCTION app.organization_doc(id uuid, version bigint, name text, zone text, currency text,
	overlap_policy text, weekly_target_s integer, created_at timestamptz) RETURNS json
LANGUAGE sql STABLE PARALLEL SAFE
RETURN json_build_object('id', id, 'version', version, 'name', name, 'zone', zone, 'currency', currency,
	'overlap_policy', overlap_policy, 'weekly_target_s', weekly_target_s, 'created_at', app.instant(created_at));

RESET ROLE;
