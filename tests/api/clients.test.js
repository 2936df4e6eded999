// Clients: whom work is done for. What they share with tags is tried there; here is the archive and what belongs to them.
import { test } from "node:test";
import { assert, one, organization, refused, took, uuid, uuidv7 } from "./support.js";

const { owner, manager, member } = await organization();
const stored = (id) => one("SELECT name, archived, version, deleted_at FROM data.clients WHERE id = $1", id);
const fresh = () => `Client ${uuid()}`;
const make = (name = fresh()) => owner.made("/clients", { name });

test("clients_create_stores_the_client", async () => {
	const id = uuidv7();
	const name = fresh();
	const reply = took(await manager.post("/clients", { id, name }), 201);
	assert.deepEqual([reply.body.id, reply.body.archived, reply.body.project_count, reply.body.version], [id, false, 0, 1]);
	assert.equal(reply.headers.get("location"), `/api/v1/clients/${id}`);
	assert.deepEqual(await stored(id), { name, archived: false, version: 1, deleted_at: null });
	assert.deepEqual(took(await manager.post("/clients", { id, name }), 201).body, reply.body);
	refused(await owner.post("/clients", { id, name: fresh() }), 409, "id_taken");
	refused(await owner.post("/clients", { name: name.toUpperCase() }), 409, "name_taken", "name");
	refused(await owner.post("/clients", { name: fresh(), archived: true }), 422, "unknown_field", "archived");
	refused(await owner.post("/clients", {}), 422, "required", "name");
});

test("clients_list_shows_active_ones_archived_ones_or_both", async () => {
	const { owner: alone } = await organization({ roles: ["owner"] });
	for (const name of ["b", "A", "c"]) await alone.made("/clients", { name });
	const { data } = await alone.read("/clients");
	assert.deepEqual(data.map((c) => c.name), ["A", "b", "c"]);
	took(await alone.patch(`/clients/${data[1].id}`, { archived: true }));
	const names = async (query) => (await alone.read(`/clients${query}`)).data.map((c) => c.name);
	assert.deepEqual(await names(""), ["A", "c"]);
	assert.deepEqual(await names("?archived=true"), ["b"]);
	assert.deepEqual(await names("?archived=all"), ["A", "b", "c"]);
	assert.deepEqual(await names("?archived=all&q=B"), ["b"]);
	refused(await alone.get("/clients?archived=maybe"), 422, "choice", "archived");
	const first = await alone.read("/clients?limit=1");
	assert.deepEqual(await names(`?limit=1&cursor=${first.next_cursor}`), ["c"]);
});

test("clients_get_counts_projects", async () => {
	const made = await make();
	await owner.made("/projects", { name: fresh(), client_id: made.id });
	const reply = took(await member.get(`/clients/${made.id}`));
	assert.equal(reply.body.project_count, 1);
	assert.equal(reply.headers.get("etag"), '"1"');
	refused(await member.get(`/clients/${uuid()}`), 404, "not_found");
});

test("clients_update_renames_and_archives", async () => {
	const made = await make();
	const name = fresh();
	const renamed = took(await manager.patch(`/clients/${made.id}`, { name })).body;
	assert.deepEqual([renamed.name, renamed.archived, renamed.version], [name, false, 2]);
	const archived = took(await manager.patch(`/clients/${made.id}`, { archived: true }, { "if-match": '"2"' })).body;
	assert.deepEqual([archived.name, archived.archived], [name, true]);
	refused(await manager.patch(`/clients/${made.id}`, { archived: false }, { "if-match": '"2"' }), 412, "version_conflict");
	assert.deepEqual(await stored(made.id), { name, archived: true, version: 3, deleted_at: null });
	refused(await manager.patch(`/clients/${made.id}`, { archived: "yes" }), 422, "type", "archived");
	refused(await manager.patch(`/clients/${made.id}`, { archived: null }), 422, "required", "archived");
});

test("clients_delete_is_refused_while_it_has_projects", async () => {
	const made = await make();
	const project = await owner.made("/projects", { name: fresh(), client_id: made.id });
	refused(await owner.delete(`/clients/${made.id}`), 409, "in_use");
	assert.equal((await stored(made.id)).deleted_at, null);
	took(await owner.delete(`/projects/${project.id}`), 204);
	took(await owner.delete(`/clients/${made.id}`), 204);
	refused(await owner.get(`/clients/${made.id}`), 404, "not_found");
	refused(await owner.post("/projects", { name: fresh(), client_id: made.id }), 422, "reference", "client_id");
});

test("clients_restore_takes_a_deletion_back", async () => {
	const made = await make();
	took(await owner.delete(`/clients/${made.id}`, { "if-match": '"1"' }), 204);
	assert.equal(took(await owner.post(`/clients/${made.id}/restore`)).body.name, made.name);
	assert.equal((await stored(made.id)).deleted_at, null);
	took(await owner.delete(`/clients/${made.id}`), 204);
	await make(made.name);
	refused(await owner.post(`/clients/${made.id}/restore`), 409, "name_taken", "name");
	refused(await member.post(`/clients/${made.id}/restore`), 403, "forbidden");
});
