// A crash at every point of the path: before and after each call to Redis and to PostgreSQL. Whatever dies there, the end is the
// same as if nothing had died. The points are read from the sources: a new one is walked over by itself.
import { after, test } from "node:test";
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { assert, Lab, root } from "./support.js";

const folder = path.join(root, "src/queue");
// What the intake does with calls from outside, celery-crash.test.js walks over.
const points = fs.readdirSync(folder).filter((name) => name.endsWith(".c") && name !== "intake.c")
	.flatMap((name) => [...fs.readFileSync(path.join(folder, name), "utf8").matchAll(/fail_point\("([^"]+)"\)/g)].map((m) => m[1]));

const labs = [];
after(async () => Promise.all(labs.map((lab) => lab.close())));

// Something of all that goes over the path: quick ones, effects, a chain, a group, a failure, a snooze, a crash, schedule slots, events.
async function enqueueAll(lab, organizations) {
	await lab.enqueueMany("test.noop", 60);
	await lab.enqueueMany("test.effect", 30);
	await lab.enqueue("test.quick_fail", { n: 100 });
	await lab.enqueue("test.fail", { n: 101, times: 2 });
	await lab.enqueue("test.snooze", { n: 102, times: 2 });
	await lab.enqueue("test.crash_once", { n: 103 });
	await lab.enqueue("test.sleep", { n: 104, ms: 900 });
	await lab.enqueue("test.echo", { n: 105 }, { next: { kind: "test.echo", args: { n: 106 } } });
	const group = await lab.one("SELECT jobs.group_open(3, '{\"kind\": \"test.echo\", \"args\": {\"n\": 107}}')");
	for (let n = 108; n < 111; n++) await lab.enqueue("test.echo", { n }, { group });
	const last = await lab.one("SELECT date_trunc('minute', now()) - interval '3 minutes'");
	await lab.rows("INSERT INTO jobs.slots (kind, slot) VALUES ('test.tick', $1)", last);
	for (const id of organizations) {
		await lab.organization(id);
		for (let n = 0; n < 5; n++) await lab.rows("INSERT INTO data.tags (organization_id, id, name) VALUES ($1, $2, $3)", id, crypto.randomUUID(), `t${n}`);
	}
}

// What must come out, without what differs from run to run.
async function endState(lab, organizations) {
	const kept = await lab.rows(`SELECT kind, state, attempts, (SELECT count(*) FROM scratch.effects AS e WHERE e.job_id = j.id)::integer AS effects,
		jsonb_array_length(j.args -> 'results') AS results FROM jobs.jobs AS j WHERE kind <> 'test.tick' ORDER BY (args ->> 'n')::integer`);
	const effects = await lab.rows("SELECT kind, n, count(*)::integer AS times FROM scratch.effects WHERE kind <> 'test.tick' GROUP BY kind, n ORDER BY n, kind");
	const slots = await lab.rows("SELECT slot, count(*)::integer AS times FROM jobs.slots GROUP BY slot ORDER BY slot");
	const ticks = await lab.one("SELECT count(*) FROM scratch.effects WHERE kind = 'test.tick'");
	const streams = [];
	for (const id of organizations) {
		const entries = await lab.redis.run("XRANGE", `live:${id}`, "-", "+");
		const sealed = await lab.one("SELECT max(position) FROM data.events WHERE organization_id = $1", id);
		streams.push({ unsealed: await lab.one("SELECT count(*) FROM data.events WHERE organization_id = $1 AND position IS NULL", id),
			positions: entries.map((e) => e[0]), whole: entries.length === Number(sealed) });
	}
	return { kept, effects, streams, slotsOnce: slots.every((s) => s.times === 1), ticks: ticks === slots.length - 1 || ticks === slots.length - 2, atLeast: ticks >= 3,
		open: await lab.one("SELECT count(*) FROM jobs.jobs WHERE state IN ('waiting', 'running') AND due_at <= now() AND kind <> 'test.tick'"),
		groups: await lab.one("SELECT count(*) FROM jobs.groups") };
}

async function clear(lab) {
	await lab.rows("TRUNCATE jobs.jobs, jobs.groups, jobs.slots, jobs.rates, jobs.workers, scratch.effects, scratch.runs");
	await lab.redis.run("FLUSHALL");
}

async function isWhole(lab, organizations) {
	const { streams } = await endState(lab, organizations);
	return (await lab.open()) === 0 && streams.every((s) => s.whole);
}

async function walk(lab, point) {
	const organizations = [crypto.randomUUID(), crypto.randomUUID()];
	const mark = path.join(lab.folder, `mark-${point}`);
	await clear(lab);
	await enqueueAll(lab, organizations);
	await lab.drain({ env: point ? { STINT_FAIL_POINT: point, STINT_FAIL_MARK: mark } : {} });
	// What rests for a moment does not keep a worker from being idle, nor does a stream that the next sealer will catch up.
	for (let i = 0; i < 3 && !(await isWhole(lab, organizations)); i++) await lab.drain();
	if (point) assert.ok(fs.existsSync(mark), `nothing came to ${point}`);
	return endState(lab, organizations);
}

test(`a crash at any of ${points.length} points leaves what no crash leaves`, { concurrency: true }, async (t) => {
	assert.ok(points.length >= 30, "the points of the sources");
	assert.equal(new Set(points).size, points.length);
	for (let i = 0; i < 4; i++) labs.push(await Lab.open(`crash_${i}`, { queues: "default+ticks:2" }));
	const expected = await walk(labs[0]);
	assert.equal(expected.effects.length, 30 + 11);
	assert.ok(expected.effects.every((e) => e.times === 1));
	assert.ok(expected.streams.every((s) => s.whole && s.unsealed === 0));
	assert.deepEqual([expected.open, expected.groups, expected.slotsOnce, expected.ticks, expected.atLeast], [0, 0, true, true, true]);
	const left = [...points];
	await Promise.all(labs.map(async (lab) => {
		for (let point = left.shift(); point; point = left.shift())
			await t.test(point, async () => assert.deepEqual(await walk(lab, point), expected));
	}));
});
