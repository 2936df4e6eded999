// The intake dies at every step, and Redis in between: each call is one job and has one answer.
import path from "node:path";
import { after, before, test } from "node:test";
import { until } from "../wait.js";
import { Lab, assert, fs } from "./celery.js";

let lab, client;
before(async () => {
	lab = await Lab.open("crash");
	lab.stint(["celery", "intake", "add", "acme", "--organization", lab.organizations[0].id]);
	client = await lab.client();
});
after(() => lab.close());

const POINTS = ["intake.move.before", "intake.move.after", "intake.store.before", "intake.store.after", "intake.drop.after", "intake.drop.after:3", "answer.before", "answer.after", "answer.after:2", "answer.end"];

// Runs in the jobs and results of the database: how often each of these was taken and how it ended.
async function accounts(ids) {
	const rows = await lab.rows("SELECT id, state, attempts, crashes FROM jobs.jobs WHERE id = ANY ($1)", ids);
	assert.equal(rows.length, ids.length);
	for (const row of rows) assert.deepEqual([row.state, row.attempts, row.crashes], ["done", 0, 0]);
	const [{ n }] = await lab.rows("SELECT count(*) AS n FROM jobs.jobs WHERE kind LIKE 'stint.%'");
	return n;
}
const empty = () => ["acme", "acme\x06\x163", "acme\x06\x166", "acme\x06\x169", "intake:acme"].every((key) => lab.run("LLEN", key) === "0");

for (const point of POINTS)
	test(`killed at ${point}: once, and only once`, async () => {
		const mark = path.join(lab.folder, `mark-${point}`);
		const [{ n: before }] = await lab.rows("SELECT count(*) AS n FROM jobs.jobs WHERE kind LIKE 'stint.%'");
		const ids = [];
		for (let i = 0; i < 6; i++) ids.push(await client.send("stint.ping", { priority: [0, 3, 6, 9, 0, 0][i] }));
		const bad = await client.send("no.such");
		const waiting = [...ids, bad].map((id) => client.get(id));
		const worker = await lab.worker({ env: { STINT_FAIL_POINT: point, STINT_FAIL_MARK: mark }, ready: false });
		const answers = await Promise.all(waiting);
		assert.deepEqual(answers.map((a) => a.result ?? a.type), [...ids.map(() => "pong"), "NotRegistered"]);
		await until("it was killed there", () => fs.existsSync(mark));
		await until("nothing is left on the way", async () => empty() && (await lab.rows("SELECT FROM jobs.replies")).length === 0);
		assert.equal(await accounts(ids), before + ids.length);
		assert.equal((await lab.rows("SELECT FROM jobs.letters WHERE task_id = $1", bad)).length, 1);
		await worker.stop();
	});

test("Redis is killed with calls in it and answers on their way: none is lost", async () => {
	const ids = [];
	for (let i = 0; i < 10; i++) ids.push(await client.send("stint.ping"));
	await lab.redisKill();
	const worker = await lab.worker({ ready: false });
	await until("the intake has noticed", () => worker.said().includes("redis is away"));
	await lab.redisStart();
	const late = await lab.client();
	for (const id of ids) assert.equal((await late.get(id)).result, "pong");
	assert.ok(await accounts(ids));

	// Answers that are ready while Redis is away come when it is back.
	const again = [];
	for (let i = 0; i < 5; i++) again.push(await late.send("stint.ping", { countdown: 1 }));
	await until("they are jobs", async () => (await lab.rows("SELECT FROM jobs.jobs WHERE id = ANY ($1)", again)).length === 5);
	await lab.redisKill();
	await lab.rows("SELECT jobs.cancel(id) FROM unnest($1::uuid[]) AS id", again);
	assert.equal((await lab.rows("SELECT FROM jobs.replies")).length, 5);
	await lab.redisStart();
	const third = await lab.client();
	for (const id of again) assert.equal((await third.get(id)).type, "TaskRevokedError");
	await worker.stop();
});

test("an intake that is removed leaves what lies there, and takes it up again when it is added", async () => {
	const worker = await lab.worker();
	lab.stint(["celery", "intake", "remove", "acme"]);
	await until("it is not listed any more", () => /No queue/.test(lab.stint(["celery", "intake", "list"])));
	await new Promise((resolve) => setTimeout(resolve, 1200));
	const id = await client.send("stint.ping").catch(() => undefined) ?? (client = await lab.client(), await client.send("stint.ping"));
	assert.equal(lab.run("LLEN", "acme"), "1");
	lab.stint(["celery", "intake", "add", "acme", "--organization", lab.organizations[0].id]);
	assert.equal((await client.get(id)).result, "pong");
	await worker.stop();
});

test("--until-idle serves what lies there, answers it, and leaves", async () => {
	const id = await client.send("stint.ping");
	const worker = await lab.worker({ queues: "default:1", ready: false, args: ["--until-idle"] });
	assert.equal(await worker.gone, 0, worker.said());
	assert.ok(lab.run("GET", `celery-task-meta-${id}`).includes("SUCCESS"));
});
