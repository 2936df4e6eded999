// stint jobs against the running stack: jobs are laid into the table as the machinery leaves them, and what is enqueued or run
// again is run by the stack's own worker.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import path from "node:path";
import { after, test } from "node:test";
import { until } from "../wait.js";
import { holderAlive, one, rows, uuid, uuidv7 } from "../api/support.js";

const stint = path.join(process.env.STINT_BIN ?? "", "stint");
const run = (...args) => spawnSync(stint, ["-c", process.env.STINT_CONF, "jobs", ...args], { encoding: "utf8" });
const json = (...args) => {
	const out = run(...args, "--json");
	assert.equal(out.status, 0, out.stderr);
	return JSON.parse(out.stdout);
};
const refused = (args, words) => {
	const out = run(...args);
	assert.equal(out.status, 64, `${args}: ${out.stdout}${out.stderr}`);
	assert.match(out.stderr, words);
	assert.equal(out.stdout, "");
};

const org = await one("SELECT id, name FROM data.organizations WHERE name = 'Northwind Studio'");
const queue = `ops.${uuid()}`.slice(0, 40);
const made = [];
after(() => rows("DELETE FROM jobs.jobs WHERE queue = $1 OR id = ANY ($2)", queue, made));

async function job(facts = {}) {
	const j = { id: uuidv7(), organization_id: org.id, kind: "stint.ping", queue, priority: 6, quick: false, rated: false, state: "dead", args: {}, due_at: new Date(), attempts: 3, max_attempts: 3, error: "nobody\nwas there", finished_at: new Date(), ...facts };
	const names = Object.keys(j);
	await rows(`INSERT INTO jobs.jobs (${names}) VALUES (${names.map((_, i) => `$${i + 1}`)})`, ...Object.values(j));
	made.push(j.id);
	return j.id;
}
const waiting = { state: "waiting", error: null, finished_at: null, attempts: 0 };
const stored = (id) => one("SELECT state, dropped FROM jobs.jobs WHERE id = $1", id);

test("jobs list: aligned for people, whole for programs, filtered", async () => {
	const dead = await job();
	const later = await job({ ...waiting, due_at: new Date(Date.now() + 86400000) });
	const out = run("list", "--queue", queue);
	assert.equal(out.status, 0, out.stderr);
	const [head, ...lines] = out.stdout.trimEnd().split("\n");
	assert.equal(lines.length, 2, "a newline in an error breaks no line");
	for (const line of lines) assert.equal(line.indexOf("stint.ping"), head.indexOf("KIND"), out.stdout);
	assert.match(out.stdout, /Northwind Studio/);
	assert.match(out.stdout, /nobody was there/);
	assert.deepEqual(json("list", "--queue", queue).map((j) => j.id), [later, dead]);
	assert.deepEqual(json("list", "--queue", queue, "--state", "dead").map((j) => j.id), [dead]);
	assert.deepEqual(json("list", "--queue", queue, "--limit", "1").map((j) => j.id), [later]);
	assert.deepEqual(json("list", "--queue", queue, "--organization", uuid()), []);
	assert.deepEqual(json("list", "--queue", queue, "--kind", "housekeeping"), []);
	assert.match(run("list", "--queue", queue, "--kind", "housekeeping").stdout, /no such job/);
});

test("jobs show: everything but secrets", async () => {
	const id = await job({ args: { to: "a@b.example", token: "canary-1", deep: { password_hash: "canary-2" } }, memo: { secret: "canary-3" } });
	for (const args of [["show", id], ["show", id, "--json"]]) {
		const out = run(...args);
		assert.equal(out.status, 0, out.stderr);
		assert.doesNotMatch(out.stdout, /canary/);
		assert.match(out.stdout, /a@b.example/);
	}
	const doc = json("show", id);
	assert.deepEqual([doc.id, doc.kind, doc.state, doc.organization, doc.attempts, doc.args.token], [id, "stint.ping", "dead", "Northwind Studio", 3, "***"]);
});

test("jobs retry, cancel, drop, restore: what they do to the row", async () => {
	const id = await job();
	assert.match(run("drop", id).stdout, /is dropped/);
	assert.deepEqual(json("list", "--queue", queue).filter((j) => j.id === id), []);
	assert.deepEqual(json("restore", id), { id, state: "dead" });
	assert.deepEqual(json("retry", id), { id, state: "waiting" });
	assert.deepEqual(json("cancel", id), { id, state: "cancelled" });
	assert.equal((await stored(id)).state, "cancelled");
	const running = await job({ state: "running", lease: 1, holder: await holderAlive(), leased_until: new Date(Date.now() + 3600000), finished_at: null });
	const out = run("drop", running);
	assert.equal(out.status, 1);
	assert.match(out.stderr, /is running.*Cancel it first/);
	assert.deepEqual(json("cancel", running), { id: running, state: "cancelling" });
});

test("jobs retry --kind --state: all of them, and those whose key waits anew are left", async () => {
	await rows("DELETE FROM jobs.jobs WHERE kind = 'stint.ping' AND state = 'expired'");
	const key = uuid();
	const ids = [await job({ state: "expired" }), await job({ state: "expired" }), await job({ state: "expired", unique_key: key })];
	await job({ ...waiting, unique_key: key });
	assert.deepEqual(json("retry", "--kind", "stint.ping", "--state", "expired"), { retried: 2, kept: 0 });
	assert.deepEqual(await Promise.all(ids.map(async (id) => (await stored(id)).state)), ["waiting", "waiting", "expired"]);
});

test("jobs enqueue: a real worker runs it, and stats, list and inspect know", async () => {
	const { id } = json("enqueue", "housekeeping", "{}");
	made.push(id);
	await until("it was run", async () => (await stored(id))?.state === "done");
	const counted = await until("it was counted", async () => json("stats", "--minutes", "5").find((s) => s.kind === "housekeeping" && s.outcome === "done"));
	assert.ok(counted.count >= 1 && counted.mean_ms >= 0 && counted.p50_ms <= counted.p95_ms && counted.p95_ms <= counted.p99_ms);
	assert.match(run("stats").stdout, /^KIND +OUTCOME +COUNT/);
	await job(waiting);
	const { workers, queues } = json("inspect");
	assert.ok(workers.some((w) => w.alive && w.queues.includes("default") && Array.isArray(w.running)));
	const mine = queues.find((q) => q.queue === queue);
	assert.ok(mine.waiting >= 1 && mine.due >= 1 && mine.oldest_due_at && Number.isInteger(mine.in_redis), JSON.stringify(mine));
	const text = run("inspect").stdout;
	for (const word of ["HOST", "IN REDIS", queue]) assert.ok(text.includes(word), text);
});

test("jobs enqueue --queue: it waits in that queue", async () => {
	const { id } = json("enqueue", "stint.ping", '{"a": 1}', "--queue", queue);
	made.push(id);
	assert.deepEqual(await one("SELECT queue, state, args FROM jobs.jobs WHERE id = $1", id), { queue, state: "waiting", args: { a: 1 } });
});

test("jobs schedule: cron line, zone, and the next slot in both", async () => {
	const list = json("schedule");
	const keeping = list.find((s) => s.kind === "housekeeping");
	assert.deepEqual([keeping.cron, keeping.zone, keeping.backfill], ["17 * * * *", "UTC", "last"]);
	assert.equal(`${keeping.next_local.replace(" ", "T")}:00Z`, keeping.next_at);
	const left = Date.parse(keeping.next_at) - Date.now();
	assert.ok(left > -60000 && left <= 3600000, keeping.next_at);
	assert.match(run("schedule").stdout, /housekeeping +17 \* \* \* \* +UTC +last/);
});

test("jobs: what is asked wrongly says so, with the remedy, and ends with 64", () => {
	refused([], /usage: stint jobs/);
	refused(["lst"], /no command "lst"[^]*list/);
	refused(["list", "--stat", "dead"], /no option --stat; it takes: \[--state S\]/);
	refused(["list", "--state", "lost"], /one of waiting, running/);
	refused(["list", "--state"], /--state needs a value/);
	refused(["list", "--limit", "many"], /--limit takes a whole number from 1 to 10000, not "many"/);
	refused(["list", "--organization", "Northwind"], /takes the ID of an organization/);
	refused(["list", "--state", "dead", "--state", "done"], /twice/);
	refused(["show"], /by its ID/);
	refused(["show", "abc"], /"abc" is no ID[^]*stint jobs list/);
	refused(["show", uuid(), "more"], /does not take "more"/);
	refused(["retry"], /--kind K --state dead/);
	refused(["retry", "--kind", "no.such", "--state", "dead"], /no kind of job "no.such"[^]*housekeeping/);
	refused(["retry", "--kind", "housekeeping", "--state", "done"], /dead, cancelled or expired/);
	refused(["stats", "--minutes", "0"], /whole number from 1/);
	refused(["enqueue", "housekeeping"], /as a JSON object/);
	refused(["enqueue", "no.such", "{}"], /no kind of job "no.such"[^]*housekeeping/);
	refused(["enqueue", "housekeeping", "{"], /no JSON object: line 1/);
	refused(["enqueue", "housekeeping", "[]"], /no JSON object/);
	refused(["enqueue", "housekeeping", "{}", "--queue", "No Queue"], /name of a queue/);
});

test("jobs: what is not there is said, and ends with 1", () => {
	for (const act of ["show", "retry", "cancel", "drop", "restore"]) {
		const out = run(act, uuid());
		assert.equal(out.status, 1);
		assert.match(out.stderr, /there is no job [^]*stint jobs list/);
	}
});
