// The person who asks: profile, password, organizations, sessions.
import { test } from "node:test";
import { assert, Client, demoPassword, nobody, one, organization, refused, rows, signedIn, signIn, took, uuid } from "./support.js";

const { id: org, name: orgName, owner, manager, member } = await organization();

test("me_get_says_who_and_what_they_may", async () => {
	const rights = { owner: 11, manager: 7, member: 2 };
	for (const who of [owner, manager, member]) {
		const reply = took(await who.get("/me"));
		const { id, member_id, email, role, zone, organization, permissions } = reply.body;
		assert.deepEqual([id, member_id, email, role, zone], [who.user.id, who.member_id, who.email, who.role, "Europe/Berlin"]);
		assert.deepEqual(organization, { id: org, name: orgName });
		assert.equal(permissions.length, rights[who.role]);
	}
	assert.deepEqual((await member.read("/me")).permissions.sort(), ["members_view", "time_own"]);
	refused(await nobody.get("/me"), 401, "unauthenticated");
});

test("me_update_changes_what_was_sent_and_counts_at_once", async () => {
	const reply = took(await member.patch("/me", { name: "Änne", zone: "America/New_York", week_start: 7, clock_12h: true, decimal_durations: true }));
	assert.deepEqual(
		[reply.body.name, reply.body.zone, reply.body.week_start, reply.body.clock_12h, reply.body.decimal_durations],
		["Änne", "America/New_York", 7, true, true],
	);
	const stored = await one("SELECT name, zone, week_start, clock_12h, decimal_durations FROM data.members WHERE id = $1", member.member_id);
	assert.deepEqual(stored, { name: "Änne", zone: "America/New_York", week_start: 7, clock_12h: true, decimal_durations: true });
	assert.equal((await member.read("/week?date=2026-11-18")).from, "2026-11-15");
	took(await member.patch("/me", { week_start: 1 }));
	assert.equal((await member.read("/week?date=2026-11-18")).from, "2026-11-16");
	assert.equal((await member.read("/me")).zone, "America/New_York");
	const entry = await member.made("/time-entries", { started_at: "2026-03-02T09:00:00Z", ended_at: "2026-03-02T10:00:00Z" });
	assert.equal(entry.zone, "America/New_York");
});

test("me_update_names_what_is_wrong_and_stores_nothing", async () => {
	const was = await one("SELECT * FROM data.members WHERE id = $1", manager.member_id);
	const bad = async (input, code, field) => refused(await manager.patch("/me", { name: "New", ...input }), 422, code, field);
	await bad({ zone: "Europe/Nowhere" }, "zone_unknown", "zone");
	await bad({ zone: 3 }, "type", "zone");
	await bad({ week_start: 0 }, "range", "week_start");
	await bad({ week_start: 8 }, "range", "week_start");
	await bad({ week_start: "1" }, "type", "week_start");
	await bad({ clock_12h: "true" }, "type", "clock_12h");
	await bad({ name: "" }, "required", "name");
	await bad({ email: "x@y.test" }, "unknown_field", "email");
	await bad({ role: "owner" }, "unknown_field", "role");
	refused(await manager.patch("/me", { name: "New" }, { "if-match": '"77"' }), 412, "version_conflict");
	assert.deepEqual(await one("SELECT * FROM data.members WHERE id = $1", manager.member_id), was);
});

test("me_memberships_lists_ones_own_organizations", async () => {
	const { data } = await owner.read("/me/memberships");
	assert.deepEqual(data, [{ organization_id: org, organization_name: orgName, member_id: owner.member_id, role: "owner", current: true }]);
});

test("me_sessions_and_me_session_end", async () => {
	const { owner: alone } = await organization({ roles: ["owner"] });
	const second = await signedIn(alone);
	const { data } = await second.read("/me/sessions");
	assert.equal(data.length, 2);
	assert.equal(data.filter((s) => s.current).length, 1);
	assert.ok(data.every((s) => s.kind === "token" && s.expires_at > s.created_at));
	const other = data.find((s) => !s.current);
	refused(await owner.delete(`/me/sessions/${other.id}`), 404, "not_found");
	took(await alone.get("/me"));
	took(await second.delete(`/me/sessions/${other.id}`), 204);
	refused(await alone.get("/me"), 401, "unauthenticated");
	refused(await second.delete(`/me/sessions/${other.id}`), 404, "not_found");
	assert.equal((await second.read("/me/sessions")).data.length, 1);
});

test("me_password_changes_it_and_ends_everything_else", async () => {
	const { owner: alone } = await organization({ roles: ["owner"] });
	const second = await signedIn(alone);
	const password = `canary-${uuid()}`;
	refused(await alone.post("/me/password", { current_password: "not-this-one", password }), 422, "password_wrong", "current_password");
	refused(await alone.post("/me/password", { current_password: demoPassword, password: "short" }), 422, "too_short", "password");
	refused(await alone.post("/me/password", { password }), 422, "required", "current_password");
	took(await second.get("/me"));
	took(await alone.post("/me/password", { current_password: demoPassword, password }), 204);
	took(await alone.get("/me"));
	refused(await second.get("/me"), 401, "unauthenticated");
	refused(await nobody.post("/auth/login", { email: alone.email, password: demoPassword }), 401, "credentials");
	took(await new Client(await signIn(alone.email, password)).get("/me"));
});

test("me_get_and_other_reading_changes_nothing_but_last_seen", async () => {
	const { owner: alone } = await organization({ roles: ["owner"] });
	const seen = () => one("SELECT last_seen_at FROM data.credentials WHERE user_id = $1", alone.user.id);
	await rows("UPDATE data.credentials SET last_seen_at = now() - interval '6 minutes' WHERE user_id = $1", alone.user.id);
	const before = await seen();
	await alone.read("/me");
	const first = await seen();
	assert.ok(first.last_seen_at > before.last_seen_at);
	await alone.read("/me");
	assert.deepEqual(await seen(), first);
});
