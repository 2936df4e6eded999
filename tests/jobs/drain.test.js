// Many jobs and many deaths: kill -9 at random while they drain. STINT_TEST_LONG=1 (./dev test --long) makes it 200 kills and 100,000
// jobs, and Redis is away for a whole minute.
import { test } from "node:test";
import crypto from "node:crypto";
import { pause, until } from "../wait.js";
import { assert, Lab } from "./support.js";

const long = process.env.STINT_TEST_LONG === "1";
const [kills, jobs] = long ? [200, 100000] : [20, 5000];
const most = long ? 3000000 : 120000;

const pick = (list) => list[Math.floor(Math.random() * list.length)];

test(`J1: ${kills} kills while ${jobs} jobs drain: none lost, none stuck, each effect once`, async () => {
	const lab = await Lab.open("kills", { queues: "default:3" });
	const effects = Math.round(jobs * 0.3);
	await lab.enqueueMany("test.effect", effects);
	for (let left = jobs - effects; left > 0; left -= 10000) await lab.enqueueMany("test.noop", Math.min(left, 10000));
	let workers = [await lab.worker().ready(), await lab.worker().ready()];
	let killed = 0;
	for (; killed < kills; killed++) {
		// Evenly over the drain, so that each kill meets work.
		await until("the drain goes on", async () => (await lab.open()) <= jobs * (1 - killed / kills), { most });
		const i = Math.floor(Math.random() * 2);
		if (Math.random() < 0.3) {
			workers[i].kill("SIGKILL");
			await workers[i].exited;
			workers[i] = await lab.worker().ready();
		} else {
			const child = pick(workers[i].children());
			if (child) process.kill(child, "SIGKILL");
		}
	}
	await until("all is drained", async () => (await lab.open()) === 0, { every: 200, most });
	assert.equal(killed, kills);
	const [{ all, distinct }] = await lab.rows("SELECT count(*)::integer AS all, count(DISTINCT n)::integer AS distinct FROM scratch.effects");
	assert.deepEqual([all, distinct], [effects, effects]);
	assert.equal(await lab.one("SELECT count(*) FROM jobs.jobs WHERE state = 'dead'"), 0);
	await Promise.all(workers.map((w) => w.stop()));
	await lab.close();
});

test("J9: one organization's 100,000 queued jobs delay another's by less than 5 s, and by no more than what lay in Redis", async () => {
	const lab = await Lab.open("fair", { queues: "default:2" });
	const [many, few] = [await lab.organization(crypto.randomUUID()), await lab.organization(crypto.randomUUID())];
	for (let i = 0; i < 10; i++) await lab.enqueueMany("test.effect", 10000, {}, { organization: many });
	const worker = await lab.worker().ready();
	await until("it drains", async () => (await lab.one("SELECT count(*) FROM scratch.effects")) > 100);
	for (let i = 0; i < 5; i++) {
		await pause(200 * i);
		const before = await lab.one("SELECT max(seq) FROM scratch.effects");
		const began = Date.now();
		const id = await lab.enqueue("test.effect", {}, { organization: few });
		const [row] = await until("the one job is done", async () => {
			const rows = await lab.rows("SELECT seq FROM scratch.effects WHERE job_id = $1", id);
			return rows.length && rows;
		});
		const took = Date.now() - began;
		assert.ok(took < 5000, `${took} ms`);
		// The relay's window at its widest, and what the runners had in hand.
		assert.ok(row.seq - before <= 2000 + 10, `${row.seq - before} other jobs ran before it`);
	}
	assert.ok((await lab.open("'waiting'")) > 50000, "the many still wait");
	await worker.stop();
	await lab.close();
});

test("J3: Redis away for a minute", { skip: !long && "in ./dev test --long" }, async () => {
	const lab = await Lab.open("minute", { queues: "default:2" });
	await lab.enqueueMany("test.effect", 2000);
	const worker = await lab.worker().ready();
	await until("it drains", async () => (await lab.effects()).length > 20);
	await lab.redis.kill();
	await pause(60000);
	const before = await lab.one("SELECT count(*) FROM scratch.effects");
	await lab.redis.start();
	const back = Date.now();
	await until("it goes on", async () => (await lab.one("SELECT count(*) FROM scratch.effects")) > before);
	assert.ok(Date.now() - back < 5000);
	await until("all is done", async () => (await lab.open()) === 0);
	assert.equal(await lab.one("SELECT count(DISTINCT n) FROM scratch.effects"), 2000);
	assert.equal(await lab.one("SELECT count(*) FROM scratch.effects"), 2000);
	await worker.stop();
	await lab.close();
});
