// Signing up, in and out, and the links that mails carry.
import { test } from "node:test";
import {
	assert,
	Client,
	demoPassword,
	linkToken,
	mailTo,
	nobody,
	one,
	organization,
	person,
	refused,
	rows,
	signedIn,
	signIn,
	took,
	uuid,
} from "./support.js";

const secret = "canary-a-long-password";
const address = () => `${uuid()}@api.test`;
const registration = (email, more = {}) => ({ name: "Nina Test", email, password: secret, organization_name: "Nina's", zone: "Europe/Berlin", ...more });
const known = (email) => one("SELECT id, verified_at, password_hash FROM data.users WHERE lower(email) = lower($1)", email);

test("auth_register_verify_login_is_the_way_in", async () => {
	const email = address();
	const reply = took(await nobody.post("/auth/register", registration(email)), 202);
	assert.deepEqual(reply.body, { status: "sent" });
	const user = await known(email);
	assert.equal(user.verified_at, null);
	assert.match(user.password_hash, /^\$argon2id\$v=19\$m=65536,t=2,p=1\$/);
	const mail = await mailTo(email);
	assert.match(mail, /^Subject: .+/m);
	refused(await nobody.post("/auth/login", { email, password: secret }), 403, "email_unverified");
	const token = linkToken(mail);
	// Stored as a hash alone.
	assert.equal((await rows("SELECT 1 FROM data.one_time_tokens WHERE encode(hash, 'escape') LIKE $1", `%${token}%`)).length, 0);
	const second = linkToken(await mailTo(email));
	took(await nobody.post("/auth/verify-email", { token: second }), 204);
	refused(await nobody.post("/auth/verify-email", { token: second }), 422, "link_expired", "token");
	assert.ok((await known(email)).verified_at);
	const entered = new Client(await signIn(email.toUpperCase(), secret));
	const me = await entered.read("/me");
	assert.deepEqual([me.name, me.email, me.role, me.zone, me.organization.name], ["Nina Test", email, "owner", "Europe/Berlin", "Nina's"]);
	assert.equal(me.permissions.length, 11, "all there are");
	assert.deepEqual((await entered.read("/members")).data.map((m) => m.email), [email]);
});

test("auth_register_answers_the_same_for_an_address_that_is_known", async () => {
	const { owner } = await organization({ roles: ["owner"] });
	const was = await known(owner.email);
	const reply = took(await nobody.post("/auth/register", registration(owner.email.toUpperCase())), 202);
	assert.deepEqual(reply.body, { status: "sent" });
	assert.deepEqual(await known(owner.email), was);
	assert.doesNotMatch(await mailTo(owner.email), /token=/);
	await signIn(owner.email);
});

test("auth_register_names_what_is_wrong_and_makes_nobody", async () => {
	const email = address();
	const bad = async (more, code, field) => refused(await nobody.post("/auth/register", registration(email, more)), 422, code, field);
	await bad({ password: "short" }, "too_short", "password");
	await bad({ password: "x".repeat(201) }, "too_long", "password");
	await bad({ email: "no address" }, "format", "email");
	await bad({ email: "a@b" }, "format", "email");
	await bad({ name: "" }, "required", "name");
	await bad({ organization_name: "" }, "required", "organization_name");
	await bad({ zone: "Mars/Olympus" }, "zone_unknown", "zone");
	await bad({ role: "owner" }, "unknown_field", "role");
	const all = refused(await nobody.post("/auth/register", {}), 422, "invalid");
	assert.deepEqual(all.errors.map((e) => e.field).sort(), ["email", "name", "organization_name", "password"]);
	assert.equal(await known(email), undefined);
});

test("auth_login_gives_an_opaque_token_of_which_only_a_hash_is_kept", async () => {
	const { owner } = await organization({ roles: ["owner"] });
	const reply = took(await nobody.post("/auth/login", { email: owner.email, password: demoPassword }));
	assert.equal(reply.body.token_type, "Bearer");
	assert.ok(reply.body.expires_in > 3600);
	assert.match(reply.body.access_token, /^stint_[\w-]{43}$/, "256 random bits");
	assert.equal(reply.headers.get("set-cookie"), null);
	const found = await rows("SELECT c::text AS row FROM data.credentials AS c WHERE user_id = $1", owner.user.id);
	assert.equal(found.length, 2);
	for (const { row } of found) assert.ok(!row.includes(reply.body.access_token));
});

test("auth_login_says_the_same_for_a_wrong_password_and_a_stranger", async () => {
	const { owner } = await organization({ roles: ["owner"] });
	const wrong = refused(await nobody.post("/auth/login", { email: owner.email, password: "not-the-password" }), 401, "credentials");
	const stranger = refused(await nobody.post("/auth/login", { email: address(), password: "not-the-password" }), 401, "credentials");
	assert.deepEqual({ ...wrong, request_id: 0 }, { ...stranger, request_id: 0 });
	refused(await nobody.post("/auth/login", { email: owner.email }), 422, "required", "password");
	refused(await nobody.post("/auth/login", { email: owner.email, password: "" }), 422, "required", "password");
});

test("auth_login_of_one_account_waits_after_ten_failures_and_others_do_not", async () => {
	const { owner, member } = await organization({ roles: ["owner", "member"] });
	for (let i = 0; i < 10; i++) refused(await nobody.post("/auth/login", { email: owner.email, password: "wrong-password" }), 401, "credentials");
	const reply = await nobody.post("/auth/login", { email: owner.email, password: demoPassword });
	refused(reply, 429, "rate_limit");
	const wait = Number(reply.headers.get("retry-after"));
	assert.ok(wait > 0 && wait <= 900, `Retry-After: ${wait}`);
	refused(await nobody.post("/auth/login", { email: owner.email.toUpperCase(), password: demoPassword }), 429, "rate_limit");
	await signIn(member.email);
	took(await owner.get("/me"));
});

test("auth_logout_ends_this_token_alone", async () => {
	const { owner } = await organization({ roles: ["owner"] });
	const second = await signedIn(owner);
	took(await second.post("/auth/logout"), 204);
	const reply = await second.get("/me");
	refused(reply, 401, "unauthenticated");
	assert.equal(reply.headers.get("www-authenticate"), "Bearer");
	took(await second.post("/auth/logout"), 204);
	refused(await nobody.post("/auth/logout"), 401, "unauthenticated");
	took(await owner.get("/me"));
});

test("auth_switch_goes_on_in_another_organization_and_ends_the_old_token", async () => {
	const here = await organization({ roles: ["owner"] });
	const there = await organization({ roles: ["owner"] });
	const strange = await organization({ roles: ["owner"] });
	await person(there.id, "member", { user: here.owner.user, name: "Guest" });
	const traveller = await signedIn(here.owner);
	refused(await traveller.post("/auth/switch", { organization_id: strange.id }), 404, "not_found");
	refused(await traveller.post("/auth/switch", { organization_id: uuid() }), 404, "not_found");
	refused(await traveller.post("/auth/switch", {}), 422, "required", "organization_id");
	const first = await traveller.read("/me");
	const elsewhere = first.organization.id === here.id ? there.id : here.id;
	const { body } = took(await traveller.post("/auth/switch", { organization_id: elsewhere }));
	refused(await traveller.get("/me"), 401, "unauthenticated");
	const me = await new Client(body.access_token).read("/me");
	assert.equal(me.organization.id, elsewhere);
	assert.equal(me.role, elsewhere === there.id ? "member" : "owner");
	assert.deepEqual((await new Client(body.access_token).read("/me/memberships")).data.map((m) => m.organization_id).sort(), [here.id, there.id].sort());
});

test("auth_forgot_and_auth_reset_choose_a_new_password_and_end_everything", async () => {
	const { owner } = await organization({ roles: ["owner"] });
	assert.deepEqual(took(await nobody.post("/auth/password/forgot", { email: owner.email }), 202).body, { status: "sent" });
	const token = linkToken(await mailTo(owner.email));
	refused(await nobody.post("/auth/password/reset", { token, password: "short" }), 422, "too_short", "password");
	took(await nobody.post("/auth/password/reset", { token, password: secret }), 204);
	refused(await owner.get("/me"), 401, "unauthenticated");
	refused(await nobody.post("/auth/login", { email: owner.email, password: demoPassword }), 401, "credentials");
	await signIn(owner.email, secret);
	refused(await nobody.post("/auth/password/reset", { token, password: `${secret}2` }), 422, "link_expired", "token");
	await signIn(owner.email, secret);
});

test("auth_forgot_answers_the_same_for_a_stranger_and_sends_nothing", async () => {
	const email = address();
	assert.deepEqual(took(await nobody.post("/auth/password/forgot", { email }), 202).body, { status: "sent" });
	await assert.rejects(mailTo(email, 50), /no mail/);
	assert.equal(await known(email), undefined);
});

test("auth_reset_and_auth_verify_take_links_of_their_own_kind_in_their_time", async () => {
	const { owner } = await organization({ roles: ["owner"] });
	took(await nobody.post("/auth/password/forgot", { email: owner.email }), 202);
	const token = linkToken(await mailTo(owner.email));
	refused(await nobody.post("/auth/verify-email", { token }), 422, "link_expired", "token");
	await rows("UPDATE data.one_time_tokens SET expires_at = now() - interval '1 second' WHERE user_id = $1", owner.user.id);
	refused(await nobody.post("/auth/password/reset", { token, password: secret }), 422, "link_expired", "token");
	refused(await nobody.post("/auth/password/reset", { token: "guess", password: secret }), 422, "link_expired", "token");
	refused(await nobody.post("/auth/verify-email", {}), 422, "required", "token");
	took(await owner.get("/me"));
});

test("auth_of_a_token_that_is_garbage_expired_or_oversized_is_refused", async () => {
	const { owner } = await organization({ roles: ["owner"] });
	refused(await nobody.get("/me"), 401, "unauthenticated");
	for (const token of ["x", owner.token.slice(0, -1), `${owner.token}x`, "a".repeat(5000)]) refused(await new Client(token).get("/me"), 401, "unauthenticated");
	refused(await nobody.get("/me", { authorization: "Basic b3duZXI6eA==" }), 401, "unauthenticated");
	await rows("UPDATE data.credentials SET expires_at = now() - interval '1 second' WHERE user_id = $1", owner.user.id);
	refused(await owner.get("/me"), 401, "unauthenticated");
});
