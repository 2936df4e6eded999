// Webhooks: endpoints and their secrets. What is sent, and what becomes of it: webhook_deliveries.test.js.
import os from "node:os";
import { test } from "node:test";
import { assert, client, one, organization, refused, rows, took, uuid, uuidv7 } from "./support.js";

const { id: org, owner, manager, member } = await organization();
const url = () => `https://example.org/hooks/${uuid()}`;
const make = (more = {}) => owner.made("/webhooks", { url: url(), events: ["time_entry.*"], active: false, ...more });
const stored = (id) => one("SELECT w.*, s.secret, s.old_secret, s.cursor FROM data.webhooks AS w JOIN data.webhook_states AS s ON s.webhook_id = w.id WHERE w.id = $1", id);

test("webhooks_create_answers_the_endpoint_and_alone_shows_its_secret", async () => {
	const reply = took(await owner.post("/webhooks", { url: "https://example.org/hooks/one?a=b", description: " Billing ", events: ["tag.create", "project.*", "tag.create"] }), 201);
	assert.equal(reply.headers.get("location"), `/api/v1/webhooks/${reply.body.id}`);
	assert.equal(reply.headers.get("etag"), '"1"');
	const { secret, ...rest } = reply.body;
	assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
	assert.equal(Buffer.from(secret.slice(6), "base64").length, 32);
	assert.deepEqual([rest.url, rest.description, rest.events, rest.active, rest.health, rest.disabled_reason], ["https://example.org/hooks/one?a=b", "Billing", ["tag.create", "project.*"], true, "new", null]);
	assert.deepEqual(await owner.read(`/webhooks/${rest.id}`), rest);
	assert.deepEqual((await owner.read("/webhooks")).data.find((w) => w.id === rest.id), rest);
	const row = await stored(rest.id);
	assert.equal(row.created_by, owner.member_id);
	assert.doesNotMatch(row.secret, /whsec/);
	const { secret: another } = await make();
	assert.notEqual(another, secret);
	await owner.delete(`/webhooks/${rest.id}`);
});

test("webhooks_secrets_are_in_no_event_no_document_and_no_stored_answer", async () => {
	const key = uuid();
	const sent = { url: url(), events: ["*"], active: false };
	const made = took(await owner.post("/webhooks", sent, { "idempotency-key": key }), 201).body;
	const again = took(await owner.post("/webhooks", sent, { "idempotency-key": key }), 201);
	assert.equal(again.headers.get("idempotency-replayed"), "true");
	assert.deepEqual(again.body, made, "who lost the answer gets it again, secret and all");
	const rotated = await owner.made(`/webhooks/${made.id}/rotate-secret`, {}, 200);
	const secrets = [made.secret, rotated.secret].flatMap((s) => [s, s.slice(6), (Buffer.from(s.slice(6), "base64").toString("hex"))]);
	const sealed = [(await stored(made.id)).secret, (await stored(made.id)).old_secret];
	for (const table of ["data.webhooks", "data.webhook_states", "data.events", "data.idempotency_keys", "data.webhook_deliveries", "jobs.jobs"])
		for (const { row } of await rows(`SELECT t::text AS row FROM ${table} AS t WHERE organization_id = $1`, org))
			for (const secret of secrets) assert.ok(!row.includes(secret), `${table} holds a secret`);
	for (const { row } of await rows("SELECT e::text AS row FROM data.events AS e WHERE organization_id = $1", org))
		for (const text of sealed) assert.ok(!row.includes(text), "an event holds a sealed secret");
	for (const path of ["/webhooks", `/webhooks/${made.id}`, `/webhooks/${made.id}/deliveries`]) assert.doesNotMatch((await owner.get(path)).text, /whsec/);
});

test("webhooks_create_knows_an_id_again", async () => {
	const id = uuidv7();
	const sent = { id, url: url(), events: ["*"], active: false };
	const first = took(await owner.post("/webhooks", sent), 201).body;
	assert.deepEqual(took(await owner.post("/webhooks", sent), 201).body, first);
	assert.equal((await rows("SELECT 1 FROM data.webhooks WHERE id = $1", id)).length, 1);
	await rows("UPDATE data.webhooks SET created_at = now() - interval '2 days' WHERE id = $1", id);
	assert.equal(took(await owner.post("/webhooks", sent), 201).body.secret, null, "long after, it is not shown any more");
});

test("webhooks_create_and_webhooks_restore_stop_at_fifty_an_organization", async () => {
	const full = await organization({ roles: ["owner"] });
	const more = () => full.owner.post("/webhooks", { url: url(), events: ["*"], active: false });
	const gone = took(await more(), 201).body;
	await full.owner.delete(`/webhooks/${gone.id}`);
	await rows("INSERT INTO data.webhooks (organization_id, id, url, events, active) SELECT $1, app.uuidv7(), 'https://example.org/' || n, '{*}', false FROM generate_series(1, 47) AS n", full.id);
	const replies = await Promise.all([1, 2, 3, 4, 5].map(more));
	assert.deepEqual(replies.map((r) => r.status).sort(), [201, 201, 201, 409, 409], "however many ask at once");
	assert.equal(refused(await more(), 409, "limit_reached").limit, 50);
	refused(await full.owner.post(`/webhooks/${gone.id}/restore`), 409, "limit_reached");
	await full.owner.delete(`/webhooks/${replies.find((r) => r.status === 201).body.id}`);
	took(await full.owner.post(`/webhooks/${gone.id}/restore`));
	assert.equal((await make()).active, false, "another organization's are not counted");
});

test("webhooks_create_names_what_is_wrong", async () => {
	refused(await owner.post("/webhooks", {}), 422, "required", "url");
	refused(await owner.post("/webhooks", { url: url() }), 422, "required", "events");
	refused(await owner.post("/webhooks", { url: url(), events: [] }), 422, "required", "events");
	refused(await owner.post("/webhooks", { url: url(), events: "*" }), 422, "type", "events");
	refused(await owner.post("/webhooks", { url: url(), events: [7] }), 422, "type", "events");
	refused(await owner.post("/webhooks", { url: url(), events: ["*", "tag.explode"] }), 422, "event_type", "events");
	for (const odd of ["notification.*", "notification.create", "tag", "*.create", "tag.*.x", "TAG.CREATE", " "])
		assert.equal((await owner.post("/webhooks", { url: url(), events: [odd] })).status, 422, odd);
	refused(await owner.post("/webhooks", { url: url(), events: Array(101).fill("*") }), 422, "too_long", "events");
	refused(await owner.post("/webhooks", { url: url(), events: ["*"], secret: "mine" }), 422, "unknown_field", "secret");
	refused(await owner.post("/webhooks", { url: `https://example.org/${"x".repeat(2000)}`, events: ["*"] }), 422, "too_long", "url");
	refused(await owner.post("/webhooks", { url: url(), events: ["*"], description: "x".repeat(201) }), 422, "too_long", "description");
});

const bad = ["example.org", "/hooks", "ftp://example.org/", "https://", "https:///x", "https://user:pw@example.org/", "https://user@example.org/", "https://example.org/#part", "javascript:alert(1)", "file:///etc/passwd", "https:\\\\example.org", "https://exa mple.org/"];
const inner = ["https://10.0.0.1/", "https://192.168.1.1/x", "http://172.16.3.4:8080/", "https://169.254.169.254/latest/meta-data/", "https://[fd00::1]/", "https://[fe80::1]/", "https://[::ffff:10.0.0.1]/", "https://0x0a000001/", "https://167772161/", "https://012.0.0.1/", "https://10.1/",
	"https://printer.local/", "https://db.internal/", "https://nas.home.arpa/", "https://DB.Internal./", "https://0.0.0.0/", "https://100.100.100.200/", "https://[::]/"];

test("webhooks_urls_are_whole_and_lead_outside", async () => {
	for (const text of bad) refused(await owner.post("/webhooks", { url: text, events: ["*"] }), 422, "format", "url");
	for (const text of inner) refused(await owner.post("/webhooks", { url: text, events: ["*"] }), 422, "url_private", "url");
	const hook = await make();
	for (const text of inner) refused(await owner.patch(`/webhooks/${hook.id}`, { url: text }), 422, "url_private", "url");
	assert.equal((await stored(hook.id)).url, hook.url);
	for (const text of ["http://127.0.0.1:9/x", "https://example.org", "https://1.1.1.1/x", "https://[2606:4700:4700::1111]/"]) took(await owner.patch(`/webhooks/${hook.id}`, { url: text }));
	took(await owner.patch(`/webhooks/${hook.id}`, { url: `https://${os.hostname().toLowerCase().replace(/[^a-z0-9.-]/g, "") || "host"}/x` }));
});

test("webhooks_update_changes_what_was_sent_and_honours_if_match", async () => {
	const hook = await make({ description: "first" });
	const reply = took(await owner.patch(`/webhooks/${hook.id}`, { events: ["*"] }, { "if-match": '"1"' }));
	assert.deepEqual([reply.body.events, reply.body.description, reply.body.version], [["*"], "first", 2]);
	refused(await owner.patch(`/webhooks/${hook.id}`, { description: "late" }, { "if-match": '"1"' }), 412, "version_conflict");
	refused(await owner.patch(`/webhooks/${hook.id}`, { events: [] }), 422, "required", "events");
	refused(await owner.patch(`/webhooks/${hook.id}`, { events: ["x.y"] }), 422, "event_type", "events");
	refused(await owner.patch(`/webhooks/${uuid()}`, { description: "x" }), 404, "not_found");
	assert.equal((await stored(hook.id)).description, "first");
	const { before, after } = await one("SELECT before, after FROM data.events WHERE row_id = $1 AND action = 'update'", hook.id);
	assert.deepEqual([before, after], [{ events: ["time_entry.*"] }, { events: ["*"] }]);
});

test("webhooks_switched_on_again_begins_with_what_comes_then", async () => {
	const hook = await make();
	await rows("UPDATE data.webhooks SET disabled_reason = 'failing' WHERE id = $1", hook.id);
	await rows("UPDATE data.webhook_states SET failing_since = now() - interval '6 days', failed_in_a_row = 7, cursor = 0 WHERE webhook_id = $1", hook.id);
	const on = took(await owner.patch(`/webhooks/${hook.id}`, { active: true })).body;
	assert.deepEqual([on.active, on.disabled_reason, on.failing_since, on.health], [true, null, null, "new"]);
	const state = await one("SELECT s.cursor, s.failed_in_a_row, h.position FROM data.webhook_states AS s JOIN data.event_heads AS h USING (organization_id) WHERE webhook_id = $1", hook.id);
	assert.equal(state.failed_in_a_row, 0);
	assert.ok(state.cursor > 0 && state.cursor <= state.position);
	took(await owner.patch(`/webhooks/${hook.id}`, { active: false }));
});

test("webhooks_rotate_secret_keeps_the_old_one_for_a_while", async () => {
	const hook = await make();
	const first = await stored(hook.id);
	const next = took(await owner.post(`/webhooks/${hook.id}/rotate-secret`, { overlap_s: 3600 })).body;
	assert.notEqual(next.secret, hook.secret);
	assert.ok(Math.abs(Date.parse(next.old_secret_until) - Date.now() - 3600e3) < 60e3);
	const second = await stored(hook.id);
	assert.equal(second.old_secret, first.secret);
	const last = took(await owner.post(`/webhooks/${hook.id}/rotate-secret`, { overlap_s: 0 })).body;
	assert.equal(last.old_secret_until, null);
	assert.equal((await stored(hook.id)).old_secret, null);
	assert.equal((await owner.read(`/webhooks/${hook.id}`)).version, 3, "that it was replaced is a change, and an event");
	refused(await owner.post(`/webhooks/${hook.id}/rotate-secret`, { overlap_s: 8 * 86400 }), 422, "range", "overlap_s");
	refused(await owner.post(`/webhooks/${hook.id}/rotate-secret`, {}, { "if-match": '"1"' }), 412, "version_conflict");
	refused(await owner.post(`/webhooks/${uuid()}/rotate-secret`, {}), 404, "not_found");
});

test("webhooks_delete_and_restore", async () => {
	const hook = await make();
	took(await owner.delete(`/webhooks/${hook.id}`), 204);
	for (const reply of [await owner.get(`/webhooks/${hook.id}`), await owner.post(`/webhooks/${hook.id}/ping`), await owner.get(`/webhooks/${hook.id}/deliveries`), await owner.post(`/webhooks/${hook.id}/rotate-secret`, {})]) refused(reply, 404, "not_found");
	assert.ok(!(await owner.read("/webhooks")).data.some((w) => w.id === hook.id));
	assert.equal(took(await owner.post(`/webhooks/${hook.id}/restore`)).body.url, hook.url);
	took(await owner.post(`/webhooks/${hook.id}/restore`));
	refused(await owner.post(`/webhooks/${uuid()}/restore`), 404, "not_found");
});

test("webhooks_list_goes_a_page_at_a_time", async () => {
	const { owner: alone } = await organization({ roles: ["owner"] });
	const made = [];
	for (let i = 0; i < 5; i++) made.push((await alone.made("/webhooks", { url: url(), events: ["*"], active: false })).id);
	const seen = [];
	let cursor = "";
	do {
		const page = await alone.read(`/webhooks?limit=2${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
		assert.ok(page.data.length <= 2);
		seen.push(...page.data.map((w) => w.id));
		cursor = page.next_cursor;
	} while (cursor);
	assert.deepEqual(seen, made);
	refused(await alone.get("/webhooks?cursor=nonsense"), 400, "bad_cursor");
});

test("webhooks_event_types_are_what_an_endpoint_may_ask_for", async () => {
	const { data } = await owner.read("/webhooks/event-types");
	const types = data.map((t) => t.type);
	assert.ok(types.includes("time_entry.update") && types.includes("organization.update"));
	assert.equal(new Set(types).size, types.length);
	for (const t of data) assert.equal(t.type, `${t.noun}.${t.action}`);
	const hook = await make({ events: [...types, ...new Set(data.map((t) => `${t.noun}.*`)), "*"] });
	assert.equal(hook.events.length, types.length + new Set(data.map((t) => t.noun)).size + 1);
});

test("webhooks_are_for_owners_alone", async () => {
	const hook = await make();
	for (const who of [manager, member]) {
		for (const path of ["/webhooks", `/webhooks/${hook.id}`, `/webhooks/${hook.id}/deliveries`, "/webhooks/event-types"]) refused(await who.get(path), 403, "forbidden");
		refused(await who.post("/webhooks", { url: url(), events: ["*"] }), 403, "forbidden");
		refused(await who.patch(`/webhooks/${hook.id}`, { active: true }), 403, "forbidden");
		refused(await who.post(`/webhooks/${hook.id}/rotate-secret`, {}), 403, "forbidden");
		refused(await who.delete(`/webhooks/${hook.id}`), 403, "forbidden");
	}
	const { owner: stranger } = await organization({ roles: ["owner"] });
	for (const path of [`/webhooks/${hook.id}`, `/webhooks/${hook.id}/deliveries`]) refused(await stranger.get(path), 404, "not_found");
	refused(await stranger.post(`/webhooks/${hook.id}/ping`), 404, "not_found");
	refused(await stranger.post(`/webhooks/${hook.id}/rotate-secret`, {}), 404, "not_found");
	assert.equal((await stored(hook.id)).version, 1);
});

test("webhooks_demo_has_an_endpoint_that_is_off", async () => {
	const ada = await client("owner@demo.test");
	const hook = (await ada.read("/webhooks")).data.find((w) => !w.active);
	assert.ok(hook, "the demo organization has one");
	const { data } = await ada.read(`/webhooks/${hook.id}/deliveries`);
	assert.ok(data.length >= 3 && data.some((d) => d.state === "failed") && data.some((d) => d.state === "delivered"));
});
