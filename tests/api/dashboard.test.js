// The dashboard: today, this week, what runs, and what to go on with.
import { test } from "node:test";
import { ago, assert, organization, took, uuid } from "./support.js";

const sum = (list, key = "total_s") => list.reduce((n, x) => n + x[key], 0);
const alone = async () => (await organization({ roles: ["owner"], zone: "UTC" })).owner;

test("dashboard_get_of_somebody_new_is_empty_and_whole", async () => {
	const who = await alone();
	const { today, week, projects, recent, running } = await who.read("/dashboard");
	assert.deepEqual([today.length_s, today.total_s, today.segments], [86400, 0, []]);
	assert.deepEqual([week.total_s, week.target_s, week.days.length], [0, 144000, 7]);
	assert.deepEqual(week.days.map((d) => d.target_s), [28800, 28800, 28800, 28800, 28800, 0, 0]);
	assert.deepEqual([projects, recent, running], [[], [], null]);
	assert.deepEqual(week.days.filter((d) => d.is_today).map((d) => d.date), [today.date]);
});

test("dashboard_get_agrees_with_the_week", async () => {
	const who = await alone();
	const [a, b] = [await who.made("/projects", { name: "A" }), await who.made("/projects", { name: "B", color: 5 })];
	await who.made("/time-entries", { started_at: ago(7200), ended_at: ago(3600), project_id: a.id });
	await who.made("/time-entries", { started_at: ago(3600), ended_at: ago(1800), project_id: b.id });
	await who.made("/time-entries", { started_at: ago(1800), ended_at: ago(1000) });
	const [board, week] = [await who.read("/dashboard"), await who.read("/week")];
	assert.deepEqual(board.week.days.map((d) => [d.date, d.total_s]), week.days.map((d) => [d.date, d.total_s]));
	assert.equal(board.week.total_s, week.total_s);
	assert.equal(sum(board.projects), board.week.total_s);
	assert.deepEqual(board.projects.map((p) => [p.id, p.total_s]), week.projects.map((p) => [p.project?.id ?? null, p.total_s]));
	assert.equal(sum(board.projects, "share"), 100);
	assert.equal(sum(board.today.segments, "duration_s"), board.today.total_s);
	for (const s of board.today.segments) assert.ok(s.start_s >= 0 && s.end_s > s.start_s && s.end_s <= board.today.length_s);
});

test("dashboard_get_shows_what_runs_and_six_different_works", async () => {
	const who = await alone();
	for (let i = 0; i < 8; i++)
		await who.made("/time-entries", { started_at: ago(90000 - 1000 * i), ended_at: ago(90000 - 1000 * i - 500), description: `work ${i % 7}` });
	const running = await who.made("/timer/start", { description: "now" });
	const board = await who.read("/dashboard");
	assert.deepEqual([board.running.id, board.running.running], [running.id, true]);
	assert.deepEqual(board.recent.map((r) => r.description), ["work 0", "work 6", "work 5", "work 4", "work 3", "work 2"]);
	took(await who.post("/timer/stop"));
	assert.equal((await who.read("/dashboard")).running, null);
});

test("dashboard_get_is_ones_own", async () => {
	const { owner, member } = await organization({ zone: "UTC" });
	await member.made("/time-entries", { started_at: ago(1200), ended_at: ago(600), description: uuid() });
	const board = await owner.read("/dashboard");
	assert.deepEqual([board.recent, board.projects, board.today.segments], [[], [], []]);
});
