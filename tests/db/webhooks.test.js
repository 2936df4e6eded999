// From events to deliveries in SQL alone: who is woken, what is handed out, and that nothing falls between a sealer that has not
// committed and a hand-out that begins.
import { after, test } from "node:test";
import { admin, assert, call, doc, done, organization, web } from "./support.js";

after(done);

const rows = async (sql, ...values) => (await admin.query(sql, values)).rows;
// Off, so that the stack's own sealer and worker leave it alone.
const hookOf = async (org, events) => {
	const id = (await rows("SELECT app.uuidv7() AS id"))[0].id;
	await rows("INSERT INTO data.webhooks (organization_id, id, url, events, active) VALUES ($1, $2, 'https://hooks.invalid/', $3, false)", org, id, events);
	await rows("INSERT INTO data.webhook_states (organization_id, webhook_id, secret, cursor) VALUES ($1, $2, 'x', 0)", org, id);
	return id;
};

// In a transaction that is taken back, so that the stack's own sealer and worker see nothing of it.
async function apart(work) {
	const client = await admin.connect();
	try {
		await client.query("BEGIN");
		return await work(async (sql, ...values) => (await client.query(sql, values)).rows);
	} finally {
		await client.query("ROLLBACK");
		client.release();
	}
}
const entered = "SELECT set_config('app.' || 'org', $1, true)";

test("every noun with events is told to webhooks, or is on the list of those that are not", async () => {
	const NOT_TOLD = []; // notifications write their events by a trigger of their own: they are a person's alone
	const nouns = (await rows("SELECT DISTINCT convert_from(rtrim(tgargs, '\\x00'::bytea), 'UTF8') AS noun FROM pg_trigger WHERE tgname = 'z_event' ORDER BY 1")).map((r) => r.noun);
	const told = (await rows("SELECT noun FROM app.event_nouns() ORDER BY 1")).map((r) => r.noun);
	assert.deepEqual(told, nouns.filter((n) => !NOT_TOLD.includes(n)));
	assert.ok(!told.includes("notification"));
});

test("filters want what they name", async () => {
	for (const [filters, noun, action, wanted] of [[["*"], "tag", "create", true], [["tag.*"], "tag", "purge", true], [["tag.create"], "tag", "create", true], [["tag.create"], "tag", "update", false], [["project.*", "tag.delete"], "tag", "create", false],
		[["*"], "notification", "create", false], [["notification.*"], "notification", "create", false], [["tag.*"], "tags", "create", false]])
		assert.deepEqual(await rows("SELECT app.is_wanted($1, $2, $3) AS it", filters, noun, action), [{ it: wanted }], `${filters} ${noun}.${action}`);
});

test("the sealer wakes organizations with an endpoint that is on, once, and nobody else", async () => {
	const orgs = {};
	for (const name of ["on", "off", "gone", "none"]) orgs[name] = (await organization({ roles: ["owner"] })).id;
	await apart(async (ask) => {
		const add = async (org, active, deleted) => ask("INSERT INTO data.webhooks (organization_id, id, url, events, active, deleted_at) VALUES ($1, app.uuidv7(), 'https://hooks.invalid/', '{*}', $2, $3)", org, active, deleted);
		await add(orgs.on, true, null);
		await add(orgs.on, true, null);
		await add(orgs.off, false, null);
		await add(orgs.gone, true, new Date());
		for (let turn = 0; turn < 2; turn++) await ask("SELECT app.webhooks_wake($1)", Object.values(orgs));
		const woken = await ask("SELECT organization_id AS org, state FROM jobs.jobs WHERE kind = 'webhook.fan' AND organization_id = ANY ($1)", Object.values(orgs));
		assert.deepEqual(woken, [{ org: orgs.on, state: "waiting" }]);
	});
});

test("events are handed out in chunks, once, in order, to those who want them", async () => {
	const { id, owner } = await organization({ roles: ["owner"] });
	for (let i = 0; i < 7; i++) await doc(owner, "tags_create", { input: { name: `T${i}` } });
	await doc(owner, "clients_create", { input: { name: "C" } });
	for (let turn = 0; turn < 400 && (await rows("SELECT 1 FROM data.events WHERE organization_id = $1 AND position IS NULL", id)).length; turn++) await new Promise((r) => setTimeout(r, 25));
	const all = (await rows("SELECT position, noun, action FROM data.events WHERE organization_id = $1 ORDER BY position", id));
	assert.ok(all.every((e) => e.position));
	await apart(async (ask) => {
		const add = async (events, active = true) => {
			const [{ id: hook }] = await ask("INSERT INTO data.webhooks (organization_id, id, url, events, active) VALUES ($1, app.uuidv7(), 'https://hooks.invalid/', $2, $3) RETURNING id", id, events, active);
			await ask("INSERT INTO data.webhook_states (organization_id, webhook_id, secret, cursor) VALUES ($1, $2, 'x', 0)", id, hook);
			return hook;
		};
		const [everything, tags, off] = [await add(["*"]), await add(["tag.create"]), await add(["*"], false)];
		await ask(entered, id);
		const looked = [];
		for (let n = 1; n;) {
			n = (await ask("SELECT app.webhooks_fan(3) AS n"))[0].n;
			looked.push(n);
		}
		assert.equal(looked.reduce((a, b) => a + b), 2 * all.length);
		assert.ok(looked.every((n) => n <= 6));
		const of = async (hook) => (await ask("SELECT position FROM data.webhook_deliveries WHERE webhook_id = $1 ORDER BY id", hook)).map((d) => d.position);
		assert.deepEqual((await of(everything)).sort((a, b) => a - b), all.map((e) => e.position));
		assert.deepEqual((await of(tags)).sort((a, b) => a - b), all.filter((e) => e.noun === "tag").map((e) => e.position));
		assert.deepEqual(await of(off), []);
		const jobs = await ask("SELECT count(*) FROM jobs.jobs WHERE organization_id = $1 AND kind = 'webhook.deliver'", id);
		assert.equal(jobs[0].count, all.length + 7);
		assert.deepEqual(await ask("SELECT DISTINCT cursor FROM data.webhook_states WHERE organization_id = $1 AND cursor > 0", id), [{ cursor: all.at(-1).position }]);
	});
});

test("a hand-out waits for a sealer that has not committed", async () => {
	const { id } = await organization({ roles: ["owner"] });
	const [sealer, fan] = [await admin.connect(), await admin.connect()];
	try {
		await sealer.query("BEGIN");
		// The lock that app.events_seal holds; it is taken once the stack's own sealer lets it go.
		await sealer.query("SELECT pg_advisory_xact_lock(hashtextextended('events_seal', 7318))");
		await fan.query("BEGIN");
		await fan.query(entered, [id]);
		let ended = false;
		const waiting = fan.query("SELECT app.webhooks_fan(10) AS n").then((r) => { ended = true; return r.rows[0].n; });
		const { rows: pids } = await sealer.query("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND mode = 'ShareLock'");
		for (let turn = 0; turn < 200 && !pids.length && !(await sealer.query("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND mode = 'ShareLock'")).rows.length; turn++) await new Promise((r) => setTimeout(r, 10));
		assert.equal(ended, false);
		await sealer.query("COMMIT");
		assert.equal(await waiting, 0);
	} finally {
		await sealer.query("ROLLBACK");
		await fan.query("ROLLBACK");
		sealer.release();
		fan.release();
	}
});

test("the web reads no secret, sealed as it is, and writes no state", async () => {
	const { id, owner } = await organization({ roles: ["owner"] });
	const hook = await hookOf(id, ["webhook.purge"]);
	assert.equal((await doc(owner, "webhooks_get", { webhook_id: hook })).health, "off");
	for (const sql of ["SELECT secret FROM data.webhook_states", "SELECT * FROM data.webhook_states", "UPDATE data.webhook_states SET cursor = 0", "INSERT INTO data.webhook_states (organization_id) VALUES (NULL)", "DELETE FROM data.webhooks", "SELECT app.webhooks_fan(1)",
		"SELECT app.webhook_attempted(NULL, 'gone', '{}', 0)", "SELECT app.webhooks_wake('{}')", "UPDATE data.webhooks SET disabled_reason = NULL"])
		await assert.rejects(web.query(sql), { code: "42501" }, sql);
	await call(owner, "webhooks_delete", { webhook_id: hook });
});

test("deliveries are cleared away after thirty days, and deleted endpoints with their state", async () => {
	const { id, owner } = await organization({ roles: ["owner"] });
	const hook = await hookOf(id, ["webhook.purge"]);
	await rows("INSERT INTO data.webhook_deliveries (organization_id, id, webhook_id, type, at, state, created_at) SELECT $1, app.uuidv7(), $2, 'ping', now(), s, now() - a FROM unnest('{delivered,failed,waiting}'::text[]) AS s, unnest('{29 days,31 days}'::interval[]) AS a", id, hook);
	const left = async () => (await rows("SELECT count(*) AS n FROM data.webhook_deliveries WHERE webhook_id = $1", hook))[0].n;
	await rows("SELECT app.purge(100000)");
	assert.equal(await left(), 3);
	await call(owner, "webhooks_delete", { webhook_id: hook });
	await rows("UPDATE data.webhooks SET deleted_at = now() - interval '31 days' WHERE id = $1", hook);
	await rows("SELECT app.purge(100000)");
	assert.equal((await rows("SELECT 1 FROM data.webhooks WHERE id = $1", hook)).length, 1, "while there are deliveries it stays");
	await rows("UPDATE data.webhook_deliveries SET created_at = now() - interval '31 days' WHERE webhook_id = $1", hook);
	await rows("SELECT app.purge(100000)");
	for (const table of ["webhooks WHERE id", "webhook_states WHERE webhook_id", "webhook_deliveries WHERE webhook_id"]) assert.equal((await rows(`SELECT 1 FROM data.${table} = $1`, hook)).length, 0, table);
});
