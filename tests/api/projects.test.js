// Projects: what time is tracked on. What they share with tags is tried there.
import { test } from "node:test";
import { ago, assert, one, organization, refused, took, uuid, uuidv7 } from "./support.js";

const { owner, manager, member } = await organization();
const stored = (id) => one("SELECT name, client_id, color, billable, archived, version, deleted_at FROM data.projects WHERE id = $1", id);
const fresh = () => `Project ${uuid()}`;
const make = (input = {}) => owner.made("/projects", { name: fresh(), ...input });

test("projects_create_stores_what_was_given", async () => {
	const house = await owner.made("/clients", { name: fresh() });
	const id = uuidv7();
	const name = fresh();
	const reply = took(await manager.post("/projects", { id, name, client_id: house.id, color: 7, billable: true }), 201);
	assert.equal(reply.headers.get("location"), `/api/v1/projects/${id}`);
	assert.deepEqual(
		[reply.body.client_id, reply.body.client_name, reply.body.color, reply.body.billable, reply.body.tracked_s],
		[house.id, house.name, 7, true, 0],
	);
	const row = { name, client_id: house.id, color: 7, billable: true, archived: false, version: 1, deleted_at: null };
	assert.deepEqual(await stored(id), row);
	assert.deepEqual(took(await manager.post("/projects", { id, name }), 201).body, reply.body);
	assert.deepEqual(await stored(id), row);
});

test("projects_create_chooses_a_colour_and_no_client", async () => {
	const made = await make();
	assert.ok(made.color >= 1 && made.color <= 12);
	assert.deepEqual([made.client_id, made.client_name, made.billable], [null, null, false]);
	assert.equal((await make({ client_id: null })).client_id, null);
});

test("projects_create_names_what_is_wrong", async () => {
	const { name } = await make();
	const bad = (input, code, field, status = 422) =>
		owner.post("/projects", { name: fresh(), ...input }).then((reply) => refused(reply, status, code, field));
	await bad({ name: name.toUpperCase() }, "name_taken", "name", 409);
	await bad({ name: "" }, "required", "name");
	await bad({ color: 0 }, "range", "color");
	await bad({ color: 13 }, "range", "color");
	await bad({ color: 1.5 }, "type", "color");
	await bad({ color: "1" }, "type", "color");
	await bad({ client_id: uuid() }, "reference", "client_id");
	await bad({ client_id: "x" }, "format", "client_id");
	await bad({ billable: 1 }, "type", "billable");
	await bad({ tracked_s: 1 }, "unknown_field", "tracked_s");
});

test("projects_list_filters_by_client_archive_and_words", async () => {
	const { owner: alone } = await organization({ roles: ["owner"] });
	const house = await alone.made("/clients", { name: "Zebra" });
	await alone.made("/projects", { name: "b", client_id: house.id });
	await alone.made("/projects", { name: "A" });
	const old = await alone.made("/projects", { name: "c" });
	took(await alone.patch(`/projects/${old.id}`, { archived: true }));
	const names = async (query) => (await alone.read(`/projects${query}`)).data.map((p) => p.name);
	assert.deepEqual(await names(""), ["A", "b"]);
	assert.deepEqual(await names("?archived=all"), ["A", "b", "c"]);
	assert.deepEqual(await names("?archived=true"), ["c"]);
	assert.deepEqual(await names(`?client_id=${house.id}`), ["b"]);
	assert.deepEqual(await names("?q=zebr"), ["b"]);
	const first = await alone.read("/projects?limit=1&archived=all");
	assert.deepEqual(await names(`?limit=2&archived=all&cursor=${first.next_cursor}`), ["b", "c"]);
});

test("projects_get_adds_up_what_was_tracked", async () => {
	const made = await make();
	await member.made("/time-entries", { project_id: made.id, started_at: ago(7200), ended_at: ago(3600) });
	await manager.made("/time-entries", { project_id: made.id, started_at: ago(7200), ended_at: ago(7000) });
	const reply = took(await owner.get(`/projects/${made.id}`));
	assert.equal(reply.body.tracked_s, 3800);
	assert.equal(reply.headers.get("etag"), '"1"');
	refused(await owner.get(`/projects/${uuid()}`), 404, "not_found");
});

test("projects_update_changes_what_was_sent_and_nothing_else", async () => {
	const house = await owner.made("/clients", { name: fresh() });
	const made = await make({ client_id: house.id, color: 3, billable: true });
	const was = await stored(made.id);
	took(await manager.patch(`/projects/${made.id}`, { color: 4 }));
	assert.deepEqual(await stored(made.id), { ...was, color: 4, version: 2 });
	took(await manager.patch(`/projects/${made.id}`, { client_id: null, archived: true }, { "if-match": '"2"' }));
	assert.deepEqual(await stored(made.id), { ...was, color: 4, client_id: null, archived: true, version: 3 });
	refused(await manager.patch(`/projects/${made.id}`, { billable: false }, { "if-match": '"2"' }), 412, "version_conflict");
	refused(await manager.patch(`/projects/${made.id}`, { client_id: uuid() }), 422, "reference", "client_id");
	refused(await manager.patch(`/projects/${made.id}`, { name: null }), 422, "required", "name");
	assert.equal((await stored(made.id)).version, 3);
});

test("projects_that_are_archived_take_no_new_work_and_keep_the_old", async () => {
	const made = await make();
	const entry = await member.made("/time-entries", { project_id: made.id, started_at: ago(900), ended_at: ago(800) });
	took(await owner.patch(`/projects/${made.id}`, { archived: true }));
	refused(await member.post("/timer/start", { project_id: made.id }), 422, "archived", "project_id");
	refused(await member.post("/time-entries", { project_id: made.id, started_at: ago(700), ended_at: ago(600) }), 422, "archived", "project_id");
	took(await member.patch(`/time-entries/${entry.id}`, { description: "still mine" }));
	assert.equal((await member.read(`/time-entries/${entry.id}`)).project_id, made.id);
	assert.equal((await member.get("/timer")).status, 204);
});

test("projects_delete_is_refused_while_entries_stand_on_it", async () => {
	const made = await make();
	const entry = await owner.made("/time-entries", { project_id: made.id, started_at: ago(900), ended_at: ago(800) });
	refused(await owner.delete(`/projects/${made.id}`), 409, "in_use");
	took(await owner.delete(`/time-entries/${entry.id}`), 204);
	refused(await owner.delete(`/projects/${made.id}`), 409, "in_use");
	assert.equal((await stored(made.id)).deleted_at, null);
	const empty = await make();
	refused(await owner.delete(`/projects/${empty.id}`, { "if-match": '"9"' }), 412, "version_conflict");
	took(await owner.delete(`/projects/${empty.id}`), 204);
	refused(await owner.get(`/projects/${empty.id}`), 404, "not_found");
	refused(await owner.post("/timer/start", { project_id: empty.id }), 422, "reference", "project_id");
});

test("projects_restore_takes_a_deletion_back", async () => {
	const made = await make();
	took(await owner.delete(`/projects/${made.id}`), 204);
	assert.equal(took(await owner.post(`/projects/${made.id}/restore`)).body.name, made.name);
	assert.equal((await stored(made.id)).deleted_at, null);
	took(await owner.delete(`/projects/${made.id}`), 204);
	await make({ name: made.name });
	refused(await owner.post(`/projects/${made.id}/restore`), 409, "name_taken", "name");
});
