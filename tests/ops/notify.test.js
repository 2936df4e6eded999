// The word a worker's master has with systemd: READY, WATCHDOG, RELOADING, STOPPING, over a real socket, and what --queues names.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";

const worker = path.join(process.env.STINT_BIN ?? "", "stint-worker");
const root = fs.mkdtempSync(path.join(os.tmpdir(), "stint-notify-"));
after(() => fs.rmSync(root, { recursive: true }));

// Node has no datagram sockets of this kind: perl prints what comes, a message a line.
const LISTEN = String.raw`use IO::Socket::UNIX; use Socket; my $s = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $ARGV[0]) or die "$!";
$| = 1; print "listening\n"; while (defined $s->recv(my $m, 4096)) { $m =~ s/\n/ /g; print "$m\n" }`;

// A worker of a queue nobody else has, started as systemd would; said() waits for a message.
async function start(...args) {
	const socket = path.join(root, `notify-${process.hrtime.bigint()}`);
	const heard = [];
	const listener = spawn("perl", ["-e", LISTEN, socket], { stdio: ["ignore", "pipe", "inherit"] });
	let text = "";
	listener.stdout.on("data", (data) => {
		text += data;
		heard.push(...text.split("\n").slice(0, -1));
		text = text.slice(text.lastIndexOf("\n") + 1);
	});
	const said = async (word, times = 1) => {
		for (let turn = 0; turn < 1200; turn++) {
			if (heard.filter((m) => m.includes(word)).length >= times) return;
			await new Promise((resolve) => setTimeout(resolve, 50));
		}
		assert.fail(`${word} was not said; but ${heard}`);
	};
	await said("listening");
	const env = { ...process.env, NOTIFY_SOCKET: socket, WATCHDOG_USEC: "400000" };
	delete env.WATCHDOG_PID;
	const program = spawn(worker, ["-c", process.env.STINT_CONF, ...args], { stdio: ["ignore", "ignore", "pipe"], env });
	let log = "";
	program.stderr.on("data", (data) => (log += data));
	const ended = new Promise((resolve) => program.on("exit", resolve));
	return {
		program, heard, said, log: () => log,
		async finish() {
			program.kill("SIGTERM");
			const status = await ended;
			listener.kill();
			return status;
		},
	};
}

test("a worker's master says that it is ready, that it lives, that it reloads, and that it stops", async () => {
	const w = await start("--queues", "notify.test:1");
	await w.said("READY=1");
	await w.said("WATCHDOG=1", 3);
	w.program.kill("SIGHUP");
	await w.said("RELOADING=1");
	await w.said("READY=1", 2);
	assert.equal(await w.finish(), 0);
	assert.ok(w.heard.includes("STOPPING=1"), w.heard.join());
});

test("a stopped master is not heard of: the watchdog is its loop's alone", async () => {
	const w = await start("--queues", "notify.test:1");
	await w.said("WATCHDOG=1", 2);
	w.program.kill("SIGSTOP");
	await new Promise((resolve) => setTimeout(resolve, 300)); // what was under way
	const before = w.heard.length;
	await new Promise((resolve) => setTimeout(resolve, 1500));
	assert.equal(w.heard.length, before);
	w.program.kill("SIGCONT");
	await w.said("WATCHDOG=1", 4);
	assert.equal(await w.finish(), 0);
});

test("--queues: what is no list of queues stops the start with the reason", () => {
	const out = spawnSync(worker, ["-c", process.env.STINT_CONF, "--queues", "Mail!"], { encoding: "utf8" });
	assert.equal(out.status, 78);
	assert.match(out.stderr, /not like mail:2/);
});
