// Reloads of a stint-web of this test's own: what is replaced is given back, what is counted goes on.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

const dir = fs.mkdtempSync(path.join(os.tmpdir(), "stint-reload-"));
const conf = path.join(dir, "stint.conf");
let web, log = "", ended;

const count = (text) => log.split(text).length - 1;
const until = async (what, test) => {
	for (const end = Date.now() + 20_000; !test(); await sleep(10))
		assert.ok(Date.now() < end && web.exitCode === null, `${what}:\n${log.slice(-2000)}`);
};
// What the kernel holds for the master and no file stands for, in kB; pages it shares with its children too.
const memory = () => Number(/^Anonymous: +(\d+) kB$/m.exec(fs.readFileSync(`/proc/${web.pid}/smaps_rollup`, "utf8"))[1]);
const configure = (more = "") => {
	const text = fs.readFileSync(process.env.STINT_CONF, "utf8").replace(/^(web|auth)_socket = .*/gm, (_, pool) => `${pool}_socket = ${dir}/${pool}.sock`);
	fs.writeFileSync(conf, `${text}web_workers = 1\nauth_workers = 1\n${more}`);
};
const reload = async (outcome = '"reloaded"') => {
	const n = count(outcome);
	web.kill("SIGHUP");
	await until(outcome, () => count(outcome) > n);
};

before(async () => {
	configure();
	web = spawn(path.join(process.env.STINT_BIN, "stint-web"), ["-c", conf], {
		// With sanitizers freed memory is kept for a while, which would hide whether it is given back.
		env: { ...process.env, ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ""}:quarantine_size_mb=0:thread_local_quarantine_size_kb=0` },
		stdio: ["ignore", "ignore", "pipe"],
	});
	web.stderr.on("data", (piece) => (log += piece));
	ended = new Promise((resolve) => web.on("exit", (code, signal) => resolve(signal ?? code)));
	await until("ready", () => count('"msg":"ready"') === 1);
});
after(() => {
	web.kill("SIGKILL");
	fs.rmSync(dir, { recursive: true });
});

test("sixty reloads, refused ones among them, leave the master's memory as it was", async () => {
	for (let i = 0; i < 20; i++) await reload();
	const warm = memory();
	for (let i = 0; i < 30; i++) await reload();
	configure("web_workers = none\n");
	for (let i = 0; i < 10; i++) await reload("reload refused");
	configure();
	await reload();
	const grown = memory() - warm;
	// Kept, forty times what a reload reads would be some 60 MB. Sanitizers spread what they give out a little before they settle.
	assert.ok(grown < 4096, `${grown} kB more than the ${warm} kB before`);
});

test("a reload takes the new configuration", async () => {
	configure("log_level = debug\n");
	await reload();
	await until("a worker says more", () => count("worker up") > 0);
});

test("it stops cleanly after all that, with nothing left allocated", async () => {
	web.kill("SIGTERM");
	assert.equal(await ended, 0, log.slice(-3000));
	assert.doesNotMatch(log, /Sanitizer/);
});
