// Accounts, sessions and what ends them; entering and what it refuses.
import crypto from "node:crypto";
import { after, test } from "node:test";
import { admin, assert, call, doc, done, organization, person, queries, read, refused, run, signIn, token, web, worker } from "./support.js";

after(done);

const auth = async (name, values) => {
	const { rows } = await run(queries[name].worker ? worker : web, name, values);
	return rows[0];
};
const refusal = async (promise) => (await promise.then((v) => assert.fail(`expected a refusal, got ${JSON.stringify(v)}`), (e) => e)).message;
const register = (email, values = {}) =>
	auth("auth_register", { email, name: "Nina", organization_name: "Nina's", zone: "Europe/Berlin", password_hash: "hash-1", token_hash: token(), ...values });
const address = () => `${crypto.randomUUID()}@db.test`;
const enters = async (hash, need = -1) => {
	const c = await web.connect();
	try {
		await c.query("BEGIN");
		return (await run(c, "enter", { credential: hash, need: String(need), flags: "0" })).rows[0];
	} finally {
		await c.query("ROLLBACK");
		c.release();
	}
};

test("register, verify, sign in: an owner with an organization", async () => {
	const email = address();
	const token_hash = token();
	assert.deepEqual((await register(email, { token_hash })).doc, { outcome: "created", email, name: "Nina" });
	let account = await auth("auth_account", { email: email.toUpperCase() });
	assert.deepEqual([account.password_hash, account.verified, account.active_memberships], ["hash-1", false, 1]);
	const { user_id } = await auth("auth_verify_email", { token_hash });
	assert.equal(user_id, account.user_id);
	assert.equal(await refusal(auth("auth_verify_email", { token_hash })), "link_expired");
	account = await auth("auth_account", { email });
	assert.equal(account.verified, true);
	const hash = token();
	const { doc: session } = await auth("auth_session_create", { user_id, kind: "session", hash, user_agent: "x".repeat(500), ip: "::1", days: "30" });
	assert.equal(session.role, "owner");
	const me = await read({ hash }, "me_get");
	assert.deepEqual([me.name, me.email, me.organization.name, me.permissions.length], ["Nina", email, "Nina's", 11]);
	assert.equal(await auth("auth_account", { email: address() }), undefined);
});

test("an address that is known gets no second account", async () => {
	const email = address();
	await register(email);
	assert.equal((await register(email.toUpperCase())).doc.outcome, "unverified");
	const { rows } = await admin.query("SELECT id FROM data.users WHERE email = $1", [email]);
	assert.equal(rows.length, 1);
	await admin.query("UPDATE data.users SET verified_at = now() WHERE id = $1", [rows[0].id]);
	assert.equal((await register(email)).doc.outcome, "exists");
	const twins = address();
	const outcomes = (await Promise.all(Array.from({ length: 6 }, () => register(twins)))).map((r) => r.doc.outcome).sort();
	assert.deepEqual(outcomes, ["created", ...Array(5).fill("unverified")]);
});

test("a link proves the address for the password it was sent with, not for a stranger's", async () => {
	const email = address();
	const [theirs, mine] = [token(), token()];
	await register(email, { token_hash: theirs, password_hash: "stranger", name: "Stranger" });
	await register(email, { token_hash: mine, password_hash: "mine", name: "Nina" });
	await auth("auth_verify_email", { token_hash: mine });
	assert.equal((await auth("auth_account", { email })).password_hash, "mine");
	assert.equal(await refusal(auth("auth_verify_email", { token_hash: theirs })), "link_expired", "the other link is dead");
	const { rows } = await admin.query("SELECT name FROM data.members WHERE email = $1", [email]);
	assert.deepEqual(rows, [{ name: "Nina" }]);
});

test("links end: after their time, after use, for another purpose", async () => {
	const email = address();
	await register(email);
	const old = token();
	await auth("auth_forgot", { email, token_hash: old });
	await admin.query("UPDATE data.one_time_tokens SET expires_at = now() - interval '1 second' WHERE hash = $1", [old]);
	assert.equal(await refusal(auth("auth_reset", { token_hash: old, password_hash: "new" })), "link_expired");
	const fresh = token();
	assert.deepEqual((await auth("auth_forgot", { email, token_hash: fresh })).doc, { email, name: "Nina" });
	assert.equal(await refusal(auth("auth_verify_email", { token_hash: fresh })), "link_expired");
	assert.equal((await auth("auth_forgot", { email: address(), token_hash: token() })).doc, null);
	await auth("auth_reset", { token_hash: fresh, password_hash: "new" });
	const account = await auth("auth_account", { email });
	assert.deepEqual([account.password_hash, account.verified], ["new", true], "the mailbox is proved");
});

test("a reset ends every session and token; a changed password all but this one", async () => {
	const { owner } = await organization({ roles: ["owner"] });
	const other = await signIn(owner.user, owner.organization);
	await auth("auth_password_change", { credential: owner.hash, password_hash: "new" });
	assert.equal((await enters(owner.hash)).user_id, owner.user);
	assert.equal(await refusal(enters(other.hash)), "unauthenticated");
	assert.deepEqual(await auth("auth_password_of", { credential: owner.hash }), { user_id: owner.user, password_hash: "new" });
	const { rows } = await admin.query("SELECT email FROM data.users WHERE id = $1", [owner.user]);
	const token_hash = token();
	await auth("auth_forgot", { email: rows[0].email, token_hash });
	await auth("auth_reset", { token_hash, password_hash: "newer" });
	assert.equal(await refusal(enters(owner.hash)), "unauthenticated");
});

test("entering refuses the unknown, the expired, the signed out, and those without the permission", async () => {
	const { member, manager } = await organization();
	assert.equal(await refusal(enters(token())), "unauthenticated");
	assert.equal(await refusal(enters(null)), "unauthenticated");
	assert.equal(await refusal(enters(member.hash, 7)), "forbidden");
	assert.equal(await refusal(enters(manager.hash, 8)), "forbidden");
	assert.equal((await enters(manager.hash, 4)).member_id, manager.member);
	await admin.query("UPDATE data.credentials SET expires_at = now() WHERE hash = $1", [member.hash]);
	assert.equal(await refusal(enters(member.hash)), "unauthenticated");
	assert.equal((await auth("auth_logout", { credential: manager.hash })).ended, true);
	assert.equal(await refusal(enters(manager.hash)), "unauthenticated");
});

test("a reading request cannot write, and nothing of it is left for the next one", async () => {
	const { owner } = await organization({ roles: ["owner"] });
	const c = await web.connect();
	try {
		await c.query("BEGIN");
		await run(c, "enter", { credential: owner.hash, need: "-1", flags: "0" });
		await assert.rejects(run(c, "tags_create", { input: '{"name":"x"}', name: "x" }), { code: "25006" });
		await c.query("ROLLBACK");
		await c.query("BEGIN");
		await run(c, "enter", { credential: owner.hash, need: "-1", flags: "0" });
		await assert.rejects(c.query("SET transaction_read_only = off"));
		await c.query("ROLLBACK");
		const { rows } = await c.query("SELECT app.org() AS org, app.member() AS member, app.granted() AS granted, app.can('time_own') AS may");
		assert.deepEqual(rows[0], { org: null, member: null, granted: 0, may: false });
		for (const name of ["tags_list", "members_list", "projects_list", "clients_list", "time_entries_list"])
			assert.deepEqual((await run(c, name, { limit: "50" })).rows[0].doc.data, [], name);
		assert.equal((await run(c, "organization_get")).rows.length, 0);
		for (const table of ["organizations", "members", "clients", "projects", "tags", "time_entries", "time_entry_tags", "events"])
			assert.equal((await c.query(`SELECT count(*) AS n FROM data.${table}`)).rows[0].n, 0, table);
	} finally {
		c.release();
	}
});

test("last_seen_at moves at most every five minutes, also by reading, and nobody waits for it", async () => {
	const { owner } = await organization({ roles: ["owner"] });
	const seen = async () => (await admin.query("SELECT last_seen_at FROM data.credentials WHERE hash = $1", [owner.hash])).rows[0].last_seen_at;
	const first = await seen();
	await read(owner, "me_get");
	assert.equal(await seen(), first);
	await admin.query("UPDATE data.credentials SET last_seen_at = now() - interval '6 minutes' WHERE hash = $1", [owner.hash]);
	const stale = await seen();
	const holder = await admin.connect();
	try {
		await holder.query("BEGIN");
		await holder.query("SELECT FROM data.credentials WHERE hash = $1 FOR UPDATE", [owner.hash]);
		await read(owner, "me_get");
		assert.equal(await seen(), stale);
	} finally {
		await holder.query("ROLLBACK");
		holder.release();
	}
	await read(owner, "me_get");
	assert.ok((await seen()) > stale);
});

test("a changed role or a deactivation ends what the member is signed in with, in that organization alone", async () => {
	const { owner, member } = await organization({ roles: ["owner", "member"] });
	const elsewhere = await organization({ roles: ["owner"] });
	await admin.query(
		"INSERT INTO data.members (organization_id, id, user_id, name, email, role, zone) VALUES ($1, $2, $3, 'Twice', 'x@db.test', 'member', 'UTC')",
		[elsewhere.id, crypto.randomUUID(), member.user],
	);
	const other = await signIn(member.user, elsewhere.id);
	await call(owner, "members_update", { member_id: member.member, input: { role: "manager" } });
	assert.equal(await refusal(enters(member.hash)), "unauthenticated");
	assert.ok(await enters(other.hash));
	const again = await signIn(member.user, owner.organization);
	assert.ok(await enters(again.hash, 4), "the new role's permissions");
	await call(owner, "members_update", { member_id: member.member, input: { active: false } });
	assert.equal(await refusal(enters(again.hash)), "unauthenticated");
	assert.equal(await refusal(auth("auth_session_create", { user_id: member.user, organization_id: owner.organization, kind: "session", hash: token(), days: "1" })), "forbidden");
	assert.ok(await enters(other.hash));
});

test("the last owner stays one, also when two resign at once", async () => {
	const { id, owner } = await organization({ roles: ["owner"] });
	await refused(call(owner, "members_update", { member_id: owner.member, input: { role: "member" } }), "last_owner", "role");
	await refused(call(owner, "members_update", { member_id: owner.member, input: { active: false } }), "last_owner", "active");
	const second = await person(id, "owner");
	const both = await Promise.allSettled([
		call(owner, "members_update", { member_id: owner.member, input: { role: "member" } }),
		call(second, "members_update", { member_id: second.member, input: { role: "member" } }),
	]);
	assert.deepEqual(both.map((b) => b.status).sort(), ["fulfilled", "rejected"]);
	assert.equal(both.find((b) => b.status === "rejected").reason.code, "last_owner");
});

test("a changed profile reaches every organization and every session at once", async () => {
	const { owner } = await organization({ roles: ["owner"] });
	const changed = await call(owner, "me_update", { input: { name: "New name", zone: "Asia/Kolkata", week_start: 7, clock_12h: true, decimal_durations: true } });
	assert.deepEqual([changed.doc.name, changed.doc.zone, changed.doc.week_start, changed.doc.clock_12h, changed.doc.decimal_durations], ["New name", "Asia/Kolkata", 7, true, true]);
	assert.equal(changed.etag, "2");
	assert.equal((await enters(owner.hash)).zone, "Asia/Kolkata");
	await refused(call(owner, "me_update", { input: { zone: "Europe/Atlantis" } }), "zone_unknown", "zone");
	for (const zone of ["Europe/Berlin5", "CEST", "XYZ5", "", "UTC-3", "../UTC", "America/"])
		await refused(call(owner, "me_update", { input: { zone } }), "zone_unknown", "zone");
	for (const zone of ["UTC", "Etc/GMT+5", "America/Port-au-Prince", "America/Argentina/Buenos_Aires", "EST5EDT"])
		assert.equal((await doc(owner, "me_update", { input: { zone } })).zone, zone);
	await refused(call(owner, "me_update", { input: { week_start: 8 } }), "members_week_start_range");
	await refused(call(owner, "me_update", { input: { name: "x" }, if_match: "1" }), "version_conflict");
});

test("sessions: listed with the one in use, ended one by one, and nobody else's", async () => {
	const { owner, member } = await organization({ roles: ["owner", "member"] });
	const second = await signIn(owner.user, owner.organization);
	const { data } = await read(owner, "me_sessions");
	assert.deepEqual(data.map((s) => s.current).sort(), [false, true]);
	const theirs = (await read(member, "me_sessions")).data[0].id;
	assert.equal(await call(owner, "me_session_end", { session_id: theirs }), undefined);
	const other = data.find((s) => !s.current).id;
	assert.deepEqual(await doc(owner, "me_session_end", { session_id: other }), { id: other });
	assert.equal(await refusal(enters(second.hash)), "unauthenticated");
	assert.equal((await read(owner, "me_memberships")).data.length, 1);
});

test("switching takes one credential for another, into one's own organizations only", async () => {
	const { owner } = await organization({ roles: ["owner"] });
	const elsewhere = await organization({ roles: ["owner"] });
	const refusedHash = token();
	assert.equal(await refusal(auth("auth_switch", { credential: owner.hash, organization_id: elsewhere.id, new_hash: refusedHash })), "not_found");
	assert.ok(await enters(owner.hash), "a refused switch ends nothing");
	await admin.query(
		"INSERT INTO data.members (organization_id, id, user_id, name, email, role, zone) VALUES ($1, $2, $3, 'Guest', 'x@db.test', 'member', 'UTC')",
		[elsewhere.id, crypto.randomUUID(), owner.user],
	);
	const new_hash = token();
	const { doc: session } = await auth("auth_switch", { credential: owner.hash, organization_id: elsewhere.id, new_hash });
	assert.deepEqual([session.organization_id, session.role], [elsewhere.id, "member"]);
	assert.equal(await refusal(enters(owner.hash)), "unauthenticated");
	assert.equal((await enters(new_hash)).organization_id, elsewhere.id);
	const { doc: next } = await auth("auth_session_create", { user_id: owner.user, kind: "session", hash: token(), days: "1" });
	assert.equal(next.organization_id, elsewhere.id, "signs in where it was last");
});

test("the frame holds what every page needs", async () => {
	const { owner } = await organization({ roles: ["owner"] });
	const c = await web.connect();
	try {
		await c.query("BEGIN");
		const { frame } = (await run(c, "enter", { credential: owner.hash, need: "-1", flags: "2" })).rows[0];
		assert.deepEqual(Object.keys(frame).sort(), ["can", "now", "organization", "organizations", "person", "position", "projects", "running", "tags", "today_s", "unread"]);
		assert.equal(frame.can.organization_edit, true);
		assert.equal(frame.running, null);
	} finally {
		await c.query("ROLLBACK");
		c.release();
	}
	assert.ok(queries.enter);
});

test("ready tells the schema's version, or nothing before migrations are recorded", async () => {
	const row = await auth("ready", {});
	assert.ok(row.schema_version === null || /^\d+$/.test(row.schema_version));
});
