// What a job may count on, with workers that run: every end, chains and groups, cancelling, leases, poison, leaving and reloading.
import { after, before, describe, test } from "node:test";
import crypto from "node:crypto";
import fs from "node:fs";
import { pause, until } from "../wait.js";
import { assert, Lab } from "./support.js";

describe("every end of a job", () => {
	let lab;
	before(async () => {
		lab = await Lab.open("ends", { queues: "default:3" });
		await lab.worker().ready();
	});
	after(() => lab.close());

	test("done, failed and done, snoozed, cancelled, dead", async () => {
		const [echo, fail, dead, snooze, cancel] = await Promise.all([
			lab.enqueue("test.echo", { n: 1, deep: { x: ["ü", 1.5, null, true] } }), lab.enqueue("test.fail", { n: 2, times: 2 }),
			lab.enqueue("test.fail", { n: 3, times: 9 }, { max_attempts: 2 }), lab.enqueue("test.snooze", { n: 4, times: 3 }),
			lab.enqueue("test.cancel_me", { n: 5 })]);
		const [a, b, c, d, e] = await Promise.all([echo, fail, dead, snooze, cancel].map((id) => lab.ended(id)));
		assert.deepEqual([a.state, a.result], ["done", { n: 1, deep: { x: ["ü", 1.5, null, true] } }]);
		assert.deepEqual([b.state, b.attempts, await lab.runs(fail)], ["done", 2, 3]);
		assert.deepEqual([c.state, c.attempts, c.error, await lab.runs(dead)], ["dead", 2, "this was attempt 2", 2]);
		assert.deepEqual([d.state, d.attempts, await lab.runs(snooze)], ["done", 0, 4]);
		assert.deepEqual([e.state, e.error], ["cancelled", "nobody wants it"]);
		assert.deepEqual((await lab.effects("n BETWEEN 1 AND 5")).map((x) => x.n).sort(), [1, 2, 4], "only what was done has effects");
	});

	test("an effect or a result that PostgreSQL refuses is a failure, and the last one the end", async () => {
		for (const kind of ["test.bad_effect", "test.bad_result"]) {
			const id = await lab.enqueue(kind, {}, { max_attempts: 1 });
			const row = await lab.ended(id);
			assert.deepEqual([row.state, row.attempts, await lab.runs(id)], ["dead", 1, 1], kind);
		}
	});

	test("1 MiB of arguments arrive and come back whole", async () => {
		const text = crypto.randomBytes(524288).toString("hex");
		const row = await lab.ended(await lab.enqueue("test.echo", { n: 6, text }));
		assert.equal(row.result.text, text);
	});

	test("a chain is run step by step with what came before; a group calls back with all", async () => {
		const next = { kind: "test.echo", args: { n: 8 }, options: { next: { kind: "test.echo", args: { n: 9 } } } };
		await lab.enqueue("test.echo", { n: 7 }, { next });
		const third = await until("the chain's end", async () => (await lab.rows("SELECT * FROM jobs.jobs WHERE args ->> 'n' = '9' AND state = 'done'"))[0]);
		assert.deepEqual(third.result, { n: 9, previous: { n: 8, previous: { n: 7 } } });
		const group = await lab.one("SELECT jobs.group_open(30, '{\"kind\": \"test.echo\", \"args\": {\"n\": 10}}')");
		await lab.enqueueMany("test.echo", 29, {}, { group });
		await lab.enqueue("test.dead", { n: 11 }, { group });
		const callback = await until("the callback", async () => (await lab.rows("SELECT * FROM jobs.jobs WHERE args ->> 'n' = '10' AND state = 'done' AND args ? 'results'"))[0]);
		assert.deepEqual(callback.args.results.map((r) => r.state).sort(), [...Array(29).fill("done")].concat("dead").sort());
	});

	test("nothing starts before it is due", async () => {
		const ids = [];
		for (let n = 0; n < 20; n++) ids.push(await lab.enqueue("test.echo", { n }, { delay_s: 0.3 + n * 0.05 }));
		for (const id of ids) {
			const row = await lab.ended(id);
			assert.ok(new Date(row.started_at) >= new Date(row.due_at), `${row.started_at} is before ${row.due_at}`);
		}
	});

	test("a rate holds: each organization's start when they may", async () => {
		const org = await lab.organization(crypto.randomUUID());
		const other = await lab.organization(crypto.randomUUID());
		for (let n = 200; n < 205; n++) await lab.enqueue("test.limited", { n }, { organization: org });
		await lab.enqueue("test.limited", { n: 205 }, { organization: other });
		const rows = await until("all of them", async () => {
			const found = await lab.effects("n BETWEEN 200 AND 205");
			return found.length === 6 && found;
		});
		const own = rows.filter((r) => r.n < 205).map((r) => new Date(r.at).getTime()).sort();
		// An effect comes a moment after the start, which is what is limited: four steps of half a second, less that moment.
		assert.ok(own.at(-1) - own[0] > 1500, own.map((t) => t - own[0]).join(" "));
	});

	test("an organization's job acts in its name and may see nothing else", async () => {
		const org = await lab.organization(crypto.randomUUID());
		const row = await lab.ended(await lab.enqueue("test.echo", { n: 12 }, { organization: org }));
		assert.deepEqual([row.state, row.organization_id], ["done", org]);
	});

	test("a quick job that wants the database is run alone, once", async () => {
		const id = await lab.enqueue("test.quick_fail", { n: 13 });
		await lab.ended(id);
		assert.equal((await lab.effects(`job_id = '${id}'`)).length, 1);
	});

	test("cancelled while it waits it never runs; while it runs it is told", async () => {
		const waiting = await lab.enqueue("test.sleep", { n: 14, ms: 10 }, { delay_s: 3600 });
		assert.equal(await lab.one("SELECT jobs.cancel($1)", waiting), "cancelled");
		const running = await lab.enqueue("test.sleep", { n: 15, ms: 60000 });
		await until("it runs", () => lab.runs(running));
		assert.equal(await lab.one("SELECT jobs.cancel($1)", running), "cancelling");
		const row = await lab.ended(running);
		assert.deepEqual([row.state, row.attempts, row.crashes], ["cancelled", 0, 0]);
		assert.equal((await lab.effects(`job_id IN ('${waiting}', '${running}')`)).length, 0);
	});

	test("an unknown kind waits for somebody who knows it", async () => {
		await lab.rows("INSERT INTO jobs.kinds SELECT 'test.newer', about, queue, priority, max_attempts, quick, public, soft_s, hard_s, rate_per_minute, keep_s FROM jobs.kinds WHERE kind = 'test.effect'");
		const id = await lab.enqueue("test.newer", { n: 16 });
		const row = await until("it was looked at", async () => {
			const job = await lab.job(id);
			return job.error && job;
		});
		assert.deepEqual([row.state, row.attempts], ["waiting", 0]);
		assert.match(row.error, /knows no kind test\.newer/);
	});
});

test("by priority, and in turn: what is urgent goes first, one organization's many do not stand before another's one", async () => {
	const lab = await Lab.open("order", { queues: "default:1" });
	const [a, b] = [await lab.organization(crypto.randomUUID()), await lab.organization(crypto.randomUUID())];
	await lab.enqueueMany("test.effect", 300, {}, { organization: a });
	await lab.enqueue("test.effect", { n: 1000 }, { organization: b, priority: 9 });
	await lab.enqueue("test.effect", { n: 1001 }, { organization: b });
	const worker = await lab.worker().ready();
	await until("some are done", async () => (await lab.effects()).length > 50);
	await lab.enqueue("test.effect", { n: 1002 }, { organization: b });
	await until("all are done", async () => (await lab.effects()).length === 303);
	const order = (await lab.effects()).map((e) => e.n);
	assert.ok(order.indexOf(1001) <= 2, "its turn was the second");
	assert.equal(order.at(-1), 1000, "the least urgent is the last");
	await worker.stop();
	await lab.close();
});

describe("each in a laboratory of its own", { concurrency: true }, () => {
	describe("leases", { concurrency: 2 }, () => {
		test("J5: who was stopped past its lease changes nothing when it goes on, and its lead over the relay goes to another", async () => {
			const lab = await Lab.open("stopped");
			const first = await lab.worker({ args: ["--queues", "default:1"] }).ready();
			const id = await lab.enqueue("test.deaf", { n: 1, ms: 1500 });
			await until("it runs", () => lab.runs(id));
			first.signalAll("SIGSTOP");
			const second = await lab.worker({ args: ["--queues", "default:1"] }).ready();
			await lab.ended(id);
			const other = await lab.enqueue("test.effect", { n: 2 });
			await lab.ended(other);
			for (const pid of [...first.children(), first.pid]) process.kill(pid, "SIGCONT");
			await until("the first is told so", () => /job_lease_lost/.test(first.said()));
			await pause(300);
			assert.deepEqual((await lab.effects()).map((e) => e.n), [1, 2]);
			const row = await lab.job(id);
			assert.deepEqual([row.state, row.attempts, row.crashes, await lab.runs(id)], ["done", 0, 0, 2]);
			await Promise.all([first.stop(), second.stop()]);
			await lab.close();
		});

		test("J5: a job of ten leases runs once, beside others and over a restart of PostgreSQL's connections of everybody else", async () => {
			const lab = await Lab.open("slow");
			const worker = await lab.worker().ready();
			const id = await lab.enqueue("test.slow", { n: 1 });
			await until("it runs", () => lab.runs(id));
			// The keeper's connection among them: its heartbeats go on over a new one.
			await lab.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'stint-worker keeper'");
			await lab.enqueueMany("test.effect", 50, {});
			const row = await lab.ended(id);
			assert.deepEqual([row.state, await lab.runs(id), (await lab.effects(`job_id = '${id}'`)).length], ["done", 1, 1]);
			await worker.stop();
			await lab.close();
		});

		test("connections that are lost while nothing runs cost nothing: what is claimed next is run once", async () => {
			const lab = await Lab.open("lost", { queues: "default:2" });
			const worker = await lab.worker().ready();
			for (let round = 0; round < 4; round++) {
				await lab.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND usename = 'stint_worker'");
				const ids = await Promise.all([1, 2, 3, 4].map((n) => lab.enqueue("test.sleep", { n, ms: 900 })));
				for (const id of ids) {
					const row = await lab.ended(id);
					assert.deepEqual([row.state, await lab.runs(id)], ["done", 1]);
				}
			}
			assert.doesNotMatch(worker.said(), /job_lease_lost/);
			await worker.stop();
			await lab.close();
		});
	});

	describe("poison", { concurrency: 2 }, () => {
		test("J8: a job that is cancelled and does not listen is ended with its process, and is cancelled, not dead", async () => {
			const lab = await Lab.open("unheard", { queues: "default:2" });
			const worker = await lab.worker().ready();
			const id = await lab.enqueue("test.deaf", { n: 1, ms: 600000 });
			await until("it runs", () => lab.runs(id));
			assert.equal(await lab.one("SELECT jobs.cancel($1)", id), "cancelling");
			const row = await lab.ended(id);
			assert.deepEqual([row.state, await lab.runs(id)], ["cancelled", 1]);
			assert.equal((await lab.effects()).length, 0);
			await lab.ended(await lab.enqueue("test.effect", { n: 2 }));
			await worker.stop();
			await lab.close();
		});

		test("J6: what segfaults, aborts, loops or eats memory is dead after three times, and the others are not disturbed", async () => {
			const lab = await Lab.open("poison", { queues: "default:4" });
			const [first, second] = [lab.worker({ conf: { worker_memory_mb: 200 } }), lab.worker({ conf: { worker_memory_mb: 200 } })];
			await Promise.all([first.ready(), second.ready()]);
			const bad = {};
			for (const kind of ["test.segfault", "test.abort", "test.loop", "test.memory"]) bad[kind] = await lab.enqueue(kind);
			await lab.enqueueMany("test.effect", 300);
			await lab.enqueueMany("test.noop", 500);
			const quick = await lab.enqueue("test.quick_crash");
			for (const [kind, id] of Object.entries(bad)) {
				const row = await lab.ended(id);
				assert.deepEqual([row.state, row.crashes], ["dead", 3], `${kind}: ${row.error}`);
				// Of two workers one may begin it again before it hears of the third death from the other; that run is ended.
				const runs = await lab.runs(id);
				assert.ok(runs === 3 || runs === 4, `${kind} ran ${runs} times`);
			}
			assert.deepEqual([(await lab.ended(quick)).state, (await lab.job(quick)).crashes], ["dead", 3]);
			assert.match((await lab.job(bad["test.loop"])).error, /hard limit/);
			await until("all others are done", async () => (await lab.open()) === 0);
			assert.equal((await lab.effects("kind = 'test.effect'")).length, 300);
			assert.equal(new Set((await lab.effects("kind = 'test.effect'")).map((e) => e.n)).size, 300);
			await Promise.all([first.stop(), second.stop()]);
			await lab.close();
		});

		test("a quick job that is not quick loses its batch once, and is then run alone with the others done", async () => {
			const lab = await Lab.open("quick_slow", { queues: "default:1" });
			const slow = await lab.enqueue("test.quick_slow", { ms: 11000 });
			await lab.enqueueMany("test.noop", 30);
			const worker = await lab.worker().ready();
			await until("all is done", async () => (await lab.open()) === 0);
			assert.equal(await lab.job(slow), undefined);
			await worker.stop();
			await lab.close();
		});
	});

	describe("leaving and reloading", { concurrency: 2 }, () => {
		const load = async (lab) => {
			for (let n = 0; n < 40; n++) await lab.enqueue("test.sleep", { n, ms: 100 + (n % 7) * 50 });
			await lab.enqueueMany("test.effect", 300);
			await lab.enqueueMany("test.noop", 500);
		};
		const whole = async (lab) => {
			await until("all is done", async () => (await lab.open()) === 0);
			const rows = await lab.rows("SELECT state, attempts, crashes FROM jobs.jobs WHERE queue <> 'ticks'");
			assert.ok(rows.every((r) => r.state === "done" && r.attempts === 0 && r.crashes === 0), JSON.stringify(rows.find((r) => r.state !== "done" || r.attempts)));
			const effects = await lab.rows("SELECT kind, n FROM scratch.effects GROUP BY kind, n HAVING count(*) = 1");
			assert.equal(effects.length, 340);
			assert.equal(await lab.one("SELECT count(*) FROM scratch.effects"), 340);
		};

		test("J8: SIGTERM under load: gone within 30 s, nothing lost, no attempt charged", async () => {
			const lab = await Lab.open("term", { queues: "default:4" });
			await load(lab);
			for (let i = 0; i < 3; i++) {
				const worker = await lab.worker().ready();
				await pause(400);
				const told = Date.now();
				assert.equal(await worker.stop(), 0);
				assert.ok(Date.now() - told < 30000);
				assert.equal(await lab.one("SELECT count(*) FROM jobs.jobs WHERE state = 'running'"), 0, "what it left waits again");
			}
			await lab.drain();
			await whole(lab);
			await lab.close();
		});

		test("J8: what does not end in time is taken away, given back at once, and charged nothing", async () => {
			const lab = await Lab.open("deaf", { queues: "default:1" });
			const id = await lab.enqueue("test.deaf", { n: 1, ms: 40000 });
			const worker = await lab.worker().ready();
			await until("it runs", () => lab.runs(id));
			const told = Date.now();
			await worker.stop();
			assert.ok(Date.now() - told < 30000);
			const row = await lab.job(id);
			assert.deepEqual([row.state, row.attempts, row.crashes], ["waiting", 0, 0]);
			await lab.close();
		});

		test("SIGHUP under load, again and again: nothing lost or charged, a new configuration holds, a wrong one is refused", async () => {
			const lab = await Lab.open("hup", { queues: "default:3" });
			const worker = await lab.worker().ready();
			await load(lab);
			for (let i = 0; i < 4; i++) {
				worker.kill("SIGHUP");
				await pause(350);
			}
			// One more, alone: signals that come together may be one.
			const heard = () => worker.said().split('"reloading').length;
			let n;
			do { n = heard(); await pause(1000); } while (heard() !== n);
			const old = worker.children();
			worker.kill("SIGHUP");
			await until("the last generation is alone", () => heard() > n && worker.children().length === 4 + 3 && !worker.children().some((pid) => old.includes(pid)));
			const before = worker.children();
			fs.writeFileSync(worker.conf, "worker_lease_s = never\n");
			worker.kill("SIGHUP");
			await until("it is refused", () => /reload refused/.test(worker.said()));
			assert.ok(worker.children().some((pid) => before.includes(pid)));
			await whole(lab);
			const counted = await until("all is counted", async () => {
				const n = await lab.one("SELECT sum(count)::integer FROM jobs.stats WHERE outcome = 'done'");
				return n >= 840 && n;
			});
			assert.equal(counted, 840, "each is counted once");
			assert.equal(await worker.stop(), 0);
			await lab.close();
		});

		test("--until-idle does not leave while a job runs, is told of, or will follow at once", async () => {
			const lab = await Lab.open("idle", { queues: "default:2" });
			await lab.enqueue("test.sleep", { n: 1, ms: 1200 }, { next: { kind: "test.sleep", args: { n: 2, ms: 700 }, options: { next: { kind: "test.effect", args: { n: 3 } } } } });
			await lab.enqueue("test.crash_once", { n: 4 });
			await lab.enqueue("test.effect", { n: 5 }, { delay_s: 3600 });
			await lab.drain();
			assert.deepEqual((await lab.effects()).map((e) => e.n).sort(), [1, 2, 3, 4]);
			assert.equal(await lab.open("'waiting'"), 1, "what is due later waits");
			await lab.close();
		});

		test("a worker with a schedule or a queue that is none says so and does not start", async () => {
			const lab = await Lab.open("wrong");
			const worker = lab.worker({ args: ["--queues", "default:0"] });
			assert.equal(await worker.exited, 78);
			assert.match(worker.said(), /default:0/);
			await lab.close();
		});
	});
});
