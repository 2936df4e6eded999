// Events: one for every change, in its own transaction; positions without gaps, whoever commits when; a chain that shows tampering.
import { after, test } from "node:test";
import { admin, assert, call, doc, done, entry, organization, web } from "./support.js";

after(done);

const at = (clock, day = "2026-03-10") => `${day}T${clock}:00Z`;
const eventsOf = async (id) =>
	(await admin.query("SELECT seq, position, member_id, noun, action, before, after, hash, prev_hash FROM data.events WHERE organization_id = $1 ORDER BY seq", [id])).rows;
const seal = async (most = 100000) => {
	let n = 0, last;
	do {
		last = (await admin.query("SELECT count(*)::integer AS n FROM app.events_seal($1)", [most])).rows[0].n;
		n += last;
	} while (last);
	return n;
};
// An open writing transaction anywhere in the cluster holds the horizon: other tests may have one for a moment.
async function sealed(id) {
	for (let i = 0; i < 100; i++) {
		await seal();
		const events = await eventsOf(id);
		if (events.every((e) => e.position !== null)) return events;
		await new Promise((r) => setTimeout(r, 50));
	}
	assert.fail("events stay unsealed");
}

test("every noun's change leaves an event, and what changes nothing leaves none", async () => {
	const { id, owner, member } = await organization({ roles: ["owner", "member"] });
	const client = await doc(owner, "clients_create", { input: { name: "C" } });
	const project = await doc(owner, "projects_create", { input: { name: "P", client_id: client.id } });
	await call(owner, "projects_update", { project_id: project.id, input: { name: "P2" } });
	await call(owner, "projects_update", { project_id: project.id, input: { name: "P2" } });
	const tag = await doc(owner, "tags_create", { input: { name: "T" } });
	await call(owner, "tags_delete", { tag_id: tag.id });
	await call(owner, "tags_restore", { tag_id: tag.id });
	await call(owner, "members_update", { member_id: member.member, input: { role: "manager" } });
	await call(owner, "organization_update", { input: { name: "Renamed" } });
	const e = await entry(owner, { started_at: at("08:00"), ended_at: at("09:00"), tags: [tag.id] });
	await call(owner, "time_entries_update", { time_entry_id: e.id, input: { tags: [] } });
	const events = (await eventsOf(id)).filter((v) => v.member_id);
	assert.deepEqual(events.map((v) => `${v.noun} ${v.action}`), [
		"client create", "project create", "project update", "tag create", "tag delete", "tag restore", "notification create", "member update",
		"organization update", "time_entry create", "time_entry update",
	]);
	assert.ok(events.every((v) => v.member_id === owner.member));
	assert.deepEqual([events[2].before, events[2].after], [{ name: "P" }, { name: "P2" }]);
	assert.deepEqual([events[10].before, events[10].after], [{ tag_ids: [tag.id] }, { tag_ids: [] }]);
	assert.equal(events[9].after.started_at.slice(0, 16), "2026-03-10T08:00");
});

test("no secret and no account is in an event", async () => {
	const { rows } = await admin.query("SELECT count(*) AS n FROM data.events WHERE coalesce(before, after)::text ~ 'password|argon2|token_hash'");
	assert.equal(rows[0].n, 0);
});

test("a rolled back change leaves no event", async () => {
	const { id, member } = await organization({ roles: ["member"] });
	const before = (await eventsOf(id)).length;
	await assert.rejects(entry(member, { started_at: at("10:00"), ended_at: at("09:00") }));
	assert.equal((await eventsOf(id)).length, before);
});

test("positions are gapless and follow the order of commit's horizon, with writers of all speeds and a sealer that never rests", async () => {
	const { id, owner } = await organization({ roles: ["owner"] });
	let writing = true;
	const seen = [];
	const sealer = (async () => {
		while (writing) {
			await admin.query("SELECT * FROM app.events_seal(50)");
			const { rows } = await admin.query("SELECT position FROM data.events WHERE organization_id = $1 AND position > $2 ORDER BY position", [id, seen.at(-1) ?? 0]);
			// What a follower read before must never get something put in front of it.
			for (const r of rows) {
				assert.equal(r.position, (seen.at(-1) ?? 0) + 1);
				seen.push(r.position);
			}
		}
	})();
	await Promise.all(
		Array.from({ length: 8 }, async (_, w) => {
			const c = await web.connect();
			try {
				for (let i = 0; i < 12; i++) {
					await c.query("BEGIN");
					await c.query("SELECT app.enter($1, -1, 1)", [owner.hash]);
					await c.query("INSERT INTO data.tags (organization_id, id, name) VALUES (app.org(), app.uuidv7(), $1)", [`w${w} i${i}`]);
					if (w % 2) await new Promise((r) => setTimeout(r, (w * i) % 13));
					await c.query("INSERT INTO data.tags (organization_id, id, name) VALUES (app.org(), app.uuidv7(), $1)", [`w${w} i${i} b`]);
					await c.query(i % 4 === 3 ? "ROLLBACK" : "COMMIT");
				}
			} finally {
				c.release();
			}
		}),
	);
	writing = false;
	await sealer;
	const events = (await sealed(id)).sort((a, b) => a.position - b.position);
	assert.deepEqual(events.map((e) => e.position), events.map((_, i) => i + 1));
	assert.equal(events.filter((e) => e.noun === "tag").length, 8 * 9 * 2, "nothing committed is skipped, nothing rolled back is there");
});

test("an open transaction holds back what came after it, and nothing passes it", async () => {
	const { id, owner } = await organization({ roles: ["owner"] });
	await sealed(id);
	const slow = await web.connect();
	try {
		await slow.query("BEGIN");
		await slow.query("SELECT app.enter($1, -1, 1)", [owner.hash]);
		await slow.query("INSERT INTO data.tags (organization_id, id, name) VALUES (app.org(), app.uuidv7(), 'slow')");
		await doc(owner, "tags_create", { input: { name: "quick" } });
		await seal();
		assert.deepEqual((await eventsOf(id)).filter((e) => e.position === null).map((e) => e.after.name), ["slow", "quick"].filter((n) => n !== "slow"));
		await slow.query("COMMIT");
	} finally {
		slow.release();
	}
	const events = (await sealed(id)).filter((e) => e.noun === "tag").sort((a, b) => a.position - b.position);
	assert.deepEqual(events.map((e) => e.after.name), ["slow", "quick"]);
});

test("two sealers at once do each event once", async () => {
	const { id, owner } = await organization({ roles: ["owner"] });
	for (let i = 0; i < 20; i++) await doc(owner, "tags_create", { input: { name: `t${i}` } });
	await Promise.all(Array.from({ length: 4 }, () => seal(3)));
	const events = (await sealed(id)).sort((a, b) => a.position - b.position);
	assert.deepEqual(events.map((e) => e.position), events.map((_, i) => i + 1));
});

test("the chain tells of a changed event and of a missing one", async () => {
	const { id, owner } = await organization({ roles: ["owner"] });
	for (const name of ["one", "two", "three"]) await doc(owner, "tags_create", { input: { name } });
	await sealed(id);
	const broken = async (client) =>
		(await client.query(
			`SELECT count(*) AS n FROM (
				SELECT e.hash <> app.event_hash(e.prev_hash, e) OR e.prev_hash <> coalesce(lag(e.hash) OVER (ORDER BY e.position), '') AS broken
				FROM data.events AS e WHERE e.organization_id = $1) AS c WHERE broken`, [id])).rows[0].n;
	assert.equal(await broken(admin), 0);
	for (const tamper of ["UPDATE data.events SET after = after || '{\"name\": \"forged\"}' WHERE organization_id = $1 AND position = 3", "DELETE FROM data.events WHERE organization_id = $1 AND position = 3"]) {
		const c = await admin.connect();
		try {
			await c.query("BEGIN");
			await c.query(tamper, [id]);
			assert.ok((await broken(c)) > 0, tamper);
		} finally {
			await c.query("ROLLBACK");
			c.release();
		}
	}
});
