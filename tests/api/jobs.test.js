// Background work as an organization's owner sees and handles it. Jobs are laid into the table as the machinery leaves them; what
// is run again is run by the stack's own worker.
import { after, test } from "node:test";
import { pause, until } from "../wait.js";
import { assert, client, holderAlive, http, one, organization, refused, rows, took, uuid, uuidv7 } from "./support.js";
import { session } from "./routes.js";

const ours = await organization();
const theirs = await organization({ roles: ["owner"] });
const { owner } = ours;
const made = [];
after(async () => {
	await rows("DELETE FROM jobs.jobs WHERE id = ANY ($1)", made);
	await rows("DELETE FROM jobs.tallies WHERE lane = ANY ($1)", [ours.id, theirs.id]);
});

// A job as it would lie there: by default one that failed for good.
async function job(facts = {}) {
	const j = { id: uuidv7(), organization_id: ours.id, kind: "stint.ping", queue: "default", priority: 6, quick: false, rated: false, state: "dead", args: {}, due_at: new Date(Date.now() - 60000), attempts: 3, max_attempts: 3, error: "nobody was there", ...facts };
	if (j.state !== "waiting" && j.state !== "running") j.finished_at ??= new Date();
	if (j.state === "running") Object.assign(j, { lease: 1, holder: await holderAlive(), leased_until: new Date(Date.now() + 3600000), started_at: new Date() });
	const names = Object.keys(j);
	await rows(`INSERT INTO jobs.jobs (${names}) VALUES (${names.map((_, i) => `$${i + 1}`)})`, ...Object.values(j));
	made.push(j.id);
	return j.id;
}
const tomorrow = () => new Date(Date.now() + 86400000);
const stored = (id) => one("SELECT state, attempts, crashes, error, due_at <= now() AS due, dropped, once_key, group_id, cancel FROM jobs.jobs WHERE id = $1", id);

test("jobs_view is the owner's alone", async () => {
	const id = await job();
	for (const path of ["/jobs", "/jobs/summary", `/jobs/${id}`]) {
		took(await owner.get(path));
		for (const other of [ours.manager, ours.member]) refused(await other.get(path), 403, "forbidden");
	}
	for (const who of [ours.manager, ours.member]) {
		refused(await who.post(`/jobs/${id}/retry`), 403, "forbidden");
		refused(await who.delete(`/jobs/${id}`), 403, "forbidden");
	}
	assert.equal((await stored(id)).state, "dead");
});

test("jobs_get shows everything but secrets, at any depth", async () => {
	const id = await job({
		args: { to: "a@b.example", token: "canary-token", deep: [{ api_password: "canary-pass", link: "https://x.example/reset?token=canary-link&x=1" }], body_hash: "canary-hash", sealed: "canary-sealed", tokens_used: 3 },
		result: { secret: "canary-result", ok: true },
		error: "the server said: token=canary-error is wrong",
	});
	const { body, text } = took(await owner.get(`/jobs/${id}`));
	assert.doesNotMatch(text, /canary/);
	assert.deepEqual(body.args, { to: "a@b.example", token: "***", deep: [{ api_password: "***", link: "https://x.example/reset?token=***&x=1" }], body_hash: "***", sealed: "***", tokens_used: 3 });
	assert.deepEqual(body.result, { secret: "***", ok: true });
	assert.equal(body.error, "the server said: token=*** is wrong");
	assert.deepEqual([body.state, body.attempts, body.max_attempts, body.queue], ["dead", 3, 3, "default"]);
	const listed = took(await owner.get("/jobs?state=dead"));
	assert.doesNotMatch(listed.text, /canary/);
});

test("jobs_list is paged, newest first, by state, kind and queue", async () => {
	const ids = [];
	for (let i = 0; i < 5; i++) {
		ids.unshift(await job({ queue: "elsewhere", state: "waiting", due_at: tomorrow(), attempts: 0, error: null }));
		await pause(2);
	}
	const first = await owner.read("/jobs?queue=elsewhere&limit=3");
	assert.deepEqual(first.data.map((j) => j.id), ids.slice(0, 3));
	const second = await owner.read(`/jobs?queue=elsewhere&limit=3&cursor=${first.next_cursor}`);
	assert.deepEqual(second.data.map((j) => j.id), ids.slice(3));
	assert.equal(second.next_cursor, null);
	assert.deepEqual((await owner.read("/jobs?queue=elsewhere&state=dead")).data, []);
	assert.deepEqual((await owner.read("/jobs?kind=no.such")).data, []);
	refused(await owner.get("/jobs?state=lost"), 422, "choice", "state");
	refused(await owner.get("/jobs?cursor=nonsense"), 400, "bad_cursor", "cursor");
});

test("jobs_retry runs a dead job by a real worker", async () => {
	const id = await job();
	const { body } = took(await owner.post(`/jobs/${id}/retry`));
	assert.deepEqual([body.id, body.state, body.attempts], [id, "waiting", 0]);
	// stint.ping keeps no row when it is done.
	await until("it was run", async () => ((await stored(id))?.state ?? "done") === "done");
	const { rates } = await until("it was counted", async () => {
		const summary = await owner.read("/jobs/summary");
		return summary.rates.hour.done > 0 && summary;
	});
	assert.ok(rates.day.done >= rates.hour.done);
});

test("jobs_retry refuses what runs or is done, and one whose key waits anew", async () => {
	refused(await owner.post(`/jobs/${await job({ state: "running" })}/retry`), 409, "job_running");
	refused(await owner.post(`/jobs/${await job({ state: "done", error: null })}/retry`), 409, "job_done");
	const key = uuid();
	const dead = await job({ unique_key: key });
	await job({ unique_key: key, state: "waiting", due_at: tomorrow() });
	refused(await owner.post(`/jobs/${dead}/retry`), 409, "job_twin");
	assert.equal((await stored(dead)).state, "dead");
});

test("jobs_retry of a group's job: counted once, whether the group still waits or not", async () => {
	const open = uuidv7();
	await rows(`INSERT INTO jobs.groups (id, organization_id, open, callback) VALUES ($1, $2, 1, '{"kind": "stint.ping"}')`, open, ours.id);
	const inside = await job({ group_id: open, queue: "nobody.serves.this" });
	took(await owner.post(`/jobs/${inside}/retry`));
	assert.equal((await one("SELECT open FROM jobs.groups WHERE id = $1", open)).open, 2);
	assert.equal((await stored(inside)).group_id, open);
	const alone = await job({ group_id: uuidv7(), queue: "nobody.serves.this" });
	took(await owner.post(`/jobs/${alone}/retry`));
	assert.equal((await stored(alone)).group_id, null);
	await rows("DELETE FROM jobs.groups WHERE id = $1", open);
});

test("jobs_cancel ends what waits and tells what runs", async () => {
	const waiting = await job({ state: "waiting", due_at: tomorrow() });
	assert.equal(took(await owner.post(`/jobs/${waiting}/cancel`)).body.state, "cancelled");
	assert.equal((await stored(waiting)).state, "cancelled");
	const running = await job({ state: "running" });
	assert.equal(took(await owner.post(`/jobs/${running}/cancel`)).body.state, "cancelling");
	assert.equal((await stored(running)).cancel, true);
	refused(await owner.post(`/jobs/${await job()}/cancel`), 409, "job_done");
});

test("jobs_delete takes a job out of sight and its key free, jobs_restore brings it back as it was", async () => {
	const key = uuid();
	const id = await job({ once_key: key });
	took(await owner.delete(`/jobs/${id}`), 204);
	refused(await owner.get(`/jobs/${id}`), 404, "not_found");
	assert.ok(!(await owner.read("/jobs?limit=200")).data.some((j) => j.id === id));
	assert.equal((await stored(id)).once_key, null);
	took(await owner.delete(`/jobs/${id}`), 204); // sent again: as it is
	refused(await owner.post(`/jobs/${id}/retry`), 404, "not_found");
	assert.equal(took(await owner.post(`/jobs/${id}/restore`)).body.state, "dead");
	const row = await stored(id);
	assert.deepEqual([row.state, row.once_key, row.dropped, row.error], ["dead", key, null, "nobody was there"]);
	refused(await owner.delete(`/jobs/${await job({ state: "running" })}`), 409, "job_running");
});

test("jobs_delete of a waiting job: no worker takes it, and it waits again when restored", async () => {
	const id = await job({ state: "waiting", due_at: tomorrow() });
	took(await owner.delete(`/jobs/${id}`), 204);
	await rows("UPDATE jobs.jobs SET due_at = now() WHERE id = $1", id);
	await pause(300);
	assert.equal((await stored(id)).state, "cancelled");
	await rows("UPDATE jobs.jobs SET due_at = $2 WHERE id = $1", id, tomorrow());
	assert.equal(took(await owner.post(`/jobs/${id}/restore`)).body.state, "waiting");
});

test("jobs_summary counts this organization alone", async () => {
	const fresh = await organization({ roles: ["owner"] });
	const before = await fresh.owner.read("/jobs/summary");
	assert.deepEqual([before.waiting, before.running, before.dead, before.oldest_due_at, before.queues], [0, 0, 0, null, []]);
	assert.deepEqual(before.rates, { minute: { done: 0, failed: 0, dead: 0 }, hour: { done: 0, failed: 0, dead: 0 }, day: { done: 0, failed: 0, dead: 0 } });
	await job({ organization_id: fresh.id, queue: "nobody.serves.this", state: "waiting" });
	await job({ organization_id: fresh.id, queue: "nobody.serves.this", state: "waiting", due_at: tomorrow() });
	await job({ organization_id: fresh.id, queue: "nobody.serves.this" });
	await job({ organization_id: theirs.id, queue: "nobody.serves.this", state: "waiting" });
	await job({ organization_id: null, queue: "nobody.serves.this", state: "waiting" });
	for (const [minutes, done] of [[0, 1], [30, 2], [300, 4], [3000, 8]])
		await rows("INSERT INTO jobs.tallies VALUES ($1, date_trunc('minute', now()) - make_interval(mins => $2), 1, $3, 1, 0)", fresh.id, minutes, done);
	const now = await fresh.owner.read("/jobs/summary");
	assert.deepEqual([now.waiting, now.running, now.dead], [2, 0, 1]);
	assert.deepEqual(now.queues.map((q) => [q.queue, q.waiting, q.due, q.running]), [["nobody.serves.this", 2, 1, 0]]);
	assert.equal(now.oldest_due_at, now.queues[0].oldest_due_at);
	assert.deepEqual([now.rates.hour.done, now.rates.day.done, now.rates.day.failed], [3, 7, 3]);
	assert.ok(now.workers.length >= 1 && now.workers[0].queues.includes("default"));
	const keeping = now.schedules.find((s) => s.kind === "housekeeping");
	assert.deepEqual([keeping.cron, keeping.zone, keeping.backfill], ["17 * * * *", "UTC", "last"]);
	assert.match(keeping.next_at, /:17:00Z$/);
	assert.ok(Date.parse(keeping.next_at) > Date.now() - 60000);
	await rows("DELETE FROM jobs.tallies WHERE lane = $1", fresh.id);
});

test("jobs_of_the_installation and of others are not there", async () => {
	for (const organization_id of [null, theirs.id]) {
		const id = await job({ organization_id });
		refused(await owner.get(`/jobs/${id}`), 404, "not_found");
		for (const act of ["retry", "cancel", "restore"]) refused(await owner.post(`/jobs/${id}/${act}`), 404, "not_found");
		refused(await owner.delete(`/jobs/${id}`), 404, "not_found");
		assert.equal((await stored(id)).state, "dead");
	}
});

test("jobs_overview_page: what failed is shown with why, dropped, taken back and run again by plain forms", async () => {
	const id = await job({ error: "<b>no such mailbox</b>", args: { to: "x@y.example", password: "canary-page" } });
	const { cookie, csrf } = await session(owner);
	const page = await http("GET", "/settings/jobs", { headers: { cookie } });
	assert.equal(page.status, 200);
	assert.ok(page.text.includes(`id="job-${id}"`) && page.text.includes("&lt;b&gt;no such mailbox&lt;/b&gt;") && page.text.includes("x@y.example"));
	assert.doesNotMatch(page.text, /canary-page/);
	const post = (act, more = {}) => http("POST", `/settings/jobs/${id}/${act}`, { headers: { cookie }, body: new URLSearchParams({ csrf, return_to: "/settings/jobs", ...more }) });
	assert.equal((await http("POST", `/settings/jobs/${id}/delete`, { headers: { cookie }, body: new URLSearchParams({ csrf: "wrong" }) })).status, 403);
	const dropped = await post("delete");
	assert.deepEqual([dropped.status, dropped.headers.get("location")], [303, "/settings/jobs"]);
	const flash = dropped.headers.get("set-cookie").split(";")[0];
	const said = await http("GET", "/settings/jobs", { headers: { cookie: `${cookie}; ${flash}` } });
	assert.ok(said.text.includes("Job dropped.") && said.text.includes(`/settings/jobs/${id}/restore`));
	assert.ok(!said.text.includes(`id="job-${id}"`));
	assert.equal((await post("restore")).status, 303);
	assert.equal((await stored(id)).state, "dead");
	assert.equal((await post("retry")).status, 303);
	await until("it was run", async () => !(await stored(id)));
	const running = await job({ state: "running" });
	const refusal = await http("POST", `/settings/jobs/${running}/delete`, { headers: { cookie }, body: new URLSearchParams({ csrf, return_to: "/settings/jobs" }) });
	assert.equal(refusal.status, 409);
	assert.match(refusal.text, /role="alert"[^]*Cancel it first/);
});

test("jobs_overview_page says what will be here when there is nothing, and is not there for others", async () => {
	const fresh = await organization({ roles: ["owner", "member"] });
	const page = await http("GET", "/settings/jobs", { headers: { cookie: (await session(fresh.owner)).cookie } });
	assert.match(page.text, /will be listed here/);
	const member = await http("GET", "/settings/jobs", { headers: { cookie: (await session(fresh.member)).cookie } });
	assert.equal(member.status, 403);
	const profile = await http("GET", "/settings/profile", { headers: { cookie: (await session(fresh.member)).cookie } });
	assert.doesNotMatch(profile.text, /settings\/jobs/);
});

test("the demo's jobs: some done, one failed for good", async () => {
	const demo = await client("owner@demo.test");
	const states = (await demo.read("/jobs?kind=notification.mail&limit=200")).data.map((j) => j.state);
	assert.ok(states.filter((s) => s === "done").length >= 3 && states.includes("dead"), states.join());
});
