// The week: seven local days, cut at midnights. Zones and their nights are time.test.js's.
import { test } from "node:test";
import { ago, assert, organization, refused, seconds, took, uuid } from "./support.js";

const { owner, manager, member } = await organization();
const sum = (list, key = "total_s") => list.reduce((n, x) => n + x[key], 0);

test("week_get_gives_seven_days_around_the_date", async () => {
	const week = await member.read("/week?date=2026-03-04");
	assert.deepEqual([week.from, week.to, week.previous, week.next], ["2026-03-02", "2026-03-08", "2026-02-23", "2026-03-09"]);
	assert.deepEqual(week.days.map((d) => d.date), [2, 3, 4, 5, 6, 7, 8].map((d) => `2026-03-0${d}`));
	assert.ok(week.days.every((d) => d.length_s === 86400 && d.total_s === 0 && !d.is_today && d.entries.length === 0));
	assert.deepEqual([week.current, week.total_s, week.target_s, week.projects], [false, 0, 144000, []]);
	for (const day of ["2026-03-02", "2026-03-08"]) assert.equal((await member.read(`/week?date=${day}`)).from, "2026-03-02");
	const now = await member.read("/week");
	assert.equal(now.current, true);
	assert.deepEqual(now.days.filter((d) => d.is_today).map((d) => d.date), [now.today]);
});

test("week_get_adds_up_by_day_and_by_project", async () => {
	const project = await owner.made("/projects", { name: uuid() });
	const at = (d, h, m = 0) => new Date(Date.UTC(2026, 1, d, h - 1, m)).toISOString().replace(".000", "");
	await member.made("/time-entries", { started_at: at(9, 9), ended_at: at(9, 12), project_id: project.id });
	await member.made("/time-entries", { started_at: at(9, 12), ended_at: at(9, 13), type: "break" });
	await member.made("/time-entries", { started_at: at(9, 13), ended_at: at(9, 14) });
	await member.made("/time-entries", { started_at: at(10, 22), ended_at: at(11, 2), project_id: project.id });
	const week = await member.read("/week?date=2026-02-11");
	assert.deepEqual(week.days.map((d) => d.total_s), [14400, 7200, 7200, 0, 0, 0, 0]);
	assert.equal(week.days[0].entries.length, 3, "a break is shown and not counted");
	assert.equal(week.total_s, 28800);
	const [night, morning] = [week.days[1].entries[0], week.days[2].entries[0]];
	assert.equal(night.id, morning.id);
	assert.deepEqual([night.part_s, night.continues_before, night.continues_after], [7200, false, true]);
	assert.deepEqual([morning.part_s, morning.continues_before, morning.continues_after], [7200, true, false]);
	assert.deepEqual(week.projects.map((p) => [p.project?.id ?? null, p.total_s]), [[project.id, 25200], [null, 3600]]);
	for (const p of week.projects) assert.equal(sum(p.cells), p.total_s);
	assert.equal(sum(week.projects), week.total_s);
	assert.equal(sum(week.days), week.total_s);
});

test("week_get_cuts_what_reaches_in_from_the_weeks_beside_it", async () => {
	const entry = await manager.made("/time-entries", { started_at: "2026-01-11T20:00:00Z", ended_at: "2026-01-12T05:00:00Z" });
	const [first, second] = [await manager.read("/week?date=2026-01-11"), await manager.read("/week?date=2026-01-12")];
	assert.deepEqual([first.days[6].total_s, second.days[0].total_s], [3 * 3600, 6 * 3600]);
	assert.equal(first.total_s + second.total_s, entry.duration_s);
});

test("week_get_counts_a_running_timer_up_to_now", async () => {
	const { owner: alone } = await organization({ roles: ["owner"], zone: "UTC" });
	const { started_at } = await alone.made("/timer/start", { started_at: ago(30) });
	const week = await alone.read("/week");
	const before = await alone.read(`/week?date=${week.previous}`);
	const total = week.total_s + before.total_s;
	assert.ok(Math.abs(total - seconds(started_at, new Date().toISOString())) < 5, `${total}`);
	const day = week.days.find((d) => d.is_today);
	assert.equal(day.entries[0].running, true);
});

test("week_get_of_somebody_else_is_for_those_who_see_all", async () => {
	const week = await owner.read(`/week?date=2026-02-11&member_id=${member.member_id}`);
	assert.equal(week.total_s, 28800);
	assert.deepEqual([week.member_id, week.member_name, week.own], [member.member_id, (await member.read("/me")).name, false]);
	assert.equal((await owner.read("/week")).own, true);
	refused(await member.get(`/week?member_id=${owner.member_id}`), 404, "not_found");
	took(await member.get(`/week?member_id=${member.member_id}`));
	refused(await owner.get(`/week?member_id=${uuid()}`), 404, "not_found");
	refused(await owner.get("/week?date=2026-02-30"), 422, "format", "date");
	refused(await owner.get("/week?day=2026-02-03"), 422, "unknown_field", "day");
});
