// Stint hands work to Celery's real worker: its result, its exception, its loss, and a queue that nobody takes from.
import path from "node:path";
import { after, before, test } from "node:test";
import { until } from "../wait.js";
import { Lab, assert, fs } from "./celery.js";

let lab;
before(async () => {
	lab = await Lab.open("worker", { queues: "ocr, ai" });
	await lab.worker();
});
after(() => lab.close());

const enqueue = async (args, options = {}) =>
	(await lab.one("SELECT jobs.enqueue('celery.call', $1::jsonb, $2::jsonb) AS id", JSON.stringify({ queue: "ai", ...args }), JSON.stringify(options))).id;
const job = (id) => lab.one("SELECT * FROM jobs.jobs WHERE id = $1", id);
const ended = (id) => until("the job ended", async () => {
	const row = await job(id);
	return row.finished_at && row;
});
const runs = () => (fs.existsSync(path.join(lab.folder, "runs")) ? fs.readFileSync(path.join(lab.folder, "runs"), "utf8").trim().split("\n") : []);

test("what may not be is refused before anything is written", async () => {
	for (const [args, why] of [
		[{ queue: "acme", task: "add" }, /^invalid arguments: queue: not one of celery_queues/],
		[{ queue: "jobs:default:0", task: "add" }, /queue: not one/],
		[{ queue: "ocr, ai", task: "add" }, /queue: not one/],
		[{ queue: "", task: "add" }, /queue: not one/],
		[{ queue: 5, task: "add" }, /queue: not one/],
		[{ task: "" }, /task: the name/],
		[{ task: "add", args: {} }, /args: a list/],
		[{ task: "add", kwargs: [] }, /kwargs: an object/],
		[{ task: "add", timeout_s: 0 }, /timeout_s/],
		[{ task: "add", timeout_s: "5" }, /timeout_s/],
	]) {
		const row = await ended(await enqueue(args));
		assert.equal(row.state, "dead");
		assert.match(row.error, why);
	}
	for (const queue of ["acme", "ai", "ocr"]) assert.equal(lab.run("LLEN", queue), "0");
});

test("a queue nobody takes from: said, taken back, and dead at its last attempt", async () => {
	const row = await ended(await enqueue({ task: "add", args: [1, 2], timeout_s: 1 }, { max_attempts: 2 }));
	assert.deepEqual([row.state, row.attempts], ["dead", 2]);
	assert.match(row.error, /^no worker took it from the queue ai in 1 s$/);
	assert.equal(lab.run("LLEN", "ai"), "0", "nothing is left for a worker that comes later");
});

test("a result: plain values and text, positional and by name", async () => {
	const worker = await lab.celeryWorker();
	const row = await ended(await enqueue({ task: "add", args: [1, 2], kwargs: { scale: 10 } }));
	assert.deepEqual([row.state, row.result, row.attempts], ["done", { sum: 30, euro: "€" }, 0], row.error);

	// An exception: the worker's own text.
	const boom = await ended(await enqueue({ task: "boom", args: ["no such page — ever"] }, { max_attempts: 1 }));
	assert.deepEqual([boom.state, boom.error], ["dead", "ValueError: no such page — ever"]);
	const again = await enqueue({ task: "boom", args: ["again"] }, { max_attempts: 3 });
	await until("it failed once", async () => (await job(again)).attempts === 1);
	const resting = await job(again);
	assert.deepEqual([resting.state, resting.error], ["waiting", "ValueError: again"]);
	assert.ok(Date.parse(resting.due_at) - Date.now() > 5000, "it rests like any that failed");

	// Taken up by hand it is asked anew: the old answer to its id is none.
	const moody = await enqueue({ task: "moody" }, { max_attempts: 1 });
	assert.deepEqual([(await ended(moody)).state, (await job(moody)).error], ["dead", "RuntimeError: not today"]);
	fs.writeFileSync(path.join(lab.folder, "mood"), "");
	await lab.rows("SELECT jobs.retry($1)", moody);
	const fine = await ended(moody);
	assert.deepEqual([fine.state, fine.result], ["done", "fine"], fine.error);

	const odd = await ended(await enqueue({ task: "endless" }, { max_attempts: 1 }));
	assert.deepEqual([odd.state, odd.error], ["dead", "its answer is no JSON that can be kept"]);

	// No runner is held while the worker is at it.
	const slow = await enqueue({ task: "slow", args: [3], timeout_s: 60 });
	await until("the worker has it", () => runs().length === 1);
	const quick = await ended((await lab.one("SELECT jobs.enqueue('celery.call', '{\"queue\": \"nix\"}') AS id")).id);
	assert.equal(quick.state, "dead");
	assert.equal((await job(slow)).finished_at, null);
	assert.equal((await ended(slow)).state, "done");
	await worker.killAll();
});

test("a killed worker is noticed: pushed again under a new id, its attempt charged, the late answer ignored", async () => {
	const first = await lab.celeryWorker();
	const before = runs().length;
	const id = await enqueue({ task: "slow", args: [600], timeout_s: 6 });
	await until("the worker is at it", () => runs().length > before);
	await first.killAll();
	fs.writeFileSync(path.join(lab.folder, "quick"), "");
	const second = await lab.celeryWorker();
	const row = await ended(id);
	assert.deepEqual([row.state, row.attempts], ["done", 1], row.error);
	const ids = runs().slice(before);
	assert.equal(ids.length, 2);
	assert.notEqual(ids[0], ids[1]);
	assert.equal(row.result, ids[1], "the answer is the second one's");
	// The first one answers at last: that changes nothing.
	lab.run("SET", `celery-task-meta-${ids[0]}`, JSON.stringify({ status: "SUCCESS", result: "late", task_id: ids[0] }));
	await new Promise((resolve) => setTimeout(resolve, 300));
	assert.equal((await job(id)).result, ids[1]);
	await second.killAll();
	fs.rmSync(path.join(lab.folder, "quick"));
});

test("a late answer of the first while the second is waited for is not taken for it", async () => {
	const id = await enqueue({ task: "add", args: [2, 2], timeout_s: 2 }, { max_attempts: 2 });
	await until("it was pushed", () => lab.run("LLEN", "ai") === "1");
	const first = JSON.parse(lab.run("LINDEX", "ai", "0")).headers.id;
	await until("its time is up", async () => (await job(id)).attempts === 1);
	await until("it was pushed again", () => lab.run("LLEN", "ai") === "1");
	const second = JSON.parse(lab.run("LINDEX", "ai", "0")).headers.id;
	assert.notEqual(first, second);
	lab.run("SET", `celery-task-meta-${first}`, JSON.stringify({ status: "SUCCESS", result: "late", task_id: first }));
	const row = await ended(id);
	assert.deepEqual([row.state, row.result], ["dead", null]);
});

for (const point of ["celery.push.before", "celery.push.after"])
	test(`killed at ${point}: the same task, its result once`, async () => {
		for (const w of lab.workers.filter((w) => w.exitCode === null)) await w.stop();
		const mark = path.join(lab.folder, `mark-${point}`);
		const id = await enqueue({ task: "add", args: [3, 4] });
		await lab.worker({ env: { STINT_FAIL_POINT: point, STINT_FAIL_MARK: mark } });
		const worker = await lab.celeryWorker();
		const row = await ended(id);
		assert.deepEqual([row.state, row.result.sum, row.attempts, row.crashes], ["done", 7, 0, 1], row.error);
		assert.ok(fs.existsSync(mark));
		await worker.killAll();
	});
