// Tickets as stint-web gives them, and the socket as the world sees it: behind nginx, with a ticket from the API.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import { pause, until } from "../wait.js";
import { Client, demoPassword, nobody, organization, person, refused, signedIn, took, uuid } from "../api/support.js";
import { Watcher, apiTicket, origin, redis } from "./support.js";

after(() => redis.close());
const port = Number(new URL(origin).port);
const watch = (body, headers) => new Watcher({ port, host: "localhost" }).open(`/live?ticket=${body.ticket}&since=${body.position}`, headers);

test("a ticket says where to go, for how long, and where the organization stands", async () => {
	const { member } = await organization({ roles: ["owner", "member"] });
	const body = took(await member.post("/live/ticket"), 200).body;
	assert.equal(body.url, `${origin.replace(/^http/, "ws")}/live`);
	assert.equal(body.expires_in, 30);
	assert.match(body.ticket, /^[\w-]{43}$/);
	assert.ok(body.position >= 0);
});

test("nobody gets one without signing in; a page's needs its CSRF token; a body is refused", async () => {
	refused(await nobody.post("/live/ticket"), 401, "unauthenticated");
	refused(await new Client("stint_invented").post("/live/ticket"), 401, "unauthenticated");
	const { member } = await organization({ roles: ["owner", "member"] });
	const answer = await fetch(`${origin}/api/v1/live/ticket`, { method: "POST", headers: { cookie: `__Host-stint=${member.token}` } });
	assert.equal(answer.status, 403);
	assert.equal((await answer.json()).code, "csrf");
	refused(await member.post("/live/ticket", { topics: ["members"] }), 422, "unknown_field", "topics");
});

test("what it stands for: a member hears of their own, a lead of all; the session and its end", async () => {
	const { id, owner, member } = await organization({ roles: ["owner", "member"] });
	for (const [who, topics] of [[member, ["organization", `member:${member.member_id}`]], [owner, ["organization", `member:${owner.member_id}`, "members"]]]) {
		const before = new Set(await redis.ask("KEYS", "live:ticket:*"));
		const { body } = await apiTicket(who.token);
		const values = [];
		for (const key of await redis.ask("KEYS", "live:ticket:*")) if (!before.has(key)) values.push([key, JSON.parse(await redis.ask("GET", key))]);
		const [key, value] = values.find(([, v]) => v.member === who.member_id);
		assert.ok(!key.includes(body.ticket), "kept by its hash alone");
		assert.match(key, /^live:ticket:[0-9a-f]{64}$/);
		const ttl = await redis.ask("TTL", key);
		assert.ok(ttl > 0 && ttl <= 30);
		assert.equal(value.organization, id);
		assert.deepEqual(value.topics, topics);
		const { data } = await who.read("/me/sessions");
		const session = data.find((s) => s.current);
		assert.equal(value.credential, session.id);
		assert.equal(value.expires_at, Math.floor(Date.parse(session.expires_at) / 1000));
	}
});

test("through nginx: an event of the API arrives, a stranger's does not, the ticket works once, other origins are refused", async () => {
	const { member } = await organization({ roles: ["owner", "member"] }), other = await organization({ roles: ["owner"] });
	const { body } = await apiTicket(member.token);
	const evil = await watch((await apiTicket(member.token)).body, { Origin: "https://evil.example" });
	assert.equal(evil.status, 403);
	const watcher = await watch(body);
	assert.equal(watcher.status, 101);
	const stranger = await watch((await apiTicket(other.owner.token)).body);
	const entry = await member.made("/timer/start", { description: "Seen from afar" });
	await until("the event", () => watcher.events.some((e) => e.noun === "time_entry" && e.id === entry.id));
	for (const e of watcher.events) assert.deepEqual(Object.keys(e).sort(), ["id", "noun", "position"]);
	await pause(300);
	assert.ok(!stranger.events.some((e) => e.id === entry.id));
	assert.equal((await watch(body)).status, 403);
});

test("two members of one organization: each hears of their own time, the lead of both", async () => {
	const org = await organization({ roles: ["owner", "manager", "member"] });
	const [lead, self] = await Promise.all([org.manager, org.member].map(async (who) => watch((await apiTicket(who.token)).body)));
	const own = await org.member.made("/timer/start", { description: "Mine" });
	const others = await org.owner.made("/timer/start", { description: "Not yours" });
	await until("the lead heard both", () => [own, others].every(({ id }) => lead.events.some((e) => e.id === id)));
	await until("the member heard of their own", () => self.events.some((e) => e.id === own.id));
	await pause(300);
	assert.ok(!self.events.some((e) => e.id === others.id));
});

test("a lead who asks for their own hears of nobody else's time", async () => {
	const org = await organization({ roles: ["owner", "manager", "member"] });
	const lead = await watch((await apiTicket(org.manager.token, { own: true })).body);
	const others = await org.member.made("/timer/start", { description: "Not asked for" });
	const own = await org.manager.made("/timer/start", { description: "Mine" });
	await until("the lead heard of their own", () => lead.events.some((e) => e.id === own.id));
	assert.ok(!lead.events.some((e) => e.id === others.id));
	refused(await org.manager.post("/live/ticket", { own: "perhaps" }), 422, "type", "own");
});

test("whatever ends a session closes its sockets within 5 s: sign-out, another role, a new password, being switched off", async () => {
	const org = await organization();
	const ends = {
		"sign-out": (who) => who.post("/auth/logout", {}),
		"another role": (who) => org.owner.patch(`/members/${who.member_id}`, { role: "manager" }),
		"switched off": (who) => org.owner.patch(`/members/${who.member_id}`, { active: false }),
		"ended elsewhere": async (who) => {
			const { id } = (await who.read("/me/sessions")).data.find((s) => s.current);
			return who.delete(`/me/sessions/${id}`);
		},
		"a new password, from another browser": async (who) =>
			(await signedIn(who)).post("/me/password", { current_password: demoPassword, password: `canary-${uuid()}` }),
	};
	for (const [what, end] of Object.entries(ends)) {
		const who = await signedIn(await person(org.id, "member"));
		const [mine, owners] = [await watch((await apiTicket(who.token)).body), await watch((await apiTicket(org.owner.token)).body)];
		assert.equal(mine.status, 101);
		const began = Date.now();
		assert.ok((await end(who)).status < 300, what);
		await until(`${what}: closed`, () => mine.closed);
		assert.ok(Date.now() - began < 5000, what);
		assert.equal(mine.closed.code, 4401, what);
		assert.ok(!owners.closed, `${what}: nobody else's`);
		await owners.close();
	}
});

test("the counters are for this host, and not on the site", async () => {
	const answer = await fetch(`${origin}/metrics/live`);
	assert.equal(answer.status, 200);
	assert.match(await answer.text(), /^stint_live_connections \d+$/m);
	assert.equal((await fetch(`${origin}/live/metrics`)).status, 404);
});

test("without Redis: 503, when to ask again, and time tracking goes on", { skip: process.env.STINT_TEST_DATABASE_URL ? false : "services are taken away on the test stack alone" }, async () => {
	const { member } = await organization({ roles: ["owner", "member"] });
	const hold = path.join(process.env.STINT_RUN, "hold/redis");
	fs.writeFileSync(hold, "");
	try {
		process.kill(Number(fs.readFileSync(path.join(process.env.STINT_RUN, "redis.pid"), "utf8").split(/\s/)[0]), "SIGKILL");
		await until("it is noticed", async () => (await apiTicket(member.token)).status === 503);
		const { body, headers } = await apiTicket(member.token);
		assert.equal(body.code, "live_away");
		assert.ok(Number(headers.get("retry-after")) > 0);
		await member.made("/timer/start", { description: "Still counted" });
	} finally {
		fs.rmSync(hold, { force: true });
	}
	// Each worker of the web finds out by itself, within a second.
	let back;
	await until("it is back", async () => (back = await apiTicket(member.token)).status === 200);
	assert.ok(back.body.position >= 0);
	await until("the socket too", async () => {
		const { status, body } = await apiTicket(member.token);
		return status === 200 && (await watch(body)).status === 101;
	});
});
