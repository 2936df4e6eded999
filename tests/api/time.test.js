// Days that are not 24 hours long, through the API: what the week shows of them, what an entry over such a night is worth,
// and that the parts of every entry add up to it.
import { test } from "node:test";
import { ago, assert, http, one, organization, refused, seconds, took, uuid } from "./support.js";
import { session as browser } from "./routes.js";

const { owner } = await organization({ roles: ["owner"], policy: "allow" });
const hours = (h) => h * 3600;
const inZone = (zone, more = {}) => owner.patch("/me", { zone, ...more }).then((reply) => took(reply));
const dayOf = async (date) => (await owner.read(`/week?date=${date}`)).days.find((d) => d.date === date);

const lengths = [
	["Europe/Berlin", "2026-03-29", 23],
	["Europe/Berlin", "2026-10-25", 25],
	["America/New_York", "2026-03-08", 23],
	["America/New_York", "2026-11-01", 25],
	["Australia/Lord_Howe", "2026-04-05", 24.5],
	["Australia/Lord_Howe", "2026-10-04", 23.5],
	["Pacific/Apia", "2011-12-30", 0],
	["Africa/Cairo", "2026-04-24", 23],
	["America/Santiago", "2026-09-06", 23],
	["Europe/Berlin", "2024-02-29", 24],
	["Asia/Kolkata", "2026-03-29", 24],
];
for (const [zone, date, length] of lengths)
	test(`week_get_of_${zone}_knows_${date}_is_${length}_h`, async () => {
		await inZone(zone);
		const week = await owner.read(`/week?date=${date}`);
		assert.equal(week.days.length, 7);
		assert.equal(week.days.find((d) => d.date === date).length_s, hours(length));
		for (const day of week.days) if (day.date !== date) assert.equal(day.length_s, hours(24), day.date);
	});

// What JavaScript's own zones say of midnight, to hold the day bounds against: the instant at which a local date begins.
function begins(date, zone) {
	const format = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short" });
	let [low, high] = [Date.parse(`${date}T00:00:00Z`) - 36 * 3600_000, Date.parse(`${date}T00:00:00Z`) + 36 * 3600_000];
	while (high - low > 1000) {
		const middle = Math.floor((low + high) / 2000) * 1000;
		if (format.format(middle) >= date) high = middle;
		else low = middle;
	}
	return high;
}
const next = (date) => new Date(Date.parse(`${date}T00:00:00Z`) + 86400_000).toISOString().slice(0, 10);

for (const [zone, date] of lengths)
	test(`week_get_of_${zone}_cuts_an_entry_over_${date}_at_its_midnights`, async () => {
		await inZone(zone);
		const [from, to] = [begins(date, zone) - 5400_000, begins(next(date), zone) + 9000_000];
		const at = (ms) => new Date(ms).toISOString().replace(".000", "");
		const entry = await owner.made("/time-entries", { started_at: at(from), ended_at: at(to) });
		const weeks = [await owner.read(`/week?date=${date}`)];
		weeks.push(await owner.read(`/week?date=${weeks[0].previous}`), await owner.read(`/week?date=${weeks[0].next}`));
		const parts = weeks.flatMap((w) => w.days.flatMap((d) => d.entries.filter((e) => e.id === entry.id).map((e) => [d.date, e.part_s])));
		assert.equal(parts.reduce((n, [, s]) => n + s, 0), entry.duration_s, JSON.stringify(parts));
		assert.equal(entry.duration_s, (to - from) / 1000);
		const middle = (begins(next(date), zone) - begins(date, zone)) / 1000;
		assert.equal(parts.find(([d]) => d === date)?.[1] ?? 0, middle);
		took(await owner.delete(`/time-entries/${entry.id}`), 204);
	});

test("time_entries_from_0030_to_0430_in_Berlin_are_3_or_5_hours_on_those_nights", async () => {
	await inZone("Europe/Berlin");
	for (const [from, to, length] of [
		["2026-03-29T00:30:00+01:00", "2026-03-29T04:30:00+02:00", 3],
		["2026-10-25T00:30:00+02:00", "2026-10-25T04:30:00+01:00", 5],
		["2026-06-07T00:30:00+02:00", "2026-06-07T04:30:00+02:00", 4],
	]) {
		const entry = await owner.made("/time-entries", { started_at: from, ended_at: to });
		assert.equal(entry.duration_s, hours(length));
		const day = await dayOf(from.slice(0, 10));
		assert.equal(day.total_s, hours(length));
		const moved = took(await owner.patch(`/time-entries/${entry.id}`, { started_at: new Date(Date.parse(from) - 1800_000).toISOString() })).body;
		assert.equal(Date.parse(moved.ended_at), Date.parse(to), "editing one end never moves the other");
		assert.equal(moved.duration_s, hours(length) + 1800);
		took(await owner.delete(`/time-entries/${entry.id}`), 204);
	}
});

// Clock times are what people type: these go in by the form of the page.
async function typed(fields) {
	const { cookie, csrf } = await browser(owner);
	const id = uuid();
	const body = new URLSearchParams({ csrf, id, ...fields });
	const reply = await http("POST", "/time-entries", { headers: { cookie }, body });
	const row = await one("SELECT app.instant(started_at) AS started_at, app.instant(ended_at) AS ended_at FROM data.time_entries WHERE id = $1", id);
	return { status: reply.status, text: reply.text, row };
}

test("time_entries_create_page_takes_clock_times_of_those_nights", async () => {
	await inZone("Europe/Berlin");
	for (const [day, length] of [["2026-03-29", 3], ["2026-10-25", 5], ["2026-06-14", 4]]) {
		const { status, row, text } = await typed({ day, start: "00:30", end: "04:30" });
		assert.equal(status, 303, text.slice(0, 500));
		assert.equal(seconds(row.started_at, row.ended_at), hours(length), day);
	}
});

test("time_entries_create_page_refuses_a_time_that_does_not_exist", async () => {
	await inZone("Europe/Berlin");
	const { status, row, text } = await typed({ day: "2026-03-29", start: "02:30", end: "05:00" });
	assert.equal(status, 422);
	assert.equal(row, undefined, "nothing is stored");
	assert.match(text, /does not exist|Clocks went forward/);
});

test("time_entries_create_page_asks_which_of_two_times_is_meant", async () => {
	await inZone("Europe/Berlin");
	const asked = await typed({ day: "2026-10-25", start: "02:30", end: "05:00" });
	assert.equal(asked.status, 422);
	assert.equal(asked.row, undefined);
	assert.match(asked.text, /happens twice|Clocks went back/);
	const first = await typed({ day: "2026-10-25", start: "02:30", end: "05:00", start_fold: "first" });
	const second = await typed({ day: "2026-10-25", start: "02:30", end: "05:00", start_fold: "second" });
	assert.deepEqual([first.row.started_at, second.row.started_at], ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"]);
	assert.equal(first.row.ended_at, "2026-10-25T04:00:00Z");
});

test("timer_of_26_hours_adds_up_over_its_days", async () => {
	for (const zone of ["Europe/Berlin", "Pacific/Auckland", "America/Los_Angeles"]) {
		const { owner: alone } = await organization({ roles: ["owner"], zone });
		await alone.made("/timer/start", { started_at: ago(hours(26)) });
		const entry = took(await alone.post("/timer/stop")).body;
		assert.ok(Math.abs(entry.duration_s - hours(26)) < 10);
		const week = await alone.read("/week");
		const before = await alone.read(`/week?date=${week.previous}`);
		const parts = [...before.days, ...week.days].flatMap((d) => d.entries.map((e) => e.part_s));
		assert.ok(parts.length >= 2);
		assert.equal(parts.reduce((a, b) => a + b, 0), entry.duration_s);
		assert.equal(before.total_s + week.total_s, entry.duration_s);
	}
});

test("time_entries_over_a_month_end_a_year_end_and_a_leap_day_add_up", async () => {
	await inZone("Europe/Berlin");
	for (const [from, to, days] of [
		["2024-02-28T20:00:00Z", "2024-03-01T05:00:00Z", ["2024-02-28", "2024-02-29", "2024-03-01"]],
		["2025-12-31T20:00:00Z", "2026-01-01T05:00:00Z", ["2025-12-31", "2026-01-01"]],
		["2025-04-30T12:00:00Z", "2025-05-02T12:00:01Z", ["2025-04-30", "2025-05-01", "2025-05-02"]],
	]) {
		const entry = await owner.made("/time-entries", { started_at: from, ended_at: to });
		let total = 0;
		for (const date of days) total += (await dayOf(date)).entries.find((e) => e.id === entry.id).part_s;
		assert.equal(total, entry.duration_s);
		took(await owner.delete(`/time-entries/${entry.id}`), 204);
	}
});

test("time_entries_are_at_most_31_days_and_at_least_a_second", async () => {
	await inZone("UTC");
	refused(await owner.post("/time-entries", { started_at: "2025-01-01T00:00:00Z", ended_at: "2025-02-01T00:00:01Z" }), 422, "entry_too_long", "ended_at");
	took(await owner.post("/time-entries", { started_at: "2025-01-01T00:00:00Z", ended_at: "2025-02-01T00:00:00Z" }), 201);
	refused(await owner.post("/time-entries", { started_at: "2025-03-01T00:00:00.1Z", ended_at: "2025-03-01T00:00:00.9Z" }), 422, "end_before_start", "ended_at");
	took(await owner.post("/time-entries", { started_at: "2025-03-01T00:00:00Z", ended_at: "2025-03-01T00:00:01Z" }), 201);
});

test("dashboard_get_of_today_is_as_long_as_the_weeks_today", async () => {
	for (const zone of ["Europe/Berlin", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Australia/Lord_Howe"]) {
		await inZone(zone);
		const [{ today }, week] = [await owner.read("/dashboard"), await owner.read("/week")];
		const day = week.days.find((d) => d.is_today);
		assert.deepEqual([today.date, today.length_s], [day.date, day.length_s]);
	}
});
