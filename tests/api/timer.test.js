// The timer: the one running entry of a member.
import { test } from "node:test";
import { ago, assert, instant, one, organization, refused, rows, seconds, took, uuid, uuidv7 } from "./support.js";

const { owner, manager, member } = await organization();
const stored = (id) =>
	one(
		"SELECT member_id, project_id, description, tag_ids, billable, type, app.instant(started_at) AS started_at, app.instant(ended_at) AS ended_at, zone, version FROM data.time_entries WHERE id = $1 AND deleted_at IS NULL",
		id,
	);
const alone = async () => (await organization({ roles: ["owner"] })).owner;

test("timer_get_is_empty_then_the_running_entry", async () => {
	const who = await alone();
	took(await who.get("/timer"), 204);
	const started = took(await who.post("/timer/start", { description: "Thinking" }), 201);
	const reply = took(await who.get("/timer"));
	assert.equal(reply.body.id, started.body.id);
	assert.deepEqual([reply.body.ended_at, reply.body.description], [null, "Thinking"]);
	assert.equal(reply.headers.get("etag"), '"1"');
	took(await who.post("/timer/stop"));
	took(await who.get("/timer"), 204);
});

test("timer_start_stores_everything_of_one_line", async () => {
	const project = await owner.made("/projects", { name: uuid(), billable: true });
	const [a, b] = [await owner.made("/tags", { name: uuid() }), await owner.made("/tags", { name: uuid() })];
	const id = uuidv7();
	const reply = took(await manager.post("/timer/start", { id, description: "  Sketches ", project_id: project.id, tags: [a.id, b.id, a.id] }), 201);
	assert.equal(reply.headers.get("location"), `/api/v1/time-entries/${id}`);
	const row = await stored(id);
	assert.deepEqual([row.member_id, row.project_id, row.description, row.billable, row.ended_at], [manager.member_id, project.id, "Sketches", true, null]);
	assert.deepEqual([...row.tag_ids].sort(), [a.id, b.id].sort());
	assert.deepEqual([...reply.body.tags].sort(), [a.id, b.id].sort());
	assert.ok(Math.abs(seconds(row.started_at, instant(Date.now()))) < 5);
	assert.deepEqual(took(await manager.post("/timer/start", { id }), 201).body.id, id, "a repeat is known");
	took(await manager.post("/timer/stop"));
});

test("timer_start_takes_billable_as_told_over_the_projects", async () => {
	const who = await alone();
	const project = await who.made("/projects", { name: uuid(), billable: true });
	assert.equal((await who.made("/timer/start", { project_id: project.id, billable: false })).billable, false);
	assert.equal((await who.made("/timer/start", { project_id: null, billable: true, switch: true })).billable, true);
});

test("timer_start_tells_which_one_runs_already", async () => {
	const who = await alone();
	const first = await who.made("/timer/start", {});
	const problem = refused(await who.post("/timer/start", { description: "second" }), 409, "timer_running");
	assert.equal(problem.running_id, first.id);
	assert.deepEqual((await rows("SELECT id FROM data.time_entries WHERE member_id = $1", who.member_id)).map((r) => r.id), [first.id]);
});

test("timer_start_with_switch_stops_the_running_one_where_the_new_one_starts", async () => {
	const who = await alone();
	const first = await who.made("/timer/start", { started_at: ago(3600) });
	const at = ago(600);
	const second = await who.made("/timer/start", { started_at: at, switch: true });
	assert.equal((await stored(first.id)).ended_at, at);
	assert.equal((await stored(second.id)).started_at, at);
	const problem = refused(await who.post("/timer/start", { started_at: ago(1800), switch: true }), 409, "entry_overlap", "started_at");
	assert.equal(problem.entry_id, second.id);
	assert.equal((await stored(second.id)).ended_at, null, "a refused switch stops nothing");
	const third = await who.made("/timer/start", { switch: true });
	assert.equal((await stored(second.id)).ended_at, third.started_at);
});

test("timer_start_in_the_past_and_not_in_the_future", async () => {
	const who = await alone();
	refused(await who.post("/timer/start", { started_at: ago(-3600) }), 422, "start_in_future", "started_at");
	took(await who.get("/timer"), 204);
	const started = await who.made("/timer/start", { started_at: "2026-11-01T10:00:00+02:00" });
	assert.equal(started.started_at, "2026-11-01T08:00:00Z");
	assert.ok(Math.abs(started.duration_s - seconds(started.started_at, instant(Date.now()))) < 5, "counts from its start");
});

test("timer_start_with_a_duration_makes_a_finished_entry", async () => {
	const who = await alone();
	const entry = await who.made("/timer/start", { duration_s: 5400 });
	assert.equal(entry.duration_s, 5400);
	assert.equal(seconds(entry.started_at, entry.ended_at), 5400);
	assert.ok(Math.abs(Date.now() - Date.parse(entry.ended_at)) < 5000);
	took(await who.get("/timer"), 204);
	refused(await who.post("/timer/start", { duration_s: "90m" }), 409, "entry_overlap");
	refused(await who.post("/timer/start", { duration_s: 0 }), 422, "range", "duration_s");
	refused(await who.post("/timer/start", { duration_s: "soon" }), 422, "format", "duration_s");
});

test("timer_start_refuses_time_that_is_taken", async () => {
	const who = await alone();
	const entry = await who.made("/time-entries", { started_at: ago(3600), ended_at: ago(1800) });
	refused(await who.post("/timer/start", { started_at: ago(2400) }), 409, "entry_overlap", "started_at");
	refused(await who.post("/timer/start", { started_at: ago(7200) }), 409, "entry_overlap", "started_at");
	took(await who.post("/timer/start", { started_at: entry.ended_at }), 201);
});

test("timer_stop_ends_it_now_or_when_told", async () => {
	const who = await alone();
	refused(await who.post("/timer/stop"), 409, "timer_not_running");
	const first = await who.made("/timer/start", { started_at: ago(7200) });
	refused(await who.post("/timer/stop", { ended_at: ago(7300) }), 422, "end_before_start", "ended_at");
	refused(await who.post("/timer/stop", { ended_at: first.started_at }), 422, "end_before_start", "ended_at");
	assert.equal((await stored(first.id)).ended_at, null);
	const stopped = took(await who.post("/timer/stop", { ended_at: ago(3600) })).body;
	assert.deepEqual([stopped.id, stopped.version], [first.id, 2]);
	assert.equal(seconds(stopped.started_at, stopped.ended_at), stopped.duration_s);
	assert.equal((await stored(first.id)).ended_at, stopped.ended_at);
	await who.made("/timer/start", {});
	const quick = took(await who.post("/timer/stop")).body;
	assert.ok(quick.duration_s >= 1, "an entry is at least a second long");
	refused(await who.post("/timer/stop", {}), 409, "timer_not_running");
});

test("timer_of_one_member_is_nobody_elses", async () => {
	const mine = await member.made("/timer/start", { description: "mine" });
	took(await owner.get("/timer"), 204);
	refused(await owner.post("/timer/stop"), 409, "timer_not_running");
	assert.equal((await stored(mine.id)).ended_at, null);
	took(await member.post("/timer/stop"));
});
