// The development stack itself: a clone of this test's own (its programs are those under test) is started, hurt and stopped.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import https from "node:https";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { after, afterEach, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

const root = process.env.STINT_ROOT;
const clone = fs.mkdtempSync(path.join(os.tmpdir(), "stint-clone-"));
const at = (name) => path.join(clone, name);
const inVar = (name) => path.join(clone, "var", name);
// The stack under test has its own addresses, which must not win over the clone's configuration.
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("STINT_") && name !== "PORT"));
let port;

const freePort = () => new Promise((resolve) => {
	const server = net.createServer().listen(0, "127.0.0.1", () => {
		const { port } = server.address();
		server.close(() => resolve(port));
	});
});
const dev = (...args) => {
	const out = spawnSync(at("dev"), args, { encoding: "utf8", env, timeout: 120_000 });
	return { status: out.status, text: out.stdout + out.stderr };
};
// Functions of the stack's scripts, as dev itself has them.
const shell = (script) => {
	const text = `set -euo pipefail; ROOT=$1; for part in lib proc packages node build stack config supervise up commands; do . "$ROOT/tools/dev/$part.sh"; done\n${script}`;
	const out = spawnSync("bash", ["-c", text, "sh", clone], { encoding: "utf8", env, timeout: 60_000 });
	return { status: out.status, text: out.stdout + out.stderr };
};

const alive = (pid) => {
	try {
		return !/^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, "utf8"));
	} catch {
		return false;
	}
};
const until = async (what, test, ms = 60_000) => {
	for (const end = Date.now() + ms; !(await test()); await sleep(50)) assert.ok(Date.now() < end, what());
};

// Starts the supervisor, as `./dev up --detach` does once everything is built; waits until all of it runs or it has ended.
const start = async ({ host = "", demo = "no" } = {}) => {
	fs.rmSync(inVar("stack.env"), { force: true });
	const url = host ? `https://${host}:${port}` : `http://localhost:${port}`;
	const child = spawn(at("dev"), ["_run", `${host}|${port}|${url}|${demo}`, "detached"], { env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
	const stack = { pid: child.pid, text: "", status: null };
	child.stdout.on("data", (piece) => (stack.text += piece));
	child.stderr.on("data", (piece) => (stack.text += piece));
	child.on("exit", (status, signal) => (stack.status = status ?? signal));
	await until(() => stack.text, () => stack.status !== null || fs.existsSync(inVar("stack.env")));
	return stack;
};
const started = async (options) => {
	const stack = await start(options);
	assert.equal(stack.status, null, stack.text);
	return stack;
};
const pids = () => fs.readdirSync(inVar("run/")).filter((name) => name.endsWith(".pid")).map((name) => Number(fs.readFileSync(inVar(`run/${name}`), "utf8").split(" ")[0]));
// Everything that runs out of the clone or its folders.
const left = () => fs.readdirSync("/proc").filter((pid) => {
	if (!/^\d+$/.test(pid) || !alive(pid)) return false;
	const line = fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
	return line.includes(clone) || line.includes(fs.realpathSync(inVar("run")));
});
const psql = (sql) => dev("psql", "-X", "-A", "-t", "-c", sql).text.trim();

before(async () => {
	port = await freePort();
	fs.copyFileSync(path.join(root, "dev"), at("dev"));
	for (const name of ["tools", "templates", "nginx", "sql"]) fs.symlinkSync(path.join(root, name), at(name));
	fs.symlinkSync(process.env.STINT_BIN, at("_build"));
	fs.mkdirSync(inVar("log"), { recursive: true });
});
afterEach(() => {
	if (fs.existsSync(inVar("dev.pid"))) dev("down"); // what a failed test left
});
after(() => {
	dev("reset", "--yes");
	fs.rmSync(clone, { recursive: true });
});

test("it starts, says where it is, and stops without leaving a process", async () => {
	const stack = await started();
	assert.match(stack.text, new RegExp(`Stint is at http://localhost:${port}`));
	assert.match(dev("env").text, new RegExp(`^STINT_URL=http://localhost:${port}$`, "m"));
	assert.equal((await fetch(`http://localhost:${port}/readyz`)).status, 200);
	psql("CREATE TABLE public.kept AS SELECT generate_series(1, 1000) AS n");
	assert.equal(pids().length, Number(shell("echo ${#SERVICES_IN_ORDER[@]}").text));
	assert.equal(dev("down").status, 0);
	assert.deepEqual(left(), []);
	await until(() => "the supervisor ends", () => stack.status !== null);
	assert.equal(stack.status, 0, stack.text);
});

test("killed hard it takes its services along, and the next start has all data", async () => {
	const stack = await started();
	process.kill(stack.pid, "SIGKILL");
	await until(() => `left: ${left()}`, () => left().length === 0);
	await started();
	assert.equal(psql("SELECT count(*) FROM public.kept"), "1000");
	assert.equal(dev("down").status, 0);
});

test("a half-made ./var is made whole: emptied and missing files, stale pid files and sockets, a broken link", async () => {
	const key = fs.readFileSync(inVar("secret_key"), "utf8"), run = fs.realpathSync(inVar("run"));
	const boot = fs.readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
	for (const name of ["stint.conf", "nginx/nginx.conf", "nginx/stint-pools.map"]) fs.writeFileSync(inVar(name), "");
	fs.rmSync(inVar("nginx/extra"), { recursive: true });
	fs.rmSync(inVar("mail"), { recursive: true });
	const data = fs.realpathSync(inVar("pg"));
	for (const name of ["PG_VERSION", "pg_hba.conf", "postmaster.pid"]) fs.writeFileSync(path.join(data, name), "");
	fs.rmSync(path.join(data, "postgresql.conf"));
	if (fs.lstatSync(inVar("pg")).isSymbolicLink()) {
		fs.rmSync(inVar("pg"));
		fs.symlinkSync("/nonexistent/pg", inVar("pg"));
	}
	fs.rmSync(inVar("run"));
	fs.symlinkSync("/nonexistent/run", inVar("run"));
	fs.writeFileSync(inVar("dev.pid"), "what is this");
	fs.writeFileSync(inVar("stack.env"), "");
	fs.writeFileSync(path.join(run, "postgres.pid"), `${process.pid} 1 ${boot}\n`); // somebody else by now
	fs.writeFileSync(path.join(run, "redis.pid"), "");
	fs.writeFileSync(path.join(run, "web.pid"), `${process.pid}\n`);
	for (const name of ["web", "auth", "redis", "nginx"]) spawnSync("python3", ["-c", `import socket; socket.socket(socket.AF_UNIX).bind("${run}/${name}.sock")`]);
	await started();
	assert.equal((await fetch(`http://localhost:${port}/readyz`)).status, 200);
	assert.equal(psql("SELECT count(*) FROM public.kept"), "1000");
	assert.equal(fs.readFileSync(inVar("secret_key"), "utf8"), key);
	assert.ok(alive(process.pid));
	assert.equal(dev("down").status, 0);
	fs.writeFileSync(inVar("secret_key"), "");
	await started();
	assert.match(fs.readFileSync(inVar("secret_key"), "utf8").trim(), /^[0-9a-f]{64}$/);
	assert.equal(dev("down").status, 0);
});

for (const [name, says] of [["mail", /folders log and mail/], ["nginx", /nginx/], ["log", /var\/log/]])
	test(`a file in the place of ./var/${name} is named`, async () => {
		fs.renameSync(inVar(name), inVar("aside"));
		fs.writeFileSync(inVar(name), "");
		try {
			const stack = await start();
			assert.notEqual(stack.status, null);
			assert.notEqual(stack.status, 0);
			assert.match(stack.text, /^✗ /m);
			assert.match(stack.text, says);
		} finally {
			fs.rmSync(inVar(name));
			fs.renameSync(inVar("aside"), inVar(name));
		}
	});

test("one at a time, and a port that is taken is said before anything is done", async () => {
	const stack = await started();
	const second = spawnSync(at("dev"), ["_run", `|${port}|http://localhost:${port}|no`, "detached"], { encoding: "utf8", env });
	assert.equal(second.status, 1);
	assert.match(second.stderr, /Another \.\/dev is working in this clone/);
	const up = dev("up", "--port", String(port));
	assert.equal(up.status, 1);
	assert.match(up.text, new RegExp(`runs already at http://localhost:${port} \\(process ${stack.pid}\\)`));
	assert.equal(dev("down").status, 0);
	const other = net.createServer();
	await new Promise((resolve) => other.listen(port, "127.0.0.1", resolve));
	try {
		const taken = dev("up", "--port", String(port));
		assert.equal(taken.status, 1);
		assert.match(taken.text, new RegExp(`Port ${port} cannot be had: another program listens on it`));
		assert.match(taken.text, /--port/);
	} finally {
		other.close();
	}
});

test("a service that hangs is killed with what it started, also when that leads a session of its own", () => {
	const out = shell(`
		mkdir -p "$VAR/log"
		setsid bash -c 'setsid sleep 600 & echo $! >"$0"; wait' "$VAR/child" & pid=$!
		until [[ -s $VAR/child ]]; do sleep 0.05; done
		proc_record "$VAR/hangs.pid" $pid
		kill -s STOP $pid
		service_end "$VAR/hangs.pid" TERM 1
		for one in $pid $(cat "$VAR/child"); do
			[[ ! -e /proc/$one || $(proc_stat $one) == Z* ]] || echo "alive: $one"
		done
		[[ ! -e $VAR/hangs.pid ]] && echo ended`);
	assert.equal(out.status, 0, out.text);
	assert.match(out.text, /hangs did not end within 1 s and is killed/);
	assert.match(out.text, /ended/);
	assert.doesNotMatch(out.text, /alive/);
});

test("a build that was cut off is made from scratch; one that failed by itself is not", () => {
	const out = shell(`
		mkdir -p "$VAR/tree"; cd "$VAR/tree"
		printf 'all: made\\nmade:\\n\\t@test ! -e broken\\n\\t@echo whole >made\\nclean:\\n\\t@echo cleaned >>cleaned; rm -f made\\n' >Makefile
		build_make "$VAR/tree" "$VAR/log/make.log"; cat made
		echo half >made; touch .building
		build_make "$VAR/tree" "$VAR/log/make.log"; cat made; wc -l <cleaned
		rm made; touch broken; (build_make "$VAR/tree" "$VAR/log/make.log") && echo wrong
		rm broken; build_make "$VAR/tree" "$VAR/log/make.log"; wc -l <cleaned`);
	assert.equal(out.status, 0, out.text);
	assert.deepEqual(out.text.split("\n").filter((line) => /^(whole|half|wrong|\d)/.test(line)), ["whole", "whole", "1", "1"]);
});

test("too little room is said with what is needed, and a file that cannot be written stays as it was", () => {
	const room = shell('need_space "$VAR" 999999999');
	assert.equal(room.status, 1);
	assert.match(room.text, /999999999 MB are needed/);
	const file = shell('echo before >"$VAR/file"; mkdir -p "$VAR/folder"; (ulimit -f 0; trap "" XFSZ; echo after | write_file "$VAR/file") || true; cat "$VAR/file"; echo x | write_file "$VAR/folder"');
	assert.equal(file.status, 1);
	assert.match(file.text, /Could not write .*\/var\/file/);
	assert.match(file.text, /^before$/m);
	assert.match(file.text, /Could not write .*\/var\/folder/);
});

test("with --host: TLS by the clone's own authority for that name alone, plain HTTP led there, no mail shown, cookies that hold", async () => {
	await started({ host: "stint.test", demo: "yes" });
	const ca = fs.readFileSync(inVar("tls/ca.crt"));
	const lookup = (_, options, done) => options.all ? done(null, [{ address: "127.0.0.1", family: 4 }]) : done(null, "127.0.0.1", 4);
	const ask = (url, { method = "GET", headers = {}, body, trust = { ca } } = {}) => new Promise((resolve, reject) => {
		const request = https.request(url, { method, headers, lookup, agent: false, ...trust }, (answer) => {
			let text = "";
			answer.on("data", (piece) => (text += piece));
			answer.on("end", () => resolve({ status: answer.statusCode, headers: answer.headers, text }));
		});
		request.on("error", reject);
		request.end(body);
	});
	const base = `https://stint.test:${port}`;
	assert.equal((await ask(`${base}/login`)).status, 200);
	await assert.rejects(ask(`${base}/login`, { trust: {} }), /certificate/);
	await assert.rejects(ask(`https://other.test:${port}/login`), /altnames|does not match/);
	assert.equal((await ask(`https://other.test:${port}/login`, { trust: { rejectUnauthorized: false } })).status, 421);
	assert.equal((await ask(`${base}/login`, { headers: { Host: `other.test:${port}` }, trust: { ca, servername: "stint.test" } })).status, 421);
	assert.equal((await ask(`${base}/dev/mail`)).status, 404);
	const plain = await fetch(`http://127.0.0.1:${port}/week?x=1`, { redirect: "manual" });
	assert.equal(plain.status, 301);
	assert.equal(plain.headers.get("location"), `${base}/week?x=1`);

	const post = (url, fields, headers) => ask(base + url, {
		method: "POST",
		headers: { "Content-Type": "application/x-www-form-urlencoded", Origin: base, ...headers },
		body: new URLSearchParams(fields).toString(),
	});
	const signedIn = await post("/login", { email: "member@demo.test", password: "stint-demo-2026" });
	assert.equal(signedIn.status, 303);
	const [cookie] = signedIn.headers["set-cookie"];
	assert.match(cookie, /^__Host-[^;]+;(?=.*; Secure)(?=.*; HttpOnly)(?=.*; SameSite=Lax)/);
	assert.equal((await ask(`${base}/settings/profile`, { headers: { Cookie: cookie.split(";")[0] } })).status, 200);
	assert.ok((await post("/forgot", { email: "member@demo.test" })).status < 400);
	// Written by the worker, after the answer.
	const mails = () => fs.readdirSync(inVar("mail")).map((name) => fs.readFileSync(inVar(`mail/${name}`), "utf8")).join("\n");
	await until(() => `links in mails lead to the host's name: ${mails()}`, () => mails().replaceAll(/=\r?\n/g, "").includes(base));
	assert.equal(dev("down").status, 0);
	assert.deepEqual(left(), []);
});
