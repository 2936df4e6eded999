// What monitoring reads: /metrics in Prometheus' text format, true of what is there, and /readyz.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { until } from "../wait.js";
import { holderAlive, http, one, rows, uuid, uuidv7 } from "../api/support.js";

const queue = `metrics.${uuid()}`.slice(0, 40);
after(() => rows("DELETE FROM jobs.jobs WHERE queue = $1", queue));

const name = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const label = `[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\[\\\\"n])*"`;
const sample = new RegExp(`^(${name})(?:\\{(${label}(?:,${label})*)\\})? (-?\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?|NaN|[+-]Inf)$`);

// The text as the format says it must be: every family once, HELP and TYPE before its samples, no series twice.
function parse(text) {
	assert.ok(text.endsWith("\n"));
	const families = new Map();
	const seen = new Set();
	let family;
	for (const line of text.slice(0, -1).split("\n")) {
		const [, what, of, rest] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
		if (what === "HELP") {
			assert.ok(!families.has(of), `${of} comes twice`);
			family = { name: of, series: new Map() };
			families.set(of, family);
		} else if (what === "TYPE") {
			assert.equal(of, family.name);
			assert.ok(["counter", "gauge", "histogram"].includes(rest), line);
			if (rest === "counter") assert.match(of, /_total$/);
			family.type = rest;
		} else {
			const [, base, labels = "", value] = sample.exec(line) ?? assert.fail(`no sample: ${line}`);
			const suffix = family.type === "histogram" ? /^(_bucket|_sum|_count)$/ : /^$/;
			assert.ok(base.startsWith(family.name) && suffix.test(base.slice(family.name.length)), `${line} among ${family.name}`);
			const series = `${base}{${labels}}`;
			assert.ok(!seen.has(series), `${series} comes twice`);
			seen.add(series);
			family.series.set(series, Number(value));
		}
	}
	for (const { name: of, type } of families.values()) assert.ok(type, `${of} has no TYPE`);
	return families;
}

async function metrics() {
	const reply = await http("GET", "/metrics");
	assert.equal(reply.status, 200);
	assert.equal(reply.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
	return parse(reply.text);
}
const value = (families, family, labels = "") => families.get(family).series.get(`${family}{${labels}}`);

async function job(facts) {
	const j = { id: uuidv7(), kind: "stint.ping", queue, priority: 6, quick: false, rated: false, state: "waiting", args: {}, due_at: new Date(), max_attempts: 3, ...facts };
	const names = Object.keys(j);
	await rows(`INSERT INTO jobs.jobs (${names}) VALUES (${names.map((_, i) => `$${i + 1}`)})`, ...Object.values(j));
	return j.id;
}

test("metrics: the format, and depth, age, running and dead by queue", async () => {
	await job({ due_at: new Date(Date.now() - 90000) });
	await job({});
	await job({ due_at: new Date(Date.now() + 86400000) });
	await job({ state: "running", lease: 1, holder: await holderAlive(), leased_until: new Date(Date.now() + 3600000) });
	await job({ state: "dead", finished_at: new Date() });
	const got = await metrics();
	const of = `queue="${queue}"`;
	assert.equal(value(got, "stint_jobs_running", of), 1);
	assert.equal(value(got, "stint_jobs_waiting", of), 3);
	assert.equal(value(got, "stint_jobs_due", of), 2);
	assert.equal(value(got, "stint_jobs_dead", of), 1);
	const age = value(got, "stint_jobs_oldest_due_seconds", of);
	assert.ok(age >= 90 && age < 300, `${age}`);
	assert.ok(value(got, "stint_job_workers") >= 1);
	assert.ok(value(got, "stint_events_unsealed") >= 0);
	assert.ok(value(got, "stint_events_unsealed_oldest_seconds") >= 0);
});

test("metrics: runs are counted, and never go back when old figures are cleared away", async () => {
	const id = (await one("SELECT jobs.enqueue('housekeeping') AS id")).id;
	const before = await until("it was counted", async () =>
		(await one("SELECT state FROM jobs.jobs WHERE id = $1", id)).state === "done" && value(await metrics(), "stint_job_runs_total", 'kind="housekeeping",outcome="done"'));
	await rows("DELETE FROM jobs.stats WHERE kind = 'housekeeping'");
	assert.ok(value(await metrics(), "stint_job_runs_total", 'kind="housekeeping",outcome="done"') >= before);
});

test("metrics: a job that takes its process along is a failure", async () => {
	const failures = async () => value(await metrics(), "stint_job_failures_total", 'kind="stint.ping"') ?? 0;
	const before = await failures();
	const id = await job({ state: "running", lease: 7, holder: await holderAlive(), leased_until: new Date(Date.now() + 3600000), cancel: true });
	await one("SELECT jobs.crashed($1, 7, 'signal 9') AS state", id);
	assert.equal((await failures()) - before, 1);
	const still = await job({ due_at: new Date(Date.now() + 86400000), lease: 9 });
	assert.equal((await one("SELECT jobs.crashed($1, 9, 'signal 9') AS state", still)).state, "retry");
	assert.ok((await failures()) > before);
});

test("metrics: a histogram is cumulative, ends with +Inf, and agrees with its count", async () => {
	const histograms = [...(await metrics()).values()].filter((f) => f.type === "histogram");
	assert.ok(histograms.some((f) => f.name === "stint_job_duration_seconds"));
	for (const { name: of, series } of histograms) {
		const rest = new Set([...series.keys()].map((s) => /\{(.*)\}/.exec(s)[1].replace(/,?le="[^"]*"/, "")));
		for (const labels of rest) {
			const buckets = [...series].filter(([s]) => s.startsWith(`${of}_bucket`) && /\{(.*)\}/.exec(s)[1].replace(/,?le="[^"]*"/, "") === labels);
			const bounds = buckets.map(([s]) => /le="([^"]*)"/.exec(s)[1]);
			assert.equal(bounds.at(-1), "+Inf");
			if (of === "stint_job_duration_seconds") assert.deepEqual(bounds, ["0.01", "0.1", "1", "10", "60", "+Inf"]);
			for (let i = 1; i < buckets.length; i++) assert.ok(buckets[i][1] >= buckets[i - 1][1], `${of} ${labels}`);
			assert.equal(series.get(`${of}_count{${labels}}`), buckets.at(-1)[1]);
			assert.ok(series.get(`${of}_sum{${labels}}`) >= 0);
		}
	}
});

test("metrics: names with quotes and backslashes stay inside their quotes", async () => {
	const kind = 'odd"kind\\';
	await rows("INSERT INTO jobs.totals VALUES ($1, 'done', 1, 5, '{1,0,0,0,0,0}') ON CONFLICT DO NOTHING", kind);
	try {
		assert.equal(value(await metrics(), "stint_job_runs_total", 'kind="odd\\"kind\\\\",outcome="done"'), 1);
	} finally {
		await rows("DELETE FROM jobs.totals WHERE kind = $1", kind);
	}
});

test("readyz: a worker that was heard of is up; without one the service is degraded, not down", async () => {
	const up = await http("GET", "/readyz");
	assert.deepEqual([up.status, up.body.worker], [200, "up"]);
	// The stack's worker says every two seconds that it lives: looked at before it says so again.
	for (let turn = 0; turn < 50; turn++) {
		await rows("UPDATE jobs.workers SET seen_at = now() - interval '61 seconds'");
		const away = await http("GET", "/readyz");
		assert.equal(away.status, 200);
		if (away.body.worker === "up") continue;
		assert.deepEqual([away.body.worker, away.body.status, away.body.database], ["down", "degraded", "up"]);
		await until("the worker is heard of again", async () => (await http("GET", "/readyz")).body.status === "ready");
		return;
	}
	assert.fail("the worker spoke each time in between");
});
