// Events on their way to those who listen: in the order of commit, without gaps, whoever is killed or restarted on the way.
import { describe, test } from "node:test";
import crypto from "node:crypto";
import { pause, until } from "../wait.js";
import { assert, Lab } from "./support.js";

const positions = async (lab, id) => (await lab.redis.run("XRANGE", `live:${id}`, "-", "+")).map((e) => Number(e[0].split("-")[0]));
const sealed = async (lab, id) => (await lab.rows("SELECT position FROM data.events WHERE organization_id = $1 ORDER BY position", id)).map((r) => r.position);
const upTo = (n) => Array.from({ length: n }, (_, i) => i + 1);
const tag = (client, id) => client.query("INSERT INTO data.tags (organization_id, id, name) VALUES ($1, $2, $3)", [id, crypto.randomUUID(), crypto.randomUUID()]);

async function whole(lab, id, n) {
	await until(`${n} entries in the stream`, async () => (await positions(lab, id)).at(-1) === n);
	assert.deepEqual(await positions(lab, id), upTo(n));
	assert.deepEqual(await sealed(lab, id), upTo(n));
}

describe("events", { concurrency: true }, () => {
	test("nothing is sealed past a transaction that is open, nothing is skipped when it commits, and streams follow", async () => {
		const lab = await Lab.open("horizon");
		const ids = [await lab.organization(crypto.randomUUID()), await lab.organization(crypto.randomUUID())];
		const [first, second] = [await lab.worker().ready(), await lab.worker().ready()];
		for (const id of ids) await whole(lab, id, await lab.one("SELECT count(*) FROM data.events WHERE organization_id = $1", id));
		const base = (await sealed(lab, ids[0])).length;
		const held = await lab.pool.connect();
		await held.query("BEGIN");
		await tag(held, ids[0]);
		for (let i = 0; i < 20; i++) await tag(lab.pool, ids[i % 2]);
		await pause(500);
		assert.deepEqual(await positions(lab, ids[0]), upTo(base), "published past an open transaction");
		assert.equal(await lab.one("SELECT count(*) FROM data.events WHERE position IS NULL"), 20);
		await held.query("COMMIT");
		held.release();
		await whole(lab, ids[0], base + 11);
		const [{ row_id }] = await lab.rows("SELECT row_id FROM data.events WHERE organization_id = $1 AND position = $2", ids[0], base + 1);
		const [, fields] = (await lab.redis.run("XRANGE", `live:${ids[0]}`, `${base + 1}-0`, `${base + 1}-0`))[0];
		assert.deepEqual(fields, ["noun", "tag", "id", row_id, "topic", "organization"]);
		await Promise.all([first.stop(), second.stop()]);
		await lab.close();
	});

	test("concurrent writers, two sealers of which one is killed again and again, and a Redis that is killed: no gap, no double", async () => {
		const lab = await Lab.open("sealers", { redis: ["--appendonly", "yes", "--appendfsync", "no"] });
		const ids = await Promise.all(Array.from({ length: 3 }, () => lab.organization(crypto.randomUUID())));
		const workers = [await lab.worker().ready(), await lab.worker().ready()];
		let writing = true;
		const writers = ids.flatMap((id) => [0, 1].map(async () => {
			while (writing) {
				const client = await lab.pool.connect();
				await client.query("BEGIN");
				await tag(client, id);
				await pause(Math.random() * 20);
				await client.query(Math.random() < 0.2 ? "ROLLBACK" : "COMMIT");
				client.release();
			}
		}));
		for (let i = 0; i < 5; i++) {
			await pause(250);
			const children = workers[i % 2].children();
			process.kill(i === 0 ? children[2] : children.at(-1), "SIGKILL");
			if (i === 2) {
				await lab.redis.kill();
				await pause(300);
				await lab.redis.start();
			}
		}
		writing = false;
		await Promise.all(writers);
		for (const id of ids) {
			const n = await lab.one("SELECT count(*) FROM data.events WHERE organization_id = $1", id);
			assert.ok(n > 20);
			await until("all is sealed", async () => (await lab.one("SELECT count(*) FROM data.events WHERE position IS NULL")) === 0);
			await whole(lab, id, n);
		}
		await Promise.all(workers.map((w) => w.stop()));
		await lab.close();
	});

	// What a Redis with its usual settings loses is the last second: the stream ends earlier than it did.
	test("a Redis that forgot the end of its streams, or all of them, gets back what it lost, also where nothing new happens", async () => {
		const lab = await Lab.open("forgets");
		const [busy, quiet] = [await lab.organization(crypto.randomUUID()), await lab.organization(crypto.randomUUID())];
		const worker = await lab.worker().ready();
		for (let i = 0; i < 10; i++) for (const id of [busy, quiet]) await tag(lab.pool, id);
		const n = await lab.one("SELECT count(*) FROM data.events WHERE organization_id = $1", busy);
		for (const id of [busy, quiet]) await whole(lab, id, n);
		const dump = {};
		for (const id of [busy, quiet]) {
			dump[id] = (await lab.redis.run("XRANGE", `live:${id}`, "-", "+")).slice(0, n - 4);
		}
		// The worker finds it as it is after the start, not while it is put back.
		worker.signalAll("SIGSTOP");
		await lab.redis.kill();
		await lab.redis.start();
		await lab.redis.run("SET", "live-mark", "1");
		for (const [id, entries] of Object.entries(dump)) for (const [at, fields] of entries) await lab.redis.run("XADD", `live:${id}`, at, ...fields);
		worker.signalAll("SIGCONT");
		await tag(lab.pool, busy);
		await whole(lab, busy, n + 1);
		await whole(lab, quiet, n);
		await lab.redis.run("FLUSHALL");
		await whole(lab, quiet, n);
		await whole(lab, busy, n + 1);
		await worker.stop();
		await lab.close();
	});

	test("streams keep about the newest thousand", async () => {
		const lab = await Lab.open("many");
		const id = await lab.organization(crypto.randomUUID());
		await lab.rows("INSERT INTO data.tags (organization_id, id, name) SELECT $1, gen_random_uuid(), 't' || i FROM generate_series(1, 1500) AS i", id);
		const worker = await lab.worker().ready();
		const n = await lab.one("SELECT count(*) FROM data.events WHERE organization_id = $1", id);
		const got = await until("the end of the stream", async () => {
			const all = await positions(lab, id);
			return all.at(-1) === n && all;
		});
		assert.ok(got.length >= 1000);
		assert.deepEqual(got, upTo(n).slice(-got.length), "without gaps");
		await worker.stop();
		await lab.close();
	});
});
