// What nginx answers for itself: too much, nobody there, files, counters; and that the supervisor brings back what dies.
import assert from "node:assert/strict";
import fs from "node:fs";
import http from "node:http";
import net from "node:net";
import path from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

const base = process.env.STINT_URL;
// 0 while there is none: the supervisor is just starting another.
const pid = (name) => {
	const file = path.join(process.env.STINT_RUN, `${name}.pid`);
	return fs.existsSync(file) ? Number(fs.readFileSync(file, "utf8").split(" ")[0]) : 0;
};
const other = async (name, before) => {
	for (let i = 0; i < 200 && [0, before].includes(pid(name)); i++) await sleep(50);
	assert.ok(![0, before].includes(pid(name)), `another ${name}`);
};
const ready = async (deadline) => {
	for (const end = Date.now() + deadline; Date.now() < end; await sleep(50)) {
		const answer = await fetch(`${base}/readyz`).catch(() => null);
		if (answer?.status === 200) return true;
	}
	return false;
};

// Asks with a body nginx may refuse before it has read it.
const post = (url, bytes) => new Promise((resolve, reject) => {
	const request = http.request(base + url, { method: "POST", headers: { "Content-Length": bytes } }, (answer) => {
		let text = "";
		answer.on("data", (piece) => (text += piece));
		answer.on("end", () => resolve({ status: answer.statusCode, headers: answer.headers, text }));
	});
	request.on("error", reject);
	request.write("x");
});

test("a body over 1 MB is refused with a problem document to programs, a page to people", async () => {
	const api = await post("/api/v1/time-entries", 2_000_000);
	assert.equal(api.status, 413);
	assert.equal(api.headers["content-type"], "application/problem+json");
	const problem = JSON.parse(api.text);
	assert.equal(problem.code, "too_large");
	assert.equal(problem.type, "urn:stint:error:too_large");
	assert.equal(problem.request_id, api.headers["x-request-id"]);
	const page = await post("/timer/start", 2_000_000);
	assert.equal(page.status, 413);
	assert.match(page.headers["content-type"], /^text\/html/);
});

test("static files: hashed, immutable, packed, with their headers; the list of names is not served", async () => {
	const login = await (await fetch(`${base}/login`)).text();
	const css = /href="(\/static\/app\.[0-9a-f]+\.css)"/.exec(login)[1];
	const answer = await fetch(base + css, { headers: { "Accept-Encoding": "gzip" } });
	assert.equal(answer.status, 200);
	assert.equal(answer.headers.get("cache-control"), "public, max-age=31536000, immutable");
	assert.equal(answer.headers.get("content-encoding"), "gzip");
	assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
	assert.equal(answer.headers.get("cross-origin-resource-policy"), "same-origin");
	assert.equal((await fetch(`${base}/static/manifest.json`)).status, 404);
	for (const outside of ["/static/../stint.conf", "/static/%2e%2e/stint.conf", "/static/..%2fstint.conf"])
		assert.ok([400, 403, 404].includes((await fetch(base + outside)).status), outside);
});

test("what nginx refuses by itself carries the headers and the form of Stint's own refusals", async () => {
	for (const [url, status] of [["/%00", 400], ["/api/v1/%00", 400], [`/${"x".repeat(40_000)}`, 400]]) {
		const answer = await fetch(base + url);
		assert.equal(answer.status, status, url);
		assert.match(answer.headers.get("content-security-policy") ?? "", /frame-ancestors 'none'/);
		assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
		assert.ok(answer.headers.get("x-request-id"));
		assert.match(answer.headers.get("content-type"), url.startsWith("/api/") ? /^application\/problem\+json/ : /^text\/html/);
	}
});

// One line as no client sends it; head and body of what comes back.
const line = (text) => new Promise((resolve, reject) => {
	const { hostname, port } = new URL(base);
	const socket = net.connect(Number(port), hostname, () => socket.write(text));
	let got = "";
	socket.setTimeout(5000, () => socket.destroy(new Error(`no answer to ${text}`)));
	socket.on("data", (piece) => (got += piece));
	socket.on("end", () => resolve(got)).on("error", reject);
});

for (const [what, text] of [
	["an unreadable request line", "G@T / HTTP/1.1\r\nHost: localhost\r\n\r\n"],
	["no request line at all", "garbage\r\n\r\n"],
	["a TLS greeting", "\x16\x03\x01\r\n\r\n"],
	["a version nobody speaks", "GET / HTTP/9.1\r\nHost: localhost\r\n\r\n"],
	["a host that is none", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"],
	["TRACE", "TRACE / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"],
	["a body coded in a way nobody reads", "POST /api/v1/tags HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n"],
])
	test(`${what} is refused with the headers of every answer`, async () => {
		const [head, body] = (await line(text)).split("\r\n\r\n");
		assert.match(head, /^HTTP\/1.1 400 /);
		for (const header of [/^Content-Security-Policy: .*frame-ancestors 'none'/im, /^X-Content-Type-Options: nosniff/im, /^Referrer-Policy: same-origin/im, /^Cross-Origin-Opener-Policy: same-origin/im, /^X-Request-Id: \w+/im, /^Cache-Control: no-store/im])
			assert.match(head, header);
		assert.match(head, text.includes("/api/") ? /^Content-Type: application\/problem\+json/im : /^Content-Type: text\/html/im);
		assert.doesNotMatch(head + body, /nginx\/\d|<center>/);
	});

test("counters are there for this host", async () => {
	const answer = await fetch(`${base}/metrics`);
	assert.equal(answer.status, 200);
	assert.match(await answer.text(), /^# TYPE \S+ counter$/m);
});

test("nobody behind nginx: 503 with Retry-After to programs and people, posts too; the supervisor brings it back", async () => {
	const hold = path.join(process.env.STINT_RUN, "hold/web");
	const before = pid("web");
	fs.writeFileSync(hold, "");
	try {
		process.kill(before, "SIGKILL");
		let api;
		for (let i = 0; i < 100 && api?.status !== 503; i++) {
			await sleep(50);
			api = await fetch(`${base}/api/v1/timer`, { method: "POST", body: "{}" });
		}
		assert.equal(api.status, 503);
		assert.equal(api.headers.get("content-type"), "application/problem+json");
		assert.ok(Number(api.headers.get("retry-after")) > 0);
		assert.equal((await api.json()).code, "unavailable");
		const page = await fetch(`${base}/timer`, { method: "POST", body: "x=1" });
		assert.equal(page.status, 503);
		assert.match(page.headers.get("content-type"), /^text\/html/);
		assert.ok(Number(page.headers.get("retry-after")) > 0);
	} finally {
		fs.rmSync(hold);
	}
	assert.ok(await ready(10_000), "ready again within 10 s");
	await other("web", before);
});

for (const name of ["redis", "nginx", "postgres"])
	test(`${name} killed hard: the supervisor starts it again, ready within 10 s`, async () => {
		const before = pid(name);
		process.kill(before, "SIGKILL");
		await other(name, before);
		assert.ok(await ready(10_000));
	});
