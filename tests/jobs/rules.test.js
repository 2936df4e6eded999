// The rules of jobs as SQL keeps them, asked without a worker: this file is the runner.
import { after, before, test } from "node:test";
import crypto from "node:crypto";
import pg from "pg";
import { pause, until } from "../wait.js";
import { assert, host, Lab } from "./support.js";

let lab;
before(async () => (lab = await Lab.open("rules")));
after(() => lab.close());

// A runner: a connection whose advisory lock says that it lives.
async function runner() {
	const client = new pg.Client({ host, user: "stint_worker", database: lab.name });
	await client.connect();
	const { rows } = await client.query("SELECT h.n, pg_advisory_lock(7319, h.n) FROM (SELECT nextval('jobs.holders')::integer AS n OFFSET 0) AS h");
	const holder = rows[0].n;
	return {
		holder,
		claim: async (...ids) => (await client.query("SELECT * FROM jobs.claim($1, $2, 30)", [ids, holder])).rows,
		settle: async (job, outcome, { result, why, delay, memo } = {}) =>
			(await client.query("SELECT jobs.settle($1, $2, $3, $4, $5, $6, $7) AS state", [job.id, job.lease, outcome, result, why, delay, memo])).rows[0].state,
		crashed: async (id, lease, how = "signal 9") => (await client.query("SELECT jobs.crashed($1, $2, $3) AS state", [id, lease, how])).rows[0].state,
		ask: async (text, ...values) => (await client.query(text, values)).rows,
		gone: () => client.end(),
	};
}
const reap = () => lab.one("SELECT jobs.reap(100)");
const run = async (r, id, outcome = "ok", more = {}) => r.settle((await r.claim(id))[0], outcome, more);

test("an enqueue that is rolled back never was; one that is committed is there once", async () => {
	const client = await lab.pool.connect();
	await client.query("BEGIN");
	const { rows } = await client.query("SELECT jobs.enqueue('test.effect') AS id");
	assert.equal(await lab.job(rows[0].id), undefined, "seen before its commit");
	await client.query("ROLLBACK");
	client.release();
	assert.equal(await lab.job(rows[0].id), undefined);
	assert.equal((await lab.job(await lab.enqueue("test.effect"))).state, "waiting");
});

test("what nobody could run is refused when it is enqueued, with its reason", async () => {
	await assert.rejects(lab.enqueue("no.such"), /there is no kind of job named no\.such/);
	await assert.rejects(lab.enqueue("test.effect", {}, { dely_s: 1 }), /has no option dely_s/);
	await assert.rejects(lab.enqueue("test.effect", {}, { priority: 4 }), /jobs_priority_range/);
	await assert.rejects(lab.enqueue("test.effect", {}, { queue: "No Queue" }), /jobs_queue_form/);
	// A chain or a callback that cannot be enqueued would otherwise be found out by the runner, which could never settle the job.
	for (const next of [{ kind: "no.such" }, { args: {} }, { kind: "test.effect", options: { dely_s: 1 } }, { kind: "test.effect", options: { priority: "soon" } }, "x"]) {
		await assert.rejects(lab.enqueue("test.effect", {}, { next }), /next/);
		await assert.rejects(lab.one("SELECT jobs.group_open(1, $1)", JSON.stringify(next)), /callback/);
	}
	assert.equal(await lab.one("SELECT count(*) FROM jobs.groups"), 0);
});

test("a lease is given once, and only its holder can say what became of the job", async () => {
	const [a, b] = [await runner(), await runner()];
	const id = await lab.enqueue("test.echo");
	const [job] = await a.claim(id);
	assert.deepEqual(await b.claim(id), []);
	await assert.rejects(b.settle({ ...job, lease: Number(job.lease) + 1000 }, "ok"), /job_lease_lost/);
	assert.equal(await a.settle(job, "ok", { result: '{"x": 1}' }), "done");
	await assert.rejects(a.settle(job, "ok"), /job_lease_lost/);
	const row = await lab.job(id);
	assert.deepEqual([row.state, row.result, row.attempts], ["done", { x: 1 }, 0]);
	await Promise.all([a.gone(), b.gone()]);
});

test("a job of a runner that is gone waits again, nothing is charged, and its late word counts for nothing", async () => {
	const [a, b] = [await runner(), await runner()];
	const id = await lab.enqueue("test.echo");
	const [job] = await a.claim(id);
	assert.equal(await reap(), 0);
	await a.gone();
	await pause(100);
	assert.equal(await reap(), 1);
	const row = await lab.job(id);
	assert.deepEqual([row.state, row.attempts, row.crashes], ["waiting", 0, 0]);
	const [again] = await b.claim(id);
	assert.equal(again.attempt, 1);
	await assert.rejects(b.settle(job, "ok"), /job_lease_lost/);
	assert.equal(await b.settle(again, "ok"), "done");
	await b.gone();
});

// A runner may take its number and its first job between two looks of one reap: the job it has just claimed must stay its own.
test("a reap never takes a job from a runner that came while it looked", async () => {
	const id = await lab.enqueue("test.effect");
	const gate = await lab.pool.connect();
	await gate.query("BEGIN; LOCK TABLE jobs.jobs IN ACCESS EXCLUSIVE MODE");
	const reaping = reap();
	await until("the reap is at the jobs", () => lab.one("SELECT count(*) FROM pg_locks WHERE relation = 'jobs.jobs'::regclass AND NOT granted"));
	const r = await runner();
	const { rows } = await gate.query("SELECT * FROM jobs.claim($1, $2, 30)", [[id], r.holder]);
	await gate.query("COMMIT");
	gate.release();
	assert.equal(await reaping, 0);
	assert.equal(await r.settle(rows[0], "ok"), "done");
	await r.gone();
});

test("failures are counted, rest longer and longer, and the last attempt is the last", async () => {
	const r = await runner();
	const id = await lab.enqueue("test.effect", {}, { max_attempts: 3 });
	for (let n = 1; n <= 2; n++) {
		const [job] = await r.claim(id);
		assert.deepEqual([job.attempt, job.last], [n, false]);
		assert.equal(await r.settle(job, "retry", { why: `no ${n}` }), "retry");
		const rest = await lab.one("SELECT extract(epoch FROM due_at - now())::float8 FROM jobs.jobs WHERE id = $1", id);
		assert.ok(rest > (15 + n ** 4) * 0.9 - 1 && rest < (15 + n ** 4) * 1.1, `rested ${rest}`);
		assert.deepEqual(await r.claim(id), [], "claimed before it was due");
		await lab.rows("UPDATE jobs.jobs SET due_at = now() WHERE id = $1", id);
	}
	const [job] = await r.claim(id);
	assert.deepEqual([job.attempt, job.last], [3, true]);
	assert.equal(await r.settle(job, "retry", { why: "no 3" }), "dead");
	const row = await lab.job(id);
	assert.deepEqual([row.state, row.attempts, row.error], ["dead", 3, "no 3"]);
	await r.gone();
});

test("a snooze charges nothing, keeps its memo, and needs no delay", async () => {
	const r = await runner();
	const id = await lab.enqueue("test.effect", {}, { max_attempts: 1 });
	const [job] = await r.claim(id);
	assert.equal(await r.settle(job, "snooze", { memo: '{"at": 7}' }), "snoozed");
	const [again] = await r.claim(id);
	assert.deepEqual([again.memo, again.attempt], [{ at: 7 }, 1]);
	assert.equal(await r.settle(again, "ok"), "done");
	await r.gone();
});

test("three crashes are the end, each told once, even when the job was taken over before that was told", async () => {
	const [a, b] = [await runner(), await runner()];
	const id = await lab.enqueue("test.effect");
	const [first] = await a.claim(id);
	assert.equal(await a.crashed(id, first.lease), "retry");
	assert.equal(await a.crashed(id, first.lease), "gone", "told twice, counted once");
	// Another worker's reap and runner were faster than the news of the second crash.
	const [second] = await a.claim(id);
	await lab.rows("UPDATE jobs.jobs SET leased_until = now() - interval '1 s' WHERE id = $1", id);
	assert.equal(await reap(), 1);
	const [third] = await b.claim(id);
	assert.equal(await a.crashed(id, second.lease), "counted");
	assert.deepEqual([(await lab.job(id)).crashes, (await lab.job(id)).state], [2, "running"]);
	assert.equal(await b.crashed(id, third.lease), "dead");
	assert.match((await lab.job(id)).error, /three times/);
	await Promise.all([a.gone(), b.gone()]);
});

test("a crash after the settlement changes nothing of what was settled", async () => {
	const r = await runner();
	const id = await lab.enqueue("test.effect");
	const [job] = await r.claim(id);
	await r.settle(job, "retry", { delay: 1000 });
	assert.equal(await r.crashed(id, job.lease), "gone");
	const row = await lab.job(id);
	assert.deepEqual([row.crashes, row.attempts], [0, 1]);
	assert.ok(new Date(row.due_at) > Date.now() + 900000, "its rest is what the settlement said");
	await r.gone();
});

test("unique: while one waits it stands for all; unique_running: also while it runs; another organization's is another", async () => {
	const r = await runner();
	const org = await lab.organization(crypto.randomUUID());
	const one = await lab.enqueue("test.effect", {}, { unique: "k" });
	assert.equal(await lab.enqueue("test.effect", {}, { unique: "k" }), one);
	assert.notEqual(await lab.enqueue("test.effect", {}, { unique: "k", organization: org }), one);
	assert.notEqual(await lab.enqueue("test.echo", {}, { unique: "k" }), one);
	const [job] = await r.claim(one);
	const two = await lab.enqueue("test.effect", {}, { unique: "k" });
	assert.notEqual(two, one);
	// The first fails while its twin waits: one of them is enough.
	assert.equal(await r.settle(job, "retry"), "cancelled");
	assert.equal(await run(r, two), "done");
	const first = await lab.enqueue("test.effect", {}, { unique: "r", unique_running: true });
	const [running] = await r.claim(first);
	assert.equal(await lab.enqueue("test.effect", {}, { unique: "r", unique_running: true }), first);
	await r.settle(running, "ok");
	assert.notEqual(await lab.enqueue("test.effect", {}, { unique: "r", unique_running: true }), first);
	await r.gone();
});

test("unique under a rush: of 40 at once from 8 connections one waits", async () => {
	const ids = await Promise.all(Array.from({ length: 40 }, () => lab.enqueue("test.effect", {}, { unique: "rush" })));
	assert.equal(new Set(ids).size, 1);
});

test("unique: the twin that stands for an enqueue runs after its transaction, and so sees what was done in it", async () => {
	const r = await runner();
	const id = await lab.enqueue("test.effect", {}, { unique: "seen" });
	const client = await lab.pool.connect();
	await client.query("BEGIN");
	const { rows } = await client.query(`SELECT jobs.enqueue('test.effect', '{}', '{"unique": "seen"}') AS id`);
	assert.equal(rows[0].id, id);
	assert.deepEqual(await r.claim(id), [], "not while the transaction is open");
	await client.query("COMMIT");
	client.release();
	assert.equal(await run(r, id), "done");
	await r.gone();
});

test("once: the same request is the same job, also when it is done", async () => {
	const r = await runner();
	const id = await lab.enqueue("test.effect", {}, { once: "o" });
	assert.equal(await run(r, id), "done");
	assert.equal(await lab.enqueue("test.effect", {}, { once: "o" }), id);
	assert.equal((await lab.job(id)).state, "done");
	await r.gone();
});

test("what has expired is not run; its group counts it", async () => {
	const r = await runner();
	const group = await lab.one("SELECT jobs.group_open(2, '{\"kind\": \"test.echo\", \"args\": {\"of\": \"expired\"}}')");
	const late = await lab.enqueue("test.effect", {}, { expires_s: -1, group });
	const good = await lab.enqueue("test.effect", {}, { group });
	assert.equal(await run(r, good), "done");
	assert.deepEqual(await r.claim(late), []);
	const row = await lab.job(late);
	assert.deepEqual([row.state, row.attempts], ["expired", 0]);
	assert.ok(row.finished_at && row.purge_at);
	const [callback] = await lab.rows("SELECT args FROM jobs.jobs WHERE args ->> 'of' = 'expired'");
	assert.deepEqual(callback.args.results.map((x) => x.state).sort(), ["done", "expired"]);
	await r.gone();
});

test("an expired job uses up nothing of its kind's rate", async () => {
	const r = await runner();
	const org = await lab.organization(crypto.randomUUID());
	await r.claim(await lab.enqueue("test.limited", {}, { expires_s: -1, organization: org }));
	assert.equal((await r.claim(await lab.enqueue("test.limited", {}, { organization: org }))).length, 1);
	await r.gone();
});

test("a chain goes on with the result of what was done, and not after a failure", async () => {
	const r = await runner();
	const org = await lab.organization(crypto.randomUUID());
	const next = { kind: "test.echo", args: { step: 2 }, options: { next: { kind: "test.echo", args: { step: 3 } } } };
	const first = await lab.enqueue("test.effect", {}, { organization: org, next });
	assert.equal(await run(r, first, "ok", { result: '"one"' }), "done");
	const [second] = await lab.rows("SELECT * FROM jobs.jobs WHERE organization_id = $1", org);
	assert.deepEqual(second.args, { step: 2, previous: "one" });
	assert.equal(await run(r, second.id, "dead"), "dead");
	assert.equal(await lab.one("SELECT count(*) FROM jobs.jobs WHERE organization_id = $1 AND id <> $2", org, second.id), 0);
	await r.gone();
});

test("a group calls back once, when the last has ended however it ended; what is retried by hand is counted again", async () => {
	const r = await runner();
	const org = await lab.organization(crypto.randomUUID());
	const group = await lab.one("SELECT jobs.group_open(4, '{\"kind\": \"test.echo\"}', $1)", JSON.stringify({ organization: org }));
	const ids = [];
	for (let n = 0; n < 4; n++) ids.push(await lab.enqueue("test.effect", { n }, { organization: org, group }));
	const callbacks = () => lab.rows("SELECT * FROM jobs.jobs WHERE organization_id = $1 AND kind = 'test.echo'", org);
	assert.equal(await run(r, ids[0], "dead", { why: "no" }), "dead");
	assert.equal(await run(r, ids[1], "ok", { result: "1" }), "done");
	assert.equal(await lab.one("SELECT jobs.cancel($1)", ids[2]), "cancelled");
	assert.equal(await lab.one("SELECT jobs.retry($1)", ids[0]), "waiting");
	assert.equal((await callbacks()).length, 0);
	assert.equal(await run(r, ids[3]), "done");
	assert.equal((await callbacks()).length, 0, "one of them runs again");
	assert.equal(await run(r, ids[0]), "done");
	const [callback] = await callbacks();
	assert.deepEqual(callback.args.results.map((x) => [ids.indexOf(x.id), x.state, x.result]).sort((x, y) => x[0] - y[0]),
		[[0, "done", null], [1, "done", 1], [2, "cancelled", null], [3, "done", null]]);
	// The group is gone; what is retried now ends for itself.
	assert.equal(await lab.one("SELECT jobs.retry($1)", ids[2]), "waiting");
	assert.equal(await run(r, ids[2]), "done");
	assert.equal((await callbacks()).length, 1);
	await r.gone();
});

test("jobs of a group that end at the same time call back once", async () => {
	const org = await lab.organization(crypto.randomUUID());
	const group = await lab.one("SELECT jobs.group_open(24, '{\"kind\": \"test.echo\"}', $1)", JSON.stringify({ organization: org }));
	const ids = await Promise.all(Array.from({ length: 24 }, (_, n) => lab.enqueue("test.effect", { n }, { organization: org, group })));
	const runners = await Promise.all(Array.from({ length: 8 }, runner));
	await Promise.all(runners.map(async (r, i) => {
		for (const id of ids.filter((_, n) => n % 8 === i)) await run(r, id);
		await r.gone();
	}));
	const rows = await lab.rows("SELECT args FROM jobs.jobs WHERE organization_id = $1 AND kind = 'test.echo'", org);
	assert.equal(rows.length, 1);
	assert.equal(rows[0].args.results.length, 24);
});

test("a job of a group has no key: another one would end in its place", async () => {
	const group = await lab.one("SELECT jobs.group_open(1, '{\"kind\": \"test.echo\"}')");
	await assert.rejects(lab.enqueue("test.effect", {}, { group, unique: "g" }), /group/);
	await assert.rejects(lab.enqueue("test.effect", {}, { group, once: "g" }), /group/);
});

test("retrying by hand what has a waiting twin is refused, and changes nothing", async () => {
	const r = await runner();
	const id = await lab.enqueue("test.effect", {}, { unique: "twin" });
	assert.equal(await run(r, id, "dead"), "dead");
	await lab.enqueue("test.effect", {}, { unique: "twin" });
	await assert.rejects(lab.one("SELECT jobs.retry($1)", id), /job_twin/);
	assert.equal((await lab.job(id)).state, "dead");
	await r.gone();
});

test("quick jobs are settled in batches only when nothing of them is to be kept or limited", async () => {
	const quick = async (...given) => (await lab.job(await lab.enqueue(...given))).quick;
	assert.equal(await quick("test.noop"), true);
	assert.equal(await quick("test.noop", {}, { delay_s: 5 }), true);
	assert.equal(await quick("test.noop", {}, { next: { kind: "test.noop" } }), false);
	assert.equal(await quick("test.noop", {}, { expires_s: 5 }), false);
	// A batch deletes what is done and asks nobody: so a kind with a rate, or whose jobs stay readable, is not for batches.
	assert.equal(await quick("test.quick_rated"), false);
	const group = await lab.one("SELECT jobs.group_open(1, '{\"kind\": \"test.echo\"}')");
	await lab.enqueueMany("test.quick_rated", 1);
	await lab.enqueueMany("test.noop", 1, {}, { group });
	assert.equal(await lab.one("SELECT bool_or(quick) FROM jobs.jobs WHERE kind = 'test.quick_rated' OR group_id = $1", group), false);
});

test("due: by priority, within one the organizations in turn, within one by time", async () => {
	const queue = "fair";
	const [a, b] = [crypto.randomUUID(), crypto.randomUUID()].sort();
	for (const id of [a, b]) await lab.organization(id);
	const put = (n, options) => lab.enqueue("test.effect", { n }, { queue, priority: 6, ...options });
	for (let n = 0; n < 5; n++) await put(n, { organization: a, due_at: `2026-01-01T00:00:0${n}Z` });
	await put(10, { organization: b, due_at: "2026-01-02T00:00:00Z" });
	await put(11, { organization: b, due_at: "2026-01-02T00:00:01Z" });
	await put(20, { organization: b, priority: 0 });
	await put(30, { organization: a, priority: 9, due_at: "2020-01-01T00:00:00Z" });
	await put(40, { organization: a, delay_s: 3600 });
	const order = await lab.rows("SELECT (j.args ->> 'n')::integer AS n FROM jobs.due($1, 100) WITH ORDINALITY AS d JOIN jobs.jobs AS j USING (id) ORDER BY d.ordinality", queue);
	assert.deepEqual(order.map((x) => x.n), [20, 0, 10, 1, 11, 2, 3, 4, 30]);
	const [waiting] = await lab.rows("SELECT * FROM jobs.queues_waiting() WHERE queue = $1", queue);
	assert.equal(waiting.due, true);
	assert.ok(waiting.next_ms > 3500000 && waiting.next_ms <= 3600000);
});

test("a rate holds for each organization by itself, and nothing starts early", async () => {
	const r = await runner();
	const [a, b] = [await lab.organization(crypto.randomUUID()), await lab.organization(crypto.randomUUID())];
	const ids = [];
	for (let n = 0; n < 3; n++) ids.push(await lab.enqueue("test.limited", { n }, { organization: a }));
	const other = await lab.enqueue("test.limited", {}, { organization: b });
	assert.equal((await r.claim(...ids, other)).length, 2, "one of each organization");
	const left = await lab.rows("SELECT extract(epoch FROM due_at - now())::float8 AS s FROM jobs.jobs WHERE id = ANY ($1) AND state = 'waiting'", ids);
	assert.equal(left.length, 2);
	assert.ok(left.every((x) => x.s > 0.2 && x.s <= 0.5));
	await r.gone();
});

test("a heartbeat lengthens leases, says who is to end, and waits for nobody's transaction", async () => {
	const [r, keeper] = [await runner(), await runner()];
	const ids = [await lab.enqueue("test.effect"), await lab.enqueue("test.effect"), await lab.enqueue("test.effect")];
	const jobs = [];
	for (const id of ids) jobs.push((await r.claim(id))[0]);
	assert.equal(await lab.one("SELECT jobs.cancel($1)", ids[1]), "cancelling");
	await lab.rows("UPDATE jobs.jobs SET leased_until = now() + interval '1 s' WHERE id = ANY ($1)", ids);
	// The third is in the middle of a statement of its own.
	await r.ask("BEGIN");
	await r.ask("SELECT app.enter_job($1, $2)", ids[2], jobs[2].lease);
	const said = await keeper.ask("SELECT * FROM jobs.heartbeat($1, $2, 600) ORDER BY id", ids, jobs.map((j) => j.lease));
	assert.deepEqual(said, [{ id: ids[1], cancel: true, lost: false }]);
	await r.ask("COMMIT");
	const long = await lab.rows("SELECT id FROM jobs.jobs WHERE id = ANY ($1) AND leased_until > now() + interval '500 s' ORDER BY id", ids);
	assert.deepEqual(long.map((x) => x.id), ids.slice(0, 2).sort());
	const [lost] = await keeper.ask("SELECT * FROM jobs.heartbeat($1, $2, 600)", [ids[0]], [Number(jobs[0].lease) - 1]);
	assert.equal(lost.lost, true);
	await Promise.all([r.gone(), keeper.gone()]);
});

test("cancelling: what waits ends, what runs is asked to, what has ended stays; another organization's is not found", async () => {
	const r = await runner();
	const org = await lab.organization(crypto.randomUUID());
	const waiting = await lab.enqueue("test.effect");
	assert.equal(await lab.one("SELECT jobs.cancel($1)", waiting), "cancelled");
	assert.deepEqual(await r.claim(waiting), []);
	const running = await lab.enqueue("test.effect");
	const [job] = await r.claim(running);
	assert.equal(await lab.one("SELECT jobs.cancel($1)", running), "cancelling");
	assert.equal(await r.settle(job, "retry"), "cancelled");
	assert.equal(await lab.one("SELECT jobs.cancel($1)", running), "cancelled");
	assert.equal(await lab.one("SELECT jobs.cancel($1)", crypto.randomUUID()), null);
	const client = await lab.pool.connect();
	await client.query("BEGIN");
	await client.query("SELECT set_config('app.org', $1, true)", [org]);
	assert.equal((await client.query("SELECT jobs.cancel($1) AS s", [waiting])).rows[0].s, null);
	await client.query("ROLLBACK");
	client.release();
	await r.gone();
});

test("the relay's lead goes to another when its holder says nothing for a while, stopped as it may be", async () => {
	const [a, b] = [await runner(), await runner()];
	const leads = async (r) => (await r.ask("SELECT jobs.lead(9) AS leads"))[0].leads;
	assert.equal(await leads(a), true);
	assert.equal(await leads(b), false);
	const [{ s }] = await a.ask("SELECT current_setting('idle_session_timeout') AS s");
	assert.equal(s, "5s");
	await Promise.all([a.gone(), b.gone()]);
});
