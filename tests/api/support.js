// What the API tests share: a client that holds every reply against the OpenAPI document, people and organizations made
// for one test alone, and a way to send what no client would.
//
// People come into being in the database, because nobody can be invited yet and because registering is throttled for all
// of a network; that registering works is auth.test.js's to show. Signing in is the real thing everywhere.
import assert from "node:assert/strict";
import crypto from "node:crypto";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import pg from "pg";
import Ajv from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { pause } from "../wait.js";

const { Pool, types } = pg;
for (const oid of [1082, 1114, 1184]) types.setTypeParser(oid, (text) => text);
types.setTypeParser(20, Number);

const root = path.join(import.meta.dirname, "..", "..");
const base = "/api/v1";
const demoPassword = "stint-demo-2026";

function setting(...names) {
	for (const name of names) if (process.env[name]) return process.env[name];
	assert.fail(`${names[0]} is not set: run the tests by ./dev test, or with \`env $(./dev env)\``);
}
const url = setting("STINT_URL");

// A connection string as libpq or as a URL writes it.
function database() {
	const text = setting("STINT_TEST_DATABASE_URL", "STINT_ADMIN_DATABASE_URL");
	if (!/^postgres(ql)?:/.test(text)) {
		const given = Object.fromEntries(text.split(/\s+/).map((pair) => pair.split("=")));
		return { host: given.host, database: given.dbname, user: given.user, port: given.port };
	}
	return { connectionString: text };
}
const admin = new Pool({ ...database(), max: 2, allowExitOnIdle: true });
const rows = async (text, ...values) => (await admin.query(text, values)).rows;
const one = async (text, ...values) => (await rows(text, ...values))[0];

// ---- requests

// A request as it is told, and its reply as it came: {status, headers, text, body}. Nothing is judged here.
async function http(method, target, { headers = {}, body, redirect = "manual" } = {}) {
	const response = await fetch(url + target, { method, headers, body, redirect });
	const text = await response.text();
	let parsed;
	if (/json/.test(response.headers.get("content-type") ?? "") && text) parsed = JSON.parse(text);
	return { method, target, status: response.status, headers: response.headers, text, body: parsed };
}

// Bytes as they are, over a socket of their own: what fetch refuses to send.
function bytes(chunks) {
	const { hostname, port } = new URL(url);
	return new Promise((resolve, reject) => {
		let answer = "";
		const socket = net.connect(Number(port), hostname, () => {
			for (const chunk of [chunks].flat()) socket.write(chunk);
		});
		socket.setTimeout(10000, () => socket.destroy(new Error("no answer in 10 s")));
		socket.on("data", (data) => (answer += data));
		socket.on("error", (error) => (answer ? resolve(answer) : reject(error)));
		socket.on("close", () => resolve({ status: Number(answer.split(" ")[1]), text: answer }));
	});
}

// ---- the contract

const codes = new Map();
for (const [, status, code] of fs
	.readFileSync(path.join(root, "src/base/errors.def"), "utf8")
	.matchAll(/^ERR\(\w+, (\d+), "(\w+)"/gm))
	codes.set(code, Number(status));

let contract;
async function openapi() {
	contract ??= (async () => {
		const { status, body } = await http("GET", `${base}/openapi.json`);
		assert.equal(status, 200);
		const ajv = new Ajv({ strict: false, allErrors: true });
		addFormats(ajv);
		ajv.addSchema(body, "stint:openapi");
		const operations = [];
		for (const [template, methods] of Object.entries(body.paths))
			for (const [method, operation] of Object.entries(methods))
				operations.push({
					method: method.toUpperCase(),
					template,
					matches: new RegExp(`^${base}${template.replace(/\{\w+\}/g, "[^/]+")}$`),
					pointer: `stint:openapi#/paths/${template.replaceAll("~", "~0").replaceAll("/", "~1")}/${method}/responses`,
					...operation,
				});
		return { document: body, ajv, operations };
	})();
	return contract;
}

const encoded = (pointer) => pointer.replace(/[{}]/g, (c) => encodeURIComponent(c));

function schemaCheck(ajv, pointer, reply) {
	const validate = ajv.getSchema(encoded(pointer)) ?? ajv.compile({ $ref: encoded(pointer) });
	assert.ok(
		validate(reply.body),
		`${reply.method} ${reply.target} ${reply.status}: ${ajv.errorsText(validate.errors)}\n${reply.text}`,
	);
}

function problemCheck(ajv, reply) {
	const said = `${reply.method} ${reply.target} ${reply.status} ${reply.text}`;
	assert.match(reply.headers.get("content-type") ?? "", /^application\/problem\+json/, said);
	schemaCheck(ajv, "stint:openapi#/components/schemas/Problem", reply);
	assert.equal(reply.body.status, reply.status, said);
	assert.equal(codes.get(reply.body.code), reply.status, `${said}: not a code of errors.def with this status`);
	assert.ok(reply.body.detail.length > 10, said);
	assert.doesNotMatch(reply.text, /\bdata\.|\bseen\.|\bapp\.\w+\(|SQLSTATE|violates|pg_|\.sql\b|relation "/, said);
	for (const { message } of reply.body.errors ?? []) assert.ok(message.length > 3, said);
}

// What every reply of the API must be, whatever was asked.
async function conforms(reply) {
	const { ajv, operations } = await openapi();
	const plain = reply.target.split("?")[0];
	const operation = operations.find((o) => o.method === reply.method && o.matches.test(plain));
	const said = `${reply.method} ${reply.target} ${reply.status} ${reply.text.slice(0, 500)}`;
	assert.match(reply.headers.get("x-request-id") ?? "", /^[\w-]{8,}$/, said);
	assert.equal(reply.headers.get("cache-control"), "no-store", said);
	assert.equal(reply.headers.get("x-content-type-options"), "nosniff", said);
	if (reply.status >= 400) {
		problemCheck(ajv, reply);
		assert.equal(reply.body.request_id, reply.headers.get("x-request-id"), said);
		return reply;
	}
	assert.ok(operation, `${said}: not in the OpenAPI document`);
	const known = operation.responses[String(reply.status)];
	assert.ok(known, `${said}: this status is not in the OpenAPI document (${Object.keys(operation.responses)})`);
	if (known.content) {
		assert.equal(reply.headers.get("content-type"), "application/json; charset=utf-8", said);
		schemaCheck(ajv, `${operation.pointer}/${reply.status}/content/application~1json/schema`, reply);
	} else assert.equal(reply.text, "", said);
	return reply;
}

// ---- clients


// Asks in somebody's name (or nobody's). A path begins behind /api/v1. A body that is a string goes as it is.
class Client {
	constructor(token, facts = {}) {
		Object.assign(this, facts, { token });
	}

	async send(method, target, body, headers = {}) {
		const sent = { ...headers };
		if (this.token) sent.authorization = `Bearer ${this.token}`;
		if (body !== undefined) {
			sent["content-type"] ??= "application/json";
			if (typeof body !== "string" && !(body instanceof Uint8Array)) body = JSON.stringify(body);
		}
		for (let turn = 0; ; turn++) {
			const reply = await http(method, base + target, { headers: sent, body });
			// The rate of requests is not what these tests are about.
			const waits = reply.status === 429 && reply.headers.has("ratelimit-limit") && reply.headers.get("ratelimit-remaining") === "0";
			if (!waits || turn === 20) return conforms(reply);
			await pause(1000 * Number(reply.headers.get("retry-after") ?? 1));
		}
	}

	get(target, headers) {
		return this.send("GET", target, undefined, headers);
	}
	post(target, body, headers) {
		return this.send("POST", target, body, headers);
	}
	patch(target, body, headers) {
		return this.send("PATCH", target, body, headers);
	}
	delete(target, headers) {
		return this.send("DELETE", target, undefined, headers);
	}

	// The body of what must succeed with `status`.
	async made(target, body, status = 201) {
		return took(await this.post(target, body), status).body;
	}
	async read(target) {
		return took(await this.get(target), 200).body;
	}
}

const nobody = new Client(null);

function took(reply, status = 200) {
	assert.equal(reply.status, status, `${reply.method} ${reply.target}: ${reply.text}`);
	return reply;
}

// A refusal with exactly this status and code, and, when told, for exactly this field.
function refused(reply, status, code, field) {
	const said = `${reply.method} ${reply.target}: ${reply.status} ${reply.text}`;
	assert.equal(reply.status, status, said);
	const errors = reply.body.errors ?? [];
	if (field === undefined) assert.equal(reply.body.code, code, said);
	else assert.ok(errors.some((e) => e.field === field && e.code === code), `${said}\nwanted ${code} of ${field}`);
	return reply.body;
}

async function signIn(email, secret = demoPassword) {
	return took(await nobody.post("/auth/login", { email, password: secret }), 200).body.access_token;
}

const tokens = new Map();
// Signed in as somebody of the demo; the same token for all of a file.
async function client(email, secret = demoPassword) {
	if (!tokens.has(email)) tokens.set(email, signIn(email, secret));
	return new Client(await tokens.get(email), { email });
}

// ---- people

// Everybody has the demo's password: its hash is taken from there, since only the program can make one.
let hashed;
async function passwordHash() {
	hashed ??= one("SELECT password_hash FROM data.users WHERE email = 'member@demo.test'").then((user) => {
		assert.ok(user, "the demo data is not loaded");
		return user.password_hash;
	});
	return hashed;
}

async function person(organizationId, role, { zone = "Europe/Berlin", user, name = `Test ${role}`, active = true } = {}) {
	const email = `${crypto.randomUUID()}@api.test`;
	user ??= { id: crypto.randomUUID(), email };
	if (user.email === email)
		await rows(
			"INSERT INTO data.users (id, email, name, verified_at, password_hash) VALUES ($1, $2, $3, now(), $4)",
			user.id,
			email,
			name,
			await passwordHash(),
		);
	const memberId = crypto.randomUUID();
	await rows(
		"INSERT INTO data.members (organization_id, id, user_id, name, email, role, zone, active) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
		organizationId,
		memberId,
		user.id,
		name,
		user.email,
		role,
		zone,
		active,
	);
	return { user, email: user.email, member_id: memberId, organization_id: organizationId, role };
}

const signedIn = async (who) => new Client(await signIn(who.email), who);

// A fresh organization with somebody signed in for each of `roles`: {id, name, owner, manager, member}.
async function organization({ roles = ["owner", "manager", "member"], zone = "Europe/Berlin", policy = "forbid", name } = {}) {
	const id = crypto.randomUUID();
	name ??= `Test ${id}`;
	await rows(
		"INSERT INTO data.organizations (id, name, zone, overlap_policy) VALUES ($1, $2, $3, $4)",
		id,
		name,
		zone,
		policy,
	);
	const out = { id, name };
	for (const role of roles) out[role] = await signedIn(await person(id, role, { zone }));
	return out;
}

// A mail with its parts as they read: quoted-printable undone.
function mailRead(text) {
	const [head, ...parts] = text.split(/(?=\r\n--=_)/);
	const undone = (part) =>
		Buffer.from(
			part.replace(/=\r\n/g, "").replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16))),
			"latin1",
		).toString();
	return head + parts.map((part) => (/^Content-Transfer-Encoding: quoted-printable\r$/m.test(part) ? undone(part) : part)).join("");
}

// The newest mail to an address, as text. It comes some time after the answer that promised it.
async function mailTo(address, turns = 400) {
	const dir = setting("STINT_MAIL_DIR");
	for (let turn = 0; turn < turns; turn++) {
		for (const file of fs.readdirSync(dir).sort().reverse().slice(0, 200)) {
			if (file.startsWith(".")) continue;
			const text = fs.readFileSync(path.join(dir, file), "utf8");
			if (text.includes(`\r\nTo: ${address}\r\n`) || text.includes(` <${address}>\r\n`)) return mailRead(text);
		}
		await pause(50);
	}
	assert.fail(`no mail to ${address}`);
}
const linkToken = (mail) => {
	const [, token] = /[?&]token=([\w-]+)/.exec(mail) ?? assert.fail(`no link in ${mail}`);
	return token;
};

// A runner of jobs as the keeper knows it: a connection that holds the lock of its number, for as long as the test file runs.
// Without one a running job is taken for lost, sooner or later.
let holder;
const holderAlive = () => (holder ??= (async () => {
	const runner = new pg.Client(database());
	await runner.connect();
	const { rows: got } = await runner.query("SELECT h.number, pg_advisory_lock(7319, h.number) FROM (SELECT nextval('jobs.holders')::integer AS number OFFSET 0) AS h");
	runner.unref(); // it ends with the file
	return got[0].number;
})());

const uuid = () => crypto.randomUUID();
// An id as the program makes them: ordered by time.
const uuidv7 = () => {
	const b = crypto.randomBytes(16);
	b.writeUIntBE(Date.now(), 0, 6);
	b[6] = (b[6] & 0x0f) | 0x70;
	b[8] = (b[8] & 0x3f) | 0x80;
	return b.toString("hex").replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5");
};
const instant = (ms) => new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
const ago = (seconds) => instant(Date.now() - seconds * 1000);
const seconds = (from, to) => (Date.parse(to) - Date.parse(from)) / 1000;

export {
	Client,
	admin,
	ago,
	assert,
	base,
	bytes,
	client,
	codes,
	conforms,
	demoPassword,
	holderAlive,
	http,
	instant,
	linkToken,
	mailTo,
	nobody,
	one,
	openapi,
	organization,
	person,
	refused,
	root,
	rows,
	seconds,
	signIn,
	signedIn,
	took,
	url,
	uuid,
	uuidv7,
};
