// Notifications: told of what others did with one's time or role, by list and by mail, as the person wants it.
import { test } from "node:test";
import { until } from "../wait.js";
import { assert, http, mailTo, one, organization, person, refused, rows, signedIn, took, uuid } from "./support.js";

const { id: org, owner, manager, member } = await organization();
const hour = (h) => `2026-11-0${h}T10:00:00Z`;

async function entryOf(who, day, description) {
	const made = await who.post("/time-entries", { description, started_at: hour(day), ended_at: hour(day).replace("10:", "11:") });
	return took(made, 201).body;
}
const unread = async (who) => (await who.read("/notifications/unread")).count;

test("notifications_list_tells_what_somebody_else_did_with_ones_time", async () => {
	const entry = await entryOf(member, 1, "Mine");
	took(await member.patch(`/time-entries/${entry.id}`, { description: "Mine, changed by me" }));
	assert.equal(await unread(member), 0, "what one does oneself is no news");
	took(await manager.patch(`/time-entries/${entry.id}`, { description: "Changed" }));
	took(await manager.patch(`/time-entries/${entry.id}`, { description: "Changed again" }));
	const { data } = await member.read("/notifications?unread=true");
	assert.equal(data.length, 1, "once an hour for an entry");
	const { manager_name } = await one("SELECT name AS manager_name FROM data.members WHERE id = $1", manager.member_id);
	assert.deepEqual([data[0].kind, data[0].about.who, data[0].about.description, data[0].link], ["entry_changed", manager_name, "Changed", `/time-entries/${entry.id}`]);
	took(await manager.delete(`/time-entries/${entry.id}`), 204);
	const [latest] = (await member.read("/notifications")).data;
	assert.equal(latest.about.deleted, true, "a deletion is told of its own");
	assert.equal(await unread(manager), 0, "who did it is not told");
	assert.equal(await unread(owner), 0);
});

test("notifications_read_marks_one_and_unread_takes_it_back", async () => {
	const who = await signedIn(await person(org, "member"));
	const entry = await entryOf(who, 2, "Read me");
	took(await owner.patch(`/time-entries/${entry.id}`, { billable: true }));
	const [note] = (await who.read("/notifications")).data;
	const read = took(await who.post(`/notifications/${note.id}/read`)).body;
	assert.ok(read.read_at && !read.unread);
	assert.equal(took(await who.post(`/notifications/${note.id}/read`)).body.read_at, read.read_at, "read again is the same");
	assert.equal(await unread(who), 0);
	took(await who.post(`/notifications/${note.id}/unread`));
	assert.equal(await unread(who), 1);
	refused(await owner.post(`/notifications/${note.id}/read`), 404, "not_found");
	assert.equal(took(await who.post("/notifications/read-all")).body.count, 1);
	assert.equal(await unread(who), 0);
});

test("notifications_list_is_paged_newest_first", async () => {
	const who = await signedIn(await person(org, "member"));
	for (const day of [3, 4, 5]) took(await owner.patch(`/time-entries/${(await entryOf(who, day, `Day ${day}`)).id}`, { billable: true }));
	const first = await who.read("/notifications?limit=2");
	assert.deepEqual(first.data.map((n) => n.about.description), ["Day 5", "Day 4"]);
	const second = await who.read(`/notifications?limit=2&cursor=${first.next_cursor}`);
	assert.deepEqual(second.data.map((n) => n.about.description), ["Day 3"]);
	assert.equal(second.next_cursor, null);
});

test("notifications_prefer_decides_kind_by_kind", async () => {
	const who = await signedIn(await person(org, "member"));
	const before = (await who.read("/me/notification-preferences")).data;
	assert.deepEqual(before.map((p) => p.kind), ["entry_changed", "role_changed", "timer_long"], "kinds for owners are not offered to a member");
	assert.deepEqual(before[0], { kind: "entry_changed", in_app: true, mail: "daily" });
	assert.deepEqual(took(await who.patch("/me/notification-preferences/entry_changed", { in_app: false, mail: "off" })).body, { kind: "entry_changed", in_app: false, mail: "off" });
	assert.deepEqual(took(await who.patch("/me/notification-preferences/entry_changed", { mail: "daily" })).body, { kind: "entry_changed", in_app: false, mail: "daily" }, "what was not sent stays");
	took(await owner.patch(`/time-entries/${(await entryOf(who, 6, "Quiet")).id}`, { billable: true }));
	assert.equal(await unread(who), 0);
	const [row] = await rows("SELECT in_app, mail FROM data.notifications WHERE member_id = $1", who.member_id);
	assert.deepEqual(row, { in_app: false, mail: "pending" }, "it waits for the morning's mail");
	took(await who.patch("/me/notification-preferences/entry_changed", { mail: "off" }));
	took(await owner.patch(`/time-entries/${(await entryOf(who, 7, "Silent")).id}`, { billable: true }));
	assert.equal((await rows("SELECT 1 FROM data.notifications WHERE member_id = $1", who.member_id)).length, 1);
	refused(await who.patch("/me/notification-preferences/entry_changed", { mail: "hourly" }), 422, "choice", "mail");
	refused(await who.patch("/me/notification-preferences/webhook_disabled", { mail: "off" }), 404, "not_found");
	refused(await who.patch("/me/notification-preferences/nonsense", { mail: "off" }), 404, "not_found");
});

test("notifications_by_mail_are_gathered_and_sent_once", async () => {
	const who = await signedIn(await person(org, "member"));
	took(await who.patch("/me/notification-preferences/entry_changed", { mail: "at_once" }));
	for (const day of [1, 2]) took(await owner.patch(`/time-entries/${(await entryOf(who, day, `Mailed ${day}`)).id}`, { billable: true }));
	const jobs = await rows("SELECT id, due_at > now() AS later FROM jobs.jobs WHERE kind = 'notification.mail' AND args ->> 'member_id' = $1", who.member_id);
	assert.deepEqual(jobs.map((j) => j.later), [true], "one job, a moment later, for both");
	await rows("SELECT jobs.retry($1)", jobs[0].id); // now
	const mail = await mailTo(who.email);
	for (const day of [1, 2]) assert.match(mail, new RegExp(`“Mailed ${day}” of`));
	assert.match(mail, /^List-Unsubscribe-Post: List-Unsubscribe=One-Click\r$/m);
	await until("marked as mailed", async () => (await rows("SELECT mail FROM data.notifications WHERE member_id = $1", who.member_id)).every((n) => n.mail === "sent"));
	assert.deepEqual(await rows("SELECT state, tries FROM jobs.mails WHERE recipient = $1", who.email), [{ state: "sent", tries: 1 }]);
	// A run that is repeated (its worker was lost before it could settle) sends nothing again.
	await rows("UPDATE jobs.jobs SET state = 'waiting', finished_at = NULL, purge_at = NULL, due_at = now() WHERE id = $1", jobs[0].id);
	await rows("UPDATE data.notifications SET mail = 'pending' WHERE member_id = $1", who.member_id);
	await rows("SELECT pg_notify('jobs', '')");
	await until("run again", async () => (await rows("SELECT mail FROM data.notifications WHERE member_id = $1", who.member_id)).every((n) => n.mail === "sent"));
	assert.deepEqual(await rows("SELECT state, tries FROM jobs.mails WHERE recipient = $1", who.email), [{ state: "sent", tries: 1 }]);

	// The link of the mail stops mails, by a press or by the mail program, and does nothing else.
	const [, target] = /List-Unsubscribe:\s*<https?:\/\/[^/]+([^>]+)>/.exec(mail);
	assert.equal((await http("GET", target)).status, 200, "looking changes nothing");
	assert.equal((await who.read("/me/notification-preferences")).data[0].mail, "at_once");
	const form = { "content-type": "application/x-www-form-urlencoded" };
	assert.ok([400, 410, 422].includes((await http("POST", target.replace(/.$/, (c) => (c === "A" ? "B" : "A")), { headers: form, body: "List-Unsubscribe=One-Click" })).status), "a forged seal");
	assert.equal((await who.read("/me/notification-preferences")).data[0].mail, "at_once");
	assert.ok([200, 303].includes((await http("POST", target, { headers: form, body: "List-Unsubscribe=One-Click" })).status));
	assert.deepEqual((await who.read("/me/notification-preferences")).data.map((p) => p.mail), ["off", "off", "off"]);
	assert.deepEqual((await who.read("/me/notification-preferences")).data.map((p) => p.in_app), [true, true, true]);
});

test("notifications_tell_of_a_new_role", async () => {
	const who = await signedIn(await person(org, "member"));
	took(await owner.patch(`/members/${who.member_id}`, { role: "manager" }));
	const again = await signedIn(who);
	const [note] = (await again.read("/notifications")).data;
	assert.deepEqual([note.kind, note.about.role, note.about.was], ["role_changed", "manager", "member"]);
});

test("notifications_of_a_timer_that_was_forgotten_come_once", async () => {
	const who = await signedIn(await person(org, "member"));
	took(await who.post("/timer/start", { description: "Forgotten" }), 201);
	await rows("UPDATE data.time_entries SET started_at = now() - interval '11 hours' WHERE member_id = $1", who.member_id);
	for (let i = 0; i < 2; i++) await rows("SELECT app.timers_watch(10)");
	const { data } = await who.read("/notifications");
	assert.deepEqual(data.map((n) => [n.kind, n.about.description, n.link]), [["timer_long", "Forgotten", "/timer"]]);
});

test("notifications_stay_in_their_organization", async () => {
	const other = await organization();
	const [note] = (await member.read("/notifications")).data;
	refused(await other.owner.post(`/notifications/${note.id}/read`), 404, "not_found");
	assert.deepEqual((await other.owner.read("/notifications")).data, []);
	refused(await other.owner.post(`/notifications/${uuid()}/read`), 404, "not_found");
});
