// What the database tests share: connections, the queries as the program embeds them, and people to ask with.
//
// STINT_TEST_DATABASE_URL is a superuser's way into a migrated database with the demo data, STINT_DATABASE_URL the web's. Each
// test makes organizations of its own, so that they may run side by side and again.
import assert from "node:assert/strict";
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import pg from "pg";

const { Pool, types } = pg;

// Dates and instants stay what the database wrote.
for (const oid of [1082, 1114, 1184]) types.setTypeParser(oid, (text) => text);
types.setTypeParser(20, Number);

const root = path.join(import.meta.dirname, "..", "..");

function config(name) {
	const text = process.env[name];
	assert.ok(text, `${name} is not set: run the tests by ./dev test`);
	if (/^postgres(ql)?:/.test(text)) return { connectionString: text };
	const out = {};
	const names = { dbname: "database", host: "host", port: "port", user: "user", password: "password" };
	for (const [, key, quoted, plain] of text.matchAll(/(\w+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|(\S+))/g))
		if (names[key]) out[names[key]] = quoted ?? plain;
	return out;
}

const admin = new Pool({ ...config("STINT_TEST_DATABASE_URL"), max: 4 });
const web = new Pool({ ...config("STINT_DATABASE_URL"), max: 24 });
const worker = new Pool({ ...config("STINT_WORKER_DATABASE_URL"), max: 4 });

async function done() {
	await Promise.all([admin.end(), web.end(), worker.end()]);
}

// sql/queries/*.sql, parameters by name, as tools/embed-queries.pl does it.
function loadQueries() {
	const dir = path.join(root, "sql", "queries");
	const out = {};
	for (const file of fs.readdirSync(dir)) {
		for (const part of fs.readFileSync(path.join(dir, file), "utf8").split(/^-- name: /m).slice(1)) {
			const [name, ...lines] = part.split("\n");
			const params = [];
			const text = lines
				.filter((line) => !/^\s*--/.test(line))
				.join("\n")
				.replace(/'(?:[^']|'')*'|::|:([a-z_][a-z_0-9]*)/g, (match, param) => {
					if (!param) return match;
					if (!params.includes(param)) params.push(param);
					return `$${params.indexOf(param) + 1}`;
				})
				.trim()
				.replace(/;$/, "");
			const [, bare, worker] = /^(\w+)( \(worker\))?\s*$/.exec(name);
			out[bare] = { name: bare, file, text, params, worker: Boolean(worker) };
		}
	}
	return out;
}
const queries = loadQueries();

// A refusal as the program reads it.
class Refusal extends Error {
	constructor(error) {
		super(error.message);
		this.sqlstate = error.code;
		this.code = error.code === "ST001" ? error.message : undefined;
		this.field = error.detail;
		this.extra = error.hint ? JSON.parse(error.hint) : undefined;
		this.constraint = error.constraint;
	}
}

async function run(client, name, values = {}) {
	const query = queries[name];
	assert.ok(query, `no query ${name}`);
	// Prepared, as the program does it: so the plans are the same generic ones.
	return client.query({ name, text: query.text, values: query.params.map((param) => values[param] ?? null) });
}

// One request: enter and query in one transaction. Gives {doc, status, etag, location}, or undefined for no row.
async function call(caller, name, values = {}, { writes = true, need = -1, client } = {}) {
	const c = client ?? (await web.connect());
	try {
		await c.query("BEGIN");
		await run(c, "enter", { credential: caller.hash, need: String(need), flags: writes ? "1" : "0" });
		const given = { limit: "50", credential: caller.hash, ...values };
		if (given.input && typeof given.input !== "string") {
			for (const [key, value] of Object.entries(given.input))
				if (!(key in given) && value !== null) given[key] = typeof value === "object" ? JSON.stringify(value) : String(value);
			given.input = JSON.stringify(given.input);
		}
		given.input ??= "{}";
		const result = await run(c, name, given);
		await c.query("COMMIT");
		return result.rows[0];
	} catch (error) {
		await c.query("ROLLBACK").catch(() => {});
		if (error.code) throw new Refusal(error);
		throw error;
	} finally {
		if (!client) c.release();
	}
}

const doc = async (...args) => (await call(...args))?.doc;
const read = (caller, name, values) => doc(caller, name, values, { writes: false });

async function refused(promise, code, field) {
	const error = await promise.then(
		(row) => assert.fail(`expected ${code}, got ${JSON.stringify(row)}`),
		(e) => e,
	);
	assert.equal(error.code ?? error.constraint ?? error.message, code);
	if (field !== undefined) assert.equal(error.field, field);
	return error;
}

const token = () => "\\x" + crypto.randomBytes(32).toString("hex");

async function signIn(user, organization) {
	const hash = token();
	const { rows } = await web.query("SELECT app.session_create($1, $2, 'session', $3, 'tests', '', 1) AS doc", [
		user,
		organization,
		hash,
	]);
	return { hash, user, organization, member: rows[0].doc.member_id, zone: rows[0].doc.zone };
}

// A fresh organization with one member of each role in `roles`, signed in: {id, owner, manager, member …}.
async function organization({ roles = ["owner", "manager", "member"], zone = "Europe/Berlin", policy = "forbid" } = {}) {
	const id = crypto.randomUUID();
	await admin.query("INSERT INTO data.organizations (id, name, zone, overlap_policy) VALUES ($1, $2, $3, $4)", [
		id,
		`Test ${id}`,
		zone,
		policy,
	]);
	const out = { id };
	for (const role of roles) out[role] = await person(id, role.replace(/\d+$/, ""), zone);
	return out;
}

async function person(organizationId, role, zone = "Europe/Berlin") {
	const user = crypto.randomUUID();
	const name = `Test ${role}`;
	await admin.query("INSERT INTO data.users (id, email, name, verified_at) VALUES ($1, $2, $3, now())", [
		user,
		`${user}@db.test`,
		name,
	]);
	await admin.query(
		"INSERT INTO data.members (organization_id, id, user_id, name, email, role, zone) VALUES ($1, $2, $3, $4, $5, $6, $7)",
		[organizationId, crypto.randomUUID(), user, name, `${user}@db.test`, role, zone],
	);
	return signIn(user, organizationId);
}

const entry = (caller, input) => doc(caller, "time_entries_create", { input });

export {
	admin,
	assert,
	call,
	doc,
	done,
	entry,
	organization,
	person,
	queries,
	read,
	refused,
	root,
	run,
	signIn,
	token,
	web, worker,
};
