// Tags, the exemplar of a noun: what holds for every noun is tried here in full.
import { test } from "node:test";
import { ago, assert, one, organization, refused, rows, took, uuid, uuidv7 } from "./support.js";

const { id: org, owner, manager, member } = await organization();
const stored = (id) => one("SELECT name, version, deleted_at, created_by FROM data.tags WHERE id = $1", id);
let serial = 0;
const fresh = () => `Tag ${++serial} ${uuid().slice(0, 8)}`;
const make = (name = fresh()) => owner.made("/tags", { name });

test("tags_create_answers_the_tag_and_where_it_is", async () => {
	const reply = took(await manager.post("/tags", { name: "  Écriture  " }), 201);
	assert.equal(reply.body.name, "Écriture");
	assert.deepEqual([reply.body.version, reply.body.entry_count], [1, 0]);
	assert.equal(reply.headers.get("location"), `/api/v1/tags/${reply.body.id}`);
	assert.equal(reply.headers.get("etag"), '"1"');
	assert.deepEqual(await stored(reply.body.id), { name: "Écriture", version: 1, deleted_at: null, created_by: manager.member_id });
	const { action, member_id } = await one("SELECT action, member_id FROM data.events WHERE row_id = $1", reply.body.id);
	assert.deepEqual([action, member_id], ["create", manager.member_id]);
});

test("tags_create_takes_the_id_a_client_made_and_knows_it_again", async () => {
	const id = uuidv7();
	const first = took(await owner.post("/tags", { id, name: fresh() }), 201);
	const again = took(await owner.post("/tags", { id, name: first.body.name }), 201);
	assert.deepEqual(again.body, first.body);
	assert.equal(again.headers.get("location"), `/api/v1/tags/${id}`);
	assert.equal((await rows("SELECT 1 FROM data.tags WHERE id = $1", id)).length, 1);
	assert.equal((await rows("SELECT 1 FROM data.events WHERE row_id = $1", id)).length, 1);
	refused(await manager.post("/tags", { id, name: fresh() }), 409, "id_taken");
});

test("tags_create_refuses_a_name_in_use_whatever_its_case", async () => {
	const { name } = await make();
	refused(await owner.post("/tags", { name: name.toUpperCase() }), 409, "name_taken", "name");
	assert.equal((await rows("SELECT 1 FROM data.tags WHERE organization_id = $1 AND lower(name) = lower($2)", org, name)).length, 1);
	const other = await organization({ roles: ["owner"] });
	took(await other.owner.post("/tags", { name }), 201);
});

test("tags_create_names_what_is_wrong", async () => {
	refused(await owner.post("/tags", {}), 422, "required", "name");
	refused(await owner.post("/tags", { name: "   " }), 422, "required", "name");
	refused(await owner.post("/tags", { name: null }), 422, "required", "name");
	refused(await owner.post("/tags", { name: 7 }), 422, "type", "name");
	refused(await owner.post("/tags", { name: "x".repeat(101) }), 422, "too_long", "name");
	refused(await owner.post("/tags", { name: "a\nb" }), 422, "format", "name");
	refused(await owner.post("/tags", { name: fresh(), id: "7" }), 422, "format", "id");
	refused(await owner.post("/tags", { name: fresh(), colour: 3 }), 422, "unknown_field", "colour");
	took(await owner.post("/tags", { name: "€".repeat(100) }), 201);
});

test("tags_get_gives_the_tag_with_its_version", async () => {
	const tag = await make();
	const reply = took(await member.get(`/tags/${tag.id}`));
	assert.deepEqual(reply.body, tag);
	assert.equal(reply.headers.get("etag"), '"1"');
	refused(await member.get(`/tags/${uuid()}`), 404, "not_found");
	refused(await member.get("/tags/7"), 404, "not_found");
});

test("tags_list_goes_by_name_a_page_at_a_time", async () => {
	const { owner: alone } = await organization({ roles: ["owner"] });
	const names = ["delta", "Alpha", "charlie", "Bravo", "echo"];
	for (const name of names) await alone.made("/tags", { name });
	const seen = [];
	let cursor = "";
	let pages = 0;
	do {
		const page = await alone.read(`/tags?limit=2${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
		assert.ok(page.data.length <= 2);
		seen.push(...page.data.map((t) => t.name));
		cursor = page.next_cursor;
		pages++;
	} while (cursor);
	assert.deepEqual(seen, ["Alpha", "Bravo", "charlie", "delta", "echo"]);
	assert.equal(pages, 3);
	const found = await alone.read("/tags?q=L");
	assert.deepEqual(found.data.map((t) => t.name), ["Alpha", "charlie", "delta"]);
	assert.deepEqual((await alone.read("/tags?q=%25")).data, [], "% is a character like others");
});

test("tags_update_changes_the_name_and_the_version", async () => {
	const tag = await make();
	const name = fresh();
	const reply = took(await manager.patch(`/tags/${tag.id}`, { name }));
	assert.deepEqual([reply.body.name, reply.body.version], [name, 2]);
	assert.equal(reply.headers.get("etag"), '"2"');
	assert.equal((await stored(tag.id)).name, name);
	refused(await owner.patch(`/tags/${tag.id}`, { name: "" }), 422, "required", "name");
	refused(await owner.patch(`/tags/${tag.id}`, { name: (await make()).name }), 409, "name_taken", "name");
	refused(await owner.patch(`/tags/${uuid()}`, { name: fresh() }), 404, "not_found");
	took(await owner.patch(`/tags/${tag.id}`, {}));
	assert.equal((await stored(tag.id)).name, name);
});

test("tags_update_honours_if_match", async () => {
	const tag = await make();
	const first = fresh();
	took(await owner.patch(`/tags/${tag.id}`, { name: first }, { "if-match": '"1"' }));
	refused(await owner.patch(`/tags/${tag.id}`, { name: fresh() }, { "if-match": '"1"' }), 412, "version_conflict");
	refused(await owner.patch(`/tags/${tag.id}`, { name: fresh() }, { "if-match": "garbage" }), 412, "version_conflict");
	assert.equal((await stored(tag.id)).name, first);
	const last = fresh();
	took(await owner.patch(`/tags/${tag.id}`, { name: last }, { "if-match": "*" }));
	refused(await owner.delete(`/tags/${tag.id}`, { "if-match": '"2"' }), 412, "version_conflict");
	assert.deepEqual(await stored(tag.id), { name: last, version: 3, deleted_at: null, created_by: owner.member_id });
	took(await owner.delete(`/tags/${tag.id}`, { "if-match": '"3"' }), 204);
});

test("tags_delete_takes_it_off_entries_and_tags_restore_brings_it_back", async () => {
	const [tag, other] = [await make(), await make()];
	const entry = await member.made("/time-entries", { started_at: ago(7200), ended_at: ago(3600), tags: [tag.id, other.id] });
	assert.equal((await member.read(`/tags/${tag.id}`)).entry_count, 1);
	took(await owner.delete(`/tags/${tag.id}`), 204);
	refused(await owner.get(`/tags/${tag.id}`), 404, "not_found");
	refused(await owner.delete(`/tags/${tag.id}`), 404, "not_found");
	refused(await member.post("/time-entries", { started_at: ago(3000), ended_at: ago(2000), tags: [tag.id] }), 422, "reference", "tags");
	assert.deepEqual((await member.read(`/time-entries/${entry.id}`)).tags, [other.id]);
	assert.ok((await stored(tag.id)).deleted_at);
	const back = took(await owner.post(`/tags/${tag.id}/restore`));
	assert.equal(back.body.name, tag.name);
	assert.deepEqual((await member.read(`/time-entries/${entry.id}`)).tags.sort(), [tag.id, other.id].sort());
	took(await owner.post(`/tags/${tag.id}/restore`));
	refused(await owner.post(`/tags/${uuid()}/restore`), 404, "not_found");
});

test("tags_restore_is_refused_when_the_name_was_taken_meanwhile", async () => {
	const tag = await make();
	took(await owner.delete(`/tags/${tag.id}`), 204);
	await make(tag.name);
	refused(await owner.post(`/tags/${tag.id}/restore`), 409, "name_taken", "name");
	assert.ok((await stored(tag.id)).deleted_at);
});

test("tags_are_changed_by_owners_and_managers_alone", async () => {
	const tag = await make();
	refused(await member.post("/tags", { name: fresh() }), 403, "forbidden");
	refused(await member.patch(`/tags/${tag.id}`, { name: fresh() }), 403, "forbidden");
	refused(await member.delete(`/tags/${tag.id}`), 403, "forbidden");
	refused(await member.post(`/tags/${tag.id}/restore`), 403, "forbidden");
	assert.deepEqual(await stored(tag.id), { name: tag.name, version: 1, deleted_at: null, created_by: owner.member_id });
});
