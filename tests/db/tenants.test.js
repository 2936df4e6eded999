// Tenants: nothing of one is ever seen, changed or pointed at by another; and the small nouns, which all go the same ways.
import crypto from "node:crypto";
import { after, test } from "node:test";
import { admin, assert, call, doc, done, entry, organization, queries, read, refused, token, web } from "./support.js";

after(done);

const CANARY = "Canary-7f3a";
const at = (clock) => `2026-03-10T${clock}:00Z`;

async function furnished(word) {
	const org = await organization();
	const client = await doc(org.owner, "clients_create", { input: { name: `${word} client` } });
	const project = await doc(org.owner, "projects_create", { input: { name: `${word} project`, client_id: client.id } });
	const tag = await doc(org.owner, "tags_create", { input: { name: `${word} tag` } });
	const e = await entry(org.member, { started_at: at("08:00"), ended_at: at("09:00"), description: `${word} entry`, project_id: project.id, tags: [tag.id] });
	await admin.query("UPDATE data.organizations SET name = $2 WHERE id = $1", [org.id, `${word} organization`]);
	return { ...org, ids: { client_id: client.id, project_id: project.id, tag_id: tag.id, time_entry_id: e.id, member_id: org.member.member, session_id: crypto.randomUUID() } };
}

// Asked before there is a tenant. What the worker asks the web may not: catalogue.test.js.
const OUTSIDE = /^(auth_|idempotency_|enter$|ready$|jobs_enqueue$|notifications_unsubscribe$)/;

test("every query with a stranger's ids gives no row, and no list or page shows a stranger's word", async () => {
	const a = await furnished("Own");
	const b = await furnished(CANARY);
	let walked = 0;
	for (const q of Object.values(queries).filter((q) => !q.worker && !OUTSIDE.test(q.name))) {
		for (const role of ["owner", "manager", "member"]) {
			const ids = Object.fromEntries(Object.entries(b.ids).filter(([key]) => q.params.includes(key)));
			const result = await call(a[role], q.name, { ...ids, input: {} }).catch((e) => e);
			const text = JSON.stringify(result) ?? "";
			assert.doesNotMatch(text, new RegExp(CANARY), `${q.name} as ${role}`);
			assert.doesNotMatch(text, new RegExp(b.id), `${q.name} as ${role}`);
			if (Object.keys(ids).length && !/_list$|_page$/.test(q.name) && q.name !== "week_get") assert.equal(result, undefined, `${q.name} as ${role}: 404`);
			walked++;
			if (result instanceof Error) assert.ok(result.code || result.constraint || result.sqlstate === "23502", `${q.name}: ${result.message}`);
		}
	}
	assert.ok(walked > 100);
	assert.equal(await read(a.owner, "week_get", { member_id: b.ids.member_id }), undefined);
	for (const filter of ["client_id", "project_id", "tag_id", "member_id"])
		assert.deepEqual((await read(a.owner, "time_entries_list", { [filter]: b.ids[filter] })).data, [], filter);
	const { rows } = await admin.query("SELECT version, deleted_at FROM data.time_entries WHERE id = $1", [b.ids.time_entry_id]);
	assert.deepEqual(rows, [{ version: 1, deleted_at: null }], "nothing was changed either");
});

test("references to another tenant's things do not exist", async () => {
	const a = await furnished("Own");
	const b = await furnished(CANARY);
	const create = (input) => call(a.member, "time_entries_create", { input: { started_at: at("10:00"), ended_at: at("11:00"), ...input } });
	await refused(create({ project_id: b.ids.project_id }), "reference", "project_id");
	await refused(create({ tags: [b.ids.tag_id] }), "reference", "tags");
	await refused(call(a.owner, "projects_create", { input: { name: "X", client_id: b.ids.client_id } }), "reference", "client_id");
	await refused(call(a.member, "timer_start", { input: { project_id: b.ids.project_id } }), "reference", "project_id");
	// Another tenant's id may be used here without telling that it is used there.
	const same = await doc(a.owner, "tags_create", { input: { id: b.ids.tag_id, name: "Mine" } });
	assert.deepEqual([same.id, same.name], [b.ids.tag_id, "Mine"]);
});

test("whoever runs SQL as the web inside one tenant cannot write into another", async () => {
	const a = await organization({ roles: ["owner"] });
	const b = await furnished("Other");
	const c = await web.connect();
	try {
		for (const sql of [
			"INSERT INTO data.tags (organization_id, id, name) VALUES ($1, app.uuidv7(), 'x')",
			"INSERT INTO data.projects (organization_id, id, name) VALUES ($1, app.uuidv7(), 'x')",
		]) {
			await c.query("BEGIN");
			await c.query("SELECT app.enter($1, -1, 1)", [a.owner.hash]);
			await assert.rejects(c.query(sql, [b.id]), { code: "42501" });
			await c.query("ROLLBACK");
		}
		await c.query("BEGIN");
		await c.query("SELECT app.enter($1, -1, 1)", [a.owner.hash]);
		assert.equal((await c.query("UPDATE data.tags SET name = 'x' WHERE id = $1", [b.ids.tag_id])).rowCount, 0);
		await assert.rejects(
			c.query("INSERT INTO data.projects (organization_id, id, name, client_id) VALUES (app.org(), app.uuidv7(), 'x', $1)", [b.ids.client_id]),
			{ constraint: "projects_client" },
		);
		await c.query("ROLLBACK");
	} finally {
		c.release();
	}
});

test("alternating tenants over few connections, with errors in between: never a wrong row", async () => {
	const orgs = await Promise.all(Array.from({ length: 4 }, (_, i) => furnished(`Tenant${i}`)));
	await Promise.all(
		Array.from({ length: 4 }, async (_, w) => {
			const client = await web.connect();
			try {
				for (let i = 0; i < 150; i++) {
					const org = orgs[(w + i) % orgs.length];
					if (i % 7 === 3) await call({ hash: token() }, "tags_list", {}, { client }).catch(() => {});
					if (i % 11 === 5) await call(org.member, "timer_start", { input: { project_id: crypto.randomUUID() } }, { client }).catch(() => {});
					const list = await doc(org.owner, "time_entries_list", {}, { client, writes: false });
					assert.deepEqual(list.data.map((e) => e.id), [org.ids.time_entry_id]);
				}
				assert.equal((await client.query("SELECT count(*) AS n FROM seen.time_entries")).rows[0].n, 0, "no tenant, no rows");
			} finally {
				client.release();
			}
		}),
	);
});

for (const [noun, id, more] of [["tags", "tag_id", {}], ["clients", "client_id", { archived: true }], ["projects", "project_id", { archived: true, color: 7, billable: true }]])
	test(`${noun}: create, replay, list, change, delete, restore`, async () => {
		const { owner, manager } = await organization();
		const input = { id: crypto.randomUUID(), name: "Alpha" };
		const made = await call(owner, `${noun}_create`, { input });
		assert.deepEqual([made.status, made.etag, made.location, made.doc.name], [201, "1", `/api/v1/${noun}/${input.id}`, "Alpha"]);
		assert.deepEqual((await call(owner, `${noun}_create`, { input })).doc, made.doc, "sent again");
		await refused(call(manager, `${noun}_create`, { input: { ...input, name: "Other" } }), `${noun}_pkey`);
		await refused(call(owner, `${noun}_create`, { input: { name: "ALPHA" } }), `${noun}_name`);
		await refused(call(owner, `${noun}_create`, { input: { name: "x".repeat(201) } }), `${noun}_name_length`);
		for (const name of ["beta", "Gamma", "delta 100%"]) await call(owner, `${noun}_create`, { input: { name } });
		const first = await read(owner, `${noun}_list`, { limit: "2" });
		assert.deepEqual(first.data.map((t) => t.name), ["Alpha", "beta"]);
		const second = await read(owner, `${noun}_list`, { limit: "2", cursor: first.next_cursor });
		assert.deepEqual([second.data.map((t) => t.name), second.next_cursor], [["delta 100%", "Gamma"], null]);
		assert.deepEqual((await read(owner, `${noun}_list`, { q: "0%" })).data.map((t) => t.name), ["delta 100%"]);
		await refused(read(owner, `${noun}_list`, { cursor: "nonsense" }), "bad_cursor", "cursor");
		const by = { [id]: input.id };
		const changed = await call(owner, `${noun}_update`, { ...by, input: { name: "Alpha two", ...more }, if_match: "1" });
		for (const [key, value] of Object.entries(more)) assert.equal(changed.doc[key], value);
		assert.deepEqual([changed.doc.name, changed.etag], ["Alpha two", "2"]);
		assert.equal((await call(owner, `${noun}_update`, { ...by, input: {} })).etag, "2");
		await refused(call(owner, `${noun}_update`, { ...by, input: { name: "Late" }, if_match: "1" }), "version_conflict");
		if (more.archived) {
			assert.ok(!(await read(owner, `${noun}_list`, {})).data.some((t) => t.id === input.id), "archived is out of the list");
			assert.deepEqual((await read(owner, `${noun}_list`, { archived: "true" })).data.map((t) => t.id), [input.id]);
			assert.equal((await read(owner, `${noun}_list`, { archived: "all" })).data.length, 4);
		}
		assert.deepEqual(await doc(owner, `${noun}_delete`, by), { id: input.id });
		assert.equal(await read(owner, `${noun}_get`, by), undefined);
		assert.equal(await call(owner, `${noun}_update`, { ...by, input: { name: "Ghost" } }), undefined);
		const back = await call(owner, `${noun}_restore`, by);
		assert.deepEqual([back.doc.name, (await call(owner, `${noun}_restore`, by)).doc], ["Alpha two", back.doc]);
		await call(owner, `${noun}_delete`, by);
		await call(owner, `${noun}_create`, { input: { name: "alpha TWO" } });
		await refused(call(owner, `${noun}_restore`, by), `${noun}_name`);
	});

test("what is in use is archived and not deleted", async () => {
	const a = await furnished("Own");
	const inUse = await refused(call(a.owner, "clients_delete", { client_id: a.ids.client_id }), "in_use");
	assert.deepEqual(inUse.extra, { count: 1 });
	await refused(call(a.owner, "projects_delete", { project_id: a.ids.project_id }), "in_use");
	await call(a.member, "time_entries_delete", { time_entry_id: a.ids.time_entry_id });
	await refused(call(a.owner, "projects_delete", { project_id: a.ids.project_id }), "in_use", undefined);
	await call(a.owner, "clients_update", { client_id: a.ids.client_id, input: { archived: true } });
	await refused(call(a.owner, "projects_create", { input: { name: "Later", client_id: a.ids.client_id } }), "archived", "client_id");
	const kept = await doc(a.owner, "projects_update", { project_id: a.ids.project_id, input: { client_id: a.ids.client_id, name: "Renamed" } });
	assert.equal(kept.client_id, a.ids.client_id, "its own archived client may stay");
	assert.equal((await doc(a.owner, "projects_update", { project_id: a.ids.project_id, input: { client_id: null } })).client_id, null);
});

test("a total shows no more than the list does", async () => {
	const a = await furnished("Own");
	await entry(a.manager, { started_at: at("08:00"), ended_at: at("12:00"), project_id: a.ids.project_id, tags: [a.ids.tag_id] });
	const tracked = async (who) => (await read(who, "projects_get", { project_id: a.ids.project_id })).tracked_s;
	assert.deepEqual([await tracked(a.member), await tracked(a.manager)], [3600, 5 * 3600]);
	const used = async (who) => (await read(who, "tags_get", { tag_id: a.ids.tag_id })).entry_count;
	assert.deepEqual([await used(a.member), await used(a.manager)], [1, 2]);
	assert.equal(await read(a.member, "week_get", { member_id: a.manager.member, date: "2026-03-10" }), undefined);
	assert.equal((await read(a.manager, "week_get", { member_id: a.member.member, date: "2026-03-10" })).total_s, 3600);
});

test("organization: changes, checks, version", async () => {
	const { owner } = await organization({ roles: ["owner"] });
	const changed = await call(owner, "organization_update", { input: { name: "N", zone: "Asia/Tokyo", currency: "JPY", weekly_target_s: 3600 }, if_match: "1" });
	assert.deepEqual([changed.doc.zone, changed.doc.currency, changed.doc.weekly_target_s, changed.etag], ["Asia/Tokyo", "JPY", 3600, "2"]);
	await refused(call(owner, "organization_update", { input: { currency: "euro" } }), "organizations_currency_iso");
	await refused(call(owner, "organization_update", { input: { zone: "Nowhere" } }), "zone_unknown", "zone");
	await refused(call(owner, "organization_update", { input: { overlap_policy: "maybe" } }), "organizations_overlap_policy_choice");
});

test("Idempotency-Key: the first answer again, waiting for a twin; another body is refused; a failure frees the key", async () => {
	const { owner, member } = await organization({ roles: ["owner", "member"] });
	const [key, route, body_hash] = ["k1", "tags.create", token()];
	const once = async (who, values, name, fail = false) => {
		const c = await web.connect();
		try {
			await c.query("BEGIN");
			await c.query("SELECT app.enter($1, -1, 1)", [who.hash]);
			const run = (query, given) => c.query(queries[query].text, queries[query].params.map((p) => given[p] ?? null));
			await run("idempotency_begin", values);
			const { rows } = await run("tags_create", { input: JSON.stringify({ name }), name });
			await new Promise((r) => setTimeout(r, 20));
			if (fail) throw new Error("failed on purpose");
			await run("idempotency_store", { ...values, status: String(rows[0].status), doc: JSON.stringify(rows[0].doc), etag: rows[0].etag, location: rows[0].location });
			await c.query("COMMIT");
			return rows[0].doc;
		} catch (e) {
			await c.query("ROLLBACK");
			if (e.message === "idempotency_replay") return JSON.parse(e.hint).doc;
			throw e;
		} finally {
			c.release();
		}
	};
	await assert.rejects(once(owner, { key, route, body_hash }, "Failed", true), /on purpose/);
	const answers = await Promise.all(Array.from({ length: 5 }, () => once(owner, { key, route, body_hash }, "Twin")));
	assert.equal(new Set(answers.map((a) => a.id)).size, 1, "one tag, five times the same answer");
	await assert.rejects(once(owner, { key, route, body_hash: token() }, "Other"), /idempotency_reuse/);
	assert.notEqual((await once(owner, { key, route: "clients.create", body_hash }, "Another route")).id, answers[0].id);
	assert.notEqual((await once(member, { key, route, body_hash }, "Another member")).id, answers[0].id);
	await admin.query("UPDATE data.idempotency_keys SET created_at = now() - interval '25 hours' WHERE organization_id = $1", [owner.organization]);
	assert.notEqual((await once(owner, { key, route, body_hash: token() }, "A day later")).id, answers[0].id);
});
