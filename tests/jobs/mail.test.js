// Mail by jobs, to a real SMTP server: sent once whatever the server says first, with the reason kept when it is not.
import { execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import readline from "node:readline";
import { after, test } from "node:test";
import { assert, one, organization, person, rows, signedIn, took } from "../api/support.js";

const QUEUE = `mailtest${process.pid}`;
const dir = fs.mkdtempSync(path.join(os.tmpdir(), "stint-mail-"));
const children = [];
after(() => {
	for (const child of children) child.kill("SIGTERM");
	fs.rmSync(dir, { recursive: true });
});

const freePort = () =>
	new Promise((resolve) => {
		const server = net.createServer().listen(0, "127.0.0.1", () => {
			const { port } = server.address();
			server.close(() => resolve(port));
		});
	});
const until = async (what, look) => {
	for (let turn = 0; turn < 200; turn++) {
		const found = await look();
		if (found) return found;
		await new Promise((r) => setTimeout(r, 100));
	}
	assert.fail(`${what}: not within 20 s`);
};

execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
	"-addext", "subjectAltName=DNS:localhost", "-keyout", `${dir}/key`, "-out", `${dir}/crt`], { stdio: "ignore" });
const port = await freePort();
let server, lines;

async function serverStart() {
	server = spawn("/usr/bin/python3", ["-B", path.join(import.meta.dirname, "mail_server.py"), `${dir}/crt`, `${dir}/key`, String(port)], { stdio: ["pipe", "pipe", "inherit"] });
	children.push(server);
	const heard = [];
	lines = heard;
	readline.createInterface({ input: server.stdout }).on("line", (line) => heard.push(JSON.parse(line)));
	await until("the mail server", () => heard.some((l) => l.ready));
}
async function answers(...list) {
	server.stdin.write(`${JSON.stringify(list)}\n`);
	const known = lines.filter((l) => l.told).length;
	await until("the server's answers", () => lines.filter((l) => l.told).length > known);
}
const taken = (email) => lines.filter((l) => l.to?.includes(email));

await serverStart();
const worker = spawn(path.join(process.env.STINT_BIN, "stint-worker"), ["-c", process.env.STINT_CONF, "--queues", `${QUEUE}:1`], {
	env: { ...process.env, STINT_SMTP_URL: `smtp://localhost:${port}`, STINT_SMTP_USER: "stint", STINT_SMTP_PASSWORD: "canary-smtp-password", STINT_SMTP_CA_FILE: `${dir}/crt` },
	stdio: ["ignore", "inherit", fs.openSync(`${dir}/log`, "w")],
});
children.push(worker);

const { id: org, owner } = await organization();

// Somebody who has something to be told; gives the job that is to tell them.
async function told() {
	const who = await signedIn(await person(org, "member"));
	const made = took(await who.post("/time-entries", { description: "Told", started_at: "2026-11-02T08:00:00Z", ended_at: "2026-11-02T09:00:00Z" }), 201).body;
	took(await owner.patch(`/time-entries/${made.id}`, { description: "Told of" }));
	const { id } = await one("SELECT jobs.enqueue('notification.mail', $1, $2) AS id", { member_id: who.member_id }, { organization: org, queue: QUEUE });
	return { ...who, job: id };
}
const job = (id) => one("SELECT state, attempts, error, due_at > now() AS later FROM jobs.jobs WHERE id = $1", id);
const mail = (id) => one("SELECT state, tries, code FROM jobs.mails WHERE id = $1", id);

test("a mail goes out with TLS and password, once, and the ledger says so", async () => {
	const who = await told();
	await until("done", async () => (await job(who.job)).state === "done");
	const [sent] = taken(who.email);
	assert.deepEqual([sent.tls, sent.user, sent.sender], [true, "stint", "stint@localhost"]);
	assert.match(sent.text, new RegExp(`^Message-ID: <job\\.${who.job}@`, "m"));
	assert.match(sent.text, /^From: .*<stint@localhost>\r$/m);
	assert.deepEqual(await mail(who.job), { state: "sent", tries: 1, code: 250 });
	assert.equal(taken(who.email).length, 1);
});

test("a server that says later gets it later; one mail arrives", async () => {
	await answers("451 4.7.1 greylisted, come again", "250 OK");
	const who = await told();
	await until("put off", async () => (await job(who.job)).attempts === 1);
	const first = await job(who.job);
	assert.deepEqual([first.state, first.later], ["waiting", true]);
	assert.match(first.error, /451.*greylisted/);
	assert.deepEqual(await mail(who.job), { state: "later", tries: 1, code: 451 });
	assert.deepEqual(await rows("SELECT mail FROM data.notifications WHERE member_id = $1", who.member_id), [{ mail: "pending" }], "still to be told");
	await rows("SELECT jobs.retry($1)", who.job);
	await until("done", async () => (await job(who.job)).state === "done");
	assert.deepEqual(await mail(who.job), { state: "sent", tries: 2, code: 250 });
	assert.deepEqual(taken(who.email).map((l) => l.answer.slice(0, 3)), ["451", "250"]);
	assert.deepEqual(await rows("SELECT mail FROM data.notifications WHERE member_id = $1", who.member_id), [{ mail: "sent" }]);
});

test("a server that says never is believed: the job is dead, with the server's words", async () => {
	await answers("554 5.7.1 we do not want this", "250 OK");
	const who = await told();
	await until("dead", async () => (await job(who.job)).state === "dead");
	assert.match((await job(who.job)).error, /554.*do not want/);
	assert.deepEqual(await mail(who.job), { state: "refused", tries: 1, code: 554 });
	const [note] = await until("the owner hears of it", async () => {
		const list = (await owner.read("/notifications?unread=true")).data.filter((n) => n.kind === "job_dead");
		return list.length && list;
	});
	assert.equal(note.about.kind, "notification.mail");
});

test("a server that is away is waited for", async () => {
	server.kill("SIGKILL");
	const who = await told();
	await until("put off", async () => (await job(who.job)).attempts === 1);
	assert.deepEqual([(await job(who.job)).state, (await mail(who.job)).state], ["waiting", "later"]);
	await serverStart();
	await rows("SELECT jobs.retry($1)", who.job);
	await until("done", async () => (await job(who.job)).state === "done");
	assert.equal(taken(who.email).length, 1);
});

test("a worker killed while the server thinks sends again under the same Message-ID, which says that it is the same", async () => {
	const who = await told();
	await until("done", async () => (await job(who.job)).state === "done");
	// As if it had died between the server's answer and writing it down.
	await rows("UPDATE jobs.mails SET state = 'sending' WHERE id = $1", who.job);
	await rows("UPDATE data.notifications SET mail = 'pending' WHERE member_id = $1", who.member_id);
	await rows("UPDATE jobs.jobs SET state = 'waiting', finished_at = NULL, purge_at = NULL, due_at = now() WHERE id = $1", who.job);
	await rows("SELECT pg_notify('jobs', '')");
	await until("again", async () => taken(who.email).length === 2 && (await job(who.job)).state === "done");
	const ids = taken(who.email).map((l) => /^Message-ID: (.*)\r$/m.exec(l.text)[1]);
	assert.equal(ids[0], ids[1]);
});

test("no password is in the worker's log", () => {
	assert.doesNotMatch(fs.readFileSync(`${dir}/log`, "utf8"), /canary-/);
});
