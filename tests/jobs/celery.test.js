// Celery's real client calls Stint: results, typed failures, times, priorities, and whose data they are.
import { after, before, test } from "node:test";
import { until } from "../wait.js";
import { Lab, assert, uuid } from "./celery.js";

let lab, client, worker;
before(async () => {
	lab = await Lab.open("client");
	lab.stint(["celery", "intake", "add", "acme", "--organization", lab.organizations[0].id]);
	lab.stint(["celery", "intake", "add", "other", "--organization", lab.organizations[1].id]);
	worker = await lab.worker();
	client = await lab.client();
});
after(() => lab.close());

const meta = (id) => JSON.parse(lab.run("GET", `celery-task-meta-${id}`) || "null");
const job = (id) => lab.one("SELECT * FROM jobs.jobs WHERE id = $1", id);

// A worker that takes calls and runs none; the test is the runner.
async function withoutRunners(work) {
	await worker.stop();
	worker = await lab.worker({ queues: "nothing:1" });
	await work();
	await worker.stop();
	worker = await lab.worker();
}
async function settle(id, ...given) {
	await until("the call is a job", () => job(id));
	const [claimed] = await lab.rows("SELECT lease FROM jobs.claim(ARRAY[$1::uuid], (nextval('jobs.holders'))::integer, 30)", id);
	await lab.rows("SELECT jobs.settle($1, $2, $3, NULL, $4, $5, NULL)", id, claimed.lease, ...given);
}

test("ping: get() gives the result, which stays for a day", async () => {
	const id = await client.send("stint.ping");
	assert.deepEqual((await client.get(id)).result, "pong");
	const { status, result, task_id } = meta(id);
	assert.deepEqual({ status, result, task_id }, { status: "SUCCESS", result: "pong", task_id: id });
	const ttl = Number(lab.run("TTL", `celery-task-meta-${id}`));
	assert.ok(ttl > 86000 && ttl <= 86400, `${ttl}`);
	assert.equal((await job(id)).organization_id, lab.organizations[0].id);
	const other = await client.send("stint.ping", { queue: "other" });
	assert.equal((await client.get(other)).result, "pong");
	assert.equal((await job(other)).organization_id, lab.organizations[1].id, "the organization is the queue's");
});

test("somebody who waits before it runs is told, and somebody who asks late as well", async () => {
	await worker.stop();
	const id = await client.send("stint.ping");
	const waiting = client.get(id);
	await until("the client listens", () => lab.run("PUBSUB", "NUMSUB", `celery-task-meta-${id}`).endsWith("1"));
	worker = await lab.worker();
	assert.equal((await waiting).result, "pong");
	const late = await lab.client();
	assert.equal((await late.get(id)).result, "pong");
});

test("the same id again is the same job, and is told again", async () => {
	const id = uuid().toUpperCase();
	assert.equal((await client.call("stint.ping", { task_id: id })).result, "pong");
	const first = await job(id);
	lab.run("DEL", `celery-task-meta-${id}`);
	assert.equal((await client.call("stint.ping", { task_id: id })).result, "pong");
	assert.deepEqual(await job(id), first);
});

test("an id of another queue's job gets nothing of it", async () => {
	const id = await client.send("stint.ping");
	assert.equal((await client.get(id)).result, "pong");
	const before = meta(id);
	await client.send("stint.ping", { queue: "other", task_id: id });
	const letter = await until("the letter", () => lab.one("SELECT * FROM jobs.letters WHERE task_id = $1", id));
	assert.equal(letter.reason, "its id is another job's");
	assert.deepEqual(meta(id), before);
	assert.equal((await job(id)).organization_id, lab.organizations[0].id);
});

test("who wants no result gets none", async () => {
	const id = await client.send("stint.ping", { ignore_result: true });
	await until("it is done", async () => (await job(id))?.state === "done");
	assert.equal((await client.call("stint.ping")).result, "pong");
	assert.equal(meta(id), null);
});

test("summary: the demo's entries, by member and by project", async () => {
	const org = lab.organizations[0].id;
	const members = await lab.rows("SELECT id FROM data.members WHERE organization_id = $1 AND deleted_at IS NULL", org);
	const ids = members.map((m) => m.id);
	await lab.rows("UPDATE data.time_entries SET ended_at = date_trunc('second', now()) + interval '1 second' WHERE ended_at IS NULL");
	const { from, to } = await lab.one(
		"SELECT min((started_at AT TIME ZONE 'UTC')::date)::text AS from, (min(started_at AT TIME ZONE 'UTC')::date + 100)::text AS to FROM data.time_entries WHERE organization_id = $1",
		org,
	);
	const wanted = await lab.rows(
		`SELECT member_id, project_id, sum(extract(epoch FROM least(ended_at, ($3::date + 1) AT TIME ZONE 'UTC')
			- greatest(started_at, $2::date::timestamp AT TIME ZONE 'UTC')))::float8 AS s FROM data.time_entries
		WHERE organization_id = $1 AND deleted_at IS NULL AND type = 'work'
			AND tstzrange(started_at, ended_at) && tstzrange($2::date::timestamp AT TIME ZONE 'UTC', ($3::date + 1)::timestamp AT TIME ZONE 'UTC') GROUP BY 1, 2`,
		org, from, to,
	);
	assert.ok(wanted.length > 3);
	const { result, message } = await client.call("stint.summary", { args: [ids, from], kwargs: { to, zone: "UTC" } });
	assert.ok(result, message);
	assert.equal(result.members.length, ids.length);
	const total = wanted.reduce((sum, w) => sum + w.s, 0);
	assert.equal(result.tracked_s, total);
	for (const w of wanted) {
		const member = result.members.find((m) => m.member_id === w.member_id);
		assert.equal(member.projects.find((p) => p.project_id === w.project_id).tracked_s, w.s);
	}
	assert.equal(result.projects.reduce((sum, p) => sum + p.tracked_s, 0), total);
	const { zone } = await lab.one("SELECT zone FROM data.organizations WHERE id = $1", org);
	assert.equal((await client.call("stint.summary", { args: [ids, from, from] })).result.zone, zone, "the organization's own, when none is said");
});

test("summary: another organization's members give an error and never data", async () => {
	const [mine, other] = await Promise.all(
		lab.organizations.slice(0, 2).map((o) => lab.one("SELECT id, name FROM data.members WHERE organization_id = $1 LIMIT 1", o.id)),
	);
	const range = { from: "2026-01-01", to: "2026-12-31" };
	for (const ids of [[other.id], [mine.id, other.id]]) {
		const answer = await client.call("stint.summary", { kwargs: { member_ids: ids, ...range } });
		assert.equal(answer.type, "ValueError");
		assert.match(answer.message, /^member_ids: 1 of them are nobody's in this organization$/);
	}
	// Naming the organization does not help.
	const named = await client.call("stint.summary", { kwargs: { member_ids: [other.id], ...range, organization: lab.organizations[1].id } });
	assert.equal(named.type, "TypeError");
	assert.match(named.message, /has no argument organization/);
});

test("what is called wrongly raises ValueError, TypeError or NotRegistered, saying why", async () => {
	const id = uuid();
	for (const [task, args, kwargs, type, message] of [
		["stint.summary", [[id], "2026-02-30", "2026-03-01"], {}, "ValueError", /^from: a day/],
		["stint.summary", [[id], "2026-03-02", "2026-03-01"], {}, "ValueError", /^to: lies before from/],
		["stint.summary", [[id], "2024-01-01", "2026-03-01"], {}, "ValueError", /^to: at most 366 days/],
		["stint.summary", [[], "2026-03-01", "2026-03-01"], {}, "ValueError", /^member_ids: a list of 1 to 500/],
		["stint.summary", ["x", "2026-03-01", "2026-03-01"], {}, "ValueError", /^member_ids/],
		["stint.summary", [[id], "2026-03-01", "2026-03-01", "Europe/Nowhere"], {}, "ValueError", /^zone: a time zone/],
		["stint.summary", [[id], "2026-03-01", "2026-03-01", "UTC", 5], {}, "TypeError", /takes 4 positional arguments but 5/],
		["stint.summary", [[id]], { member_ids: [id] }, "TypeError", /two values for its argument member_ids/],
		["stint.ping", [], { a: 1 }, "TypeError", /stint\.ping has no argument a/],
		["housekeeping", [], {}, "NotRegistered", /no public task named housekeeping/],
		["celery.call", [], {}, "NotRegistered", /no public task named celery\.call/],
		["no.such", [], {}, "NotRegistered", /no public task named no\.such/],
	]) {
		const answer = await client.call(task, { args, kwargs });
		assert.equal(answer.type, type, JSON.stringify(answer));
		assert.match(answer.message, message);
	}
});

test("a job that dies raises RuntimeError; before that it is RETRY", () =>
	withoutRunners(async () => {
		const id = await client.send("stint.ping");
		await settle(id, "retry", "not yet", 0);
		await until("RETRY", async () => (await client.ask("state", { id })).state === "RETRY");
		const waiting = client.get(id);
		await settle(id, "dead", "the disk is gone", null);
		const answer = await waiting;
		assert.deepEqual([answer.type, answer.module, answer.message], ["RuntimeError", "builtins", "the disk is gone"]);
	}));

test("a job that is cancelled or dropped by the operator raises TaskRevokedError", async () => {
	for (const how of ["cancel", "drop"]) {
		const id = await client.send("stint.ping", { countdown: 3600 });
		await until("the call is a job", () => job(id));
		const waiting = client.get(id);
		lab.stint(["jobs", how, id]);
		const answer = await waiting;
		assert.deepEqual([answer.type, answer.module, answer.message], ["TaskRevokedError", "celery.exceptions", "revoked"], how);
	}
});

test("one that expires before it could run raises TaskRevokedError, however late it is due", async () => {
	for (const options of [{ expires: 1, countdown: 3600 }, { expires: 0.2, countdown: 0.1 }]) {
		await worker.stop();
		const id = await client.send("stint.ping", options);
		await new Promise((resolve) => setTimeout(resolve, 1100));
		worker = await lab.worker();
		const answer = await client.get(id);
		assert.deepEqual([answer.type, answer.message], ["TaskRevokedError", "expired"]);
		assert.equal((await job(id)).state, "expired");
	}
});

test("ETA and countdown: not before; retries of the sender count", async () => {
	const began = Date.now();
	const soon = await client.send("stint.ping", { countdown: 2 });
	const at = new Date(began + 2000).toISOString().replace("Z", "+02:00");
	const past = await client.send("stint.ping", { eta: at, retries: 2 });
	const naive = await client.send("stint.ping", { eta: "2030-01-01T00:00:00" });
	for (const id of [soon, past]) assert.equal((await client.get(id)).result, "pong");
	const row = await job(soon);
	assert.ok(Date.parse(row.started_at) >= Date.parse(row.due_at), `${row.started_at} ${row.due_at}`);
	assert.ok(Math.abs(Date.parse(row.due_at) - began - 2000) < 1500, `${row.due_at}`);
	assert.equal((await job(past)).attempts, 2);
	assert.equal(Date.parse((await job(naive)).due_at), Date.parse("2030-01-01T00:00:00Z"), "without an offset it is UTC, as Celery has it");
});

test("priorities: all four lists are read, the first first, and the jobs run in that order", async () => {
	await worker.stop();
	const sent = [];
	for (const priority of [9, 6, 3, 0, 4]) sent.push([priority, await client.send("stint.ping", { priority })]);
	worker = await lab.worker({ queues: "default:1" });
	for (const [, id] of sent) assert.equal((await client.get(id)).result, "pong");
	const ran = await lab.rows("SELECT id, priority FROM jobs.jobs WHERE id = ANY ($1) ORDER BY started_at", sent.map(([, id]) => id));
	assert.deepEqual(ran.map((r) => r.priority), [0, 3, 3, 6, 9]);
	await worker.stop();
	worker = await lab.worker();
});

test("what somebody puts in the way of one queue stops no other", async () => {
	lab.run("SET", "other", "not a list");
	try {
		assert.equal((await client.call("stint.ping")).result, "pong");
		assert.equal((await client.call("stint.ping")).result, "pong");
	} finally {
		lab.run("DEL", "other");
	}
	assert.equal((await client.call("stint.ping", { queue: "other" })).result, "pong");
});

test("the operator's command: add, list, remove, and what it refuses", () => {
	const [first, second] = lab.organizations;
	assert.match(lab.stint(["celery", "intake", "list"]), new RegExp(`^acme +${first.id}`, "m"));
	assert.match(lab.stint(["celery", "intake", "add", "acme", "--organization", first.id]), /there already/);
	assert.match(lab.stint(["celery", "intake", "add", "acme", "--organization", second.id], {}, 1), /another organization's/);
	assert.match(lab.stint(["celery", "intake", "add", "new", "--organization", uuid()], {}, 1), /no such organization/);
	assert.match(lab.stint(["celery", "intake", "add", "jobs:default:0", "--organization", first.id], {}, 64), /a queue is a letter/);
	assert.match(lab.stint(["celery", "intake", "add", "ai", "--organization", first.id], {}, 1), /celery_queues/);
	assert.match(lab.stint(["celery", "intake", "add", "gone", "--organization", second.id]), /Calls on gone/);
	assert.match(lab.stint(["celery", "intake", "remove", "gone"]), /Nothing is taken/);
	assert.match(lab.stint(["celery", "intake", "remove", "gone"], {}, 1), /no calls/);
	assert.match(lab.stint(["celery"], {}, 64), /usage/);
});
