// What the tests of the Celery protocol share: a database, a Redis and workers of their own, so that what is killed here disturbs
// nobody else; Celery's real client (celery_client.py) and its real worker (celery_worker.py).
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import readline from "node:readline";
import pg from "pg";
import { until } from "../wait.js";

const { types } = pg;
for (const oid of [1082, 1114, 1184]) types.setTypeParser(oid, (text) => text);
types.setTypeParser(20, Number);

const here = import.meta.dirname;
const root = path.join(here, "..", "..");
const setting = (name) => process.env[name] ?? assert.fail(`${name} is not set: run the tests by ./dev test`);
const build = setting("STINT_BIN");
const host = setting("STINT_RUN");
const python = "/usr/bin/python3";

async function freePort() {
	const holder = net.createServer().listen(0, "127.0.0.1");
	await new Promise((resolve) => holder.once("listening", resolve));
	const { port } = holder.address();
	await new Promise((resolve) => holder.close(resolve));
	return port;
}

async function ask(database, text) {
	const client = new pg.Client({ host, user: "postgres", database });
	await client.connect();
	try {
		return (await client.query(text)).rows;
	} finally {
		await client.end();
	}
}

class Lab {
	static async open(name, { queues = "ai" } = {}) {
		const lab = new Lab();
		lab.name = `celery_${name}`;
		lab.folder = fs.mkdtempSync(path.join(os.tmpdir(), "stint-celery-"));
		lab.socket = path.join(lab.folder, "redis.sock");
		lab.port = await freePort();
		lab.broker = `redis+socket://${lab.socket}`;
		lab.workers = [];
		lab.children = [];
		await ask("postgres", `DROP DATABASE IF EXISTS ${lab.name} WITH (FORCE)`);
		await ask("postgres", `CREATE DATABASE ${lab.name} ENCODING 'UTF8' TEMPLATE template0 LOCALE 'C.UTF-8'`);
		const url = (user) => `host=${host} dbname=${lab.name} user=${user}`;
		lab.env = {
			...process.env,
			STINT_DATABASE_URL: url("stint_web"),
			STINT_WORKER_URL: url("stint_worker"),
			STINT_REDIS_URL: `unix:${lab.socket}`,
			STINT_WORKER_LEASE_S: "3",
			STINT_CELERY_QUEUES: queues,
		};
		for (const what of ["migrate", "demo"]) lab.stint([what], { STINT_MIGRATE_URL: url("postgres") });
		lab.env.STINT_MIGRATE_URL = url("stint_migrate");
		lab.pool = new pg.Pool({ host, user: "postgres", database: lab.name, max: 3 });
		lab.pool.on("error", () => {});
		await lab.redisStart();
		lab.organizations = await lab.rows("SELECT id, name FROM data.organizations ORDER BY (SELECT count(*) FROM data.time_entries AS e WHERE e.organization_id = organizations.id) DESC");
		return lab;
	}

	stint(words, more = {}, status = 0) {
		const out = spawnSync(path.join(build, "stint"), ["-c", setting("STINT_CONF"), ...words], { env: { ...this.env, ...more }, encoding: "utf8" });
		assert.equal(out.status, status, `stint ${words.join(" ")}: ${out.stdout}${out.stderr}`);
		return out.stdout + out.stderr;
	}
	async rows(text, ...values) {
		return (await this.pool.query(text, values)).rows;
	}
	async one(text, ...values) {
		return (await this.rows(text, ...values))[0];
	}

	// Writes all down before it answers, so that a kill loses nothing that was acknowledged.
	async redisStart() {
		const given = ["--port", String(this.port), "--bind", "127.0.0.1", "--unixsocket", this.socket, "--dir", this.folder, "--save", ""];
		this.redis = spawn("redis-server", [...given, "--appendonly", "yes", "--appendfsync", "always"], { stdio: "ignore" });
		this.redisGone = new Promise((resolve) => this.redis.on("exit", resolve));
		await until("Redis answers", () => {
			try {
				return this.run("PING") === "PONG";
			} catch {
				return false;
			}
		});
	}
	async redisKill() {
		this.redis.kill("SIGKILL");
		await this.redisGone;
	}
	// Words may be Buffers; what is bytes goes in by stdin.
	run(...words) {
		const last = words.at(-1);
		if (Buffer.isBuffer(last)) return execFileSync("redis-cli", ["-s", this.socket, "-x", ...words.slice(0, -1)], { input: last, encoding: "utf8", stdio: ["pipe", "pipe", "ignore"] }).trim();
		return execFileSync("redis-cli", ["-s", this.socket, ...words.map(String)], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
	}

	async worker({ queues = "default:1,outside:1", env = {}, args = [], ready = true } = {}) {
		const log = path.join(this.folder, `worker-${this.workers.length}.log`);
		const out = fs.openSync(log, "a");
		const w = spawn(path.join(build, "stint-worker"), ["-c", setting("STINT_CONF"), "--queues", queues, ...args], { stdio: ["ignore", out, out], env: { ...this.env, ...env } });
		fs.closeSync(out);
		w.said = () => fs.readFileSync(log, "utf8");
		w.gone = new Promise((resolve) => w.on("exit", (code, signal) => resolve(signal ?? code)));
		w.stop = async () => {
			w.kill("SIGTERM");
			return w.gone;
		};
		this.workers.push(w);
		if (ready) await until("the worker is ready", () => w.said().includes('"ready"') || assert.equal(w.exitCode, null, w.said()));
		return w;
	}

	async client(more = {}) {
		const c = new Client(this, more);
		this.children.push(c.process);
		return c;
	}
	async celeryWorker(more = []) {
		const log = path.join(this.folder, `celery-${this.children.length}.log`);
		const out = fs.openSync(log, "a");
		const w = spawn(python, ["-m", "celery", "-A", "celery_worker", "worker", "-Q", "ai", "-c", "1", "-l", "info", "--without-gossip", "--without-mingle", ...more], {
			cwd: here,
			detached: true,
			stdio: ["ignore", out, out],
			env: { ...process.env, CELERY_BROKER: this.broker, LAB: this.folder, C_FORCE_ROOT: "1", PYTHONDONTWRITEBYTECODE: "1" },
		});
		fs.closeSync(out);
		w.gone = new Promise((resolve) => w.on("exit", resolve));
		w.said = () => fs.readFileSync(log, "utf8");
		// The whole of it at once, as if its machine had gone.
		w.killAll = async () => {
			try {
				process.kill(-w.pid, "SIGKILL");
			} catch {
				// gone already
			}
			await w.gone;
		};
		this.children.push(w);
		await until("Celery's worker is ready", () => w.said().includes("ready.") || assert.equal(w.exitCode, null, w.said()));
		return w;
	}

	async close() {
		for (const w of this.workers) if (w.exitCode === null && w.signalCode === null) assert.equal(await w.stop(), 0, w.said().slice(-2000));
		for (const c of this.children)
			if (c.killAll) await c.killAll();
			else c.kill("SIGKILL");
		await this.redisKill();
		await this.pool.end();
		await ask("postgres", `DROP DATABASE IF EXISTS ${this.name} WITH (FORCE)`);
		for (const w of this.workers) assert.doesNotMatch(w.said(), /ERROR: \w+Sanitizer|runtime error:/);
		fs.rmSync(this.folder, { recursive: true, force: true });
	}
}

// Celery's own client in a process of its own; each request is a thread there, so that one may wait while another asks.
class Client {
	constructor(lab, more) {
		this.process = spawn(python, [path.join(here, "celery_client.py")], {
			stdio: ["pipe", "pipe", "inherit"],
			env: { ...process.env, CELERY_BROKER: lab.broker, PYTHONDONTWRITEBYTECODE: "1", ...more },
		});
		this.open = new Map();
		this.n = 0;
		readline.createInterface({ input: this.process.stdout }).on("line", (line) => {
			const answer = JSON.parse(line);
			this.open.get(answer.n)(answer);
			this.open.delete(answer.n);
		});
	}
	ask(op, given = {}) {
		const n = ++this.n;
		this.process.stdin.write(`${JSON.stringify({ n, op, ...given })}\n`);
		return new Promise((resolve) => this.open.set(n, resolve));
	}
	// Sends; gives the id.
	async send(task, { args = [], kwargs = {}, ...options } = {}) {
		const answer = await this.ask("send", { task, args, kwargs, options: { queue: "acme", ...options } });
		assert.ok(answer.id, JSON.stringify(answer));
		return answer.id;
	}
	// What .get() gives or raises: {result} or {type, module, message}.
	get(id) {
		return this.ask("get", { id });
	}
	async call(task, given) {
		return this.get(await this.send(task, given));
	}
}

const uuid = () => crypto.randomUUID();

export { Client, Lab, assert, ask, fs, path, python, root, uuid };
