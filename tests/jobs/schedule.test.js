// J7: three schedulers step over the nights when clocks change, and are killed: each slot is fired once, and it is the right one.
// What is right, PostgreSQL says: the first minute whose local time is the one the schedule names, or lies behind it where there is none such.
import { after, before, test } from "node:test";
import { spawn } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";
import { assert, build, host, Lab } from "./support.js";

let lab;
before(async () => (lab = await Lab.open("schedule")));
after(() => lab.close());

class Scheduler {
	constructor() {
		this.process = spawn(path.join(build, "tests/jobs/schedule-stepper"), [`host=${host} dbname=${lab.name} user=stint_worker`],
			{ stdio: ["pipe", "pipe", "inherit"] });
		this.process.stdin.on("error", () => {});
		this.gone = new Promise((resolve) => this.process.on("exit", resolve));
		this.lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
	}
	// "ok", or undefined when it was killed meanwhile.
	async tick(s) {
		this.process.stdin.write(`${s}\n`);
		return (await this.lines.next()).value;
	}
	async kill() {
		this.process.kill("SIGKILL");
		await this.gone;
	}
	async end() {
		this.process.stdin.end();
		await this.gone;
	}
}

const seconds = (text) => Date.parse(text) / 1000;
const slots = async (kind) => (await lab.rows("SELECT extract(epoch FROM slot)::bigint AS s FROM jobs.slots WHERE kind = $1 AND job_id IS NOT NULL ORDER BY slot", kind)).map((r) => r.s);

// Daily at these local times.
async function daily(zone, times, from, to) {
	const rows = await lab.rows(`
		SELECT DISTINCT (SELECT min(m) FROM generate_series(d - interval '1 day', d + interval '3 days', interval '1 minute') AS m
			WHERE m AT TIME ZONE $1 >= (d AT TIME ZONE 'UTC')::date + t::time)::timestamptz AS slot
		FROM generate_series(to_timestamp($3) - interval '1 day', to_timestamp($4) + interval '1 day', interval '1 day') AS d, unnest($2::text[]) AS t`,
	zone, times, from, to);
	return rows.map((r) => seconds(r.slot)).filter((s) => s > from && s <= to).sort((a, b) => a - b);
}
const hourly = (from, to) => Array.from({ length: (to - from) / 3600 }, (_, i) => from + (i + 1) * 3600);

// The clock goes on in steps of a few minutes; now and then one of the three is killed in the middle of its work.
async function walk(from, to, { step = 900, killing = 0.06 } = {}) {
	const three = [new Scheduler(), new Scheduler(), new Scheduler()];
	for (let s = from; s <= to; s += step) {
		const ticks = three.map((one) => one.tick(s));
		if (Math.random() < killing) {
			const i = Math.floor(Math.random() * 3);
			await three[i].kill();
			three[i] = new Scheduler();
			ticks[i] = three[i].tick(s);
		}
		for (const said of await Promise.all(ticks)) assert.equal(said, "ok");
	}
	await Promise.all(three.map((one) => one.end()));
}

const nights = [
	["slot.berlin", "Europe/Berlin", ["02:30"], "2026-03-28T12:00Z", "2026-03-30T12:00Z"],
	["slot.berlin", "Europe/Berlin", ["02:30"], "2026-10-24T12:00Z", "2026-10-26T12:00Z"],
	["slot.lord_howe", "Australia/Lord_Howe", ["01:45"], "2026-04-04T00:00Z", "2026-04-06T00:00Z"],
	["slot.lord_howe_gap", "Australia/Lord_Howe", ["02:15"], "2026-10-03T00:00Z", "2026-10-05T00:00Z"],
	["slot.cairo", "Africa/Cairo", ["00:00"], "2026-04-23T00:00Z", "2026-04-25T00:00Z"],
	["slot.cairo", "Africa/Cairo", ["00:00"], "2026-10-29T00:00Z", "2026-10-31T00:00Z"],
	["slot.new_york", "America/New_York", ["01:15", "02:15"], "2026-03-07T12:00Z", "2026-03-09T12:00Z"],
	["slot.new_york", "America/New_York", ["01:15", "02:15"], "2026-10-31T12:00Z", "2026-11-02T12:00Z"],
];

for (const [kind, zone, times, begin, end] of nights)
	test(`${zone} at ${times} from ${begin}: each slot once, by whichever of three`, async () => {
		await lab.rows("TRUNCATE jobs.slots, jobs.jobs, jobs.groups");
		const [from, to] = [seconds(begin), seconds(end)];
		await walk(from, to);
		const expected = await daily(zone, times, from, to);
		assert.ok(expected.length >= 2);
		assert.deepEqual(await slots(kind), expected);
		assert.deepEqual(await slots("slot.berlin_hourly"), hourly(from, to), "every hour that passes");
		const jobs = await lab.rows("SELECT kind, args ->> 'slot' AS slot FROM jobs.jobs GROUP BY 1, 2 HAVING count(*) <> 1");
		assert.deepEqual(jobs, [], "a slot has one job");
		assert.equal(await lab.one("SELECT count(*) FROM jobs.jobs"), await lab.one("SELECT count(*) FROM jobs.slots"));
	});

test("backfill: none, the last, or all of what was missed; also when the schedulers ran on and could not tell", async () => {
	await lab.rows("TRUNCATE jobs.slots, jobs.jobs, jobs.groups");
	const at = seconds("2026-06-01T12:00Z");
	const every = (from, to) => Array.from({ length: (to - from) / 600 + 1 }, (_, i) => from + i * 600);
	await walk(at - 10, at + 605, { step: 5, killing: 0 });
	for (const kind of ["slot.none", "slot.last", "slot.all"]) assert.deepEqual(await slots(kind), [at, at + 600], kind);
	// Nobody ran for two hours.
	await walk(at + 7500, at + 7810, { step: 5, killing: 0 });
	assert.deepEqual(await slots("slot.none"), [at, at + 600, at + 7800]);
	assert.deepEqual(await slots("slot.last"), [at, at + 600, at + 7200, at + 7800]);
	assert.deepEqual(await slots("slot.all"), every(at, at + 7800));
	// PostgreSQL was away for an hour, and the same scheduler asks again.
	const one = new Scheduler();
	assert.equal(await one.tick(at + 7900), "ok");
	await lab.rows("ALTER FUNCTION jobs.fire(text, timestamptz) RENAME TO fire_away");
	await lab.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'schedule-stepper'");
	for (let s = at + 7900; s <= at + 11500; s += 300) await one.tick(s);
	await lab.rows("ALTER FUNCTION jobs.fire_away(text, timestamptz) RENAME TO fire");
	assert.equal(await one.tick(at + 11530), "ok");
	await one.end();
	assert.deepEqual((await slots("slot.none")).slice(3), []);
	assert.deepEqual((await slots("slot.last")).slice(4), [at + 11400]);
	assert.deepEqual(await slots("slot.all"), every(at, at + 11400));
});

test("a restart on the second of a slot does not lose it, whatever the backfill", async () => {
	await lab.rows("TRUNCATE jobs.slots, jobs.jobs, jobs.groups");
	const at = seconds("2026-06-01T12:00Z");
	await walk(at - 5, at + 599, { step: 4, killing: 0 });
	await walk(at + 601, at + 603, { step: 1, killing: 0 });
	for (const kind of ["slot.none", "slot.last", "slot.all"]) assert.deepEqual(await slots(kind), [at, at + 600], kind);
});
