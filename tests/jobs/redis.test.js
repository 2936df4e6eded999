// Redis carries and never holds: it is killed, flushed, stopped and kept away while jobs drain, and what waits is run all the same.
import { describe, test } from "node:test";
import { pause, until } from "../wait.js";
import { assert, Lab } from "./support.js";

// n effects, each once.
async function drained(lab, n) {
	await until("all is done", async () => (await lab.open()) === 0);
	const [{ all, distinct }] = await lab.rows("SELECT count(*)::integer AS all, count(DISTINCT n)::integer AS distinct FROM scratch.effects");
	assert.deepEqual([all, distinct], [n, n]);
}

describe("Redis", { concurrency: true }, () => {
	test("J4: what was committed and not pushed, whoever died in between, is started within 3 s; without Redis's data too", async () => {
		const lab = await Lab.open("pushless", { queues: "default:2" });
		const worker = await lab.worker().ready();
		const [, relay] = worker.children();
		for (let n = 0; n < 4; n++) {
			// The notice of the commit goes to a relay that is not there any more.
			process.kill(n === 0 ? relay : worker.children().at(-1), "SIGKILL");
			const began = Date.now();
			const id = await lab.enqueue("test.effect", { n });
			await until("it is done", async () => (await lab.effects(`job_id = '${id}'`)).length === 1);
			assert.ok(Date.now() - began < 3000, `took ${Date.now() - began} ms`);
		}
		await worker.stop();
		await lab.close();
	});

	test("J3: FLUSHALL in the middle of a drain loses nothing", async () => {
		const lab = await Lab.open("flush", { queues: "default:3" });
		await lab.enqueueMany("test.effect", 1500);
		const worker = await lab.worker().ready();
		for (let i = 0; i < 8; i++) {
			await lab.redis.run("FLUSHALL");
			await pause(150);
		}
		await drained(lab, 1500);
		await worker.stop();
		await lab.close();
	});

	test("J3: a Redis that is killed, stays away, hangs and comes back: nothing lost, and draining goes on within 5 s", async () => {
		const lab = await Lab.open("away", { queues: "default:3" });
		await lab.enqueueMany("test.effect", 1000);
		const worker = await lab.worker().ready();
		const more = async (what) => {
			const back = Date.now();
			const before = await lab.one("SELECT count(*) FROM scratch.effects");
			await until(what, async () => (await lab.one("SELECT count(*) FROM scratch.effects")) > before);
			assert.ok(Date.now() - back < 5000, `${what} took ${Date.now() - back} ms`);
		};
		await until("it drains", async () => (await lab.effects()).length > 20);
		await lab.redis.kill();
		await pause(4000);
		const id = await lab.enqueue("test.effect", { n: 1000 });
		await lab.redis.start();
		await more("draining goes on after a kill");
		lab.redis.process.kill("SIGSTOP");
		await pause(3000);
		lab.redis.process.kill("SIGCONT");
		await more("draining goes on after a pause");
		await drained(lab, 1001);
		assert.equal((await lab.effects(`job_id = '${id}'`)).length, 1);
		assert.equal(worker.process.exitCode, null, "the same worker all along");
		await worker.stop();
		await lab.close();
	});

	test("rubbish in the lists of Redis is passed over", async () => {
		const lab = await Lab.open("rubbish", { queues: "default:1" });
		for (const list of ["jobs:default:0", "jobs:default:quick:0"])
			await lab.redis.run("RPUSH", list, "", "x", "{1}", "'; DROP", "00000000-0000-0000-0000-000000000000", "x".repeat(100000));
		const worker = await lab.worker().ready();
		await lab.enqueueMany("test.effect", 5);
		await lab.enqueueMany("test.noop", 5);
		await drained(lab, 5);
		await worker.stop();
		await lab.close();
	});
});
