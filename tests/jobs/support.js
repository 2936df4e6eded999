// What the tests of background work share: a laboratory with a database, a Redis and workers of its own, so that whatever is
// killed, stopped or flushed in one disturbs nobody else.
//
// The worker is stint-worker with the kinds of tests/jobs/kinds.def. What its jobs did is counted in schema scratch: effects
// holds one row for each effect that was committed, runs one for each time a job was begun.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { after } from "node:test";
import pg from "pg";
import { until } from "../wait.js";

const { types } = pg;
for (const oid of [1082, 1114, 1184]) types.setTypeParser(oid, (text) => text);
types.setTypeParser(20, Number);

const root = path.join(import.meta.dirname, "..", "..");
const setting = (name) => process.env[name] ?? assert.fail(`${name} is not set: run the tests by ./dev test`);
const build = setting("STINT_BIN");
const host = setting("STINT_RUN");
const template = "jobs_template";
const program = path.join(build, "tests/jobs/stint-test-worker");

// ---- the database: one that was migrated is the model of all

const scratch = `
	CREATE SCHEMA scratch;
	CREATE TABLE scratch.effects (seq bigserial, job_id uuid NOT NULL, kind text NOT NULL, n integer NOT NULL,
		at timestamptz NOT NULL DEFAULT clock_timestamp());
	CREATE TABLE scratch.runs (seq bigserial, job_id uuid NOT NULL, kind text NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp());
	CREATE FUNCTION scratch.run_add(job uuid, kind text) RETURNS bigint LANGUAGE sql SECURITY DEFINER AS $$
		INSERT INTO scratch.runs (job_id, kind) VALUES (job, kind);
		SELECT count(*) FROM scratch.runs AS r WHERE r.job_id = job;
	$$;
	GRANT USAGE ON SCHEMA scratch TO stint_worker;
	GRANT INSERT, SELECT ON scratch.effects TO stint_worker;
	GRANT USAGE ON SEQUENCE scratch.effects_seq_seq TO stint_worker;`;

const connection = (database, user = "postgres") => ({ host, user, database });

async function ask(database, text) {
	const client = new pg.Client(connection(database));
	await client.connect();
	try {
		return (await client.query(text)).rows;
	} finally {
		await client.end();
	}
}

// Of the stack's configuration, what has nothing to do with jobs.
const shared = Object.fromEntries(["templates_dir", "assets_file"].map((key) => [key,
	fs.readFileSync(setting("STINT_CONF"), "utf8").match(new RegExp(`^${key} = (.*)$`, "m"))[1]]));

let making;

// Made anew when the schema's sources are newer than it.
async function templateMake() {
	const stint = path.join(build, "stint");
	const stamp = [stint, program].map((file) => fs.statSync(file).mtimeMs).join(" ");
	const [there] = await ask("postgres", `SELECT shobj_description(oid, 'pg_database') AS stamp FROM pg_database WHERE datname = '${template}'`);
	if (there?.stamp === stamp) return;
	await ask("postgres", `DROP DATABASE IF EXISTS ${template} WITH (FORCE)`);
	await ask("postgres", `CREATE DATABASE ${template} ENCODING 'UTF8' TEMPLATE template0 LOCALE 'C.UTF-8'`);
	const env = { ...process.env, STINT_MIGRATE_URL: `host=${host} dbname=${template} user=postgres` };
	const out = spawnSync(stint, ["-c", setting("STINT_CONF"), "migrate"], { env, encoding: "utf8" });
	assert.equal(out.status, 0, out.stdout + out.stderr);
	await ask(template, scratch);
	await ask("postgres", `COMMENT ON DATABASE ${template} IS '${stamp}'`);
}

// Several files may run at a time.
async function templateLocked() {
	const client = new pg.Client(connection("postgres"));
	await client.connect();
	try {
		await client.query("SELECT pg_advisory_lock(7321)");
		await templateMake();
	} finally {
		await client.end();
	}
}

// ---- Redis

async function redisCommand(socket, ...words) {
	return new Promise((resolve, reject) => {
		const link = net.connect(socket, () => {
			link.write(`*${words.length}\r\n` + words.map((w) => `$${Buffer.byteLength(String(w))}\r\n${w}\r\n`).join(""));
		});
		let data = Buffer.alloc(0);
		link.on("error", reject);
		link.on("close", () => reject(new Error("Redis hung up")));
		link.on("data", (more) => {
			data = Buffer.concat([data, more]);
			const answer = redisRead(data, 0);
			if (!answer) return;
			link.removeAllListeners("close");
			link.destroy();
			if (answer.value instanceof Error) reject(answer.value);
			else resolve(answer.value);
		});
	});
}

// {value, next}, or undefined while it is not whole.
function redisRead(data, at) {
	const end = data.indexOf("\r\n", at);
	if (end < 0) return undefined;
	const head = data.toString("utf8", at + 1, end);
	const next = end + 2;
	switch (String.fromCharCode(data[at])) {
		case "+":
			return { value: head, next };
		case "-":
			return { value: new Error(head), next };
		case ":":
			return { value: Number(head), next };
		case "$": {
			const length = Number(head);
			if (length < 0) return { value: null, next };
			return data.length < next + length + 2 ? undefined : { value: data.toString("utf8", next, next + length), next: next + length + 2 };
		}
		default: {
			const value = [];
			let from = next;
			for (let i = 0; i < Number(head); i++) {
				const item = redisRead(data, from);
				if (!item) return undefined;
				value.push(item.value);
				from = item.next;
			}
			return { value: Number(head) < 0 ? null : value, next: from };
		}
	}
}

class Redis {
	constructor(folder, options = []) {
		this.socket = path.join(folder, "redis.sock");
		this.folder = folder;
		this.options = options;
	}
	async start() {
		const given = ["--port", "0", "--unixsocket", this.socket, "--daemonize", "no", "--dir", this.folder, "--save", "", ...this.options];
		this.process = spawn("redis-server", given, { stdio: "ignore" });
		this.gone = new Promise((resolve) => this.process.on("exit", resolve));
		await until("redis-server answers", () => this.run("PING").catch(() => false));
	}
	run(...words) {
		return redisCommand(this.socket, ...words);
	}
	async kill(signal = "SIGKILL") {
		this.process.kill("SIGCONT");
		this.process.kill(signal);
		await this.gone;
	}
}

// ---- workers

const childrenOf = (pid) => {
	try {
		return fs.readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(/\s+/).filter(Boolean).map(Number);
	} catch {
		return [];
	}
};

class Worker {
	constructor(lab, { args = [], env = {}, conf = {}, log }) {
		this.log = log;
		this.conf = `${log}.conf`;
		this.configure(lab, conf);
		const out = fs.openSync(log, "a");
		this.process = spawn(program, ["-c", this.conf, ...args], {
			stdio: ["ignore", out, out],
			env: { PATH: process.env.PATH, ASAN_OPTIONS: process.env.ASAN_OPTIONS, UBSAN_OPTIONS: process.env.UBSAN_OPTIONS,
				LSAN_OPTIONS: process.env.LSAN_OPTIONS, ...env },
		});
		fs.closeSync(out);
		this.pid = this.process.pid;
		this.exited = new Promise((resolve) => this.process.on("exit", (code, signal) => resolve(signal ?? code)));
	}
	configure(lab, conf) {
		const all = { ...lab.conf, ...conf };
		fs.writeFileSync(this.conf, Object.entries(all).map(([key, value]) => `${key} = ${value}\n`).join(""));
	}
	said() {
		return fs.readFileSync(this.log, "utf8");
	}
	async ready() {
		await until("the worker is ready", () => this.said().includes('"ready"') || this.process.exitCode !== null);
		assert.match(this.said(), /"ready"/);
		return this;
	}
	// Forked in this order: keeper, relay, sealer, intake, runners.
	children() {
		return childrenOf(this.pid);
	}
	kill(signal = "SIGKILL") {
		try {
			process.kill(this.pid, signal);
		} catch {
			// gone already
		}
	}
	// Everybody of this worker at once, as if the power had gone.
	async killAll() {
		const pids = [this.pid, ...this.children()];
		for (const pid of pids)
			try {
				process.kill(pid, "SIGKILL");
			} catch {
				// gone already
			}
		return this.exited;
	}
	signalAll(signal) {
		for (const pid of [this.pid, ...this.children()]) process.kill(pid, signal);
	}
	async stop(signal = "SIGTERM") {
		this.kill("SIGCONT");
		for (const pid of this.children()) process.kill(pid, "SIGCONT");
		this.kill(signal);
		return this.exited;
	}
}

// ---- the laboratory

const labs = new Set();
// A test that failed left its laboratory open: whatever still runs in it goes.
after(async () => {
	for (const lab of labs) await lab.close();
});

class Lab {
	static async open(name, { queues = "default:2", lease = 2, redis = [] } = {}) {
		const lab = new Lab();
		lab.name = `jobs_${name}_${process.pid}`;
		lab.workers = [];
		making ??= templateLocked();
		await making;
		await ask("postgres", `CREATE DATABASE ${lab.name} TEMPLATE ${template}`);
		lab.folder = fs.mkdtempSync(path.join(os.tmpdir(), "stint-jobs-"));
		lab.redis = new Redis(lab.folder, redis);
		await lab.redis.start();
		lab.pool = new pg.Pool({ ...connection(lab.name), max: 8 });
		lab.pool.on("error", () => {});
		labs.add(lab);
		lab.conf = {
			...shared,
			database_url: `host=${host} dbname=${lab.name} user=stint_web`,
			worker_url: `host=${host} dbname=${lab.name} user=stint_worker`,
			redis_url: `unix:${lab.redis.socket}`,
			worker_queues: queues,
			worker_lease_s: lease,
			secret_key_file: path.join(lab.folder, "key"),
		};
		fs.writeFileSync(lab.conf.secret_key_file, `${crypto.randomBytes(32).toString("hex")}\n`, { mode: 0o600 });
		if ((await lab.one("SELECT count(*) FROM jobs.kinds WHERE kind = 'test.noop'")) === 0) await lab.declare();
		return lab;
	}
	// The kinds are declared by the first worker that starts: by one without queues here, and then in the model for all others.
	async declare() {
		const worker = await this.worker({ args: ["--queues", "nothing"] }).ready();
		await worker.stop();
		const kinds = await this.one("SELECT jsonb_agg(to_jsonb(k))::text FROM jobs.kinds AS k WHERE kind LIKE 'test.%'");
		await ask(template, `SELECT jobs.kinds_declare($kinds$${kinds}$kinds$)`);
	}
	worker(options = {}) {
		const worker = new Worker(this, { ...options, log: path.join(this.folder, `worker-${this.workers.length}.log`) });
		this.workers.push(worker);
		return worker;
	}
	async drain(options = {}) {
		const worker = this.worker({ ...options, args: ["--until-idle", ...(options.args ?? [])] });
		assert.equal(await worker.exited, 0, worker.said().slice(-3000));
		return worker;
	}
	async rows(text, ...values) {
		return (await this.pool.query(text, values)).rows;
	}
	async one(text, ...values) {
		return Object.values((await this.rows(text, ...values))[0] ?? { nothing: undefined })[0];
	}
	async enqueue(kind, args = {}, options = {}) {
		return this.one("SELECT jobs.enqueue($1, $2, $3)", kind, JSON.stringify(args), JSON.stringify(options));
	}
	// n jobs with args.n of 0 to n - 1.
	async enqueueMany(kind, n, args = {}, options = {}) {
		await this.rows(
			"SELECT jobs.enqueue_all($1, array_agg($3::jsonb || jsonb_build_object('n', i) ORDER BY i), $4) FROM generate_series(0, $2::integer - 1) AS i",
			kind, n, JSON.stringify(args), JSON.stringify(options));
	}
	async job(id) {
		return (await this.rows("SELECT * FROM jobs.jobs WHERE id = $1", id))[0];
	}
	async ended(id) {
		return until(`job ${id} ends`, async () => {
			const job = await this.job(id);
			return !job || job.finished_at ? (job ?? { state: "gone" }) : undefined;
		});
	}
	async effects(where = "true") {
		return this.rows(`SELECT job_id, kind, n, at FROM scratch.effects WHERE ${where} ORDER BY seq`);
	}
	async runs(id) {
		return this.one("SELECT count(*) FROM scratch.runs WHERE job_id = $1", id);
	}
	// Jobs of the clock's own, every minute, are left out: nobody serves their queue here.
	async open(states = "'waiting', 'running'") {
		return this.one(`SELECT count(*) FROM jobs.jobs WHERE state IN (${states}) AND queue <> 'ticks'`);
	}
	async organization(id) {
		await this.rows("INSERT INTO data.organizations (id, name, zone) VALUES ($1, 'Test', 'Europe/Berlin')", id);
		return id;
	}
	// Everything of a laboratory goes, and no worker of it may have said that its memory was misused.
	async close() {
		if (!labs.delete(this)) return;
		for (const worker of this.workers) {
			if (worker.process.exitCode === null && worker.process.signalCode === null) {
				for (const pid of [worker.pid, ...worker.children()]) process.kill(pid, "SIGCONT");
				worker.kill("SIGTERM");
				await worker.exited;
			}
		}
		await this.pool.end();
		if (this.redis.process.exitCode === null && this.redis.process.signalCode === null) await this.redis.kill();
		await ask("postgres", `DROP DATABASE IF EXISTS ${this.name} WITH (FORCE)`);
		for (const worker of this.workers)
			assert.doesNotMatch(worker.said(), /ERROR: (Address|Leak|UndefinedBehavior)Sanitizer|runtime error:/);
		fs.rmSync(this.folder, { recursive: true, force: true });
	}
}

export { assert, build, childrenOf, host, Lab, root };
