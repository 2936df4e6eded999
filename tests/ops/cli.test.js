// The operator's command against the running stack.
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import net from "node:net";
import path from "node:path";
import { test } from "node:test";

const stint = path.join(process.env.STINT_BIN ?? "", "stint");
const run = (...args) => spawnSync(stint, ["-c", process.env.STINT_CONF, ...args], { encoding: "utf8" });

test("check-queries: every query can be planned by the web's role, every route binds its parameters", () => {
	const out = run("check-queries");
	assert.equal(out.status, 0, out.stdout + out.stderr);
	assert.match(out.stdout, /^\d+ queries, 0 wrong$/m);
});

test("doctor: all is there", () => {
	const out = run("doctor");
	assert.equal(out.status, 0, out.stdout);
	assert.doesNotMatch(out.stdout, /WRONG/);
});

// A real mail server of Debian's, that takes everything and keeps nothing.
async function mailServer() {
	const holder = net.createServer().listen(0, "127.0.0.1");
	await new Promise((resolve) => holder.once("listening", resolve));
	const { port } = holder.address();
	await new Promise((resolve) => holder.close(resolve));
	const server = spawn("/usr/bin/python3", ["-m", "aiosmtpd", "-n", "-l", `127.0.0.1:${port}`, "-c", "aiosmtpd.handlers.Sink"], { stdio: "ignore" });
	for (let turn = 0; turn < 200; turn++) {
		const open = await new Promise((resolve) => {
			const socket = net.connect(port, "127.0.0.1", () => resolve(socket.destroy() && true));
			socket.on("error", () => resolve(false));
		});
		if (open) return { port, stop: () => server.kill() };
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
	server.kill();
	assert.fail("the mail server did not start");
}

test("doctor: says whether the mail server answers, and why not", async () => {
	const doctor = (more) =>
		spawnSync(stint, ["-c", process.env.STINT_CONF, "doctor"], { encoding: "utf8", env: { ...process.env, ...more } });
	const server = await mailServer();
	const url = `smtp://127.0.0.1:${server.port}`;
	try {
		assert.match(doctor({ STINT_SMTP_URL: url, STINT_SMTP_TLS: "none" }).stdout, /^mail +ok$/m);
		const noTls = doctor({ STINT_SMTP_URL: url });
		assert.equal(noTls.status, 1);
		assert.match(noTls.stdout, /^mail +WRONG: smtp:\/\/127\.0\.0\.1:\d+: .*STARTTLS.*see smtp_url/m);
	} finally {
		server.stop();
	}
	assert.match(doctor({ STINT_SMTP_URL: "smtp://127.0.0.1:1" }).stdout, /^mail +WRONG: .*connect/m);
	assert.match(doctor({ STINT_SMTP_URL: "http://127.0.0.1" }).stdout, /^outgoing +WRONG: smtp_url: .*Write smtp:/m);
	assert.match(doctor({ STINT_OUTGOING_ALLOW: "10.0.0.1/8" }).stdout, /^outgoing +WRONG: outgoing_allow: "10\.0\.0\.1\/8"/m);
});

test("routes: every API route of the table is in the OpenAPI document, and every hashing path is the auth pool's", () => {
	const routes = JSON.parse(execFileSync(stint, ["routes", "--json"], { encoding: "utf8" }));
	const openapi = JSON.parse(execFileSync(stint, ["routes", "--openapi"], { encoding: "utf8" }));
	const listed = routes.filter((r) => !r.page && r.name !== "system.openapi");
	assert.ok(listed.length > 30);
	for (const r of listed) {
		const operation = openapi.paths[r.path.replace("/api/v1", "")]?.[r.method.toLowerCase()];
		assert.equal(operation?.operationId, r.name.replaceAll(".", "_"), `${r.method} ${r.path}`);
	}
	const map = execFileSync(stint, ["routes", "--nginx"], { encoding: "utf8" });
	for (const path of ["/api/v1/auth/login", "/login", "/api/v1/me/password"])
		assert.ok(map.includes(`~^${path}$ auth;`), path);
});

test("explain: plan and document of a route as a person sees it, and no session stays behind", () => {
	const out = run("explain", "tags.list", "--as", "member@demo.test");
	assert.equal(out.status, 0, out.stderr);
	assert.match(out.stdout, /Execution Time/);
	assert.match(out.stdout, /"data"/);
	const sessions = run("explain", "me.sessions", "--as", "member@demo.test");
	assert.doesNotMatch(sessions.stdout.split("\n").at(-2).replace(/.*"data"/, ""), /stint explain.*stint explain/);
});

test("explain: an unknown route or person is refused with a reason", () => {
	assert.equal(run("explain", "nothing.here", "--as", "member@demo.test").status, 64);
	const out = run("explain", "tags.list", "--as", "nobody@demo.test");
	assert.equal(out.status, 1);
	assert.match(out.stderr, /nobody@demo.test/);
});

test("config: the file that runs is fine, an unknown key stops with its line, help lists every option", () => {
	assert.equal(run("config", "check").status, 0);
	const help = run("config", "help");
	assert.match(help.stdout, /database_url/);
	assert.match(help.stdout, /redis_password/);
	assert.match(help.stdout, /signin_tries/);
});

test("config: a redis_url that is none, or a password given twice, is refused without being repeated", () => {
	for (const [url, password, says] of [
		["redis://a:canary-url@host:port", "", /redis_url: has a port/],
		["redis://a:canary-url@host", "canary-password", /redis_password is set too/],
	]) {
		const env = { ...process.env, STINT_REDIS_URL: url, STINT_REDIS_PASSWORD: password };
		const out = spawnSync(stint, ["-c", process.env.STINT_CONF, "config", "check"], { encoding: "utf8", env });
		assert.equal(out.status, 78);
		assert.match(out.stderr, says);
		assert.doesNotMatch(out.stderr, /canary/);
		const web = spawnSync(path.join(process.env.STINT_BIN, "stint-web"), ["-c", process.env.STINT_CONF], { encoding: "utf8", env });
		assert.equal(web.status, 78);
		assert.match(web.stderr, says);
		assert.doesNotMatch(web.stderr, /canary/);
	}
});
