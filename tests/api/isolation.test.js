// One pool serves all tenants over the same connections: whatever happens to a request, the next one of somebody else must see
// nothing of it. And what only reads must change nothing, and what fails must not speak the database's words.
import assert from "node:assert/strict";
import crypto from "node:crypto";
import { after, before, test } from "node:test";
import { admin, api, confValue, done, exchange, fill, network, organization, params, person, request, routes, session, stream, token, within } from "./raw.js";

after(done);

const REQUESTS = 10_000;
const AT_ONCE = 32;
const tenants = [];

async function tenant(mark) {
	const t = { mark, org: await organization(`org ${mark}`) };
	t.owner = await person(t.org, "owner", { name: `owner ${mark}` });
	t.token = await token(t.owner.email);
	t.tags = [];
	for (let i = 0; i < 3; i++) {
		const made = await api("POST", "/tags", { token: t.token, json: { name: `tag ${i} ${mark}` } });
		assert.equal(made.status, 201, made.text);
		t.tags.push(made.json());
	}
	t.client = (await api("POST", "/clients", { token: t.token, json: { name: `client ${mark}` } })).json();
	t.project = (await api("POST", "/projects", { token: t.token, json: { name: `project ${mark}`, client_id: t.client.id } })).json();
	const entry = await api("POST", "/time-entries", {
		token: t.token,
		json: { description: `entry ${mark}`, project_id: t.project.id, started_at: "2026-03-02T08:00:00Z", ended_at: "2026-03-02T09:00:00Z" },
	});
	assert.equal(entry.status, 201, entry.text);
	t.entry = entry.json();
	t.ids = { client_id: t.client.id, project_id: t.project.id, tag_id: t.tags[0].id, time_entry_id: t.entry.id, member_id: t.owner.member };
	t.signs = [mark, t.org, t.owner.user, ...Object.values(t.ids), ...t.tags.map((tag) => tag.id)];
	return t;
}

before(async () => {
	for (const name of ["anna", "bert"]) tenants.push(await tenant(`${name}-${crypto.randomBytes(6).toString("hex")}`));
});

// What a tenant does, and the only answers it may get.
const works = [
	(t) => ["GET", "/me", {}, [200], true],
	(t) => ["GET", "/organization", {}, [200], true],
	(t) => ["GET", "/tags", {}, [200], true],
	(t) => ["GET", "/projects", {}, [200], true],
	(t) => ["GET", "/time-entries?limit=5", {}, [200], true],
	(t) => ["GET", `/time-entries/${t.entry.id}`, {}, [200], true],
	(t) => ["GET", "/timer", {}, [204], false],
	(t, other) => ["GET", `/projects/${other.project.id}`, {}, [404], false],
	(t, other) => ["PATCH", `/tags/${other.tags[0].id}`, { json: { name: "mine now" } }, [404], false],
	(t, other) => ["DELETE", `/time-entries/${other.entry.id}`, {}, [404], false],
	(t, other) => ["POST", "/time-entries", { json: { project_id: other.project.id, started_at: "2026-03-03T08:00:00Z", ended_at: "2026-03-03T09:00:00Z" } }, [422], false],
	(t) => ["POST", "/tags", { json: { name: t.tags[1].name } }, [409], false],
	(t) => ["POST", "/tags", { body: '{"name":', headers: { "content-type": "application/json" } }, [400], false],
	(t) => ["PATCH", `/tags/${t.tags[2].id}`, { json: { name: "x" }, headers: { "if-match": '"999999"' } }, [412], false],
	(t) => ["PATCH", `/projects/${t.project.id}`, { json: { color: (Math.random() * 12 + 1) | 0 } }, [200], true],
];

function judge(t, other, reply, allowed, own, what) {
	assert.ok(allowed.includes(reply.status), `${what}: ${reply.status} ${reply.text.slice(0, 300)}`);
	for (const sign of other.signs) assert.ok(!reply.text.includes(sign), `${what} as ${t.mark} shows ${sign}`);
	if (own) assert.ok(reply.text.includes(t.mark) || reply.text.includes(t.org), `${what} as ${t.mark} shows somebody's own`);
}

async function one(i, seen) {
	const t = tenants[i % 2];
	const other = tenants[(i + 1) % 2];
	const kind = i % 17;
	if (kind === 13) {
		const reply = await api("GET", "/tags", {}); // nobody
		assert.equal(reply.status, 401);
		for (const x of tenants) for (const sign of x.signs) assert.ok(!reply.text.includes(sign));
		return;
	}
	const [method, target, options, allowed, own] = works[(i * 7 + (i >> 4)) % works.length](t, other);
	const what = `${method} ${target}`;
	if (kind === 5 || kind === 11) {
		// Gone at some moment between asking and reading.
		const gone = await api(method, target, { ...options, token: t.token, abortMs: Math.random() * 6 }).catch(() => null);
		seen.aborted += gone ? 0 : 1;
		if (gone) judge(t, other, gone, [...allowed, 503], false, what);
		return;
	}
	const reply = await api(method, target, { ...options, token: t.token });
	if (reply.status === 503 && seen.cut > 0) {
		seen.away++;
		return;
	}
	judge(t, other, reply, allowed, own, what);
	seen.judged++;
}

test(`${REQUESTS} requests of two tenants in turn, with broken ones among them: never a wrong row`, async () => {
	const seen = { aborted: 0, judged: 0, away: 0, cut: 0 };
	let next = 0;
	const clients = Array.from({ length: AT_ONCE }, async () => {
		for (let i = next++; i < REQUESTS; i = next++) {
			await one(i, seen);
			if (i % 2500 === 1250) {
				// Connections cut in the midst of whatever they were doing.
				seen.cut++;
				await admin.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'stint_web' AND datname = current_database() AND random() < 0.5");
			}
		}
	});
	await Promise.all(clients);
	assert.ok(seen.judged > REQUESTS * 0.7, `most were answered: ${JSON.stringify(seen)}`);
	assert.ok(seen.aborted > 50, `some were broken off: ${JSON.stringify(seen)}`);
	assert.ok(seen.away <= seen.cut * 64, `a lost connection costs at most its own request: ${JSON.stringify(seen)}`);
	for (const t of tenants) {
		const { rows } = await admin.query("SELECT name FROM data.tags WHERE organization_id = $1 ORDER BY name", [t.org]);
		assert.deepEqual(rows.map((r) => r.name), t.tags.map((tag) => tag.name).sort(), "no write crossed over");
	}
});

test("a client that gives up while its change waits for a lock leaves nothing behind for the next", async () => {
	const [a, b] = tenants;
	const holder = await admin.connect();
	try {
		await holder.query("BEGIN");
		await holder.query("SELECT 1 FROM data.projects WHERE organization_id = $1 AND id = $2 FOR UPDATE", [a.org, a.project.id]);
		const waiting = Array.from({ length: 4 }, (_, i) =>
			api("PATCH", `/projects/${a.project.id}`, { token: a.token, json: { color: i + 1 }, abortMs: 80 }).catch(() => null),
		);
		for (let i = 0; i < 40; i++) {
			const reply = await api("GET", "/projects", { token: b.token });
			judge(b, a, reply, [200], true, "GET /projects");
		}
		await Promise.all(waiting);
	} finally {
		await holder.query("ROLLBACK");
		holder.release();
	}
	for (let i = 0; i < 40; i++) {
		const t = tenants[i % 2];
		judge(t, tenants[(i + 1) % 2], await api("GET", "/tags", { token: t.token }), [200], true, "GET /tags");
	}
});

test("requests that say ABORT on the wire leave the worker clean", async () => {
	const [a, b] = tenants;
	const abort = Buffer.from([1, 2, 0, 1, 0, 0, 0, 0]);
	const whole = stream(params("GET", "/api/v1/tags", { HTTP_AUTHORIZATION: `Bearer ${a.token}` }));
	for (let i = 0; i < 30; i++) {
		await exchange(confValue("web_socket"), Buffer.concat([whole.subarray(0, whole.length - 8), abort]), { half: true });
		judge(b, a, await api("GET", "/tags", { token: b.token }), [200], true, "GET /tags");
	}
});

// --- reading changes nothing

// Which version of each of an organization's rows there is, in every table that has tenants.
async function versions(t) {
	const { rows: tables } = await admin.query(
		`SELECT DISTINCT format('%I.%I', table_schema, table_name) AS name FROM information_schema.columns AS c
		JOIN pg_class AS k ON k.oid = format('%I.%I', table_schema, table_name)::regclass AND k.relkind IN ('r', 'p')
		WHERE table_schema IN ('data', 'app') AND column_name = 'organization_id' ORDER BY 1`,
	);
	assert.ok(tables.length > 5);
	const out = {};
	for (const { name } of tables) {
		const { rows } = await admin.query(`SELECT t.ctid::text || ' ' || t.xmin::text AS v FROM ${name} AS t WHERE organization_id = $1 ORDER BY 1`, [t.org]);
		out[name] = rows.map((r) => r.v);
	}
	const { rows } = await admin.query("SELECT xmin::text AS v FROM data.users WHERE id = $1 UNION ALL SELECT xmin::text FROM data.organizations WHERE id = $2", [t.owner.user, t.org]);
	return { ...out, self: rows.map((r) => r.v) };
}

test("routes that read change no row", async () => {
	const [t] = tenants;
	const { cookie } = await session(t.owner.email);
	await api("POST", "/timer/start", { token: t.token, json: { description: "running" } });
	const reading = routes().filter((route) => route.method === "GET");
	assert.ok(reading.length > 30);
	// What was written gets its position in a moment.
	await within(20000, "events are sealed", async () => !(await admin.query("SELECT 1 FROM data.events WHERE organization_id = $1 AND position IS NULL", [t.org])).rowCount);
	const first = await versions(t);
	for (const route of reading) {
		const reply = await request("GET", fill(route.path, t.ids), route.page ? { cookie } : { token: t.token });
		assert.ok(reply.status < 500, `${route.path}: ${reply.status} ${reply.text.slice(0, 300)}`);
		assert.deepEqual(await versions(t), first, `${route.path} changed something`);
	}
	await api("POST", "/timer/stop", { token: t.token, json: {} });
	assert.notDeepEqual(await versions(t), first, "a write is seen by this very look");
});

test("last_seen moves by reading, at most every five minutes", async () => {
	const [t] = tenants;
	const fresh = await token(t.owner.email);
	const { rows: [row] } = await admin.query("SELECT id FROM data.credentials WHERE user_id = $1 ORDER BY created_at DESC LIMIT 1", [t.owner.user]);
	const at = async () => (await admin.query("SELECT last_seen_at::text AS t FROM data.credentials WHERE id = $1", [row.id])).rows[0].t;
	await admin.query("UPDATE data.credentials SET last_seen_at = now() - interval '4 minutes' WHERE id = $1", [row.id]);
	const four = await at();
	assert.equal((await api("GET", "/me", { token: fresh })).status, 200);
	assert.equal(await at(), four);
	await admin.query("UPDATE data.credentials SET last_seen_at = now() - interval '6 minutes' WHERE id = $1", [row.id]);
	const six = await at();
	assert.equal((await api("GET", "/me", { token: fresh })).status, 200);
	const moved = await at();
	assert.notEqual(moved, six);
	assert.equal((await api("GET", "/me", { token: fresh })).status, 200);
	assert.equal(await at(), moved);
});

// --- the database's own words

const FOREIGN = /constraint|_pkey|_fkey|violat|sqlstate|\bDETAIL\b|\bHINT\b|\bCONTEXT\b|relation |plpgsql|postgres|libpq|\bpg_|\bdata\.|\bseen\.|\bapp\.[a-z]|psql|redis|SELECT |INSERT |UPDATE /;

// Values that pass the gate of their type and hurt further in, and ones that do not pass.
const values = {
	text: ["", "x".repeat(5000), "'; DROP TABLE users; --", "\u0001", "\ud800", 7, null, "\u0000"],
	email: ["a@b.c", "x".repeat(400) + "@b.test", "no", null],
	password: ["x", "x".repeat(300), "long enough for all", null],
	uuid: ["0193e000-0000-7000-8000-000000000001", "not-a-uuid", "", null, 4],
	uuids: [["0193e000-0000-7000-8000-000000000001"], ["x"], [null], Array(300).fill("0193e000-0000-7000-8000-000000000001"), "x"],
	int: [-1, 0, 2147483648, 9007199254740993, "1", 1.5, null],
	bool: ["yes", null, 1],
	instant: ["2026-02-30T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "294276-12-31T23:59:59Z", "now", "infinity", null],
	date: ["2026-02-30", "9999-12-31", "0001-01-01", "today", null],
	clock: ["25:00", "24:00", "9.5", null],
	duration: [-5, 0, 1e12, "99999999h", "x", null],
	choice: ["nothing", "", null],
	zone: ["Mars/Olympus", "../etc/passwd", "", null],
};

test("no failing request hears the database's own words, and none is an internal error", async () => {
	const [t] = tenants;
	const { cookie, csrf } = await session(t.owner.email);
	const from = network();
	const wrong = [];
	let failures = 0;
	for (const route of routes()) {
		if (/auth\/(login|register|logout|switch|password\/forgot)|^\/(login|register|logout|switch|forgot)$|password$|sessions|\/end$/.test(route.path)) continue;
		const target = fill(route.path, t.ids);
		const good = Object.fromEntries(route.fields.filter((f) => f.required && f.type === "text").map((f) => [f.name, `n ${crypto.randomUUID()}`]));
		for (const field of route.fields)
			for (const value of values[field.type] ?? [null, "x"]) {
				if (field.name === "active" || field.name === "role") continue; // would end this very session
				const given = { ...good, [field.name]: value };
				const query = new URLSearchParams({ [field.name]: String(value) });
				const reply =
					route.method === "GET"
						? await request("GET", `${target}?${query}`, route.page ? { cookie } : { token: t.token })
						: route.page
							? await request(route.method, target, { cookie, form: { csrf, ...good, [field.name]: String(value) }, from })
							: await request(route.method, target, { token: t.token, json: given });
				const what = `${route.method} ${route.path} ${field.name}=${JSON.stringify(value)?.slice(0, 60)}`;
				if (reply.status >= 500) wrong.push(`${what}: ${reply.status} ${reply.text.slice(0, 200)}`);
				if (reply.status < 400) continue;
				failures++;
				const words = route.page ? reply.text.replace(/<[^>]*>/g, " ") : reply.text;
				const hit = FOREIGN.exec(words.replaceAll("DROP TABLE users", ""));
				if (hit) wrong.push(`${what}: says "${words.slice(Math.max(0, hit.index - 60), hit.index + 60)}"`);
			}
	}
	assert.deepEqual(wrong, []);
	assert.ok(failures > 200, `${failures} failures were looked at`);
});
