// What housekeeping clears away, and what it leaves.
import crypto from "node:crypto";
import { after, test } from "node:test";
import { pause } from "../wait.js";
import { admin, assert, call, doc, done, entry, organization, token, web, worker } from "./support.js";

after(done);

// One transaction, taken back at the end: the stack's own housekeeping sees nothing of it.
async function inside(work) {
	const client = await admin.connect();
	const rows = async (text, ...values) => (await client.query(text, values)).rows;
	const purge = async (most = 100000) => {
		await rows("SET LOCAL ROLE stint_worker");
		const [{ gone }] = await rows("SELECT app.purge($1) AS gone", most);
		await rows("RESET ROLE");
		return gone;
	};
	const left = async (table, column, names) => (await rows(`SELECT ${column}::text AS name FROM ${table} WHERE ${column}::text = ANY ($1)`, names)).map((row) => row.name);
	try {
		await rows("BEGIN");
		await work({ rows, purge, left });
	} finally {
		await client.query("ROLLBACK");
		client.release();
	}
}

const { id: org, owner } = await organization({ roles: ["owner"] });
const mark = () => `hk-${crypto.randomUUID()}`, uuid = () => crypto.randomUUID();

// A table, the column that names a row, a name, the other columns, and two ages: of one that goes, of one that stays.
const AGED = [
	["data.credentials", "hash", token, `id, kind, organization_id, member_id, user_id, permissions, zone, language, week_start, expires_at) SELECT $1::bytea, app.uuidv7(),
		kind, organization_id, member_id, user_id, permissions, zone, language, week_start, AT FROM data.credentials WHERE hash = '${owner.hash}'`, "1 second", "-1 minute"],
	["data.one_time_tokens", "hash", token, `user_id, purpose, expires_at) VALUES ($1::bytea, '${owner.user}', 'reset', AT)`, "1 second", "-1 minute"],
	["data.idempotency_keys", "key", mark, `organization_id, member_id, route, body_hash, created_at) VALUES ($1, '${org}', '${owner.member}', 'tags_create', '', AT)`, "25 hours", "23 hours"],
	["data.notifications", "id", uuid, `organization_id, member_id, kind, about, in_app, mail, created_at) VALUES ($1, '${org}', '${owner.member}', 'role_changed', '{}', true, 'none', AT)`, "91 days", "89 days"],
	["jobs.jobs", "id", uuid, "kind, queue, priority, quick, rated, state, args, due_at, max_attempts, finished_at, purge_at) VALUES ($1, 'stint.ping', 'hk', 6, false, false, 'done', '{}', now(), 1, now(), AT)", "1 second", "-1 minute"],
	["jobs.stats", "kind", mark, "minute, outcome, count, took_ms, buckets) VALUES ($1, AT, 'done', 1, 1, '{}')", "8 days", "6 days"],
	["jobs.tallies", "lane", uuid, "minute, shard, done, failed, dead) VALUES ($1, AT, 0, 1, 0, 0)", "3 days", "1 day"],
	["jobs.rates", "kind", mark, "lane, free_at) VALUES ($1, app.uuidv7(), AT)", "2 hours", "30 minutes"],
	["jobs.mails", "id", uuid, "template, recipient, state, created_at) VALUES ($1, 'reset', 'hk@db.test', 'sent', AT)", "31 days", "29 days"],
	["jobs.letters", "mark", mark, "id, queue, reason, head, at) VALUES ($1, app.uuidv7(), 'hk', 'why', '', AT)", "31 days", "29 days"],
	["jobs.replies", "task_id", mark, "body, at) VALUES ($1, '{}', AT)", "25 hours", "23 hours"],
];

for (const [table, column, name, rest, old, young] of AGED)
	test(`${table}: what is older than that goes, what is younger stays`, () => inside(async ({ rows, purge, left }) => {
		const names = [name(), name()];
		for (const [i, age] of [old, young].entries()) await rows(`INSERT INTO ${table} (${column}, ${rest.replace("AT", `now() - interval '${age}'`)}`, names[i]);
		assert.ok((await purge())[table] >= 1);
		assert.deepEqual(await left(table, column, names), [names[1]]);
	}));

test("the latest slot of a schedule stays, however old", () => inside(async ({ rows, purge, left }) => {
	const kind = mark();
	await rows("INSERT INTO jobs.slots (kind, slot, fired_at) SELECT $1, s, s FROM unnest(ARRAY[now() - interval '50 days', now() - interval '40 days']) AS s", kind);
	assert.equal((await purge())["jobs.slots"], 1);
	assert.deepEqual(await rows("SELECT slot < now() - interval '45 days' AS older FROM jobs.slots WHERE kind = $1", kind), [{ older: false }]);
}));

test("what was deleted a month ago goes, but for what is approved or still referred to", async () => {
	const client = await doc(owner, "clients_create", { input: { name: mark() } });
	const project = await doc(owner, "projects_create", { input: { name: mark(), client_id: client.id } });
	const tag = await doc(owner, "tags_create", { input: { name: mark() } });
	const entries = [];
	for (const day of [2, 3, 4]) entries.push(await entry(owner, { project_id: project.id, tags: [tag.id], started_at: `2026-03-0${day}T08:00:00Z`, ended_at: `2026-03-0${day}T09:00:00Z` }));
	const [gone, approved, fresh] = entries;
	for (const one of entries) await call(owner, "time_entries_delete", { time_entry_id: one.id });
	const named = [["tags", tag], ["projects", project], ["clients", client]];
	await inside(async ({ rows, purge, left }) => {
		// No trigger lets anybody set these.
		const set = async (noun, to, ...of) => {
			await rows("SET LOCAL session_replication_role = replica");
			await rows(`UPDATE data.${noun} SET ${to} WHERE id = ANY ($1)`, of.map((one) => one.id));
			await rows("SET LOCAL session_replication_role = origin");
		};
		const month = "deleted_at = now() - interval '31 days'";
		const there = async () => [...(await left("data.time_entries", "id", entries.map((one) => one.id))), ...(await Promise.all(named.map(([noun, one]) => left(`data.${noun}`, "id", [one.id])))).flat()].sort();
		const ids = (...of) => of.map((one) => one.id).sort();
		await set("time_entries", month, gone, approved);
		await set("time_entries", "status = 'approved'", approved);
		for (const [noun, one] of named) await set(noun, month, one);
		await purge();
		assert.deepEqual(await there(), ids(approved, fresh, tag, project, client), "what an approved entry names stays with it");
		await set("time_entries", `status = 'open', ${month}`, approved, fresh);
		await purge();
		assert.deepEqual(await there(), [], "all at once, in the order in which they refer to one another");
	});
});

const REPLIES = "INSERT INTO jobs.replies (task_id, body, at) SELECT n, '{}', now() - interval '2 days' FROM unnest($1::text[]) AS n";

test("no more than so many of each at a time, until it says that nothing is left", () => inside(async ({ rows, purge }) => {
	await purge();
	await rows(REPLIES, [mark(), mark(), mark()]);
	const gone = [await purge(1), await purge(), await purge()];
	assert.deepEqual(gone, [{ "jobs.replies": 1 }, { "jobs.replies": 2 }, {}]);
}));

test("what somebody has locked waits for the next hour, and keeps nobody waiting", async () => {
	const name = mark(), look = async () => (await admin.query("SELECT 1 FROM jobs.replies WHERE task_id = $1", [name])).rowCount;
	const holder = await admin.connect();
	// It gets old when it is locked already, so that the stack's own housekeeping finds no moment for it.
	await admin.query("INSERT INTO jobs.replies (task_id, body, at) VALUES ($1, '{}', now() - interval '1 day' + interval '1 second')", [name]);
	try {
		await holder.query("BEGIN");
		await holder.query("SELECT 1 FROM jobs.replies WHERE task_id = $1 FOR UPDATE", [name]);
		await pause(1500);
		await worker.query("SELECT app.purge(100000)");
		assert.equal(await look(), 1);
	} finally {
		await holder.query("ROLLBACK");
		holder.release();
	}
	await worker.query("SELECT app.purge(100000)");
	assert.equal(await look(), 0);
});

test("it is the worker's alone", () => assert.rejects(web.query("SELECT app.purge(1)"), { code: "42501" }));
