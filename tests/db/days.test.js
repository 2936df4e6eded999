// Days, clocks and the nights on which clocks change: C3, C4 and C5, where they are decided.
import { after, test } from "node:test";
import { admin, assert, call, doc, done, entry, organization, read, refused } from "./support.js";

after(done);

const one = async (sql, values) => Object.values((await admin.query(sql, values)).rows[0])[0];

const LENGTHS = [
	["Europe/Berlin", "2026-03-29", 23],
	["Europe/Berlin", "2026-10-25", 25],
	["Europe/Berlin", "2026-06-01", 24],
	["America/New_York", "2026-03-08", 23],
	["America/New_York", "2026-11-01", 25],
	["Australia/Lord_Howe", "2026-04-05", 24.5],
	["Australia/Lord_Howe", "2026-10-04", 23.5],
	["Pacific/Apia", "2011-12-29", 24],
	["Pacific/Apia", "2011-12-30", 0],
	["Pacific/Apia", "2011-12-31", 24],
	["Africa/Cairo", "2026-04-24", 23],
	["America/Santiago", "2026-09-06", 23],
	["America/Santiago", "2026-04-04", 25],
	["America/Havana", "2026-11-01", 25], // 00:00 to 01:00 happens twice
	["America/St_Johns", "2006-10-29", 25], // set back from 00:01 to 23:01: midnight itself happens twice
	["America/Toronto", "1919-03-31", 23.5], // set forward from 23:30 to 00:30: the day begins at half past
];

test("how long a day is", async () => {
	for (const [zone, day, hours] of LENGTHS)
		assert.equal(await one("SELECT length_s FROM app.days($1::date, $1::date, $2)", [day, zone]), hours * 3600, `${zone} ${day}`);
});

test("days follow one another without a gap, in zones of every kind, through 2026", async () => {
	const zones = [...new Set(LENGTHS.map(([zone]) => zone)), "Asia/Kolkata", "Asia/Kathmandu", "Pacific/Kiritimati", "UTC", "Africa/Casablanca"];
	for (const zone of zones) {
		const { rows } = await admin.query(
			`SELECT count(*) FILTER (WHERE to_at <> next) AS gaps, sum(length_s) AS total,
				extract(epoch FROM max(to_at) - min(from_at))::bigint AS span,
				count(*) FILTER (WHERE length_s > 0 AND app.day_of(from_at, $1) <> day) AS astray
			FROM (SELECT *, lead(from_at) OVER (ORDER BY day) AS next FROM app.days('2026-01-01', '2026-12-31', $1)) AS d`,
			[zone],
		);
		assert.deepEqual([rows[0].gaps, rows[0].total, rows[0].astray], [0, rows[0].span, 0], zone);
	}
});

test("a day begins at its first instant, where midnight is missing and where it happens twice", async () => {
	const start = (day, zone) => one("SELECT app.instant(app.day_start($1::date, $2))", [day, zone]);
	assert.equal(await start("2026-04-24", "Africa/Cairo"), "2026-04-23T22:00:00Z");
	assert.equal(await start("2026-09-06", "America/Santiago"), "2026-09-06T04:00:00Z");
	assert.equal(await start("2026-11-01", "America/Havana"), "2026-11-01T04:00:00Z");
	assert.equal(await start("1919-03-31", "America/Toronto"), "1919-03-31T04:30:00Z");
});

const instant = (day, clock, zone, fold = null) =>
	one("SELECT app.instant(app.local_instant($1::date, $2::time, $3, $4, 'start'))", [day, clock, zone, fold]);
const refusal = async (promise) => {
	const e = await promise.then((v) => assert.fail(`expected a refusal, got ${v}`), (e) => e);
	return [e.message, e.detail, e.hint && JSON.parse(e.hint)];
};

test("a clock time that happens twice is asked back, and fold answers", async () => {
	assert.equal(await instant("2026-10-25", "01:59:59", "Europe/Berlin"), "2026-10-24T23:59:59Z");
	assert.deepEqual(await refusal(instant("2026-10-25", "02:30", "Europe/Berlin")), [
		"time_ambiguous", "start", { first: "2026-10-25T00:30:00Z", second: "2026-10-25T01:30:00Z" },
	]);
	assert.equal(await instant("2026-10-25", "02:30", "Europe/Berlin", "first"), "2026-10-25T00:30:00Z");
	assert.equal(await instant("2026-10-25", "02:30", "Europe/Berlin", "second"), "2026-10-25T01:30:00Z");
	assert.equal(await instant("2026-10-25", "03:00", "Europe/Berlin"), "2026-10-25T02:00:00Z");
	assert.equal((await refusal(instant("2026-04-05", "01:45", "Australia/Lord_Howe")))[0], "time_ambiguous");
	assert.equal(await instant("2026-04-05", "01:29", "Australia/Lord_Howe"), "2026-04-04T14:29:00Z");
});

test("a clock time that is skipped is refused, with its neighbours", async () => {
	assert.deepEqual(await refusal(instant("2026-03-29", "02:30", "Europe/Berlin")), [
		"time_missing", "start", { before: "2026-03-29T01:59:59", after: "2026-03-29T03:00:00" },
	]);
	assert.equal((await refusal(instant("2026-03-29", "02:30", "Europe/Berlin", "first")))[0], "time_missing");
	assert.equal(await instant("2026-03-29", "03:00", "Europe/Berlin"), "2026-03-29T01:00:00Z");
	assert.deepEqual((await refusal(instant("2026-10-04", "02:15", "Australia/Lord_Howe")))[2], { before: "2026-10-04T01:59:59", after: "2026-10-04T02:30:00" });
	assert.deepEqual((await refusal(instant("2026-04-24", "00:00", "Africa/Cairo")))[2], { before: "2026-04-23T23:59:59", after: "2026-04-24T01:00:00" });
	assert.deepEqual((await refusal(instant("2026-09-06", "00:30", "America/Santiago")))[2], { before: "2026-09-05T23:59:59", after: "2026-09-06T01:00:00" });
	assert.deepEqual((await refusal(instant("2011-12-30", "12:00", "Pacific/Apia")))[2], { before: "2011-12-29T23:59:59", after: "2011-12-31T00:00:00" });
	assert.equal((await refusal(instant("9999-01-01", "12:00", "UTC")))[0], "range");
});

test("every minute that exists is found again by its clock, and none other", async () => {
	// Each instant of the two days around each change, to the clock and back: plain ones come back, folded ones by fold.
	for (const [zone, from] of [["Europe/Berlin", "2026-10-24"], ["Europe/Berlin", "2026-03-28"], ["Australia/Lord_Howe", "2026-04-04"], ["Australia/Lord_Howe", "2026-10-03"], ["America/Havana", "2026-10-31"], ["Africa/Cairo", "2026-10-29"]])
		assert.equal(
			await one(
				`SELECT count(*) FROM generate_series(app.day_start($2::date, $1), app.day_start($2::date + 3, $1) - interval '1 minute', interval '15 minutes') AS t,
				LATERAL (SELECT (t AT TIME ZONE $1)::date AS d, (t AT TIME ZONE $1)::time AS c) AS l
				WHERE t NOT IN (app.local_instant(d, c, $1, 'first', 'f'), app.local_instant(d, c, $1, 'second', 'f'))`,
				[zone, from],
			),
			0,
			zone,
		);
});

test("00:30 to 04:30 in Berlin is three hours or five on those nights", async () => {
	const { member } = await organization();
	const made = (day) => entry(member, { day, start: "00:30:00", end: "04:30:00" });
	assert.equal((await made("2026-03-29")).duration_s, 3 * 3600);
	assert.equal((await made("2026-10-25")).duration_s, 5 * 3600);
	await refused(call(member, "time_entries_create", { input: { day: "2026-10-25", start: "02:30:00", end: "06:00:00" } }), "time_ambiguous", "start");
	await refused(call(member, "time_entries_create", { input: { day: "2026-03-29", start: "01:00:00", end: "02:30:00" } }), "time_missing", "end");
});

test("on those nights too, editing one end never moves the other, and a fold survives an edit of something else", async () => {
	const { member } = await organization();
	const e = await entry(member, { day: "2026-10-25", start: "02:30:00", start_fold: "second", end: "04:30:00" });
	assert.equal(e.started_at, "2026-10-25T01:30:00Z");
	const edit = (input) => doc(member, "time_entries_update", { time_entry_id: e.id, input });
	let now = await edit({ day: "2026-10-25", start: "02:30:00", end: "04:45:00", end_day: "2026-10-25" });
	assert.deepEqual([now.started_at, now.ended_at], ["2026-10-25T01:30:00Z", "2026-10-25T03:45:00Z"]);
	now = await edit({ start: "02:30:00", start_fold: "first" });
	assert.deepEqual([now.started_at, now.ended_at], ["2026-10-25T00:30:00Z", "2026-10-25T03:45:00Z"]);
	now = await edit({ end: "05:00:00" });
	assert.deepEqual([now.started_at, now.ended_at], ["2026-10-25T00:30:00Z", "2026-10-25T04:00:00Z"]);
	await refused(call(member, "time_entries_update", { time_entry_id: e.id, input: { start: "02:45:00" } }), "time_ambiguous", "start");
});

test("day parts add up to the raw seconds, whatever they cross", async () => {
	const crossings = [
		["midnight", "Europe/Berlin", "2026-06-01T20:00:00Z", "2026-06-02T01:00:00Z", 2],
		["the night of 23 hours", "Europe/Berlin", "2026-03-28T20:00:00Z", "2026-03-29T20:00:00Z", 2],
		["the night of 25 hours", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-26T12:00:00Z", 3],
		["the end of a month", "America/New_York", "2026-01-31T20:00:00Z", "2026-02-01T20:00:00Z", 2],
		["a leap day", "Asia/Kolkata", "2028-02-28T12:00:00Z", "2028-03-01T12:00:00Z", 3],
		["26 hours", "Australia/Lord_Howe", "2026-04-04T06:00:00Z", "2026-04-05T08:00:00Z", 2],
		["the day that was not", "Pacific/Apia", "2011-12-30T08:00:00Z", "2011-12-30T12:00:00Z", 2],
		["a missing midnight", "Africa/Cairo", "2026-04-23T20:00:00Z", "2026-04-24T20:00:00Z", 2],
		["a doubled midnight", "America/St_Johns", "2006-10-28T12:00:00Z", "2006-10-30T12:00:00Z", 3],
		["31 days", "Europe/Berlin", "2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z", 32],
	];
	for (const [what, zone, from, to, parts] of crossings) {
		const { rows } = await admin.query(
			"SELECT count(*) AS parts, sum(part_s) AS total, bool_and(part_s > 0) AS whole, count(DISTINCT day) AS days FROM app.day_parts($1, $2, $3)",
			[from, to, zone],
		);
		assert.deepEqual(rows[0], { parts, total: (Date.parse(to) - Date.parse(from)) / 1000, whole: true, days: parts }, what);
	}
});

test("day parts add up for random entries in random zones", async () => {
	const { rows } = await admin.query(`
		WITH tries AS (
			SELECT z.name AS zone, f.at AS from_at, f.at + make_interval(secs => 1 + (hashtext(z.name || n) & 1048575)) AS to_at
			FROM (SELECT name FROM pg_timezone_names WHERE name ~ '^[A-Z][a-z]+/' ORDER BY md5(name) LIMIT 60) AS z,
				generate_series(1, 20) AS n,
				LATERAL (SELECT timestamptz '2024-01-01Z' + make_interval(secs => hashtext(n || z.name) & 134217727) AS at) AS f)
		SELECT zone, from_at, to_at FROM tries
		WHERE (SELECT sum(part_s) FROM app.day_parts(from_at, to_at, zone)) <> extract(epoch FROM to_at - from_at)`);
	assert.deepEqual(rows, []);
});

test("week and list say the same, also in the weeks with changes, and an entry over midnight stands on both days", async () => {
	for (const [zone, sunday] of [["Europe/Berlin", "2026-03-29"], ["Europe/Berlin", "2026-10-25"], ["Australia/Lord_Howe", "2026-04-05"], ["Africa/Cairo", "2026-04-24"], ["America/Santiago", "2026-09-06"]]) {
		const { owner } = await organization({ roles: ["owner"], zone });
		await entry(owner, { started_at: `${sunday}T00:00:00Z`, ended_at: `${sunday}T23:00:00Z` });
		const before = new Date(Date.parse(sunday) - 86400e3).toISOString().slice(0, 10);
		await entry(owner, { started_at: `${before}T20:00:00Z`, ended_at: `${before}T23:30:00Z`, description: "Night" });
		const week = await read(owner, "week_get", { date: sunday });
		const length = week.days.reduce((sum, d) => sum + d.length_s, 0);
		const expected = await one("SELECT extract(epoch FROM app.day_start($2::date + 7, $1) - app.day_start($2::date, $1))::int", [zone, week.from]);
		assert.equal(length, expected);
		const parts = week.days.flatMap((d) => d.entries.map((e) => e.part_s)).reduce((a, b) => a + b, 0);
		const { data } = await read(owner, "time_entries_list", {});
		const total = data.reduce((sum, e) => sum + e.duration_s, 0);
		const outside = total - parts;
		if (outside === 0) assert.equal(week.total_s, total);
		assert.equal(week.days.reduce((sum, d) => sum + d.total_s, 0), week.total_s);
		assert.equal(week.total_s, parts);
		assert.equal(week.projects.reduce((sum, p) => sum + p.total_s, 0), week.total_s);
		for (const d of week.days) assert.ok(d.total_s <= d.length_s, `${zone} ${d.date}: no more than the day is long`);
	}
	const { member } = await organization();
	const night = await entry(member, { day: "2026-06-03", start: "22:00:00", end: "02:00:00", end_day: "2026-06-04" });
	const week = await read(member, "week_get", { date: "2026-06-03" });
	const on = (date) => week.days.find((d) => d.date === date);
	assert.deepEqual([on("2026-06-03").total_s, on("2026-06-04").total_s], [7200, 7200]);
	assert.deepEqual(on("2026-06-03").entries.map((e) => [e.id, e.part_s, e.continues_before, e.continues_after]), [[night.id, 7200, false, true]]);
	assert.deepEqual(on("2026-06-04").entries.map((e) => [e.id, e.part_s, e.continues_before, e.continues_after]), [[night.id, 7200, true, false]]);
	const page = await read(member, "timer_page", {});
	assert.deepEqual(page.days.map((d) => [d.date, d.total_s]), [["2026-06-04", 7200], ["2026-06-03", 7200]]);
});

test("a week begins where its person has it begin", async () => {
	const { member } = await organization();
	for (const [start, from] of [[1, "2026-06-01"], [7, "2026-05-31"], [6, "2026-05-30"]]) {
		await call(member, "me_update", { input: { week_start: start } });
		assert.equal((await read(member, "week_get", { date: "2026-06-03" })).from, from);
	}
});

test("a running timer counts up to now, on the dashboard and in the week, and over midnight on both days", async () => {
	const { member } = await organization({ zone: "UTC" });
	const hours = new Date().getUTCHours() + 2;
	await doc(member, "timer_start", { input: { started_at: new Date(Date.now() - hours * 3600e3).toISOString() } });
	const now = await read(member, "dashboard_get", {});
	const since = Math.floor((Date.now() - Date.parse(`${now.today.date}T00:00:00Z`)) / 1000);
	assert.ok(Math.abs(now.today.total_s - since) <= 2, `${now.today.total_s} ${since}`);
	assert.equal(now.today.segments.length, 1);
	assert.deepEqual([now.today.segments[0].start_s, now.today.segments[0].running], [0, true]);
	assert.ok(Math.abs(now.running.duration_s - hours * 3600) <= 3);
	const shares = now.projects.map((p) => p.share);
	assert.equal(shares.reduce((a, b) => a + b, 0), 100);
});

test("shares are whole percents that add up to 100", async () => {
	const shares = (list) => one("SELECT app.shares($1::bigint[])", [list]);
	assert.deepEqual(await shares([1, 1, 1]), [34, 33, 33]);
	assert.deepEqual(await shares([2, 1]), [67, 33]);
	assert.deepEqual(await shares([100000, 1]), [100, 0]);
	assert.deepEqual(await shares([7]), [100]);
});

test("timer_page pages by days, folds what is equal and misses nothing", async () => {
	const { member } = await organization();
	for (let i = 1; i <= 20; i++) {
		const day = `2026-05-${String(i).padStart(2, "0")}`;
		await entry(member, { day, start: "09:00:00", end: "10:00:00", description: "Same" });
		await entry(member, { day, start: "11:00:00", end: "11:30:00", description: "Same" });
		await entry(member, { day, start: "12:00:00", end: "12:15:00", description: "Other" });
	}
	await entry(member, { day: "2026-05-30", start: "09:00:00", end: "17:00:00", type: "break" });
	const first = await read(member, "timer_page", {});
	assert.equal(first.days.length, 7);
	assert.deepEqual([first.days[0].date, first.days[0].total_s], ["2026-05-30", 0], "breaks are shown and not counted");
	assert.deepEqual(first.days[1].groups.map((g) => [g.description, g.count, g.many, g.total_s, g.entries.length]), [["Other", 1, false, 900, 1], ["Same", 2, true, 5400, 2]]);
	const second = await read(member, "timer_page", { before: first.older });
	assert.deepEqual([second.days.length, second.days[0].date], [7, "2026-05-14"]);
	const rest = await read(member, "timer_page", { before: second.older });
	assert.deepEqual([rest.days.length, rest.older, rest.days[0].date], [7, null, "2026-05-07"]);
});
