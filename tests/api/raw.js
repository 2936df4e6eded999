// What the tests of doors and disasters share: requests with nothing done for them, FastCGI spoken by hand, people made straight in
// the database, and the processes of the stack. Every helper shows what came back; none judges it.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import net from "node:net";
import path from "node:path";
import pg from "pg";
import { until } from "../wait.js";

const env = (name) => process.env[name] ?? assert.fail(`${name} is not set: run the tests by ./dev test`);
const url = new URL(env("STINT_URL"));
const PASSWORD = "stint-demo-2026";
const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
const admin = new pg.Pool({ connectionString: process.env.STINT_TEST_DATABASE_URL ?? env("STINT_ADMIN_DATABASE_URL"), max: 3 });
// The database is taken away in one of the tests: idle connections may die.
admin.on("error", () => {});

async function done() {
	agent.destroy();
	await admin.end();
}

// {status, headers, text, json(), ms}. Options: token, cookie, json, form, body, headers, from (local address), abortMs.
function request(method, target, options = {}) {
	const headers = { host: url.host, ...options.headers };
	let body = options.body;
	if (options.json !== undefined) {
		body = JSON.stringify(options.json);
		headers["content-type"] ??= "application/json";
	} else if (options.form !== undefined) {
		body = new URLSearchParams(options.form).toString();
		headers["content-type"] ??= "application/x-www-form-urlencoded";
	}
	if (options.token) headers.authorization = `Bearer ${options.token}`;
	if (options.cookie) headers.cookie = options.cookie;
	if (body !== undefined) headers["content-length"] = Buffer.byteLength(body);
	const began = performance.now();
	return new Promise((resolve, reject) => {
		const rq = http.request(
			{
				host: "127.0.0.1",
				port: url.port,
				method,
				path: target,
				headers,
				agent: options.from ? false : agent,
				localAddress: options.from,
			},
			(response) => {
				const chunks = [];
				response.on("data", (chunk) => chunks.push(chunk));
				response.on("error", reject);
				response.on("end", () => {
					const text = Buffer.concat(chunks).toString();
					resolve({
						status: response.statusCode,
						headers: response.headers,
						text,
						ms: performance.now() - began,
						json: () => JSON.parse(text),
					});
				});
			},
		);
		rq.on("error", reject);
		if (options.abortMs !== undefined) setTimeout(() => rq.destroy(new Error("aborted")), options.abortMs);
		rq.end(body);
	});
}

const api = (method, target, options) => request(method, `/api/v1${target}`, options);

// An address of this machine in a network that no other test counts against.
function network() {
	const [a, b] = crypto.randomBytes(2);
	return `127.${(a % 250) + 2}.${b}.7`;
}

// A person with the demo's password, straight in the database; signs in by itself.
async function person(organizationId, role = "member", values = {}) {
	const user = crypto.randomUUID();
	const member = crypto.randomUUID();
	const email = values.email ?? `${user}@door.test`;
	const name = values.name ?? `Test ${role}`;
	await admin.query(
		"INSERT INTO data.users (id, email, name, password_hash, verified_at) SELECT $1, $2, $3, u.password_hash, now() FROM data.users u WHERE u.email = 'owner@demo.test'",
		[user, email, name],
	);
	await admin.query(
		"INSERT INTO data.members (organization_id, id, user_id, name, email, role, zone) VALUES ($1, $2, $3, $4, $5, $6, 'Europe/Berlin')",
		[organizationId, member, user, name, email, role],
	);
	return { user, member, email, name };
}

async function organization(name = "Doors") {
	const id = crypto.randomUUID();
	await admin.query("INSERT INTO data.organizations (id, name, zone) VALUES ($1, $2, 'Europe/Berlin')", [id, name]);
	return id;
}

async function token(email, password = PASSWORD, from = network()) {
	const reply = await api("POST", "/auth/login", { json: { email, password }, from });
	assert.equal(reply.status, 200, reply.text);
	return reply.json().access_token;
}

const cookieOf = (reply) => {
	const line = (reply.headers["set-cookie"] ?? []).find((c) => !c.startsWith("__Host-flash") && !/max-age=0|=;/i.test(c));
	return line?.split(";")[0];
};

// A browser's session: the cookie, and the token its forms carry.
async function session(email, password = PASSWORD) {
	const reply = await request("POST", "/login", { form: { email, password }, from: network() });
	assert.equal(reply.status, 303, reply.text);
	const cookie = cookieOf(reply);
	const page = await request("GET", "/settings/profile", { cookie });
	assert.equal(page.status, 200, page.text);
	const csrf = /name="csrf"\s+value="([^"]+)"/.exec(page.text)?.[1];
	assert.ok(csrf, "the page has forms with a token");
	return { cookie, csrf, reply };
}

// Every method and path there is, as the program declares them.
const routes = () => JSON.parse(execFileSync(path.join(env("STINT_BIN"), "stint"), ["routes", "--json"], { encoding: "utf8", maxBuffer: 1 << 24 }));
const fill = (target, ids = {}) => target.replace(/\{(\w+)\}/g, (_, name) => ids[name] ?? "0193e000-0000-7000-8000-000000000001");

// --- FastCGI

function record(type, content, { id = 1, version = 1, padding = 0 } = {}) {
	const head = Buffer.from([version, type, id >> 8, id & 255, content.length >> 8, content.length & 255, padding, 0]);
	return Buffer.concat([head, content, Buffer.alloc(padding)]);
}

function pairs(params) {
	const length = (n) => (n < 128 ? Buffer.from([n]) : Buffer.from([(n >>> 24) | 0x80, (n >> 16) & 255, (n >> 8) & 255, n & 255]));
	return Buffer.concat(
		Object.entries(params).flatMap(([name, value]) => [
			length(Buffer.byteLength(name)),
			length(Buffer.byteLength(value)),
			Buffer.from(name),
			Buffer.from(value),
		]),
	);
}

const BEGIN = record(1, Buffer.from([0, 1, 0, 0, 0, 0, 0, 0]));

function params(method, target, extra = {}) {
	return {
		REQUEST_METHOD: method,
		REQUEST_URI: target,
		DOCUMENT_URI: target.split("?")[0],
		SCRIPT_NAME: target.split("?")[0],
		QUERY_STRING: target.split("?")[1] ?? "",
		SERVER_PROTOCOL: "HTTP/1.1",
		REQUEST_SCHEME: "http",
		REMOTE_ADDR: "127.0.0.1",
		HTTP_HOST: url.host,
		...extra,
	};
}

const stream = (given, body = Buffer.alloc(0)) =>
	Buffer.concat([BEGIN, record(4, pairs(given)), record(4, Buffer.alloc(0)), ...(body.length ? [record(5, body)] : []), record(5, Buffer.alloc(0))]);

// Sends bytes, gives all that came back until the other side closed, or "" after a while.
function exchange(socketPath, bytes, { half = false, ms = 5000 } = {}) {
	return new Promise((resolve) => {
		const chunks = [];
		const socket = net.connect(socketPath);
		const end = () => {
			clearTimeout(timer);
			socket.destroy();
			resolve(Buffer.concat(chunks));
		};
		const timer = setTimeout(end, ms);
		socket.on("data", (chunk) => chunks.push(chunk));
		socket.on("error", end);
		socket.on("close", end);
		socket.on("end", end);
		if (half) socket.end(bytes);
		else socket.write(bytes);
	});
}

// The text of the STDOUT records.
function stdout(reply) {
	const parts = [];
	for (let at = 0; at + 8 <= reply.length; ) {
		const length = reply.readUInt16BE(at + 4);
		if (reply[at + 1] === 6) parts.push(reply.subarray(at + 8, at + 8 + length));
		at += 8 + length + reply[at + 6];
	}
	return Buffer.concat(parts).toString();
}

// --- processes

const confValue = (name) => new RegExp(`^${name}\\s*=\\s*(.*)$`, "m").exec(fs.readFileSync(env("STINT_CONF"), "utf8"))?.[1];
const servicePid = (name) => Number(fs.readFileSync(path.join(env("STINT_RUN"), `${name}.pid`), "utf8").split(" ")[0]);

function children(pid) {
	try {
		return fs.readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
	} catch {
		return [];
	}
}

const comm = (pid) => {
	try {
		return fs.readFileSync(`/proc/${pid}/comm`, "utf8").trim();
	} catch {
		return "";
	}
};

// Pids of the workers of a pool that are up.
const workers = (pool, master = servicePid("web")) => children(master).filter((pid) => comm(pid) === `stint ${pool}`).sort((a, b) => a - b);

// Gives how long it took, in ms.
async function within(ms, what, look) {
	const began = performance.now();
	await until(what, look, { every: 10, most: ms });
	return performance.now() - began;
}

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

export {
	BEGIN,
	PASSWORD,
	admin,
	api,
	comm,
	confValue,
	cookieOf,
	done,
	env,
	exchange,
	fill,
	median,
	network,
	organization,
	params,
	pairs,
	person,
	record,
	request,
	routes,
	servicePid,
	session,
	stdout,
	stream,
	token,
	url,
	within,
	workers,
};
