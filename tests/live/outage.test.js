// What breaks, and what must not break with it: a Redis of one's own that is killed, emptied or hangs, slow readers, limits,
// stopping, reloading, and a socket handed over as systemd does.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { pause, until } from "../wait.js";
import { Redis, Watcher, bareEnv, control, daemon, env, event, redis, somebody, uuid } from "./support.js";

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "stint-live-redis-"));
const ends = [];
after(async () => {
	for (const end of ends.reverse()) await end();
	redis.close();
	fs.rmSync(folder, { recursive: true, force: true });
});

// A Redis that keeps nothing, to be killed and started again; client is always one to the running server.
async function ownRedis() {
	const socket = path.join(folder, `${ends.length}.sock`);
	const it = { socket };
	it.start = async () => {
		it.child = spawn("redis-server", ["--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no", "--dir", folder, "--loglevel", "warning"], { stdio: "ignore" });
		await until("Redis is there", async () => {
			it.client = new Redis(socket);
			return (await it.client.ask("PING").catch(() => null)) === "PONG";
		});
	};
	it.kill = async () => {
		it.client.close();
		it.child.kill("SIGKILL");
		await once(it.child, "exit");
	};
	await it.start();
	ends.push(() => it.kill());
	return it;
}
async function own(options = {}) {
	const server = await ownRedis();
	const live = await daemon({ redis_url: `unix:${server.socket}`, ...options });
	ends.push(async () => {
		const { code, log } = await live.stop();
		assert.equal(code, 0, log);
	});
	return { server, live };
}
const open = (live, server, who, how = {}) => live.enter(who, { ...how, client: server.client });
const back = (live) => until("Redis is back", async () => (await live.metrics()).redis_up === 1);

test("Redis killed and started empty: watchers stay, are told to load anew, and hear what comes", async () => {
	const { server, live } = await own();
	const who = somebody(), watcher = await open(live, server, who);
	await event(who.organization, "organization", { client: server.client });
	await until("the first", () => watcher.has(1));
	await server.kill();
	await until("it is noticed", async () => (await live.metrics()).redis_up === 0);
	const refused = await live.watch(`/live?ticket=${"x".repeat(43)}`);
	assert.equal(refused.status, 503);
	assert.match(refused.head, /^Retry-After: \d/m);
	await server.start();
	await back(live);
	await until("resync", () => watcher.resyncs === 1);
	await event(who.organization, "organization", { client: server.client });
	await until("the second", () => watcher.has(2));
	assert.equal(watcher.ended, undefined);
	// Positions go on, so one who comes back with the last one seen is not told to load again.
	const again = await open(live, server, { ...who, credential: uuid() }, { since: 2, position: 2 });
	await event(who.organization, "organization", { client: server.client });
	await until("the third", () => again.has(3));
	assert.equal(again.resyncs, 0);
	assert.equal((await live.metrics()).redis_losses_total, 1);
});

test("the connection to Redis lost, its streams kept: what was missed comes, without a resync", async () => {
	const { server, live } = await own();
	const who = somebody(), watcher = await open(live, server, who);
	await event(who.organization, "organization", { client: server.client });
	await until("the first", () => watcher.has(1));
	for (let i = 2; i < 6; i++) {
		await server.client.ask("CLIENT", "KILL", "TYPE", i % 2 ? "normal" : "pubsub", "SKIPME", "yes");
		await event(who.organization, "organization", { client: server.client });
		await until(`number ${i}`, () => watcher.has(i));
	}
	assert.deepEqual(watcher.frames.map((f) => f.position), [1, 2, 3, 4, 5]);
});

test("signed out while the daemon was cut off from Redis: closed when it is back", async () => {
	const { server, live } = await own();
	const who = somebody(), watcher = await open(live, server, who);
	await server.client.ask("CLIENT", "PAUSE", "200", "ALL");
	await server.client.ask("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
	await control(who.credential, server.client);
	await until("the end", () => watcher.closed);
	assert.equal(watcher.closed.code, 4401);
});

test("all of Redis emptied: watchers load anew", async () => {
	const { server, live } = await own();
	const who = somebody(), watcher = await open(live, server, who);
	await event(who.organization, "organization", { client: server.client });
	await until("the first", () => watcher.has(1));
	await server.client.ask("FLUSHALL");
	await until("resync", () => watcher.resyncs);
	await event(who.organization, "organization", { client: server.client });
	await until("the second", () => watcher.has(2));
});

test("positions that begin lower than before (a database put back): watchers load anew and go on from there", async () => {
	const { server, live } = await own();
	const who = somebody(), watcher = await open(live, server, who);
	for (let i = 0; i < 99; i++) await event(who.organization, "organization", { client: server.client });
	await until("all of them", () => watcher.has(99));
	await server.client.ask("DEL", `live:${who.organization}`);
	await event(who.organization, "organization", { client: server.client, position: 4 });
	await until("resync", () => watcher.resyncs);
	// A stream that only begins anew is caught up soon; one that stays behind is a database put back.
	for (let position = 5; watcher.resyncs < 2; position++) {
		assert.ok(position < 90, "it never notices");
		await event(who.organization, "organization", { client: server.client, position });
		await pause(1000);
	}
	const next = (await event(who.organization, "organization", { client: server.client })).position;
	await until("the next one", () => watcher.has(next));
});

test("a stream that begins anew and is caught up tells nobody twice", async () => {
	const { server, live } = await own();
	const who = somebody(), watcher = await open(live, server, who);
	for (let i = 0; i < 9; i++) await event(who.organization, "organization", { client: server.client });
	await until("the ninth", () => watcher.has(9));
	await server.client.ask("DEL", `live:${who.organization}`);
	for (let position = 1; position <= 10; position++) {
		await event(who.organization, "organization", { client: server.client, position });
		await pause(20);
	}
	await until("the tenth", () => watcher.has(10));
	assert.deepEqual(watcher.events.map((e) => e.position), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
	assert.equal(watcher.resyncs, 1);
});

test("a Redis that hangs is given up and dialled again", async () => {
	const { server, live } = await own();
	const who = somebody(), watcher = await open(live, server, who);
	server.child.kill("SIGSTOP");
	try {
		await until("it is noticed", async () => (await live.metrics()).redis_up === 0);
	} finally {
		server.child.kill("SIGCONT");
	}
	await back(live);
	await event(who.organization, "organization", { client: server.client });
	await until("the event", () => watcher.has(1));
});

test("a Redis with a password and another database; a wrong password is said and tried again", async () => {
	const server = await ownRedis();
	await server.client.ask("CONFIG", "SET", "requirepass", "canary-redis");
	await server.client.ask("SELECT", "3");
	const wrong = await daemon({ redis_url: `unix:${server.socket}?db=3`, redis_password: "canary-wrong" });
	assert.match(wrong.log(), /"msg":"redis is away","why":"WRONGPASS/);
	assert.equal((await wrong.stop()).code, 0);
	const live = await daemon({ redis_url: `unix:${server.socket}?db=3`, redis_password: "canary-redis" });
	const who = somebody(), watcher = await open(live, server, who);
	await event(who.organization, "organization", { client: server.client });
	await until("the event", () => watcher.has(1));
	const { code, log } = await live.stop();
	assert.equal(code, 0, log);
	assert.doesNotMatch(log, /canary/);
});

test("a slow reader is dropped with 1013 while others flow", async () => {
	const { server, live } = await own({ live_backlog_kb: 1 });
	const who = somebody();
	const slow = await open(live, server, { ...who, credential: uuid() }), quick = await open(live, server, who);
	slow.socket.pause();
	let n = 0;
	await until("it is dropped", async () => {
		for (let i = 0; i < 200; i++) n = (await event(who.organization, "organization", { client: server.client })).position;
		return (await live.metrics()).dropped_total === 1;
	});
	await until("the other has all", () => quick.has(n));
	assert.deepEqual(quick.frames.map((f) => f.position), Array.from({ length: n }, (_, i) => i + 1));
	slow.socket.resume();
	await until("its end", () => slow.ended);
	assert.ok(slow.closed === undefined || slow.closed.code === 1013, JSON.stringify(slow.closed));
	const seen = slow.events.map((e) => e.position);
	assert.deepEqual(seen, Array.from({ length: seen.length }, (_, i) => i + 1), "what it did get is whole and in order");
	assert.equal(quick.ended, undefined);
});

test("more sockets than live_clients are told to come later", async () => {
	const { server, live } = await own({ live_clients: 3, live_member_clients: 10 });
	const who = somebody(), watchers = [];
	for (let i = 0; i < 3; i++) watchers.push(await open(live, server, who));
	assert.deepEqual(watchers.map((w) => w.status), [101, 101, 101]);
	const more = await open(live, server, who);
	assert.equal(more.status, 503);
	await watchers[0].close();
	await until("room", async () => (await open(live, server, who)).status === 101);
});

test("a handshake that does not come to an end is cut off; those behind it are not held up", async () => {
	const { server, live } = await own();
	const idle = live.raw(), half = live.raw();
	half.socket.write("GET /live?ticket=");
	const watcher = await open(live, server, somebody());
	assert.equal(watcher.status, 101);
	await until("both are gone", () => idle.ended && half.ended);
	assert.equal(half.status, 408);
	assert.equal(watcher.ended, undefined);
});

test("stopping closes with 1001 and leaves with 0; the socket's file is gone", async () => {
	const { server, live } = await own();
	const watcher = await open(live, server, somebody());
	const { code, log } = await live.stop();
	assert.equal(code, 0, log);
	await until("the close", () => watcher.closed);
	assert.equal(watcher.closed.code, 1001);
	assert.equal(fs.existsSync(live.socket), false);
});

test("SIGHUP reads the configuration anew and keeps every socket; a broken one changes nothing", async () => {
	const { server, live } = await own();
	const who = somebody(), watcher = await open(live, server, who);
	live.write({ redis_url: `unix:${server.socket}`, live_member_clients: 1 });
	live.child.kill("SIGHUP");
	await until("reloaded", () => /"msg":"reloaded"/.test(live.log()));
	assert.equal((await open(live, server, who)).status, 429);
	live.write({ live_member_clients: "many" });
	live.child.kill("SIGHUP");
	await until("refused", () => /live_member_clients: .{2,6}many.* is no whole number/.test(live.log()));
	assert.equal((await open(live, server, { ...who, member: uuid() })).status, 101);
	await event(who.organization, "organization", { client: server.client });
	await until("it still hears", () => watcher.has(1));
	// Another Redis: the sockets move with it.
	const other = await ownRedis();
	live.write({ redis_url: `unix:${other.socket}` });
	live.child.kill("SIGHUP");
	await back(live);
	await until("it is the other", async () => Number((await other.client.ask("PUBSUB", "NUMSUB", "__redis__:invalidate"))[1]) === 1);
	await event(who.organization, "organization", { client: other.client, position: 2 });
	await until("it hears there", () => watcher.has(2));
});

test("a configuration that is wrong stops the start with 78 and says why; it needs no secret", async () => {
	const conf = path.join(folder, "wrong.conf");
	fs.writeFileSync(conf, "live_ring = 3\n");
	const child = spawn(path.join(env("STINT_BIN"), "stint-live"), ["-c", conf], { stdio: ["ignore", "ignore", "pipe"], env: bareEnv() });
	let said = "";
	child.stderr.on("data", (data) => (said += data));
	const [code] = await once(child, "close");
	assert.equal(code, 78);
	assert.match(said, /live_ring/);
	assert.doesNotMatch(fs.readFileSync(`/proc/${(await own()).live.pid}/environ`, "utf8"), /SECRET/);
});

test("a socket handed over as systemd does is taken, and stays when the daemon goes", async () => {
	const server = await ownRedis(), socket = path.join(folder, "handed.sock"), conf = path.join(folder, "handed.conf");
	fs.writeFileSync(conf, `redis_url = unix:${server.socket}\nlive_socket = ${folder}/unused.sock\npublic_url = ${env("STINT_URL")}\n`);
	const child = spawn("systemd-socket-activate", [`--listen=${socket}`, "--fdname=live", "-E", "ASAN_OPTIONS", "-E", "LSAN_OPTIONS", path.join(env("STINT_BIN"), "stint-live"), "-c", conf], {
		stdio: ["ignore", "ignore", "pipe"], env: bareEnv(),
	});
	let log = "";
	child.stderr.on("data", (data) => (log += data));
	ends.push(() => child.kill("SIGKILL"));
	await until("systemd's part listens", () => /Listening on/.test(log));
	const watcher = await new Watcher(socket).open("/metrics"); // knocking starts it
	assert.equal(watcher.status, 200, log);
	child.kill("SIGTERM");
	const [code] = await once(child, "exit");
	assert.equal(code, 0, log);
	assert.equal(fs.existsSync(path.join(folder, "unused.sock")), false);
});
