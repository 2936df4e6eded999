// Time entries: made, found, corrected, taken back, repeated; and what is remembered of that.
import { test } from "node:test";
import { ago, assert, one, organization, refused, rows, took, uuid, uuidv7 } from "./support.js";

const { owner, manager, member } = await organization();
const alone = async (more) => (await organization({ roles: ["owner"], ...more })).owner;
const stored = (id) =>
	one(
		"SELECT member_id, project_id, description, tag_ids, billable, type, app.instant(started_at) AS started_at, app.instant(ended_at) AS ended_at, zone, version, deleted_at FROM data.time_entries WHERE id = $1",
		id,
	);
// Hours of a working day long gone, each used once.
let day = Date.parse("2026-01-05T00:00:00Z");
const hours = (from = 9, to = 10) => {
	day += 86400_000;
	const at = (h) => new Date(day + h * 3600_000).toISOString().replace(".000", "");
	return { started_at: at(from), ended_at: at(to) };
};

test("time_entries_create_stores_what_was_given", async () => {
	const project = await owner.made("/projects", { name: uuid() });
	const tag = await owner.made("/tags", { name: uuid() });
	const times = hours();
	const id = uuidv7();
	const input = { id, ...times, description: "Ünïcode 🕰", project_id: project.id, tags: [tag.id], billable: true, type: "break" };
	const reply = took(await member.post("/time-entries", input), 201);
	assert.equal(reply.headers.get("location"), `/api/v1/time-entries/${id}`);
	assert.deepEqual(
		{ ...reply.body, created_at: 0, updated_at: 0 },
		{
			...input,
			version: 1,
			member_id: member.member_id,
			task_id: null,
			duration_s: 3600,
			zone: "Europe/Berlin",
			status: "open",
			created_at: 0,
			updated_at: 0,
		},
	);
	assert.deepEqual(await stored(id), {
		member_id: member.member_id,
		project_id: project.id,
		description: "Ünïcode 🕰",
		tag_ids: [tag.id],
		billable: true,
		type: "break",
		...times,
		zone: "Europe/Berlin",
		version: 1,
		deleted_at: null,
	});
	assert.deepEqual(took(await member.post("/time-entries", input), 201).body, reply.body);
	assert.equal((await rows("SELECT 1 FROM data.events WHERE row_id = $1", id)).length, 1);
	refused(await owner.post("/time-entries", { id, ...hours() }), 409, "id_taken", "id");
});

test("time_entries_create_takes_any_offset_and_cuts_to_seconds", async () => {
	const { id } = await owner.made("/time-entries", { started_at: "2025-02-03T09:00:00.900+05:30", ended_at: "2025-02-03T05:00:00.999Z" });
	const row = await stored(id);
	assert.deepEqual([row.started_at, row.ended_at], ["2025-02-03T03:30:00Z", "2025-02-03T05:00:00Z"]);
});

test("time_entries_create_takes_a_duration_instead_of_an_end", async () => {
	const { started_at } = hours();
	const entry = await owner.made("/time-entries", { started_at, duration_s: "1h 30m" });
	assert.equal(entry.duration_s, 5400);
	const loose = await owner.made("/time-entries", { duration_s: 60 });
	assert.ok(Math.abs(Date.parse(loose.ended_at) - Date.now()) < 5000, "without a start it ends now");
});

test("time_entries_create_for_somebody_else_is_for_those_who_may", async () => {
	const times = hours();
	const entry = await manager.made("/time-entries", { ...times, member_id: member.member_id });
	assert.equal((await stored(entry.id)).member_id, member.member_id);
	refused(await member.post("/time-entries", { ...hours(), member_id: owner.member_id }), 403, "forbidden");
	refused(await manager.post("/time-entries", { ...hours(), member_id: uuid() }), 422, "reference", "member_id");
});

test("time_entries_create_refuses_overlaps_by_the_policy", async () => {
	const who = await alone();
	const first = hours(9, 11);
	await who.made("/time-entries", first);
	const at = (h, m = 0) => first.started_at.replace("T09:00", `T${String(h).padStart(2, "0")}:${String(m).padStart(2, "0")}`);
	// The field named is the end that lies in taken time.
	for (const [from, to, field] of [
		[at(9), at(11), "started_at"],
		[at(8), at(9, 1), "ended_at"],
		[at(10, 59), at(12), "started_at"],
		[at(9, 30), at(10), "started_at"],
		[at(8), at(12)],
	])
		refused(await who.post("/time-entries", { started_at: from, ended_at: to }), 409, "entry_overlap", field);
	await who.made("/time-entries", { started_at: at(8), ended_at: at(9) });
	await who.made("/time-entries", { started_at: at(11), ended_at: at(12) });
	assert.equal((await rows("SELECT 1 FROM data.time_entries WHERE member_id = $1", who.member_id)).length, 3);
	const free = await alone({ policy: "allow" });
	await free.made("/time-entries", first);
	await free.made("/time-entries", first);
});

test("time_entries_create_running_is_a_timer", async () => {
	const who = await alone();
	const entry = await who.made("/time-entries", { started_at: ago(600) });
	assert.equal((await who.read("/timer")).id, entry.id);
	const problem = refused(await who.post("/time-entries", { started_at: ago(60) }), 409, "timer_running");
	assert.equal(problem.running_id, entry.id);
});

test("time_entries_list_is_newest_first_and_pages_without_gaps", async () => {
	const who = await alone();
	const made = [];
	for (let i = 0; i < 7; i++) made.push((await who.made("/time-entries", { ...hours(), description: `n${i}` })).id);
	const seen = [];
	let cursor = null;
	do {
		const page = await who.read(`/time-entries?limit=3${cursor ? `&cursor=${cursor}` : ""}`);
		seen.push(...page.data.map((e) => e.id));
		cursor = page.next_cursor;
	} while (cursor);
	assert.deepEqual(seen, made.reverse());
});

test("time_entries_list_filters", async () => {
	const { owner: who, member: other } = await organization({ roles: ["owner", "member"] });
	const house = await who.made("/clients", { name: "House" });
	const project = await who.made("/projects", { name: "P", client_id: house.id });
	const tag = await who.made("/tags", { name: "t" });
	const times = [hours(), hours(), hours()];
	const a = await who.made("/time-entries", { ...times[0], description: "Alpha 100%", project_id: project.id });
	const b = await who.made("/time-entries", { ...times[1], description: "beta", tags: [tag.id], billable: true });
	const c = await other.made("/time-entries", { ...times[2], description: "gamma" });
	const ids = async (query, from = who) => (await from.read(`/time-entries?${query}`)).data.map((e) => e.id);
	assert.deepEqual(await ids(""), [c.id, b.id, a.id]);
	assert.deepEqual(await ids("", other), [c.id], "a member sees their own");
	assert.deepEqual(await ids(`member_id=${who.member_id}`), [b.id, a.id]);
	assert.deepEqual(await ids(`member_id=${who.member_id}`, other), []);
	assert.deepEqual(await ids(`project_id=${project.id}`), [a.id]);
	assert.deepEqual(await ids(`client_id=${house.id}`), [a.id]);
	assert.deepEqual(await ids(`tag_id=${tag.id}`), [b.id]);
	assert.deepEqual(await ids("billable=true"), [b.id]);
	assert.deepEqual(await ids("q=ALPHA"), [a.id]);
	assert.deepEqual(await ids("q=0%25"), [a.id]);
	assert.deepEqual(await ids("q=%25"), [a.id]);
	assert.deepEqual(await ids(`from=${times[1].started_at}`), [c.id, b.id]);
	assert.deepEqual(await ids(`to=${times[1].started_at}`), [a.id], "what starts at `to` is not in it");
	assert.deepEqual(await ids(`from=${times[0].ended_at}&to=${times[1].ended_at}`), [b.id]);
	refused(await who.get("/time-entries?from=yesterday"), 422, "format", "from");
});

test("time_entries_get_is_for_its_member_and_those_who_see_all", async () => {
	const entry = await member.made("/time-entries", hours());
	for (const who of [member, manager, owner]) assert.equal(took(await who.get(`/time-entries/${entry.id}`)).headers.get("etag"), '"1"');
	const hidden = await owner.made("/time-entries", hours());
	for (const path of ["", "/history"]) refused(await member.get(`/time-entries/${hidden.id}${path}`), 404, "not_found");
	refused(await owner.get(`/time-entries/${uuid()}`), 404, "not_found");
});

test("time_entries_update_of_one_end_never_moves_the_other", async () => {
	const times = hours(9, 12);
	const { id } = await member.made("/time-entries", times);
	const later = times.started_at.replace("T09", "T10");
	took(await member.patch(`/time-entries/${id}`, { started_at: later }));
	assert.deepEqual([(await stored(id)).started_at, (await stored(id)).ended_at], [later, times.ended_at]);
	const longer = times.ended_at.replace("T12", "T13");
	const reply = took(await member.patch(`/time-entries/${id}`, { ended_at: longer }, { "if-match": '"2"' }));
	assert.deepEqual([reply.body.started_at, reply.body.ended_at, reply.body.duration_s, reply.body.version], [later, longer, 10800, 3]);
	assert.equal(took(await member.patch(`/time-entries/${id}`, { duration_s: 60 })).body.started_at, later);
	assert.equal((await stored(id)).ended_at, later.replace(":00:00Z", ":01:00Z"));
});

test("time_entries_update_changes_what_was_sent_and_nothing_else", async () => {
	const project = await owner.made("/projects", { name: uuid(), billable: true });
	const tag = await owner.made("/tags", { name: uuid() });
	const { id } = await member.made("/time-entries", { ...hours(), description: "one", project_id: project.id, tags: [tag.id] });
	const was = await stored(id);
	assert.equal(was.billable, true);
	took(await member.patch(`/time-entries/${id}`, { description: "two" }));
	assert.deepEqual(await stored(id), { ...was, description: "two", version: 2 });
	took(await member.patch(`/time-entries/${id}`, { project_id: null, tags: [], billable: false, type: "break" }));
	assert.deepEqual(await stored(id), { ...was, description: "two", project_id: null, tag_ids: [], billable: false, type: "break", version: 3 });
	const now = await stored(id);
	const bad = async (input, status, code, field) => refused(await member.patch(`/time-entries/${id}`, { description: "bad", ...input }), status, code, field);
	await bad({ started_at: was.ended_at }, 422, "end_before_start", "started_at");
	await bad({ ended_at: was.started_at }, 422, "end_before_start", "ended_at");
	await bad({ ended_at: null }, 422, "required", "ended_at");
	await bad({ project_id: uuid() }, 422, "reference", "project_id");
	await bad({ tags: [uuid()] }, 422, "reference", "tags");
	await bad({ type: "nap" }, 422, "choice", "type");
	await bad({ member_id: owner.member_id }, 422, "unknown_field", "member_id");
	assert.deepEqual(await stored(id), now);
	refused(await member.patch(`/time-entries/${id}`, { description: "late" }, { "if-match": '"1"' }), 412, "version_conflict");
	assert.deepEqual(await stored(id), now);
});

test("time_entries_update_of_others_is_for_those_who_may", async () => {
	const theirs = await owner.made("/time-entries", hours());
	refused(await member.patch(`/time-entries/${theirs.id}`, { description: "x" }), 404, "not_found");
	refused(await member.delete(`/time-entries/${theirs.id}`), 404, "not_found");
	const own = await member.made("/time-entries", hours());
	took(await manager.patch(`/time-entries/${own.id}`, { description: "by the manager" }));
	const { data } = await member.read(`/time-entries/${own.id}/history`);
	assert.deepEqual(data.map((e) => [e.action, e.member_id]), [["create", member.member_id], ["update", manager.member_id]]);
});

test("time_entries_update_refuses_to_move_onto_taken_time", async () => {
	const first = await member.made("/time-entries", hours(9, 10));
	const second = await member.made("/time-entries", { started_at: first.ended_at, duration_s: 3600 });
	refused(await member.patch(`/time-entries/${second.id}`, { started_at: first.started_at }), 409, "entry_overlap", "started_at");
	assert.equal((await stored(second.id)).started_at, first.ended_at);
});

test("time_entries_delete_and_restore", async () => {
	const entry = await member.made("/time-entries", hours());
	refused(await member.delete(`/time-entries/${entry.id}`, { "if-match": '"5"' }), 412, "version_conflict");
	took(await member.delete(`/time-entries/${entry.id}`, { "if-match": '"1"' }), 204);
	refused(await member.get(`/time-entries/${entry.id}`), 404, "not_found");
	refused(await member.delete(`/time-entries/${entry.id}`), 404, "not_found");
	refused(await member.patch(`/time-entries/${entry.id}`, { description: "gone" }), 404, "not_found");
	assert.ok((await stored(entry.id)).deleted_at);
	const back = took(await member.post(`/time-entries/${entry.id}/restore`)).body;
	assert.deepEqual([back.started_at, back.ended_at], [entry.started_at, entry.ended_at]);
	took(await member.post(`/time-entries/${entry.id}/restore`));
	took(await member.delete(`/time-entries/${entry.id}`), 204);
	await member.made("/time-entries", { started_at: entry.started_at, ended_at: entry.ended_at });
	refused(await member.post(`/time-entries/${entry.id}/restore`), 409, "entry_overlap", "started_at");
	assert.ok((await stored(entry.id)).deleted_at);
	refused(await member.post(`/time-entries/${uuid()}/restore`), 404, "not_found");
});

test("time_entries_restore_of_a_running_one_while_another_runs_is_refused", async () => {
	const who = await alone();
	const first = await who.made("/timer/start", { started_at: ago(600) });
	took(await who.delete(`/time-entries/${first.id}`), 204);
	const second = await who.made("/timer/start", {});
	assert.equal(refused(await who.post(`/time-entries/${first.id}/restore`), 409, "timer_running").running_id, second.id);
});

test("time_entries_continue_starts_the_same_work_and_switches", async () => {
	const who = await alone();
	const project = await who.made("/projects", { name: uuid() });
	const tag = await who.made("/tags", { name: uuid() });
	const old = await who.made("/time-entries", { ...hours(), description: "again", project_id: project.id, tags: [tag.id], billable: true });
	const running = await who.made("/timer/start", { started_at: ago(600), description: "other" });
	const id = uuidv7();
	const reply = took(await who.post(`/time-entries/${old.id}/continue`, { id }), 201);
	assert.equal(reply.headers.get("location"), `/api/v1/time-entries/${id}`);
	const { description, project_id, tags, billable, ended_at } = reply.body;
	assert.deepEqual([description, project_id, tags, billable, ended_at], ["again", project.id, [tag.id], true, null]);
	assert.equal((await stored(running.id)).ended_at, reply.body.started_at);
	assert.equal(refused(await who.post(`/time-entries/${id}/continue`), 409, "timer_running").running_id, id);
	refused(await who.post(`/time-entries/${uuid()}/continue`), 404, "not_found");
	took(await who.patch(`/projects/${project.id}`, { archived: true }));
	refused(await who.post(`/time-entries/${old.id}/continue`), 422, "archived", "project_id");
	assert.equal((await stored(id)).ended_at, null, "a refused continue stops nothing");
});

test("time_entries_duplicate_makes_it_again_in_the_next_gap", async () => {
	const who = await alone();
	const entry = await who.made("/time-entries", { ...hours(9, 10), description: "twice" });
	const copy = took(await who.post(`/time-entries/${entry.id}/duplicate`), 201).body;
	assert.deepEqual([copy.started_at, copy.duration_s, copy.description], [entry.ended_at, 3600, "twice"]);
	assert.notEqual(copy.id, entry.id);
	const free = await alone({ policy: "allow" });
	const first = await free.made("/time-entries", hours());
	const second = took(await free.post(`/time-entries/${first.id}/duplicate`), 201).body;
	assert.deepEqual([second.started_at, second.ended_at], [first.started_at, first.ended_at]);
	const running = await who.made("/timer/start", {});
	refused(await who.post(`/time-entries/${running.id}/duplicate`), 409, "timer_running");
});

test("time_entries_history_tells_who_did_what_oldest_first", async () => {
	const entry = await member.made("/time-entries", { ...hours(), description: "first" });
	took(await member.patch(`/time-entries/${entry.id}`, { description: "second" }));
	took(await member.delete(`/time-entries/${entry.id}`), 204);
	took(await member.post(`/time-entries/${entry.id}/restore`));
	const { data, next_cursor } = await member.read(`/time-entries/${entry.id}/history`);
	assert.equal(next_cursor, null);
	assert.deepEqual(data.map((e) => e.action), ["create", "update", "delete", "restore"]);
	assert.ok(data.every((e) => e.member_id === member.member_id && e.who));
	assert.deepEqual([data[1].before.description, data[1].after.description], ["first", "second"]);
});

test("time_entries_create_reads_a_number_in_text_as_minutes_whatever_the_person_sees", async () => {
	const { owner } = await organization({ roles: ["owner"], policy: "allow" });
	for (const decimal_durations of [false, true]) {
		took(await owner.patch("/me", { decimal_durations }));
		for (const [text, seconds] of [["90", 5400], ["1.5", 5400], ["2h", 7200]])
			assert.equal(took(await owner.post("/time-entries", { started_at: ago(9000), duration_s: text }), 201).body.duration_s, seconds, text);
	}
});
