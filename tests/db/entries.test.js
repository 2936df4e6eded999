// Time entries and the timer: what is accepted, what is refused, and in which words.
import crypto from "node:crypto";
import { after, test } from "node:test";
import { admin, assert, call, doc, done, entry, organization, read, refused, web } from "./support.js";

after(done);

const at = (clock, day = "2026-03-10") => `${day}T${clock}:00Z`;

test("time_entries_create takes instants, clock times or a duration", async () => {
	const { member } = await organization();
	const made = await call(member, "time_entries_create", {
		input: { started_at: at("08:00"), ended_at: at("09:30"), description: "Plain", billable: true },
	});
	assert.equal(made.status, 201);
	assert.equal(made.location, `/api/v1/time-entries/${made.doc.id}`);
	assert.equal(made.etag, "1");
	assert.deepEqual(Object.keys(made.doc), [
		"id", "version", "member_id", "project_id", "task_id", "description", "tags", "billable", "type", "started_at",
		"ended_at", "duration_s", "zone", "status", "created_at", "updated_at",
	]);
	assert.equal(made.doc.duration_s, 5400);
	assert.equal(made.doc.zone, "Europe/Berlin");
	const typed = await entry(member, { day: "2026-03-11", start: "09:00:00", end: "10:15:00" });
	assert.equal(typed.started_at, "2026-03-11T08:00:00Z");
	assert.equal(typed.duration_s, 4500);
	const lasted = await entry(member, { day: "2026-03-11", start: "12:00:00", duration_s: 600 });
	assert.equal(lasted.ended_at, "2026-03-11T11:10:00Z");
	const placed = await entry(member, { day: "2026-03-11", duration_s: 3600 });
	assert.equal(placed.started_at, "2026-03-11T09:15:00Z", "the first gap from nine o'clock on that is long enough");
	const night = await entry(member, { day: "2026-03-12", start: "22:00:00", end: "02:00:00", end_day: "2026-03-13" });
	assert.equal(night.duration_s, 4 * 3600);
});

test("times that cannot be are refused by field", async () => {
	const { member } = await organization();
	const create = (input) => call(member, "time_entries_create", { input });
	await refused(create({ day: "2026-03-11", start: "22:00:00", end: "02:00:00" }), "end_before_start", "end");
	await refused(create({ started_at: at("10:00"), ended_at: at("09:00") }), "end_before_start", "ended_at");
	await refused(create({ started_at: at("10:00"), ended_at: at("10:00") }), "end_before_start", "ended_at");
	await refused(create({ started_at: at("10:00"), ended_at: at("11:00", "2026-04-10") }), "entry_too_long", "ended_at");
	await refused(create({ started_at: "2199-12-31T00:00:00Z" }), "start_in_future", "started_at");
	await refused(create({ description: "when?" }), "required", "started_at");
	await refused(create({ day: "2026-03-11", end: "10:00:00" }), "required", "start");
	await refused(create({ started_at: at("09:00"), ended_at: at("10:00"), project_id: crypto.randomUUID() }), "reference", "project_id");
	await refused(create({ started_at: at("09:00"), ended_at: at("10:00"), tags: [crypto.randomUUID()] }), "reference", "tags");
	await refused(create({ started_at: at("09:00"), ended_at: at("10:00"), description: "x".repeat(1001) }), "time_entries_description_length");
});

test("seconds are cut, and a day belongs to the zone of the entry", async () => {
	const { member, id } = await organization({ zone: "Asia/Kolkata" });
	const made = await entry(member, { started_at: "2026-03-10T18:29:59.900Z", ended_at: "2026-03-10T18:30:00.100Z" });
	assert.equal(made.duration_s, 1);
	const { rows } = await admin.query("SELECT first_day, last_day FROM data.time_entries WHERE organization_id = $1", [id]);
	assert.deepEqual(rows, [{ first_day: "2026-03-10", last_day: "2026-03-10" }], "half-open: ends with its day");
});

test("a create may be sent again, and a taken id is told", async () => {
	const { member, manager } = await organization();
	const input = { id: crypto.randomUUID(), started_at: at("08:00"), ended_at: at("09:00"), description: "Once" };
	const first = await call(member, "time_entries_create", { input });
	const again = await call(member, "time_entries_create", { input });
	assert.deepEqual(again, first);
	await refused(call(manager, "time_entries_create", { input }), "id_taken", "id");
	await call(member, "time_entries_delete", { time_entry_id: input.id });
	await refused(call(member, "time_entries_create", { input }), "id_taken", "id");
});

test("overlap is refused and says which entry; touching is none", async () => {
	const { member, manager } = await organization();
	const first = await entry(member, { started_at: at("09:00"), ended_at: at("10:00") });
	await entry(member, { started_at: at("10:00"), ended_at: at("11:00") });
	const said = await refused(call(member, "time_entries_create", { input: { started_at: at("08:30"), ended_at: at("09:30") } }), "entry_overlap", "ended_at");
	assert.deepEqual(said.extra, { entry_id: first.id });
	await refused(call(member, "time_entries_create", { input: { started_at: at("09:59"), ended_at: at("10:00") } }), "entry_overlap", "started_at");
	await entry(manager, { started_at: at("09:00"), ended_at: at("10:00") });
	await call(member, "time_entries_delete", { time_entry_id: first.id });
	const inside = await entry(member, { started_at: at("09:30"), ended_at: at("10:00") });
	await refused(call(member, "time_entries_restore", { time_entry_id: first.id }), "entry_overlap");
	await call(member, "time_entries_delete", { time_entry_id: inside.id });
	const back = await doc(member, "time_entries_restore", { time_entry_id: first.id });
	assert.equal(back.id, first.id);
	await refused(call(member, "time_entries_create", { input: { started_at: at("08:00") } }), "entry_overlap");
});

test("neighbours may be moved by one statement, and the constraint stands behind the friendly check", async () => {
	const { member, id } = await organization();
	await entry(member, { started_at: at("09:00"), ended_at: at("10:00") });
	await entry(member, { started_at: at("10:00"), ended_at: at("11:00") });
	await admin.query(
		"UPDATE data.time_entries SET started_at = started_at + interval '1 hour', ended_at = ended_at + interval '1 hour' WHERE organization_id = $1",
		[id],
	);
	const c = await admin.connect();
	try {
		await c.query("BEGIN");
		await c.query("SET LOCAL session_replication_role = replica");
		await assert.rejects(
			c.query("UPDATE data.time_entries SET started_at = '2026-03-10T09:00Z', ended_at = '2026-03-10T12:00Z' WHERE organization_id = $1", [id]).then(() => c.query("SET CONSTRAINTS ALL IMMEDIATE")).then(() => { throw Object.assign(new Error(), { code: "none" }); }),
			(e) => e.constraint === "time_entries_no_overlap" || e.code === "none",
		);
	} finally {
		await c.query("ROLLBACK");
		c.release();
	}
});

test("from allow to forbid: old overlaps stay, new and moved rows are checked against them", async () => {
	const { owner, member } = await organization({ policy: "allow" });
	const one = await entry(member, { started_at: at("09:00"), ended_at: at("11:00") });
	const two = await entry(member, { started_at: at("10:00"), ended_at: at("12:00") });
	await call(owner, "organization_update", { input: { overlap_policy: "forbid" } });
	await doc(member, "time_entries_update", { time_entry_id: one.id, input: { description: "still editable" } });
	await refused(call(member, "time_entries_create", { input: { started_at: at("11:30"), ended_at: at("13:00") } }), "entry_overlap");
	await refused(call(member, "time_entries_update", { time_entry_id: two.id, input: { ended_at: at("12:30") } }), "entry_overlap");
	await doc(member, "time_entries_update", { time_entry_id: two.id, input: { started_at: at("11:00") } });
	await call(owner, "organization_update", { input: { overlap_policy: "allow" } });
	await entry(member, { started_at: at("09:30"), ended_at: at("11:30") });
});

test("two at once: one is refused, whoever comes second", async () => {
	const { member, id } = await organization();
	for (let round = 0; round < 5; round++) {
		const day = `2026-05-0${round + 1}`;
		const tries = await Promise.allSettled(
			Array.from({ length: 6 }, () => entry(member, { started_at: at("09:00", day), ended_at: at("10:00", day) })),
		);
		assert.equal(tries.filter((t) => t.status === "fulfilled").length, 1);
		for (const t of tries) if (t.status === "rejected") assert.equal(t.reason.code, "entry_overlap");
	}
	const { rows } = await admin.query("SELECT count(*) AS n FROM data.time_entries WHERE organization_id = $1", [id]);
	assert.equal(rows[0].n, 5);
});

test("editing one end never moves the other, and a typed time that was shown changes nothing", async () => {
	const { member } = await organization();
	const e = await entry(member, { started_at: "2026-03-10T08:00:27Z", ended_at: "2026-03-10T09:30:45Z" });
	const edit = (input) => doc(member, "time_entries_update", { time_entry_id: e.id, input });
	let now = await edit({ start: "08:30:00" });
	assert.deepEqual([now.started_at, now.ended_at], ["2026-03-10T07:30:00Z", "2026-03-10T09:30:45Z"]);
	now = await edit({ end: "11:00:00" });
	assert.deepEqual([now.started_at, now.ended_at], ["2026-03-10T07:30:00Z", "2026-03-10T10:00:00Z"]);
	now = await edit({ started_at: "2026-03-10T08:00:27Z", ended_at: "2026-03-10T09:30:45Z" });
	now = await edit({ day: "2026-03-10", start: "09:00:00", end: "10:30:00", end_day: "2026-03-10", description: "Renamed" });
	assert.deepEqual([now.started_at, now.ended_at, now.description], ["2026-03-10T08:00:27Z", "2026-03-10T09:30:45Z", "Renamed"]);
	now = await edit({ duration_s: 3600 });
	assert.deepEqual([now.started_at, now.ended_at], ["2026-03-10T08:00:27Z", "2026-03-10T09:00:27Z"]);
	now = await edit({ day: "2026-03-12" });
	assert.deepEqual([now.started_at, now.ended_at], ["2026-03-12T08:00:27Z", "2026-03-12T09:00:27Z"]);
	await refused(call(member, "time_entries_update", { time_entry_id: e.id, input: { ended_at: null } }), "required", "ended_at");
});

test("version: raised by changes alone, honoured when it is sent", async () => {
	const { member } = await organization();
	const e = await entry(member, { started_at: at("08:00"), ended_at: at("09:00") });
	const edit = (input, if_match) => call(member, "time_entries_update", { time_entry_id: e.id, input, if_match });
	assert.equal((await edit({ description: "" }, "1")).etag, "1", "saving what is there is no change");
	assert.equal((await edit({ description: "Two" }, "1")).etag, "2");
	const stale = await refused(edit({ description: "Three" }, "1"), "version_conflict");
	assert.deepEqual(stale.extra, { version: 2 });
	await refused(call(member, "time_entries_delete", { time_entry_id: e.id, if_match: "1" }), "version_conflict");
});

test("others' time: invisible to members, changed by those who may", async () => {
	const { owner, manager, member, member2 } = await organization({ roles: ["owner", "manager", "member", "member2"] });
	const e = await entry(member, { started_at: at("08:00"), ended_at: at("09:00"), description: "Mine" });
	const by = { time_entry_id: e.id };
	for (const name of ["time_entries_get", "time_entries_history", "time_entries_edit"])
		assert.equal(await read(member2, name, by), undefined);
	for (const name of ["time_entries_update", "time_entries_delete", "time_entries_restore", "time_entries_continue", "time_entries_duplicate"])
		assert.equal(await call(member2, name, { ...by, input: { description: "Taken" } }), undefined, name);
	assert.equal((await read(member2, "time_entries_list", {})).data.length, 0);
	assert.equal((await read(member2, "time_entries_list", { member_id: member.member })).data.length, 0);
	assert.equal((await read(manager, "time_entries_list", {})).data.length, 1);
	assert.equal((await doc(manager, "time_entries_update", { ...by, input: { description: "Corrected" } })).description, "Corrected");
	const forOther = await entry(owner, { member_id: member.member, started_at: at("10:00"), ended_at: at("11:00") });
	assert.equal(forOther.member_id, member.member);
	await refused(call(member2, "time_entries_create", { input: { member_id: member.member, started_at: at("12:00"), ended_at: at("13:00") } }), "forbidden");
	const other = await organization();
	await refused(call(owner, "time_entries_create", { input: { member_id: other.member.member, started_at: at("12:00"), ended_at: at("13:00") } }), "reference", "member_id");
	assert.equal(await read(other.owner, "time_entries_get", by), undefined);
});

test("the timer: start, running, switch, stop", async () => {
	const { owner, member } = await organization();
	assert.equal(await call(member, "timer_get", {}, { writes: false }), undefined);
	await refused(call(member, "timer_stop"), "timer_not_running");
	const project = await doc(owner, "projects_create", { input: { name: "Billable", billable: true } });
	const first = await doc(member, "timer_start", { input: { description: "One", project_id: project.id } });
	assert.deepEqual([first.ended_at, first.billable, first.project_id], [null, true, project.id]);
	assert.equal((await read(member, "timer_get")).id, first.id);
	const said = await refused(call(member, "timer_start", { input: { description: "Two" } }), "timer_running");
	assert.deepEqual(said.extra, { running_id: first.id });
	const second = await doc(member, "timer_start", { input: { description: "Two", switch: true } });
	const third = await doc(member, "timer_start", { input: { description: "Three", switch: true } });
	assert.equal((await read(member, "time_entries_get", { time_entry_id: second.id })).ended_at, third.started_at);
	const stopped = await doc(member, "timer_stop");
	assert.equal(stopped.id, third.id);
	assert.ok(stopped.duration_s >= 1);
	await call(owner, "projects_update", { project_id: project.id, input: { archived: true } });
	await refused(call(member, "timer_start", { input: { project_id: project.id } }), "archived", "project_id");
});

test("the timer: starts in the past by instant and by clock, not in the future", async () => {
	const { member } = await organization({ zone: "UTC" });
	const soon = new Date(Date.now() + 3600e3).toISOString();
	await refused(call(member, "timer_start", { input: { started_at: soon } }), "start_in_future", "started_at");
	const clock = soon.slice(11, 19);
	const yesterday = await doc(member, "timer_start", { input: { start: clock } });
	assert.ok(Date.parse(yesterday.started_at) < Date.now() - 22 * 3600e3, "a clock time still to come was yesterday's");
	await refused(call(member, "timer_stop", { input: { ended_at: "2020-01-01T00:00:00Z" } }), "end_before_start", "ended_at");
	const ended = new Date(Date.parse(yesterday.started_at) + 60e3).toISOString();
	assert.equal((await doc(member, "timer_stop", { input: { ended_at: ended } })).duration_s, 60);
	const finished = await doc(member, "timer_start", { input: { duration_s: 1800, description: "Call" } });
	assert.equal(finished.duration_s, 1800);
	assert.ok(finished.ended_at);
});

test("continue takes project, tags, description, billable and nothing else; duplicate goes into the next gap", async () => {
	const { owner, member } = await organization();
	const project = await doc(owner, "projects_create", { input: { name: "P" } });
	const tag = await doc(owner, "tags_create", { input: { name: "T" } });
	const e = await entry(member, { started_at: at("08:00"), ended_at: at("09:00"), description: "Again", project_id: project.id, tags: [tag.id], billable: true });
	const running = await doc(member, "time_entries_continue", { time_entry_id: e.id });
	assert.deepEqual([running.project_id, running.tags, running.description, running.billable, running.ended_at], [project.id, [tag.id], "Again", true, null]);
	await refused(call(member, "time_entries_continue", { time_entry_id: running.id }), "timer_running");
	const twin = await doc(member, "time_entries_duplicate", { time_entry_id: e.id });
	assert.deepEqual([twin.started_at, twin.duration_s, twin.tags], [at("09:00"), 3600, [tag.id]]);
});

test("200 starts for one member from 4 clients, round after round: one runs, the others are told which", async () => {
	const { member, id } = await organization();
	for (let round = 0; round < 3; round++) {
		const clients = await Promise.all(Array.from({ length: 4 }, () => web.connect()));
		const outcomes = (
			await Promise.all(
				clients.map(async (client) => {
					const mine = [];
					for (let i = 0; i < 50; i++)
						mine.push(await call(member, "timer_start", { input: { description: `r${round}` } }, { client }).catch((e) => e));
					return mine;
				}),
			)
		).flat();
		clients.forEach((client) => client.release());
		const started = outcomes.filter((o) => o?.doc);
		assert.equal(started.length, 1);
		for (const o of outcomes)
			if (!o.doc) assert.deepEqual([o.code, o.extra?.running_id], ["timer_running", started[0].doc.id]);
		const { rows } = await admin.query(
			"SELECT count(*) FILTER (WHERE ended_at IS NULL) AS running FROM data.time_entries WHERE organization_id = $1",
			[id],
		);
		assert.equal(rows[0].running, 1);
		await call(member, "timer_stop");
	}
});

test("concurrent switches keep one running, and none ends before it starts", async () => {
	const { member, id } = await organization();
	const all = await Promise.allSettled(
		Array.from({ length: 20 }, (_, i) => call(member, "timer_start", { input: { description: `s${i}`, switch: true } })),
	);
	assert.deepEqual(all.filter((t) => t.status === "rejected").map((t) => t.reason.message), []);
	const { rows } = await admin.query(
		`SELECT count(*) AS n, count(*) FILTER (WHERE ended_at IS NULL) AS running FROM data.time_entries WHERE organization_id = $1`,
		[id],
	);
	assert.deepEqual(rows[0], { n: 20, running: 1 });
});

test("approved, locked and invoiced entries refuse every change, whoever asks", async () => {
	const { owner, member, id } = await organization();
	for (const [i, status] of ["approved", "locked", "invoiced"].entries()) {
		const e = await entry(member, { started_at: at("08:00", `2026-06-0${i + 1}`), ended_at: at("09:00", `2026-06-0${i + 1}`) });
		await admin.query("UPDATE data.time_entries SET status = $2 WHERE organization_id = $3 AND id = $1", [e.id, status, id]);
		const by = { time_entry_id: e.id };
		await refused(call(owner, "time_entries_update", { ...by, input: { description: "x" } }), "entry_locked");
		await refused(call(member, "time_entries_delete", by), "entry_locked");
		for (const sql of [
			"UPDATE data.time_entries SET billable = NOT billable WHERE id = $1",
			"UPDATE data.time_entries SET status = 'open' WHERE id = $1",
			"DELETE FROM data.time_entries WHERE id = $1",
		])
			await assert.rejects(admin.query(sql, [e.id]), /entry_locked/, "the superuser too");
	}
});

test("tags: deleting takes them off, restoring brings them back, names are unique without case", async () => {
	const { owner, member } = await organization();
	const tag = await doc(owner, "tags_create", { input: { name: "Focus" } });
	await refused(call(owner, "tags_create", { input: { name: "FOCUS" } }), "tags_name");
	const e = await entry(member, { started_at: at("08:00"), ended_at: at("09:00"), tags: [tag.id] });
	assert.equal((await read(member, "tags_get", { tag_id: tag.id })).entry_count, 1);
	await call(owner, "tags_delete", { tag_id: tag.id });
	const tags = async () => (await read(member, "time_entries_get", { time_entry_id: e.id })).tags;
	assert.deepEqual(await tags(), []);
	await doc(member, "time_entries_update", { time_entry_id: e.id, input: { tags: [], description: "edited meanwhile" } });
	const back = await doc(owner, "tags_restore", { tag_id: tag.id });
	assert.deepEqual([back.name, back.entry_count], ["Focus", 1]);
	assert.deepEqual(await tags(), [tag.id]);
	assert.deepEqual((await doc(member, "time_entries_update", { time_entry_id: e.id, input: { tags: [] } })).tags, []);
	assert.equal(await read(member, "tags_get", { tag_id: crypto.randomUUID() }), undefined);
});

test("history tells what happened, in order and by whom", async () => {
	const { manager, member } = await organization();
	const e = await entry(member, { started_at: at("08:00"), ended_at: at("09:00"), description: "First" });
	await doc(manager, "time_entries_update", { time_entry_id: e.id, input: { description: "Second" } });
	await call(member, "time_entries_delete", { time_entry_id: e.id });
	await call(member, "time_entries_restore", { time_entry_id: e.id });
	const { data } = await read(member, "time_entries_history", { time_entry_id: e.id });
	assert.deepEqual(data.map((h) => h.action), ["create", "update", "delete", "restore"]);
	assert.deepEqual(data.map((h) => h.member_id), [member.member, manager.member, member.member, member.member]);
	assert.deepEqual([data[1].before, data[1].after], [{ description: "First" }, { description: "Second" }]);
	const page = await read(member, "time_entries_edit", { time_entry_id: e.id });
	assert.deepEqual([page.day, page.start, page.end, page.end_day], ["2026-03-10", "09:00", "10:00", "2026-03-10"]);
	assert.deepEqual(page.history.at(-2).changes, [{ field: "description", before: "First", after: "Second" }]);
});

test("a list has pages, filters and a cursor that is checked", async () => {
	const { owner, member } = await organization();
	const client = await doc(owner, "clients_create", { input: { name: "C" } });
	const project = await doc(owner, "projects_create", { input: { name: "P", client_id: client.id } });
	const tag = await doc(owner, "tags_create", { input: { name: "T" } });
	for (let i = 10; i < 17; i++)
		await entry(member, { started_at: at(`${i}:00`), ended_at: at(`${i}:30`), description: `Hour ${i}`, project_id: i % 2 ? project.id : undefined, tags: i === 12 ? [tag.id] : [], billable: i === 13 });
	const list = (values) => read(member, "time_entries_list", values);
	const seen = [];
	let cursor = null;
	do {
		const page = await list({ limit: "3", cursor });
		seen.push(...page.data.map((e) => e.description));
		cursor = page.next_cursor;
	} while (cursor);
	assert.deepEqual(seen, ["Hour 16", "Hour 15", "Hour 14", "Hour 13", "Hour 12", "Hour 11", "Hour 10"]);
	const names = async (values) => (await list(values)).data.map((e) => e.description);
	assert.deepEqual(await names({ project_id: project.id }), ["Hour 15", "Hour 13", "Hour 11"]);
	assert.deepEqual(await names({ client_id: client.id }), ["Hour 15", "Hour 13", "Hour 11"]);
	assert.deepEqual(await names({ tag_id: tag.id }), ["Hour 12"]);
	assert.deepEqual(await names({ billable: "true" }), ["Hour 13"]);
	assert.deepEqual(await names({ q: "HOUR 14" }), ["Hour 14"]);
	assert.deepEqual(await names({ q: "%" }), []);
	assert.deepEqual(await names({ from: at("12:15"), to: at("14:00") }), ["Hour 13", "Hour 12"]);
	assert.deepEqual((await names({ from: "2026-03-10", to: "2026-03-10" })).length, 7);
	assert.deepEqual(await names({ to: "2026-03-09" }), []);
	for (const bad of ["%%%", "WyJ4Il0", "eyJhIjoxfQ", "AAAA"])
		await refused(list({ cursor: bad }), "bad_cursor", "cursor");
});
