// What the tests of stint-live share: a WebSocket written by hand, so that it can also do what no library would; a client of
// Redis, since the tests write tickets and events themselves, the way stint-web and the sealer do; and a daemon of one's own,
// with options of its own.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import crypto from "node:crypto";
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { until } from "../wait.js";

const env = (name) => process.env[name] ?? assert.fail(`${name} is not set: run the tests by ./dev test, or with \`env $(./dev env)\``);
const uuid = () => crypto.randomUUID();
const redisSocket = env("STINT_REDIS_URL").replace(/^unix:/, "");
const origin = env("STINT_URL");

// ---- Redis: requests in order, answers in order

class Redis {
	constructor(socketPath = redisSocket) {
		this.waiting = [];
		this.rest = Buffer.alloc(0);
		this.socket = net.connect(socketPath);
		this.socket.on("data", (data) => this.take(data));
		this.socket.on("error", () => {});
		this.socket.on("close", () => { for (const { no } of this.waiting.splice(0)) no(new Error("Redis hung up")); });
		this.socket.unref();
	}
	ask(...words) {
		const parts = words.map((word) => `$${Buffer.byteLength(String(word))}\r\n${word}\r\n`);
		this.socket.ref();
		return new Promise((yes, no) => {
			this.waiting.push({ yes, no });
			this.socket.write(`*${parts.length}\r\n${parts.join("")}`);
		});
	}
	take(data) {
		this.rest = Buffer.concat([this.rest, data]);
		for (;;) {
			const got = this.parse(0);
			if (!got) break;
			this.rest = this.rest.subarray(got.end);
			const { yes, no } = this.waiting.shift();
			if (got.value instanceof Error) no(got.value);
			else yes(got.value);
		}
		if (!this.waiting.length) this.socket.unref();
	}
	parse(at) {
		const line = this.rest.indexOf("\r\n", at);
		if (line < 0) return null;
		const kind = String.fromCharCode(this.rest[at]), text = this.rest.toString("utf8", at + 1, line);
		let end = line + 2;
		if (kind === "+") return { value: text, end };
		if (kind === "-") return { value: new Error(text), end };
		if (kind === ":") return { value: Number(text), end };
		const n = Number(text);
		if (n < 0) return { value: null, end };
		if (kind === "$") {
			if (this.rest.length < end + n + 2) return null;
			return { value: this.rest.toString("utf8", end, end + n), end: end + n + 2 };
		}
		const value = [];
		for (let i = 0; i < n; i++) {
			const item = this.parse(end);
			if (!item) return null;
			value.push(item.value);
			end = item.end;
		}
		return { value, end };
	}
	close() { this.socket.destroy(); }
}
const redis = new Redis();

// ---- tickets and events, as stint-web and the sealer write them

// BLAKE2b-256, which node's crypto does not offer.
const hashOf = (text) => spawnSync("b2sum", ["-l", "256"], { input: text, encoding: "utf8" }).stdout.slice(0, 64);
// Somebody of an organization of their own, and a ticket for them.
const somebody = (facts = {}) => ({ organization: uuid(), member: uuid(), credential: uuid(), ...facts });
async function ticket(who, { seconds = 30, expires = 3600, position = 0, all = false, value, client = redis } = {}) {
	const text = crypto.randomBytes(32).toString("base64url");
	value ??= JSON.stringify({
		...who, expires_at: Math.floor(Date.now() / 1000) + expires, position,
		topics: ["organization", `member:${who.member}`, ...(all ? ["members"] : [])],
	});
	await client.ask("SET", `live:ticket:${hashOf(text)}`, value, "PX", Math.round(seconds * 1000));
	return text;
}

// The same from the API, for somebody with a token.
async function apiTicket(token, asked = {}) {
	const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
	const answer = await fetch(`${origin}/api/v1/live/ticket`, { method: "POST", headers, body: JSON.stringify(asked) });
	return { status: answer.status, body: await answer.json(), headers: answer.headers };
}

const writes = new Map();
// The next event of an organization; topic is "organization" or "member:UUID". Gives {noun, id, position}.
async function event(organization, topic = "organization", { noun = "tag", id = uuid(), position, client = redis } = {}) {
	position ??= (writes.get(organization) ?? 0) + 1;
	writes.set(organization, position);
	await client.ask("XADD", `live:${organization}`, "MAXLEN", "~", "1000", `${position}-0`, "noun", noun, "id", id, "topic", topic);
	return { noun, id, position };
}
const control = (credential, client = redis) => client.ask("XADD", "live:control", "MAXLEN", "~", "10000", "*", "credential", credential);

// ---- a WebSocket

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

function frame(opcode, payload = "", { masked = true, fin = true, rsv = 0 } = {}) {
	const data = Buffer.from(payload);
	const head = [(fin ? 0x80 : 0) | (rsv << 4) | opcode];
	const bit = masked ? 0x80 : 0;
	if (data.length < 126) head.push(bit | data.length);
	else if (data.length < 65536) head.push(bit | 126, data.length >> 8, data.length & 255);
	else head.push(bit | 127, 0, 0, 0, 0, ...[24, 16, 8, 0].map((shift) => (data.length >>> shift) & 255));
	if (!masked) return Buffer.concat([Buffer.from(head), data]);
	const mask = crypto.randomBytes(4);
	return Buffer.concat([Buffer.from(head), mask, data.map((byte, i) => byte ^ mask[i & 3])]);
}

function request(target, headers = {}) {
	const all = {
		Host: "localhost", Upgrade: "websocket", Connection: "Upgrade", "Sec-WebSocket-Version": "13",
		"Sec-WebSocket-Key": crypto.randomBytes(16).toString("base64"), Origin: origin, ...headers,
	};
	const lines = Object.entries(all).filter(([, value]) => value !== null).map(([name, value]) => `${name}: ${value}\r\n`);
	return { key: all["Sec-WebSocket-Key"], text: `GET ${target} HTTP/1.1\r\n${lines.join("")}\r\n` };
}

// {socket, status, head, hello, frames, closed: {code, reason} | undefined, ended}: frames grows while it is open.
class Watcher {
	constructor(address) {
		this.frames = [];
		this.pings = 0;
		this.rest = Buffer.alloc(0);
		this.socket = net.connect(address);
		this.socket.unref(); // one that is left open keeps no test waiting
		this.socket.on("data", (data) => this.take(data));
		this.socket.on("error", (error) => (this.error = error));
		this.socket.on("close", () => (this.ended = true));
		this.socket.on("end", () => this.socket.end());
	}
	async open(target, headers) {
		const { text, key } = request(target, headers);
		this.socket.write(text);
		await until(`an answer to ${target}`, () => this.status || this.ended);
		if (this.status !== 101) return this;
		const wanted = crypto.createHash("sha1").update(key + GUID).digest("base64");
		assert.match(this.head, new RegExp(`^Sec-WebSocket-Accept: ${wanted.replaceAll("+", "\\+")}\r?$`, "mi"));
		await until("a greeting", () => this.hello || this.ended);
		return this;
	}
	take(data) {
		this.rest = Buffer.concat([this.rest, data]);
		if (!this.status) {
			const end = this.rest.indexOf("\r\n\r\n");
			if (end < 0) return;
			this.head = this.rest.toString("latin1", 0, end);
			this.status = Number(this.head.split(" ")[1]);
			this.rest = this.rest.subarray(end + 4);
		}
		if (this.status === 101) while (this.one()) continue;
	}
	one() {
		const b = this.rest;
		if (b.length < 2) return false;
		assert.equal(b[1] & 0x80, 0, "a server does not mask");
		assert.equal(b[0] & 0xf0, 0x80, "whole frames without extensions");
		let length = b[1] & 0x7f, at = 2;
		if (length === 126) {
			if (b.length < 4) return false;
			length = b.readUInt16BE(2);
			at = 4;
		}
		if (b.length < at + length) return false;
		this.got(b[0] & 15, Buffer.from(b.subarray(at, at + length)));
		this.rest = b.subarray(at + length);
		return true;
	}
	got(opcode, payload) {
		if (opcode === 1) {
			const said = JSON.parse(payload.toString());
			if (!this.hello) this.hello = said;
			else this.frames.push(said);
		} else if (opcode === 8) {
			this.closed = { code: payload.readUInt16BE(0), reason: payload.toString("utf8", 2) };
			this.socket.end(frame(8, payload.subarray(0, 2)));
		} else if (opcode === 9) {
			this.pings++;
			if (!this.deaf) this.socket.write(frame(10, payload));
		} else if (opcode === 10) this.pongs = (this.pongs ?? 0) + 1;
	}
	send(opcode, payload, options) { this.socket.write(frame(opcode, payload, options)); }
	get events() { return this.frames.filter((f) => f.noun); }
	get resyncs() { return this.frames.filter((f) => f.resync).length; }
	has(position) { return this.frames.some((f) => f.position === position); }
	async close() {
		this.socket.destroy();
		if (!this.ended) await once(this.socket, "close");
	}
}

// ---- a daemon

// The environment without what the stack says of itself there: it would win over a configuration of one's own.
const bareEnv = () => Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("STINT_")));

// options: lines of configuration. Gives {socket, pid, watch(target), metrics(), stop(signal), log()}.
async function daemon(options = {}) {
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), "stint-live-"));
	const socket = path.join(folder, "live.sock"), conf = path.join(folder, "stint.conf");
	let log = "";
	const write = (more = {}) =>
		fs.writeFileSync(conf, Object.entries({ redis_url: `unix:${redisSocket}`, live_socket: socket, public_url: origin, ...options, ...more }).map(([key, value]) => `${key} = ${value}\n`).join(""), { mode: 0o600 });
	write();
	const child = spawn(path.join(env("STINT_BIN"), "stint-live"), ["-c", conf], { stdio: ["ignore", "ignore", "pipe"], env: bareEnv() });
	child.stderr.setEncoding("utf8");
	child.stderr.on("data", (text) => (log += text));
	const exited = once(child, "exit");
	await until("the daemon is ready", () => /"msg":"redis is (there|back|away)"/.test(log) || child.exitCode !== null);
	assert.equal(child.exitCode, null, log);
	const it = {
		socket, pid: child.pid, log: () => log, write, child,
		watch: (target, headers) => new Watcher(socket).open(target, headers),
		// With a ticket for who; since undefined: from now on.
		enter: async (who, { since, ...how } = {}) =>
			new Watcher(socket).open(`/live?ticket=${await ticket(who, how)}${since === undefined ? "" : `&since=${since}`}`),
		raw: () => new Watcher(socket),
		async metrics() {
			const watcher = await new Watcher(socket).open("/metrics");
			await until("the end of the counters", () => watcher.ended);
			return Object.fromEntries([...watcher.rest.toString().matchAll(/^stint_live_(\w+) ([\d.]+)$/gm)].map(([, name, value]) => [name, Number(value)]));
		},
		async stop(signal = "SIGTERM") {
			if (child.exitCode === null && child.signalCode === null) child.kill(signal);
			const [code, killed] = await exited;
			fs.rmSync(folder, { recursive: true, force: true });
			return { code, killed, log };
		},
	};
	return it;
}

export { Redis, Watcher, apiTicket, bareEnv, control, daemon, env, event, frame, origin, redis, redisSocket, request, somebody, ticket, uuid };
