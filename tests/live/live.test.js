// stint-live itself: who gets in, who hears what, and that nothing is missed. The tests write tickets and events into Redis
// as stint-web and the sealer do; what stint-web writes is ticket.test.js's matter.
import assert from "node:assert/strict";
import crypto from "node:crypto";
import { after, before, test } from "node:test";
import { pause, until } from "../wait.js";
import { control, daemon, event, frame, redis, request, somebody, ticket, uuid } from "./support.js";

let live;
before(async () => (live = await daemon({ live_ping_s: 1, live_ring: 64, live_member_clients: 4 })));
after(async () => {
	const { code, log } = await live.stop();
	assert.equal(code, 0, log);
	redis.close();
});
const settled = () => pause(150); // what should not come would have come
const colleague = (who) => ({ ...who, member: uuid(), credential: uuid() });

// ---- tickets

test("a ticket lets its holder in once", async () => {
	const who = somebody(), value = await ticket(who, { position: 7 });
	const first = await live.watch(`/live?ticket=${value}&since=7`);
	assert.equal(first.status, 101);
	assert.deepEqual(first.hello, { position: 7, hello: 1 });
	const again = await live.watch(`/live?ticket=${value}&since=7`);
	assert.equal(again.status, 403);
	assert.match(again.head, /application\/problem\+json/);
	await first.close();
});

test("a ticket that is too old, invented, garbled or of an ended session lets nobody in", async () => {
	const old = await ticket(somebody(), { seconds: 0.05 });
	await pause(100);
	const who = somebody();
	const tickets = [
		old, crypto.randomBytes(32).toString("base64url"),
		await ticket(who, { expires: -1 }),
		await ticket(who, { value: "{" }),
		await ticket(who, { value: JSON.stringify({ ...who, expires_at: 4e9, position: 0, topics: [`member:${uuid()}`] }) }),
		await ticket(who, { value: JSON.stringify({ ...who, expires_at: 4e9, position: -1, topics: [] }) }),
		await ticket(who, { value: JSON.stringify({ ...who, organization: "x", expires_at: 4e9, position: 0, topics: [] }) }),
	];
	for (const value of tickets) assert.equal((await live.watch(`/live?ticket=${value}`)).status, 403, value);
});

test("a ticket taken before signing out does not work after it", async () => {
	const who = somebody(), value = await ticket(who);
	await control(who.credential);
	await settled();
	assert.equal((await live.watch(`/live?ticket=${value}`)).status, 403);
});

test("a member has so many sockets and no more", async () => {
	const who = somebody(), open = [];
	for (let i = 0; i < 4; i++) open.push(await live.enter({ ...who, credential: uuid() }));
	assert.deepEqual(open.map((w) => w.status), [101, 101, 101, 101]);
	const more = await live.enter(who);
	assert.equal(more.status, 429);
	assert.match(more.head, /^Retry-After: \d/m);
	assert.equal((await live.enter(colleague(who))).status, 101);
	await open[0].close();
	await until("room for another", async () => (await live.enter(who)).status === 101);
});

// ---- who hears what

test("frames say what changed and where it stands, and nothing else", async () => {
	const who = somebody(), watcher = await live.enter(who);
	const sent = await event(who.organization, "organization", { noun: "project" });
	await until("the frame", () => watcher.frames.length);
	assert.deepEqual(watcher.frames, [{ noun: "project", id: sent.id, position: 1 }]);
});

test("a member hears of the organization and of their own, a lead of everybody's, and nobody of another organization", async () => {
	const who = somebody(), other = colleague(who), stranger = somebody();
	const own = await live.enter(who), lead = await live.enter(colleague(who), { all: true }), foreign = await live.enter(stranger, { all: true });
	await event(who.organization, `member:${who.member}`);
	await event(who.organization, `member:${other.member}`);
	await event(who.organization, "organization");
	await event(stranger.organization, `member:${who.member}`);
	await until("the last ones", () => own.has(3) && lead.has(3) && foreign.has(1));
	await settled();
	assert.deepEqual(own.events.map((e) => e.position), [1, 3]);
	assert.deepEqual(lead.events.map((e) => e.position), [1, 2, 3]);
	assert.deepEqual(foreign.events.map((e) => e.position), [1]);
});

test("entries that are not understood are passed over", async () => {
	const who = somebody(), watcher = await live.enter(who);
	await redis.ask("XADD", `live:${who.organization}`, "1-0", "noun", "<b>", "id", uuid(), "topic", "organization");
	await redis.ask("XADD", `live:${who.organization}`, "2-0", "something", "else");
	await redis.ask("XADD", `live:${who.organization}`, "3-5", "noun", "tag", "id", uuid(), "topic", "organization");
	await redis.ask("XADD", `live:${who.organization}`, "4-0", "noun", "tag", "id", uuid(), "topic", "everybody");
	await event(who.organization, "organization", { position: 5 });
	await until("the good one", () => watcher.has(5));
	assert.deepEqual(watcher.events.map((e) => e.position), [5]);
});

// ---- coming back

test("who comes back gets what was missed, in order, and then what is new", async () => {
	const who = somebody();
	for (let i = 0; i < 10; i++) await event(who.organization, i === 4 ? `member:${uuid()}` : "organization");
	const first = await live.enter(who, { since: 3, position: 10 });
	await event(who.organization);
	await until("all of it", () => first.has(11));
	assert.deepEqual(first.hello, { position: 3, hello: 1 });
	assert.deepEqual(first.events.map((e) => e.position), [4, 6, 7, 8, 9, 10, 11]);
	const second = await live.enter(who, { since: 9, position: 11 });
	await until("the rest", () => second.has(11));
	assert.deepEqual(second.events.map((e) => e.position), [10, 11]);
	assert.equal(first.resyncs + second.resyncs, 0);
});

test("without since one hears what comes from now on", async () => {
	const who = somebody();
	for (let i = 0; i < 3; i++) await event(who.organization);
	const watcher = await live.enter(who, { position: 3 });
	assert.deepEqual(watcher.hello, { position: 3, hello: 1 });
	await event(who.organization);
	await until("the new one", () => watcher.has(4));
	assert.deepEqual(watcher.events.map((e) => e.position), [4]);
});

test("resync: when what was missed is not kept any more", async () => {
	const who = somebody();
	for (let i = 0; i < 80; i++) await event(who.organization); // the ring holds 64
	const late = await live.enter(who, { since: 10, position: 80 });
	await until("resync", () => late.resyncs);
	assert.equal(late.hello.position, 80);
	const early = await live.enter(who, { since: 40, position: 80 });
	await until("the last", () => early.has(80));
	assert.equal(early.resyncs, 0);
	assert.equal(early.events.length, 40);
});

test("resync: when the stream is gone and the database is further than the page", async () => {
	const who = somebody();
	const behind = await live.enter(who, { since: 5, position: 9 });
	await until("resync", () => behind.resyncs);
	assert.equal(behind.hello.position, 9);
	const level = await live.enter(colleague(who), { since: 9, position: 9 });
	await settled();
	assert.equal(level.resyncs, 0);
	await event(who.organization, "organization", { position: 10 });
	await until("the next", () => level.has(10) && behind.has(10));
});

test("resync: when events are missing in between, and for a page that knows more than there is", async () => {
	const who = somebody();
	await event(who.organization);
	const watcher = await live.enter(who, { since: 1, position: 1 });
	await event(who.organization, "organization", { position: 5 });
	await until("both", () => watcher.has(5));
	assert.deepEqual(watcher.frames.map((f) => f.resync ?? f.position), [true, 5]);
	const future = await live.enter(colleague(who), { since: 99, position: 5 });
	await until("resync", () => future.resyncs);
	assert.equal(future.hello.position, 5);
});

test("a page that is ahead of the stream waits for what is newer than itself", async () => {
	const who = somebody();
	await event(who.organization);
	const watcher = await live.enter(who, { since: 3, position: 3 }); // sealed, but not yet in the stream
	for (let i = 2; i <= 4; i++) await event(who.organization, "organization", { position: i });
	await until("the fourth", () => watcher.has(4));
	assert.deepEqual(watcher.frames.map((f) => f.resync ?? f.position), [4]);
});

test("under a steady stream, watchers that are cut off at random and come back miss nothing", async () => {
	const who = somebody(), total = 400;
	let written = 0, head = 0;
	const writer = (async () => {
		while (written < total) {
			head = (await event(who.organization, written % 3 ? "organization" : `member:${who.member}`)).position;
			written++;
			if (written % 7 === 0) await pause(3);
		}
	})();
	const follow = async () => {
		const seen = [];
		let since = 0, turns = 0;
		while (since < total) {
			const watcher = await live.enter({ ...who, credential: uuid() }, { since, position: head });
			assert.equal(watcher.status, 101);
			assert.equal(watcher.hello.position, since);
			const enough = 1 + crypto.randomInt(40);
			await until("some more", () => watcher.events.length >= enough || watcher.has(total) || watcher.resyncs);
			await watcher.close();
			assert.equal(watcher.resyncs, 0);
			seen.push(...watcher.events.map((e) => e.position));
			since = seen.at(-1);
			turns++;
		}
		assert.ok(turns > 3, `${turns} turns`);
		assert.deepEqual(seen, Array.from({ length: total }, (_, i) => i + 1));
	};
	await Promise.all([follow(), follow(), follow(), writer]);
});

// ---- ending

test("signing out closes the sockets of that session and no others", async () => {
	const who = somebody(), elsewhere = { ...who, credential: uuid() };
	const one = await live.enter(who), two = await live.enter(who), other = await live.enter(elsewhere);
	const began = Date.now();
	await control(who.credential);
	await until("both closed", () => one.closed && two.closed);
	assert.ok(Date.now() - began < 5000);
	assert.deepEqual([one.closed.code, two.closed.code], [4401, 4401]);
	await settled();
	assert.equal(other.closed, undefined);
	await event(who.organization);
	await until("the other still hears", () => other.has(1));
	assert.equal(one.events.length, 0);
});

test("a socket ends when its session does", async () => {
	const watcher = await live.enter(somebody(), { expires: 2 });
	assert.equal(watcher.status, 101);
	await until("its end", () => watcher.closed);
	assert.equal(watcher.closed.code, 4401);
});

test("pings are sent, and who does not answer is gone", async () => {
	const good = await live.enter(somebody()), deaf = await live.enter(somebody());
	deaf.deaf = true;
	await until("the deaf one is cut off", () => deaf.ended);
	assert.equal(deaf.closed, undefined);
	await until("pings", () => good.pings > 2);
	assert.equal(good.ended, undefined);
});

test("ping as a word is answered; a ping as a frame too", async () => {
	const watcher = await live.enter(somebody());
	watcher.send(1, "ping");
	await until("the answer", () => watcher.frames.length);
	assert.deepEqual(watcher.frames, [{ pong: true }]);
	watcher.send(9, "x");
	await until("a pong", () => watcher.pongs === 1);
	// In pieces, byte by byte, several in a row.
	for (const byte of Buffer.concat([frame(1, "ping"), frame(9, ""), frame(1, "ping")])) {
		watcher.socket.write(Buffer.from([byte]));
		await pause(1);
	}
	await until("all answers", () => watcher.frames.length === 3 && watcher.pongs === 2);
});

test("a close is said back", async () => {
	const watcher = await live.enter(somebody());
	watcher.send(8, Buffer.from([3, 232]));
	await until("the end", () => watcher.ended);
	assert.equal(watcher.closed.code, 1000);
});

const misdeeds = {
	"a text": [frame(1, "hello"), 1008],
	"bytes": [frame(2, "ping"), 1008],
	"a piece of a message": [frame(1, "pi", { fin: false }), 1008],
	"a continuation of nothing": [frame(0, "ng"), 1008],
	"a long text": [frame(1, "x".repeat(126)), 1008],
	"a very long text, announced": [Buffer.from([0x81, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4, 5]), 1008],
	"an unmasked ping": [frame(1, "ping", { masked: false }), 1002],
	"a reserved bit": [frame(1, "ping", { rsv: 4 }), 1002],
	"an unknown kind": [frame(3, ""), 1002],
	"an unknown control": [frame(11, ""), 1002],
	"a long ping": [frame(9, "x".repeat(126)), 1002],
	"a ping in pieces": [frame(9, "", { fin: false }), 1002],
	"a close of one byte": [frame(8, "x"), 1002],
};
for (const [name, [bytes, code]] of Object.entries(misdeeds))
	test(`anything but a ping closes: ${name}`, async () => {
		const watcher = await live.enter(somebody());
		watcher.socket.write(bytes);
		await until("the end", () => watcher.ended);
		assert.equal(watcher.closed?.code, code);
	});

// ---- the handshake

test("the handshake is taken strictly", async () => {
	const cases = [
		[{ Origin: "http://evil.example" }, 403], [{ Origin: "null" }, 403], [{ Origin: `${process.env.STINT_URL}.evil` }, 403],
		[{ Upgrade: null }, 426], [{ Upgrade: "h2c" }, 426], [{ Connection: "keep-alive" }, 426], [{ "Sec-WebSocket-Version": "8" }, 426],
		[{ "Sec-WebSocket-Key": null }, 400], [{ "Sec-WebSocket-Key": "abc" }, 400], [{ "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAB==" }, 400],
		[{ Host: null }, 400], [{ "Content-Length": "3" }, 400], [{ "Transfer-Encoding": "chunked" }, 400], [{ " folded": "x" }, 400], [{ "bad name": "x" }, 400],
		[{ "X-Long": "x".repeat(9000) }, 431], [{ "X-Bell": "\x07" }, 400],
	];
	const value = await ticket(somebody(), { seconds: 60 });
	for (const [headers, status] of cases) {
		const answer = await live.watch(`/live?ticket=${value}`, headers);
		assert.equal(answer.status, status, JSON.stringify(headers).slice(0, 100));
		if (status === 426) assert.match(answer.head, /^Sec-WebSocket-Version: 13\r?$/m);
	}
	for (const target of ["/live", "/live?", `/live?ticket=${value}&ticket=${value}`, `/live?ticket=${value}&x=1`, `/live?ticket=${value}&since=-1`, `/live?ticket=${value}&since=1e3`, `/live?ticket=${value}&since=`, `/live?ticket=${value}x`, `/live?ticket=${value}&since=1&since=1`])
		assert.equal((await live.watch(target)).status, 400, target);
	for (const target of ["/", "/live/", `/Live?ticket=${value}`, "/metrics/x", "*", "http://localhost/live"])
		assert.equal((await live.watch(target)).status, 404, target);
	// None of them used it up; and a program sends no Origin.
	assert.equal((await live.watch(`/live?ticket=${value}`, { Origin: null, Connection: "keep-alive, Upgrade", Upgrade: "WebSocket" })).status, 101);
});

test("other methods and broken heads are refused", async () => {
	const { text } = request(`/live?ticket=${"x".repeat(43)}`);
	const sends = [
		[text.replace("GET", "POST"), 405], [text.replace("HTTP/1.1", "HTTP/1.0"), 400], [text.replace("HTTP/1.1", "HTTP/2"), 400],
		[text.replaceAll("\r\n", "\n") + "\r\n\r\n", 400], [`${text}extra`, 400], ["\r\n\r\n", 400], [`${"x".repeat(9000)}`, 431],
		[text.replace("Host: localhost", "Host: a\r\nHost: b"), 400], [text.replace("Upgrade: websocket", "Upgrade: websocket\r\nUpgrade: websocket"), 400],
		[text.replace("\r\n\r\n", `\r\n${"a: b\r\n".repeat(70)}\r\n`), 400], ["\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400],
	];
	for (const [bytes, status] of sends) {
		const watcher = live.raw();
		watcher.socket.write(Buffer.from(bytes, "latin1"));
		await until(`an answer to ${JSON.stringify(bytes.slice(0, 60))}`, () => watcher.status || watcher.ended);
		assert.equal(watcher.status, status, bytes.slice(0, 60));
		await until("the end", () => watcher.ended);
	}
});

test("two hundred malformed handshakes and frames, and it lives", async () => {
	const good = await live.enter(somebody());
	const broken = (bytes) => {
		const out = Buffer.from(bytes);
		for (let n = 1 + crypto.randomInt(6); n > 0; n--) out[crypto.randomInt(out.length)] = crypto.randomInt(256);
		return out.subarray(0, 1 + crypto.randomInt(out.length));
	};
	const turns = Array.from({ length: 200 }, async (_, i) => {
		const watcher = i % 2 ? live.raw() : await live.enter(somebody());
		const bytes = i % 2 ? Buffer.from(request(`/live?ticket=${"x".repeat(43)}`).text) : Buffer.concat([frame(9, "abc"), frame(1, "ping"), frame(8, "")]);
		watcher.socket.write(broken(bytes));
		watcher.socket.end();
		await until("its end", () => watcher.ended);
	});
	await Promise.all(turns);
	good.send(1, "ping");
	await until("the answer", () => good.frames.length);
	assert.equal(live.child.exitCode, null, live.log());
});

test("counters", async () => {
	const before = await live.metrics();
	const who = somebody(), watcher = await live.enter(who);
	await event(who.organization);
	await until("the frame", () => watcher.has(1));
	const now = await live.metrics();
	assert.equal(now.opened_total, before.opened_total + 1);
	assert.equal(now.frames_total, before.frames_total + 1);
	assert.equal(now.redis_up, 1);
	assert.ok(now.connections >= 1 && now.lag_seconds_count > before.lag_seconds_count);
	await watcher.close();
	await until("one less", async () => (await live.metrics()).closed_total > now.closed_total);
});
