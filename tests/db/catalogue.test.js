// T3: what the catalogue of the database must say, whatever is added to it. Every list of exceptions here gives its reason.
import fs from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import { admin, assert, done, queries, root, web } from "./support.js";

after(done);

const rows = async (sql, values) => (await admin.query(sql, values)).rows;
const names = async (sql, values) => (await rows(sql, values)).map((row) => Object.values(row)[0]);

// Accounts come before tenants; definer functions alone reach them. organizations is the tenant itself.
const WITHOUT_TENANT = ["users", "one_time_tokens"];
const TENANT_ITSELF = ["organizations"];
// Primary keys that are not (organization_id, id), and why.
const OTHER_KEYS = {
	credentials: "hash", // found before there is a tenant
	organizations: "id",
	time_entry_tags: "organization_id,time_entry_id,tag_id", // a link has no id of its own
	events: "organization_id,seq",
	event_heads: "organization_id", // one row per organization
	idempotency_keys: "organization_id,member_id,route,key",
	webhook_states: "organization_id,webhook_id", // what machinery keeps of an endpoint
	notification_preferences: "organization_id,member_id,kind", // one row for what a person decided of a kind
};
// Indexes that do not begin with organization_id, and why.
const OTHER_INDEXES = {
	organizations_pkey: "the tenant itself",
	credentials_pkey: "found before there is a tenant",
	credentials_by_user: "a person's sessions in all organizations",
	members_by_user: "a person's organizations, at sign-in",
	events_unsealed: "the sealer's queue over all tenants",
	time_entries_deleted: "housekeeping, as are the rest",
	idempotency_keys_by_age: "", webhook_deliveries_by_age: "", notifications_by_age: "",
};

const tenantTables = () =>
	rows(`SELECT c.oid, c.relname AS name FROM pg_class AS c
		WHERE c.relnamespace = 'data'::regnamespace AND c.relkind IN ('r', 'p')
			AND (EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'organization_id' AND NOT a.attisdropped)
				OR c.relname = 'organizations') ORDER BY 2`);

test("every table belongs to a tenant, or is on the list", async () => {
	const all = await names("SELECT relname FROM pg_class WHERE relnamespace = 'data'::regnamespace AND relkind IN ('r', 'p') ORDER BY 1");
	const tenant = (await tenantTables()).map((t) => t.name);
	assert.deepEqual(all.filter((t) => !tenant.includes(t)).sort(), [...WITHOUT_TENANT].sort());
	assert.ok(tenant.length >= 10);
});

test("row level security is enabled and forced everywhere, with USING and WITH CHECK by app.org()", async () => {
	for (const t of await rows("SELECT relname AS name, relrowsecurity AS enabled, relforcerowsecurity AS forced FROM pg_class WHERE relnamespace = 'data'::regnamespace AND relkind IN ('r', 'p')"))
		assert.deepEqual([t.enabled, t.forced], [true, true], t.name);
	for (const t of await tenantTables()) {
		const policies = await rows(
			"SELECT polcmd, polpermissive, polroles::text AS roles, pg_get_expr(polqual, polrelid) AS qual, pg_get_expr(polwithcheck, polrelid) AS chk FROM pg_policy WHERE polrelid = $1",
			[t.oid],
		);
		const column = TENANT_ITSELF.includes(t.name) ? "id" : "organization_id";
		assert.deepEqual(policies, [{ polcmd: "*", polpermissive: true, roles: "{0}", qual: `(${column} = app.org())`, chk: `(${column} = app.org())` }], t.name);
	}
});

test("every tenant table has its own key to organizations, a primary key in the tenant, composite foreign keys", async () => {
	for (const t of await tenantTables()) {
		const keys = await rows(
			`SELECT conname AS name, contype AS type, confrelid::regclass::text AS target,
				ARRAY(SELECT attname::text FROM unnest(conkey) WITH ORDINALITY AS k (n, o) JOIN pg_attribute ON attrelid = conrelid AND attnum = n ORDER BY o) AS columns
			FROM pg_constraint WHERE conrelid = $1 AND contype IN ('p', 'f')`,
			[t.oid],
		);
		const primary = keys.find((k) => k.type === "p");
		assert.equal(primary?.columns.join(), OTHER_KEYS[t.name] ?? "organization_id,id", t.name);
		if (!TENANT_ITSELF.includes(t.name))
			assert.ok(keys.some((k) => k.type === "f" && k.target === "data.organizations" && k.columns.join() === "organization_id"), `${t.name}: no key to organizations`);
		for (const k of keys.filter((k) => k.type === "f" && !["data.organizations", "data.users"].includes(k.target)))
			assert.equal(k.columns[0], "organization_id", `${k.name} may point into another tenant`);
	}
});

test("every index of a tenant table begins with organization_id, or is on the list", async () => {
	const odd = await rows(`SELECT i.relname AS name, a.attname AS first FROM pg_index AS x
		JOIN pg_class AS i ON i.oid = x.indexrelid
		LEFT JOIN pg_attribute AS a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0]
		WHERE x.indrelid = ANY ($1::oid[]) AND a.attname IS DISTINCT FROM 'organization_id'`, [(await tenantTables()).map((t) => t.oid)]);
	assert.deepEqual(odd.map((i) => i.name).sort(), Object.keys(OTHER_INDEXES).sort());
});

test("deleted rows are out of every index that keeps names apart or finds entries", async () => {
	const without = await rows(`SELECT indexname FROM pg_indexes WHERE schemaname = 'data' AND tablename IN ('clients', 'projects', 'tags', 'time_entries')
		AND indexdef !~ 'deleted_at IS NULL' AND indexname !~ '_pkey$' AND indexname NOT IN ('time_entries_no_overlap', 'time_entries_deleted', 'projects_by_client')`);
	// no_overlap is WHERE (exclusive), which is false for deleted rows; deleted finds nothing else; by_client serves the foreign key.
	assert.deepEqual(without, []);
});

test("the roles: nobody bypasses who should not, the running program owns nothing", async () => {
	const roles = Object.fromEntries((await rows("SELECT rolname, rolsuper, rolbypassrls, rolcanlogin, rolcreaterole, rolcreatedb, rolconfig FROM pg_roles WHERE rolname LIKE 'stint%'")).map((r) => [r.rolname, r]));
	const expected = { stint_owner: [false, false], stint_definer: [true, false], stint_amender: [false, false], stint_migrate: [true, true], stint_web: [false, true], stint_worker: [false, true] };
	for (const [name, [bypass, login]] of Object.entries(expected)) {
		const r = roles[name];
		assert.ok(r, name);
		assert.deepEqual([r.rolbypassrls, r.rolcanlogin, r.rolsuper, r.rolcreaterole, r.rolcreatedb], [bypass, login, false, false, false], name);
	}
	assert.ok(roles.stint_web.rolconfig.includes("log_min_messages=fatal"));
	for (const role of ["stint_web", "stint_worker"]) {
		assert.deepEqual(await names("SELECT relname FROM pg_class WHERE relowner = $1::regrole UNION ALL SELECT proname FROM pg_proc WHERE proowner = $1::regrole UNION ALL SELECT nspname FROM pg_namespace WHERE nspowner = $1::regrole", [role]), []);
		assert.deepEqual(await names("SELECT r.rolname FROM pg_roles AS r WHERE pg_has_role($1, r.oid, 'MEMBER') AND r.rolname <> $1", [role]), [], `${role} is a member of nothing`);
	}
	for (const table of await names("SELECT relname FROM pg_class WHERE relnamespace IN ('data'::regnamespace, 'seen'::regnamespace) AND relkind IN ('r', 'p', 'v') AND relowner <> 'stint_owner'::regrole"))
		assert.fail(`${table} is not stint_owner's`);
});

test("what the web may do to tables is what is listed here", async () => {
	const granted = await rows(`SELECT table_name AS tab, privilege_type AS privilege, string_agg(column_name, ',' ORDER BY column_name) AS columns
		FROM information_schema.column_privileges WHERE table_schema = 'data' AND grantee IN ('stint_web', 'PUBLIC') AND privilege_type <> 'SELECT' GROUP BY 1, 2 ORDER BY 1, 2`);
	assert.deepEqual(granted.map((g) => `${g.privilege} ${g.tab}: ${g.columns}`), [
		"INSERT clients: created_by,id,name,organization_id",
		"UPDATE clients: archived,deleted_at,name",
		"UPDATE members: active,role",
		"INSERT notification_preferences: in_app,kind,mail,member_id,organization_id",
		"UPDATE notification_preferences: in_app,mail",
		"UPDATE notifications: read_at",
		"UPDATE organizations: currency,name,overlap_policy,weekly_target_s,zone",
		"INSERT projects: billable,client_id,color,created_by,id,name,organization_id",
		"UPDATE projects: archived,billable,client_id,color,deleted_at,name",
		"INSERT tags: created_by,id,name,organization_id",
		"UPDATE tags: deleted_at,name",
		"INSERT time_entries: billable,created_by,description,ended_at,exclusive,first_day,id,member_id,organization_id,project_id,started_at,tag_ids,type,zone",
		"UPDATE time_entries: billable,deleted_at,description,ended_at,project_id,started_at,tag_ids,type",
		"INSERT webhook_deliveries: at,id,next_at,organization_id,type,webhook_id",
		"UPDATE webhook_deliveries: finished_at,next_at,state",
		"INSERT webhooks: active,created_by,description,events,id,organization_id,url",
		"UPDATE webhooks: active,deleted_at,description,events,secret_changed_at,url",
	]);
	const whole = await rows("SELECT table_name, privilege_type FROM information_schema.table_privileges WHERE table_schema = 'data' AND grantee IN ('stint_web', 'PUBLIC') AND privilege_type <> 'SELECT'");
	assert.deepEqual(whole, [], "no whole table, no DELETE, no TRUNCATE");
	const readable = await names("SELECT table_name::text FROM information_schema.table_privileges WHERE table_schema = 'data' AND grantee = 'stint_web' AND privilege_type = 'SELECT' ORDER BY 1");
	assert.deepEqual(readable, ["clients", "events", "members", "notification_preferences", "notifications", "organizations", "projects", "tags", "time_entries", "time_entry_tags", "webhook_deliveries", "webhooks"]);
});

test("every view is security_invoker", async () => {
	const plain = await names("SELECT relname FROM pg_class WHERE relkind IN ('v', 'm') AND relnamespace IN ('data'::regnamespace, 'seen'::regnamespace, 'app'::regnamespace) AND (relkind = 'm' OR NOT coalesce(reloptions @> '{security_invoker=true}', false))");
	assert.deepEqual(plain, []);
});

// Functions that act with more rights than their caller, and why each must.
const DEFINERS = {
	account: "sign-in", credential_add: "sign-in", digests_enqueue: "all tenants", enter: "reads sessions before there is a tenant",
	enter_job: "the tenant of a job, under its lease", enter_rarely: "of enter", enter_seen: "of enter",
	event_heads_recent: "all tenants", event_topic: "of the sealer", events_after: "of the sealer", events_lag: "all tenants", events_seal: "all tenants", forgot: "sign-in", idempotency_begin: "keys are not the web's to write",
	idempotency_store: "the same", live_ticket: "which credential, of the caller alone: credentials are nobody's to read", link_add: "sign-in", link_take: "sign-in", logout: "sign-in", memberships_of: "all of a person's organizations",
	notification_mail: "of a job", notifications_mailed: "of a job", notifications_unsubscribe: "from a link, without a sign-in",
	notify: "nobody writes notifications by hand", notify_all: "the same",
	on_credential_gone: "jobs", on_event: "nobody writes events by hand", on_member_credentials: "sessions", on_member_role: "notifications", on_notification: "events",
	on_webhook_again: "what the web may not write", on_time_entry_by_other: "notifications", on_time_entry_tags: "links are written by trigger alone",
	password_change: "sign-in", password_of: "sign-in", profile_change: "all of a person's organizations", purge: "housekeeping",
	register: "sign-in", rehash: "sign-in",
	reset: "sign-in", schema_version: "the table of migrations", session_create: "sign-in", session_end: "sessions", sessions_of: "sessions",
	switch: "sign-in", timers_watch: "all tenants", verify_again: "sign-in", verify_email: "sign-in",
	webhook_attempted: "of a job", webhook_begin: "secrets are not the web's to read", webhook_disable: "of a job", webhook_disabled_notice: "of a job",
	webhook_secret_next: "secrets are not the web's to read", webhooks_fan: "of a job", webhooks_wake: "all tenants",
};

test("SECURITY DEFINER functions are on the list, belong to stint_definer, have a fixed path, are nobody's by default", async () => {
	const found = await rows(`SELECT proname AS name, pronamespace::regnamespace::text AS schema, proowner::regrole::text AS owner, proconfig AS config, proacl::text AS acl
		FROM pg_proc WHERE prosecdef AND pronamespace IN ('data'::regnamespace, 'seen'::regnamespace, 'app'::regnamespace, 'jobs'::regnamespace) ORDER BY 1`);
	assert.deepEqual(found.filter((f) => f.schema === "app").map((f) => f.name), Object.keys(DEFINERS).sort());
	for (const f of found) {
		assert.equal(f.owner, "stint_definer", f.name);
		assert.deepEqual(f.config, ["search_path=pg_catalog, pg_temp"], f.name);
	}
	const open = await names("SELECT p.oid::regprocedure::text FROM pg_proc AS p WHERE p.pronamespace IN ('app'::regnamespace, 'jobs'::regnamespace) AND (p.proacl IS NULL OR EXISTS (SELECT FROM aclexplode(p.proacl) AS a WHERE a.grantee = 0))");
	assert.deepEqual(open, [], "no function is everybody's");
	const definers = await names("SELECT proname FROM pg_proc WHERE proowner = 'stint_definer'::regrole AND NOT prosecdef");
	assert.deepEqual(definers.sort(), ["event_hash", "fault", "is_quick", "option_names", "own_options", "rest_s"], "what is pure needs no more rights");
	for (const internal of ["credential_add(uuid,uuid,text,bytea,text,text,timestamptz)", "link_add(uuid,text,bytea,integer,text,text)", "link_take(text,bytea)", "enter_seen(bytea)", "events_seal(integer)", "on_event()"])
		assert.equal((await rows("SELECT has_function_privilege('stint_web', $1, 'EXECUTE') AS may", [`app.${internal}`]))[0].may, false, internal);
});

test("jobs are nobody's to write but their functions': the web may enqueue, and look at its own", async () => {
	const tables = await rows("SELECT oid, relname AS name, relrowsecurity AND relforcerowsecurity AS forced FROM pg_class WHERE relnamespace = 'jobs'::regnamespace AND relkind = 'r' ORDER BY 2");
	assert.ok(tables.length >= 8);
	for (const t of tables) {
		assert.equal(t.forced, true, t.name);
		const granted = await names("SELECT grantee || ' ' || privilege_type FROM information_schema.table_privileges WHERE table_schema = 'jobs' AND table_name = $1 AND grantee IN ('stint_web', 'stint_worker', 'PUBLIC')", [t.name]);
		assert.deepEqual(granted, ["jobs", "tallies"].includes(t.name) ? ["stint_web SELECT"] : [], t.name);
	}
	const policies = await rows("SELECT tablename, cmd, qual FROM pg_policies WHERE schemaname = 'jobs' ORDER BY 1");
	assert.deepEqual(policies, [{ tablename: "jobs", cmd: "SELECT", qual: "(organization_id = app.org())" }, { tablename: "tallies", cmd: "SELECT", qual: "(lane = app.org())" }]);
	const may = await names(`SELECT DISTINCT p.proname::text FROM pg_proc AS p WHERE p.pronamespace = 'jobs'::regnamespace
		AND has_function_privilege('stint_web', p.oid, 'EXECUTE') ORDER BY 1`);
	// own_act acts on the entered organization's jobs alone; about, metrics, schedules and workers_alive tell of the installation.
	assert.deepEqual(may, ["about", "cancel", "enqueue", "enqueue_all", "group_open", "metrics", "own_act", "retry", "schedules", "workers_alive"]);
});

test("the web cannot reach accounts, nor take another role", async () => {
	for (const sql of ["SELECT * FROM data.users", "SELECT * FROM data.credentials", "SELECT * FROM data.one_time_tokens", "SELECT * FROM data.idempotency_keys", "SET ROLE stint_definer", "SET ROLE stint_owner", "DELETE FROM data.events", "UPDATE data.events SET noun = 'x'", "CREATE TABLE app.x (a int)", "CREATE TABLE data.x (a int)"])
		await assert.rejects(web.query(sql), { code: "42501" }, sql);
});

test("only app.enter sets app.*", () => {
	const setters = [];
	const dir = path.join(root, "sql");
	for (const file of fs.readdirSync(dir, { recursive: true }).filter((f) => f.endsWith(".sql"))) {
		const text = fs.readFileSync(path.join(dir, file), "utf8").replace(/--.*$/gm, "");
		if (/set_config\s*\(\s*'app\.|\bSET\s+(LOCAL\s+|SESSION\s+)?app\./i.test(text)) setters.push(file);
	}
	assert.deepEqual(setters, [path.join("functions", "30-enter.sql")]);
});

test("queries read seen.* and app.*, and insert into data.*", () => {
	for (const q of Object.values(queries)) {
		const text = q.text.replace(/INSERT INTO data\.\w+/g, "");
		assert.doesNotMatch(text, /\bdata\./, q.name);
		assert.doesNotMatch(text, /\bpg_catalog\.|\binformation_schema\./, q.name);
	}
});

const errorsDef = fs.readFileSync(path.join(root, "src", "base", "errors.def"), "utf8");
const codes = new Set([...errorsDef.matchAll(/^ERR\(\w+, \d+, "([^"]+)"/gm)].map((m) => m[1]));
const errs = new Set([...errorsDef.matchAll(/^ERR\((\w+),/gm)].map((m) => m[1]));
const mapped = new Map([...errorsDef.matchAll(/^CONSTRAINT\("([^"]+)", (\w+),/gm)].map((m) => [m[1], m[2]]));

// Constraints that no input reaches, and why.
const UNREACHED = [
	[/_organization$/, "organization_id is the caller's, by app.org()"],
	[/_created_by$/, "the caller's member"],
	[/^(users|organizations|members|events|event_heads|credentials|one_time_tokens|time_entry_tags|idempotency_keys)_pkey$/, "ids made here"],
	[/^(members_user|members_user_once|credentials_user|credentials_member|one_time_tokens_user|users_last_organization|idempotency_keys_member)$/, "set by definer functions"],
	[/^users_email$/, "ON CONFLICT in app.register"],
	[/^(credentials_kind_choice|credentials_ip_length|credentials_user_agent_length|one_time_tokens_purpose_choice)$/, "given by the program, cut to size"],
	[/^(events_action_choice|events_sealed_whole|events_position)$/, "written by trigger and sealer"],
	[/^time_entries_status_choice$/, "status is not the web's to change"],
	[/^webhook_(states|deliveries)_/, "endpoints and events that are there, set by functions"],
	[/^webhooks_disabled_reason_choice$/, "not the web's to change"],
	[/^time_entry_tags_entry$/, "mirrored by trigger"],
	[/^credentials_by_user$/, "ids made here"],
	[/^notifications_(pkey|member|kind_choice|link_form|mail_choice)$/, "written by app.notify"],
	[/^notification_preferences_(pkey|member)$/, "the caller's own, ON CONFLICT"],
	[/^notification_preferences_mail_choice$/, "a declared choice"],
];

test("every constraint that input can violate is told in errors.def", async () => {
	const all = await names(`SELECT conname::text FROM pg_constraint WHERE connamespace = 'data'::regnamespace AND contype <> 't'
		UNION SELECT i.relname::text FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid WHERE x.indisunique AND i.relnamespace = 'data'::regnamespace ORDER BY 1`);
	const untold = all.filter((name) => !mapped.has(name) && !UNREACHED.some(([pattern]) => pattern.test(name)));
	assert.deepEqual(untold, []);
	assert.deepEqual([...mapped.keys()].filter((name) => !all.includes(name)), [], "rows of constraints that are gone");
	for (const [name, err] of mapped) assert.ok(errs.has(err), `${name}: no ERR(${err}, …)`);
	assert.ok(!all.some((name) => /_check\d*$/.test(name)), "a constraint has a name that says what it keeps");
});

test("every refusal has its code in errors.def", () => {
	const dir = path.join(root, "sql");
	let found = 0;
	for (const file of fs.readdirSync(dir, { recursive: true }).filter((f) => f.endsWith(".sql")))
		for (const [, code] of fs.readFileSync(path.join(dir, file), "utf8").matchAll(/app\.refuse\('(\w+)'/g)) {
			assert.ok(codes.has(code), `${file}: ${code}`);
			found++;
		}
	assert.ok(found > 20);
});

test("permissions and roles are those of permissions.def, in its order", async () => {
	const text = fs.readFileSync(path.join(root, "src", "app", "permissions.def"), "utf8");
	const listed = [...text.matchAll(/^PERMISSION\(\w+, "(\w+)", (\d), (\d), (\d),/gm)];
	assert.ok(listed.length >= 9);
	const [{ held }] = await rows("SELECT app.permission_names() AS held");
	assert.deepEqual(held, listed.map((m) => m[1]));
	for (const [place, role] of ["owner", "manager", "member"].entries()) {
		const bits = listed.reduce((sum, m, bit) => sum + (m[2 + place] === "1" ? 2 ** bit : 0), 0);
		assert.equal((await rows("SELECT app.permissions($1) AS bits", [role]))[0].bits, bits, role);
	}
	assert.equal((await rows("SELECT app.can('no_such_permission') AS may"))[0].may, false);
});

test("what catches errors is not called parallel safe: a parallel plan cannot begin its subtransaction", async () => {
	// Nor what is a single expression of such.
	const caught = "SELECT proname::text FROM pg_proc WHERE pronamespace IN ('app'::regnamespace, 'seen'::regnamespace, 'jobs'::regnamespace)";
	assert.deepEqual(await names(`${caught} AND prosrc ~ 'EXCEPTION\\s+WHEN' AND proparallel <> 'u'`), []);
	const safe = await names(`${caught} AND proparallel <> 'u' AND (prosrc ~ 'cursor_(at|uuid|instant)\\(' OR pg_get_functiondef(oid) ~ 'app\\.cursor_(at|uuid|instant)\\(')`);
	assert.deepEqual(safe, []);
});

test("sessions run in UTC, without compiling and with one plan", async () => {
	for (const [name, value] of [["TimeZone", "UTC"], ["jit", "off"], ["plan_cache_mode", "force_generic_plan"]])
		assert.equal((await web.query(`SHOW ${name}`)).rows[0][name], value);
});
