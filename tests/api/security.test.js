// The door: sessions, forged requests, headers, throttles, passwords and secrets.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { pause } from "../wait.js";
import { PASSWORD, admin, api, confValue, cookieOf, done, env, exchange, fill, median, network, organization, params, person, request, routes, servicePid, session, stdout, stream, token, url, workers } from "./raw.js";

const COOKIE = "__Host-stint";
let org, owner, member;

before(async () => {
	org = await organization();
	owner = await person(org, "owner");
	member = await person(org, "member");
});
after(done);

// What is done after an answer: asks until there is something.
const eventually = async (ask) => {
	for (let turn = 0; turn < 400; turn++, await pause(50)) {
		const got = await ask();
		if (got) return got;
	}
	return assert.fail(`never: ${ask}`);
};
const works = async (options) => (await api("GET", "/me", options)).status === 200;
const signIn = (email, password, from, headers) => api("POST", "/auth/login", { json: { email, password }, from, headers });
// What differs between two answers that must be the same.
const plain = (reply) => ({ status: reply.status, body: reply.text.replace(/[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f-]{27}/g, "ID") });

// --- S1: sessions

test("a session is a random token, stored hashed, in a __Host- cookie", async () => {
	const { reply, cookie } = await session(member.email);
	const lines = reply.headers["set-cookie"].filter((line) => line.startsWith(`${COOKIE}=`));
	assert.equal(lines.length, 1);
	const attributes = lines[0].split("; ").slice(1);
	for (const attribute of ["Path=/", "Secure", "HttpOnly", "SameSite=Lax"]) assert.ok(attributes.includes(attribute), `${attribute} in ${lines[0]}`);
	assert.ok(!/domain=/i.test(lines[0]));
	const value = cookie.split("=")[1];
	const random = value.replace(/^stint_/, "");
	assert.ok(random.length >= 43 && /^[\w-]+$/.test(random), "256 bits as base64url");
	const { rows } = await admin.query("SELECT octet_length(hash) AS bytes, strpos(c::text, $2) + strpos(encode(hash, 'escape'), $2) AS plain FROM data.credentials AS c WHERE user_id = $1", [member.user, random]);
	assert.ok(rows.length > 0);
	for (const row of rows) assert.deepEqual(row, { bytes: 32, plain: 0 });
	const other = await session(member.email);
	assert.notEqual(other.cookie, cookie);
});

test("signing in gives a new id; one that was planted is never taken over", async () => {
	const planted = `${COOKIE}=stint_${"A".repeat(43)}`;
	const reply = await request("POST", "/login", { form: { email: member.email, password: PASSWORD }, cookie: planted, from: network() });
	assert.equal(reply.status, 303, reply.text);
	assert.ok(cookieOf(reply) && cookieOf(reply) !== planted);
	assert.equal(await works({ cookie: planted }), false);
	assert.equal(await works({ cookie: cookieOf(reply) }), true);
});

test("signing out ends the session at once, for pages and programs", async () => {
	const { cookie, csrf } = await session(member.email);
	assert.equal(await works({ cookie }), true);
	const out = await request("POST", "/logout", { cookie, form: { csrf } });
	assert.equal(out.status, 303);
	assert.ok(out.headers["set-cookie"].some((line) => line.startsWith(`${COOKIE}=;`) && /Max-Age=0/.test(line)), "the cookie is taken back");
	assert.equal(await works({ cookie }), false);
	const page = await request("GET", "/timer", { cookie });
	assert.deepEqual([page.status, page.headers.location], [303, "/login?next=%2Ftimer"]);
	const bearer = await token(member.email);
	assert.ok((await api("POST", "/auth/logout", { token: bearer })).status < 300);
	assert.equal(await works({ token: bearer }), false);
});

test("a new password ends every other session and token", async () => {
	const someone = await person(org, "member");
	const here = await session(someone.email);
	const there = await session(someone.email);
	const bearer = await token(someone.email);
	const change = await request("POST", "/settings/password", {
		cookie: here.cookie,
		form: { csrf: here.csrf, current_password: PASSWORD, password: "canary-password-new-1" },
	});
	assert.equal(change.status, 303, change.text);
	assert.equal(await works({ cookie: here.cookie }), true);
	assert.equal(await works({ cookie: there.cookie }), false);
	assert.equal(await works({ token: bearer }), false);
	assert.equal((await signIn(someone.email, PASSWORD, network())).status, 401);
	assert.equal((await signIn(someone.email, "canary-password-new-1", network())).status, 200);
});

test("another role, or being set inactive, ends that member's sessions and tokens", async () => {
	const boss = await token(owner.email);
	for (const change of [{ role: "manager" }, { active: false }]) {
		const someone = await person(org, "member");
		const { cookie } = await session(someone.email);
		const bearer = await token(someone.email);
		const reply = await api("PATCH", `/members/${someone.member}`, { token: boss, json: change });
		assert.equal(reply.status, 200, reply.text);
		assert.equal(await works({ cookie }), false, `the session after ${JSON.stringify(change)}`);
		assert.equal(await works({ token: bearer }), false, `the token after ${JSON.stringify(change)}`);
	}
	assert.equal(await works({ token: boss }), true);
});

test("switching the organization gives a new id and ends the old one", async () => {
	const second = await organization("Second");
	await admin.query("INSERT INTO data.members (organization_id, id, user_id, name, email, role, zone) VALUES ($1, $2, $3, $4, $5, 'member', 'UTC')", [second, crypto.randomUUID(), member.user, member.name, member.email]);
	const { cookie, csrf } = await session(member.email);
	const reply = await request("POST", "/switch", { cookie, form: { csrf, organization_id: second } });
	assert.equal(reply.status, 303, reply.text);
	assert.notEqual(cookieOf(reply), cookie);
	assert.equal(await works({ cookie }), false);
	assert.equal((await api("GET", "/me", { cookie: cookieOf(reply) })).json().organization.id, second);
	await admin.query("UPDATE data.users SET last_organization_id = $2 WHERE id = $1", [member.user, org]);
});

// --- S2: forged requests

test("no page changes anything without the form's token, or from another site", async () => {
	const { cookie, csrf } = await session(owner.email);
	const ids = { member_id: member.member };
	const before = await admin.query("SELECT count(*) FROM data.events WHERE organization_id = $1", [org]);
	const writing = routes().filter((route) => route.page && route.writes);
	assert.ok(writing.length > 25);
	const here = { "sec-fetch-site": "same-origin" };
	for (const route of writing) {
		const target = fill(route.path, ids);
		const form = Object.fromEntries(route.fields.filter((f) => f.required).map((f) => [f.name, f.type === "email" ? "nobody@door.test" : "something long"]));
		const send = (fields, headers = {}, jar = cookie) => request("POST", target, { cookie: jar, form: { ...form, ...fields }, headers, from: network() });
		const refusals = {
			"from another site": send({ csrf }, { "sec-fetch-site": "cross-site" }),
			"from a sibling": send({ csrf }, { "sec-fetch-site": "same-site" }),
			"from a foreign origin": send({ csrf }, { origin: "https://evil.example" }),
			"from an origin that begins alike": send({ csrf }, { origin: `http://${url.host}.evil.example` }),
			"from an origin kept secret": send({ csrf }, { origin: "null" }),
		};
		if (route.need !== "public")
			Object.assign(refusals, {
				"without token": send({}, here),
				"with an empty token": send({ csrf: "" }, here),
				"with another token": send({ csrf: csrf.replace(/^./, (c) => (c === "A" ? "B" : "A")) }, here),
				"with the token twice": request("POST", target, { cookie, body: `csrf=&csrf=${csrf}`, headers: { ...here, "content-type": "application/x-www-form-urlencoded" } }),
			});
		for (const [how, sent] of Object.entries(refusals)) {
			const reply = await sent;
			const allowed = how === "with the token twice" ? [400, 403, 422] : [403];
			assert.ok(allowed.includes(reply.status), `POST ${route.path} ${how}: ${reply.status}`);
		}
	}
	const { rows } = await admin.query("SELECT count(*) FROM data.events WHERE organization_id = $1", [org]);
	assert.deepEqual(rows, before.rows, "nothing was changed");
	const good = await request("POST", "/tags", { cookie, form: { csrf, name: `t ${crypto.randomUUID()}` }, headers: { ...here, origin: url.origin } });
	assert.equal(good.status, 303, "with the token, from here");
});

test("the API by cookie wants the token too; by bearer it does not", async () => {
	const { cookie, csrf } = await session(owner.email);
	const json = { name: `t ${crypto.randomUUID()}` };
	assert.equal((await api("POST", "/tags", { cookie, json })).status, 403);
	assert.equal((await api("POST", "/tags", { cookie, json, headers: { "x-csrf-token": csrf, "sec-fetch-site": "cross-site" } })).status, 403);
	assert.equal((await api("POST", "/tags", { cookie, json, headers: { "x-csrf-token": csrf } })).status, 201);
	assert.equal((await api("POST", "/tags", { token: await token(owner.email), json: { name: `t ${crypto.randomUUID()}` } })).status, 201);
});

test("a token of one session does not serve another's", async () => {
	const mine = await session(member.email);
	const theirs = await session(owner.email);
	const reply = await request("POST", "/tags", { cookie: theirs.cookie, form: { csrf: mine.csrf, name: "x" }, headers: { "sec-fetch-site": "same-origin" } });
	assert.equal(reply.status, 403);
});

// --- S3: headers

function headersHold(reply, what) {
	const csp = reply.headers["content-security-policy"] ?? "";
	assert.match(csp, /default-src 'none'/, `${what}: CSP`);
	assert.match(csp, /frame-ancestors 'none'/, `${what}: frame-ancestors`);
	assert.doesNotMatch(csp, /unsafe-|\*|https?:/, `${what}: CSP is strict`);
	assert.equal(reply.headers["x-content-type-options"], "nosniff", what);
	assert.equal(reply.headers["referrer-policy"], "same-origin", what);
	assert.equal(reply.headers["cross-origin-opener-policy"], "same-origin", what);
	assert.equal(reply.headers["cross-origin-resource-policy"], "same-origin", what);
	assert.ok(reply.headers["x-request-id"], `${what}: X-Request-Id`);
	if (!what.startsWith("/static/")) assert.ok(reply.headers["cache-control"], `${what}: Cache-Control`);
	assert.doesNotMatch(`${reply.headers.server} ${reply.headers["x-powered-by"]}`, /\d/, `${what}: no versions`);
}

test("every answer carries the headers: all routes, signed in or not, and every kind of error", async () => {
	const { cookie } = await session(owner.email);
	const bearer = await token(owner.email);
	for (const route of routes()) {
		if (route.method === "GET") headersHold(await request("GET", fill(route.path), route.page ? { cookie } : { token: bearer }), route.path);
		headersHold(await request(route.method, fill(route.path), { from: network() }), `${route.method} ${route.path} by nobody`);
		headersHold(await request("PROPFIND", fill(route.path)), `PROPFIND ${route.path}`);
	}
	for (const target of ["/nothing", "/api/v1/nothing", "/static/nothing.css", "/static/manifest.json", "/%ff", "/tags/not-a-uuid", "/.stint-away/away.html"])
		headersHold(await request("GET", target, { cookie }), target);
	for (const target of ["/tags", "/api/v1/tags"]) {
		const large = await request("POST", target, { cookie, body: "x".repeat(1_200_000), headers: { "content-type": "application/json" } });
		assert.equal(large.status, 413);
		headersHold(large, `${target}, too large`);
	}
});

test("over TLS the browser is told to stay there", async () => {
	for (const [target, tls] of [["/login", true], ["/api/v1/nothing", true], ["/login", false]]) {
		const bytes = stream(params("GET", target, tls ? { HTTPS: "on", REQUEST_SCHEME: "https" } : {}));
		const head = stdout(await exchange(confValue("web_socket"), bytes)).split("\r\n\r\n")[0];
		assert.match(head, /^Status: \d+/);
		assert.equal(/^Strict-Transport-Security: max-age=\d{7,}/im.test(head), tls, head);
	}
});

// --- S5: guessing

test("failed sign-ins are throttled by account and network, and a stranger locks nobody out", async () => {
	const someone = await person(org, "member");
	const [bad, home] = [network(), network()];
	const seen = [];
	// What the sender says about itself must not move it to another network.
	for (let i = 0; i < 12; i++) {
		const lie = { "x-forwarded-for": `203.0.113.${i}`, "x-real-ip": `203.0.113.${i}`, forwarded: `for=203.0.113.${i}` };
		seen.push((await signIn(someone.email, `canary-guess-${i}`, bad, lie)).status);
	}
	assert.deepEqual(seen, [...Array(10).fill(401), 429, 429]);
	const refused = await signIn(someone.email, PASSWORD, bad);
	assert.equal(refused.status, 429, "the right password too");
	assert.ok(Number(refused.headers["retry-after"]) > 0);
	for (const spelt of [someone.email.toUpperCase(), ` ${someone.email.replace(/[a-f]/, (c) => c.toUpperCase())} `])
		assert.equal((await signIn(spelt, PASSWORD, bad)).status, 429, `spelt ${spelt} too`);
	const page = await request("POST", "/login", { form: { email: someone.email, password: PASSWORD }, from: bad });
	assert.equal(page.status, 429, "on the page too");
	assert.equal((await signIn(someone.email, PASSWORD, home)).status, 200, "at home it works");
	// Nor can somebody else make it seem that home did it.
	for (let i = 0; i < 12; i++) await signIn(someone.email, "canary-wrong", network(), { "x-forwarded-for": home, "x-real-ip": home });
	assert.equal((await signIn(someone.email, PASSWORD, home)).status, 200);
	assert.equal((await signIn(owner.email, PASSWORD, bad)).status, 200, "others of that network still come in");
});

test("guesses sent all at once get no more tries than one after another", async () => {
	const someone = await person(org, "member");
	const from = network();
	const guesses = await Promise.all(Array.from({ length: 40 }, (_, i) => signIn(someone.email, `canary-guess-${i}`, from)));
	const tried = guesses.filter((reply) => reply.status === 401).length;
	assert.ok(tried >= 10 && tried < 10 + workers("auth").length, `${tried} of 40 were tried`);
	assert.ok(guesses.every((reply) => [401, 429].includes(reply.status)));
});

test("whether an account exists is not told: same answers, same limits", async () => {
	const nobody = `${crypto.randomUUID()}@door.test`;
	const [a, b] = [network(), network()];
	for (let i = 0; i < 11; i++)
		assert.deepEqual(plain(await signIn(nobody, "canary-wrong", a)), plain(await signIn(member.email, "canary-wrong", b)), `try ${i}`);
	const unverified = await person(org, "member");
	await admin.query("UPDATE data.users SET verified_at = NULL WHERE id = $1", [unverified.user]);
	const from = () => ({ from: network() });
	assert.deepEqual(plain(await signIn(unverified.email, "canary-wrong", network())), plain(await signIn(`x${nobody}`, "canary-wrong", network())));
	const forgot = (email) => api("POST", "/auth/password/forgot", { json: { email }, ...from() });
	assert.deepEqual(plain(await forgot(nobody)), plain(await forgot(member.email)));
	const register = (email) => api("POST", "/auth/register", { json: { email, name: "N", password: "canary-password-2", organization_name: "O" }, ...from() });
	const [known, fresh] = [await register(member.email), await register(nobody)];
	assert.equal(known.status, 202, known.text);
	assert.deepEqual(plain(known), plain(fresh));
});

test("a link is answered before anybody looks whether there is an account", async () => {
	const holder = await admin.connect();
	const fresh = `${crypto.randomUUID()}@door.test`;
	const ask = (path, json) => api("POST", path, { json, from: network() });
	const answers = [];
	try {
		// Nobody can read or write accounts now: an answer that waited for that would not come.
		await holder.query("BEGIN");
		await holder.query("LOCK TABLE data.users IN ACCESS EXCLUSIVE MODE");
		for (const email of [member.email, fresh]) {
			answers.push(await ask("/auth/password/forgot", { email }));
			answers.push(await ask("/auth/register", { email, name: "N", password: "canary-password-2", organization_name: "O" }));
		}
		assert.equal((await holder.query("SELECT 1 FROM data.users WHERE email = $1", [fresh])).rowCount, 0);
	} finally {
		await holder.query("ROLLBACK");
		holder.release();
	}
	for (const reply of answers) assert.equal(reply.status, 202, reply.text);
	// And the work is done all the same.
	const links = async (email) => (await admin.query("SELECT t.purpose FROM data.one_time_tokens AS t JOIN data.users AS u ON u.id = t.user_id WHERE u.email = $1", [email])).rows.map((row) => row.purpose);
	for (const [email, purpose] of [[member.email, "reset"], [fresh, "verify"]]) await eventually(async () => (await links(email)).includes(purpose));
});

test("nor by the time it takes", async () => {
	const times = { known: [], unknown: [] };
	for (let i = 0; i < 24; i++) {
		const kind = i % 2 ? "known" : "unknown";
		const email = kind === "known" ? owner.email : `${crypto.randomUUID()}@door.test`;
		const reply = await signIn(email, "canary-wrong", network());
		assert.equal(reply.status, 401);
		times[kind].push(reply.ms);
	}
	const ratio = median(times.known) / median(times.unknown);
	assert.ok(ratio < 1.5 && ratio > 1 / 1.5, `known ${median(times.known).toFixed(1)} ms, unknown ${median(times.unknown).toFixed(1)} ms`);
});

// --- S6: passwords

const hashOf = async (user) => (await admin.query("SELECT password_hash FROM data.users WHERE id = $1", [user])).rows[0].password_hash;

test("passwords are kept as Argon2id with 64 MiB and two passes; an older hash is renewed at sign-in", async () => {
	const email = `${crypto.randomUUID()}@door.test`;
	await api("POST", "/auth/register", { json: { email, name: "N", password: "canary-password-3", organization_name: "O" }, from: network() });
	const row = await eventually(async () => (await admin.query("SELECT password_hash FROM data.users WHERE email = $1", [email])).rows[0]);
	assert.match(row.password_hash, /^\$argon2id\$v=19\$m=65536,t=2,p=1\$/);
	const someone = await person(org, "member");
	// Of the demo's password, with 8 MiB and one pass.
	const weak = "$argon2id$v=19$m=8192,t=1,p=1$6UHMYNMEZ1EmqwUvBC/ooQ$Wh22zUm568pqNr4e13vUaF+bJRLZSkENM84g8/1P6eI";
	await admin.query("UPDATE data.users SET password_hash = $2 WHERE id = $1", [someone.user, weak]);
	assert.equal((await signIn(someone.email, "canary-wrong", network())).status, 401);
	assert.equal(await hashOf(someone.user), weak, "a wrong password renews nothing");
	assert.equal((await signIn(someone.email, PASSWORD, network())).status, 200);
	const renewed = await hashOf(someone.user);
	assert.match(renewed, /^\$argon2id\$v=19\$m=65536,t=2,p=1\$/);
	assert.equal((await signIn(someone.email, PASSWORD, network())).status, 200);
	assert.equal(await hashOf(someone.user), renewed, "a good one is left alone");
});

test("100 sign-ins at once all succeed while the API stays quick", async () => {
	const bearer = await token(member.email);
	const timer = async () => {
		const reply = await api("GET", "/timer", { token: bearer });
		assert.ok([200, 204].includes(reply.status), reply.text);
		return reply.ms;
	};
	for (let i = 0; i < 20; i++) await timer();
	let storm = true;
	const signIns = Promise.all(Array.from({ length: 100 }, () => signIn(member.email, PASSWORD, network()))).finally(() => (storm = false));
	const times = [];
	while (storm) {
		times.push(await timer());
		await pause(5);
	}
	for (const reply of await signIns) assert.equal(reply.status, 200, reply.text);
	assert.ok(times.length > 20, `${times.length} requests were answered meanwhile`);
	times.sort((a, b) => a - b);
	assert.ok(median(times) < 150, `median ${median(times).toFixed(1)} ms`);
	assert.ok(times.at(-1) < 2000, `the longest took ${times.at(-1).toFixed(0)} ms`);
});

test("few are hashed at once: the pool of passwords is small and apart", async () => {
	assert.ok(workers("auth").length <= Math.max(2, os.cpus().length), `${workers("auth").length} workers hash`);
	assert.ok(workers("web").length >= workers("auth").length);
});

// --- S12: secrets

const readable = (file) => {
	try {
		return fs.readFileSync(file, "latin1");
	} catch {
		return "";
	}
};

test("no secret is written down: not in logs, arguments or environments", async () => {
	const key = fs.readFileSync(confValue("secret_key_file"), "utf8").trim();
	const mark = crypto.randomBytes(9).toString("hex");
	const email = `${crypto.randomUUID()}@door.test`;
	const password = `canary-password-${mark}`;
	const secrets = [key, password];
	// Through every way a secret comes in: good ones, wrong ones, in odd places, in malformed bodies.
	await api("POST", "/auth/register", { json: { email, name: "N", password, organization_name: "O" }, from: network() });
	const mails = confValue("mail_dir");
	const mail = await eventually(() => fs.readdirSync(mails).filter((name) => name.endsWith(".eml")).map((name) => readable(path.join(mails, name))).find((text) => text.includes(email)));
	const link = /verify\?token=([\w-]{20,})/.exec(mail.replace(/=\r?\n/g, "").replace(/=3D/g, "="))?.[1];
	assert.ok(link, "the mail has a link");
	secrets.push(link);
	await request("GET", `/verify?token=${link}`);
	assert.equal((await request("POST", "/verify", { form: { token: link }, from: network() })).status, 303);
	const bearer = await token(email, password);
	const { cookie, csrf } = await session(email, password);
	secrets.push(bearer, cookie.split("=")[1]);
	await api("GET", `/me?access_token=${bearer}`, {});
	await api("GET", "/me", { headers: { authorization: `Basic ${bearer}` } });
	await request("POST", "/login", { form: { email, password: `${password}x` }, from: network() });
	await request("POST", "/settings/password", { cookie, form: { csrf, current_password: `${password}x`, password } });
	await api("POST", "/auth/login", { body: `{"email":"${email}","password":"${password}`, headers: { "content-type": "application/json" }, from: network() });
	await api("POST", "/auth/login", { json: { email, password, pasword: password }, from: network() });
	await api("POST", "/auth/password/reset", { json: { token: link, password }, from: network() });
	await pause(300);
	const logs = fs.readdirSync(env("STINT_LOG_DIR")).filter((name) => /^(dev|web|nginx|postgres|redis|start|migrate)\.log/.test(name));
	assert.ok(logs.includes("web.log") && logs.includes("postgres.log"));
	assert.ok(readable(path.join(env("STINT_LOG_DIR"), "web.log")).includes("auth.login"), "the requests above are in the log");
	for (const name of logs) {
		const text = readable(path.join(env("STINT_LOG_DIR"), name));
		for (const secret of secrets) {
			const at = text.indexOf(secret);
			assert.equal(at, -1, `${name}: …${text.slice(Math.max(0, at - 150), at)}<secret>`);
		}
	}
	const pids = ["web", "nginx", "postgres", "redis"].map(servicePid).concat(workers("web"), workers("auth"));
	assert.ok(pids.length > 5);
	for (const pid of pids)
		for (const what of ["cmdline", "environ"]) {
			const text = readable(`/proc/${pid}/${what}`);
			for (const secret of secrets) assert.ok(!text.includes(secret), `process ${pid} has a secret in its ${what}`);
		}
	assert.ok(readable(`/proc/${servicePid("web")}/cmdline`).includes("stint-web"));
	for (const file of [confValue("secret_key_file"), mails]) assert.equal(fs.statSync(file).mode & 0o077, 0, `${file} is for its owner alone`);
});

// Starts stint-web by a changed configuration; gives its end, or undefined when it runs on.
function start(lines) {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), "stint-conf-"));
	const conf = fs.readFileSync(env("STINT_CONF"), "utf8").replace(/^(secret_key\w*|web_socket|auth_socket)\s*=.*\n/gm, "");
	fs.writeFileSync(path.join(dir, "stint.conf"), `${conf}\nweb_socket = ${dir}/web.sock\nauth_socket = ${dir}/auth.sock\n${lines(dir)}\n`, { mode: 0o600 });
	const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("STINT_")));
	const child = spawn(path.join(env("STINT_BIN"), "stint-web"), ["-c", path.join(dir, "stint.conf")], { env: clean, stdio: ["ignore", "pipe", "pipe"] });
	let said = "";
	for (const out of [child.stdout, child.stderr]) out.on("data", (data) => (said += data));
	return new Promise((resolve) => {
		const timer = setTimeout(() => child.kill("SIGTERM"), 4000);
		child.on("close", (code, signal) => {
			clearTimeout(timer);
			fs.rmSync(dir, { recursive: true, force: true });
			resolve({ code, signal, said });
		});
	});
}

test("without a secret key, or with one out of a manual, it does not start and says why", async () => {
	const samples = {
		missing: () => "",
		empty: () => "secret_key =",
		short: () => "secret_key = k3Jd82ms",
		sample: () => "secret_key = change-me-change-me-change-me-change-me",
		repeated: () => `secret_key = ${"ab".repeat(32)}`,
		"a file that is not there": (dir) => `secret_key_file = ${dir}/nothing`,
		"a file that all may read": (dir) => {
			fs.writeFileSync(`${dir}/key`, crypto.randomBytes(32).toString("hex"));
			fs.chmodSync(`${dir}/key`, 0o644);
			return `secret_key_file = ${dir}/key`;
		},
	};
	for (const [how, lines] of Object.entries(samples)) {
		const end = await start(lines);
		assert.ok(end.code > 0, `${how}: ended with ${end.code ?? end.signal}: ${end.said}`);
		assert.match(end.said, /secret_key/, how);
		assert.ok(!end.said.includes("k3Jd82ms"), "the value is not told");
	}
	const good = await start(() => `secret_key = ${crypto.randomBytes(32).toString("hex")}`);
	assert.match(good.said, /ready/, good.said);
	assert.equal(good.code, 0, "it ran until it was told to stop");
});
