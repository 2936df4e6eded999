// Members: who is in the organization and what they may.
import { test } from "node:test";
import { assert, nobody, one, organization, person, refused, signIn, signedIn, took, uuid } from "./support.js";

const { id: org, owner, manager, member } = await organization();
const stored = (id) => one("SELECT role, active, version FROM data.members WHERE id = $1", id);

test("members_list_is_for_everybody_and_goes_by_name", async () => {
	for (const who of [owner, manager, member]) {
		const { data, next_cursor } = await who.read("/members");
		assert.equal(next_cursor, null);
		assert.deepEqual(data.map((m) => m.name), [...data.map((m) => m.name)].sort((a, b) => a.localeCompare(b, "en")));
		for (const one of [owner, manager, member]) assert.ok(data.some((m) => m.id === one.member_id));
	}
	const first = await owner.read("/members?limit=1");
	const second = await owner.read(`/members?limit=200&cursor=${first.next_cursor}`);
	assert.ok(second.data.length >= 2 && !second.data.some((m) => m.id === first.data[0].id));
	assert.deepEqual((await owner.read(`/members?q=${member.email.slice(0, 20)}`)).data.map((m) => m.id), [member.member_id]);
});

test("members_list_shows_those_switched_off_when_asked", async () => {
	const gone = await person(org, "member", { active: false });
	const ids = async (query) => (await owner.read(`/members${query}`)).data.map((m) => m.id);
	assert.ok((await ids("?active=false")).includes(gone.member_id));
	assert.ok(!(await ids("?active=true")).includes(gone.member_id));
	refused(await owner.get("/members?active=perhaps"), 422, "type", "active");
});

test("members_get_gives_one", async () => {
	const reply = took(await member.get(`/members/${manager.member_id}`));
	assert.deepEqual([reply.body.email, reply.body.role, reply.body.active], [manager.email, "manager", true]);
	assert.equal(reply.headers.get("etag"), `"${reply.body.version}"`);
	refused(await owner.get(`/members/${uuid()}`), 404, "not_found");
});

test("members_update_of_a_role_ends_what_they_are_signed_in_with", async () => {
	const who = await signedIn(await person(org, "member"));
	took(await who.get("/me"));
	const reply = took(await owner.patch(`/members/${who.member_id}`, { role: "manager" }, { "if-match": '"1"' }));
	assert.equal(reply.body.role, "manager");
	refused(await who.get("/me"), 401, "unauthenticated");
	const again = await signedIn(who);
	const { role, permissions } = await again.read("/me");
	assert.equal(role, "manager");
	assert.ok(permissions.includes("tags_edit"));
	took(await again.post("/tags", { name: uuid() }), 201);
	assert.deepEqual(await stored(who.member_id), { role: "manager", active: true, version: 2 });
});

test("members_update_switches_somebody_off_at_once_and_on_again", async () => {
	const who = await signedIn(await person(org, "member"));
	took(await owner.patch(`/members/${who.member_id}`, { active: false }));
	refused(await who.get("/timer"), 401, "unauthenticated");
	refused(await nobody.post("/auth/login", { email: who.email, password: "stint-demo-2026" }), 403, "forbidden");
	took(await owner.patch(`/members/${who.member_id}`, { active: true }));
	await signIn(who.email);
});

test("members_update_keeps_the_last_owner", async () => {
	const { owner: alone } = await organization({ roles: ["owner"] });
	refused(await alone.patch(`/members/${alone.member_id}`, { role: "member" }), 409, "last_owner");
	refused(await alone.patch(`/members/${alone.member_id}`, { active: false }), 409, "last_owner");
	assert.deepEqual(await stored(alone.member_id), { role: "owner", active: true, version: 1 });
	const heir = await person(alone.organization_id, "member");
	took(await alone.patch(`/members/${heir.member_id}`, { role: "owner" }));
	took(await alone.patch(`/members/${alone.member_id}`, { role: "member" }));
	assert.equal((await stored(alone.member_id)).role, "member");
});

test("members_update_is_for_owners_and_names_what_is_wrong", async () => {
	const path = `/members/${member.member_id}`;
	const was = await stored(member.member_id);
	refused(await manager.patch(path, { role: "owner" }), 403, "forbidden");
	refused(await member.patch(path, { role: "owner" }), 403, "forbidden");
	refused(await owner.patch(path, { role: "king" }), 422, "choice", "role");
	refused(await owner.patch(path, { active: "no" }), 422, "type", "active");
	refused(await owner.patch(path, { email: "x@y.test" }), 422, "unknown_field", "email");
	refused(await owner.patch(path, { role: "manager" }, { "if-match": '"99"' }), 412, "version_conflict");
	refused(await owner.patch(`/members/${uuid()}`, { role: "member" }), 404, "not_found");
	assert.deepEqual(await stored(member.member_id), was);
});
