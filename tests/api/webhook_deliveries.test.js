// Deliveries, with a real receiver on loopback (which the test stack allows): signed, again after failures, once each.
// Nobody waits three days here: when the next attempt is due stands in the tables, and is read and moved there.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { until } from "../wait.js";
import { assert, instant, mailTo, one, organization, refused, root, rows, took, uuid } from "./support.js";
import { attempted, deliveriesOf, deliveryOf, hurry, jobOf, receiver, signedBy } from "./receiver.js";

const { owner, id: org } = await organization();
const hookAt = (url, more = {}) => owner.made("/webhooks", { url, events: ["webhook.purge"], ...more });
const ping = (hook) => owner.made(`/webhooks/${hook.id}/ping`, undefined, 200);
const tag = () => owner.made("/tags", { name: `Tag ${uuid()}` });
const rests = [10, 50, 240, 600, 2700, 3600, 7200, 14400, 28800, 43200, 72000, 86400];

test("deliveries_tell_what_happened_signed_and_with_the_document_of_the_api", async () => {
	const there = await receiver(() => ({ status: 200, body: "thanks" }));
	const hook = await hookAt(there.url, { events: ["tag.*"] });
	const made = await tag();
	await owner.made("/clients", { name: `Client ${uuid()}` });
	const [call] = await until("a call", () => there.calls.length && there.calls);
	assert.deepEqual([call.method, call.path, call.headers["content-type"], call.headers["user-agent"]], ["POST", "/hook", "application/json", "Stint-Webhooks"]);
	assert.equal(signedBy(hook.secret, call), 1);
	assert.equal(call.headers["webhook-signature"].split(" ").length, 1);
	assert.ok(Math.abs(Number(call.headers["webhook-timestamp"]) - Date.now() / 1000) < 120);
	const said = JSON.parse(call.text);
	const event = await one("SELECT position, at FROM data.events WHERE row_id = $1", made.id);
	assert.deepEqual(said, {
		type: "tag.create", timestamp: instant(Math.floor(Date.parse(event.at) / 1000) * 1000),
		data: { noun: "tag", id: made.id, action: "create", position: event.position, organization_id: org, document: made },
	});
	const id = call.headers["webhook-id"];
	const d = await attempted(id, 1);
	assert.deepEqual([d.state, d.attempts, d.last_status, d.last_error, d.answer, d.request, d.position], ["delivered", 1, 200, null, "thanks", call.text, event.position]);
	const { data } = await owner.read(`/webhooks/${hook.id}/deliveries`);
	assert.deepEqual(data.map((x) => [x.id, x.type, x.state, x.took_ms >= 0]), [[id, "tag.create", "delivered", true]]);
	assert.deepEqual([(await owner.read(`/webhooks/${hook.id}/deliveries/${id}`)).answer, (await owner.read(`/webhooks/${hook.id}`)).health], ["thanks", "good"]);
	// Of what is gone there is no document.
	took(await owner.delete(`/tags/${made.id}`), 204);
	await until("the second call", () => there.calls.length === 2);
	const gone = JSON.parse(there.calls[1].text);
	assert.deepEqual([gone.type, gone.data.document], ["tag.delete", null]);
	took(await owner.patch(`/webhooks/${hook.id}`, { active: false }));
	await there.close();
});

test("deliveries_of_every_noun_carry_its_document", async () => {
	const there = await receiver();
	const mine = await organization({ roles: ["owner", "member"] });
	const hook = await mine.owner.made("/webhooks", { url: there.url, events: ["*"] });
	const client = await mine.owner.made("/clients", { name: "C" });
	const project = await mine.owner.made("/projects", { name: "P", client_id: client.id });
	const entry = await mine.owner.made("/time-entries", { started_at: "2026-03-02T08:00:00Z", ended_at: "2026-03-02T09:00:00Z", project_id: project.id });
	took(await mine.owner.patch(`/members/${mine.member.member_id}`, { role: "manager" }));
	took(await mine.owner.patch("/organization", { name: "Renamed" }));
	const last = await until("the last event", async () => there.calls.some((c) => c.text.includes('"organization.update"')) && there.calls);
	await until("all of them", async () => (await deliveriesOf(hook.id)).every((d) => d.state === "delivered"));
	const by = Object.fromEntries(there.calls.map((c) => JSON.parse(c.text)).map((s) => [s.type, s.data.document]));
	// Documents are of the moment of sending: what is counted in them may have been less then.
	assert.deepEqual({ ...by["project.create"], tracked_s: 3600 }, await mine.owner.read(`/projects/${project.id}`));
	assert.deepEqual({ ...by["client.create"], project_count: 1 }, await mine.owner.read(`/clients/${client.id}`));
	assert.deepEqual(by["time_entry.create"], await mine.owner.read(`/time-entries/${entry.id}`));
	assert.deepEqual(by["member.update"], await mine.owner.read(`/members/${mine.member.member_id}`));
	assert.deepEqual(by["organization.update"], await mine.owner.read("/organization"));
	assert.equal(by["webhook.create"].id, hook.id);
	assert.ok(!Object.keys(by).some((type) => type.startsWith("notification")), "what is a person's own is told to nobody");
	for (const call of last) assert.equal(signedBy(hook.secret, call), 1);
	took(await mine.owner.delete(`/webhooks/${hook.id}`), 204);
	await there.close();
});

test("deliveries_carry_two_signatures_while_a_secret_is_replaced", async () => {
	const there = await receiver();
	const hook = await hookAt(there.url);
	const next = took(await owner.post(`/webhooks/${hook.id}/rotate-secret`, {})).body;
	await attempted((await ping(hook)).id, 1);
	assert.deepEqual([signedBy(hook.secret, there.calls[0]), signedBy(next.secret, there.calls[0])], [1, 1]);
	assert.equal(there.calls[0].headers["webhook-signature"].split(" ").length, 2);
	await rows("UPDATE data.webhook_states SET old_secret_until = now() - interval '1 second' WHERE webhook_id = $1", hook.id);
	await attempted((await ping(hook)).id, 1);
	assert.deepEqual([signedBy(hook.secret, there.calls[1]), signedBy(next.secret, there.calls[1])], [0, 1]);
	await there.close();
});

test("deliveries_are_tried_again_for_three_days_and_then_failed", async () => {
	const there = await receiver(() => ({ status: 500, body: "no" }));
	const hook = await hookAt(there.url);
	const { id } = await ping(hook);
	assert.equal(rests.reduce((a, b) => a + b), 3 * 86400);
	for (const [i, rest] of rests.entries()) {
		const d = await attempted(id, i + 1);
		const job = await jobOf(id);
		assert.deepEqual([d.state, d.attempts, d.last_status, d.last_error, d.answer], ["waiting", i + 1, 500, "status", "no"]);
		for (const at of [d.next_at, job.due_at]) {
			const left = (Date.parse(at) - Date.now()) / 1000;
			assert.ok(left > rest * 0.9 - 30 && left <= rest * 1.1 + 1, `attempt ${i + 1}: ${left} s, wanted about ${rest}`);
		}
		await hurry(id);
	}
	const d = await attempted(id, rests.length + 1);
	assert.deepEqual([d.state, d.attempts, d.next_at, there.calls.length], ["failed", 13, null, 13]);
	assert.equal(new Set(there.calls.map((c) => c.headers["webhook-id"])).size, 1, "one id for all attempts");
	assert.equal((await owner.read(`/webhooks/${hook.id}`)).health, "failing");
	// Again by hand, under the same id; one success and all is well.
	there.answer = () => ({ status: 202 });
	assert.equal(took(await owner.post(`/webhooks/${hook.id}/deliveries/${id}/replay`)).body.state, "waiting");
	const again = await attempted(id, 14);
	assert.deepEqual([again.state, there.calls[13].headers["webhook-id"]], ["delivered", id]);
	assert.equal((await owner.read(`/webhooks/${hook.id}`)).health, "good");
	await there.close();
});

test("deliveries_that_wait_are_not_replayed_twice", async () => {
	const there = await receiver(() => ({ status: 500 }));
	const hook = await hookAt(there.url);
	const { id } = await ping(hook);
	await attempted(id, 1);
	refused(await owner.post(`/webhooks/${hook.id}/deliveries/${id}/replay`), 409, "delivery_waiting");
	refused(await owner.post(`/webhooks/${hook.id}/deliveries/${uuid()}/replay`), 404, "not_found");
	refused(await owner.post(`/webhooks/${(await hookAt(there.url)).id}/deliveries/${id}/replay`), 404, "not_found");
	await there.close();
});

test("deliveries_heed_retry_after_within_bounds", async () => {
	const there = await receiver();
	const hook = await hookAt(there.url);
	const tries = [["429", "100", 100], ["503", "999999", 21600], ["503", new Date(Date.now() + 300e3).toUTCString(), 300], ["429", "1", 10], ["500", "3600", 10], ["503", "soon", 10]];
	for (const [status, after, wanted] of tries) {
		there.answer = () => ({ status: Number(status), headers: { "retry-after": after } });
		const { id } = await ping(hook);
		const left = (Date.parse((await attempted(id, 1)).next_at) - Date.now()) / 1000;
		assert.ok(left > wanted * 0.9 - 30 && left <= wanted * 1.1 + 1, `${status} ${after}: ${left} s, wanted ${wanted}`);
	}
	await there.close();
});

test("deliveries_say_in_a_word_why_they_failed", async () => {
	const there = await receiver();
	const hook = await hookAt(there.url);
	const failing = async (answer) => {
		there.answer = answer;
		return attempted((await ping(hook)).id, 1);
	};
	assert.deepEqual([(await failing(() => "cut")).last_error, (await failing(() => ({ status: 404 }))).last_error], ["broken", "status"]);
	const slow = await failing(() => "hang");
	assert.deepEqual([slow.last_error, slow.last_status, slow.answer, slow.took_ms >= 9000], ["timeout", null, null, true]);
	const away = await failing(() => ({ status: 302, headers: { location: there.url.replace("/hook", "/elsewhere") } }));
	assert.deepEqual([away.last_error, away.last_status], ["redirected", 302]);
	assert.ok(!there.calls.some((c) => c.path === "/elsewhere"), "a redirect is not followed");
	await there.close();
	assert.equal((await attempted((await ping(hook)).id, 1)).last_error, "connect");
});

test("deliveries_judge_the_address_when_they_call", async () => {
	const there = await receiver();
	const hook = await hookAt(there.url);
	// Nothing can be saved that plainly leads inside; what is there all the same (a name that turned, say) is not called.
	for (const inside of ["http://10.0.0.1/", "http://169.254.169.254/latest/meta-data/", "http://[fe80::1]/", "http://192.168.0.1:80/", `http://0.0.0.0:${there.port}/`, `http://[::ffff:127.0.0.1]:${there.port}/`]) {
		await rows("UPDATE data.webhooks SET url = $2 WHERE id = $1", hook.id, inside);
		const d = await attempted((await ping(hook)).id, 1);
		assert.deepEqual([d.last_error, d.last_status, d.state], ["refused_address", null, "waiting"], inside);
	}
	assert.equal(there.calls.length, 0);
	await there.close();
});

test("deliveries_keep_at_most_a_kibibyte_of_an_answer_and_any_bytes", async () => {
	const there = await receiver();
	const hook = await hookAt(there.url);
	const answered = async (body, status = 200) => {
		there.answer = () => ({ status, body });
		return attempted((await ping(hook)).id, 1);
	};
	const big = await answered("é".repeat(3_000_000));
	assert.deepEqual([big.state, big.answer], ["delivered", "é".repeat(512)]);
	assert.equal((await answered("x".repeat(1024))).answer.length, 1024);
	const odd = await answered(Buffer.from([0x61, 0, 0xff, 0xc3, 0x62, 0xed, 0xa0, 0x80]));
	assert.equal(odd.answer, "a\ufffd\ufffd\ufffdb\ufffd\ufffd\ufffd");
	assert.equal((await answered("y".repeat(5000), 500)).last_error, "status");
	await there.close();
});

test("deliveries_stop_when_the_endpoint_says_it_is_gone", async () => {
	const mine = await organization({ roles: ["owner"] });
	const there = await receiver(() => ({ status: 410 }));
	const hook = await mine.owner.made("/webhooks", { url: there.url, events: ["tag.*"] });
	await mine.owner.made("/tags", { name: "One" });
	await until("the end", async () => !(await mine.owner.read(`/webhooks/${hook.id}`)).active);
	const now = await mine.owner.read(`/webhooks/${hook.id}`);
	assert.deepEqual([now.health, now.disabled_reason], ["off", "gone"]);
	assert.equal((await deliveriesOf(hook.id))[0].state, "failed");
	const event = await one("SELECT member_id, after FROM data.events WHERE row_id = $1 AND action = 'update'", hook.id);
	assert.deepEqual(event, { member_id: null, after: { active: false, disabled_reason: "gone" } });
	const told = await one("SELECT about, link FROM data.notifications WHERE organization_id = $1 AND kind = 'webhook_disabled'", mine.id);
	assert.deepEqual(told, { about: { webhook_id: hook.id, url: there.url, gone: true }, link: `/settings/webhooks/${hook.id}` });
	const [mail] = await rows("UPDATE jobs.jobs SET due_at = now() WHERE organization_id = $1 AND kind = 'notification.mail' AND state = 'waiting' RETURNING args", mine.id);
	assert.deepEqual(mail.args, { member_id: mine.owner.member_id });
	await rows("SELECT pg_notify('jobs', '')");
	assert.match(await mailTo(mine.owner.email), /switched off/);
	await mine.owner.made("/tags", { name: "Two" });
	// Before and after are told by positions, which come a moment after the commit.
	await until("it has its position", async () => !(await one("SELECT FROM data.events WHERE organization_id = $1 AND position IS NULL", mine.id)));
	// A ping by hand goes out all the same; on again, it hears of what comes then.
	there.answer = () => ({ status: 200 });
	await attempted((await mine.owner.made(`/webhooks/${hook.id}/ping`, undefined, 200)).id, 1);
	took(await mine.owner.patch(`/webhooks/${hook.id}`, { active: true }));
	await mine.owner.made("/tags", { name: "Three" });
	await until("the third tag", () => there.calls.some((c) => c.text.includes("Three")));
	assert.ok(!there.calls.some((c) => c.text.includes("Two")));
	await there.close();
});

test("deliveries_that_wait_are_cancelled_when_the_endpoint_is_off", async () => {
	const mine = await organization({ roles: ["owner"] });
	const there = await receiver(() => ({ status: 500 }));
	const hook = await mine.owner.made("/webhooks", { url: there.url, events: ["tag.*"] });
	await mine.owner.made("/tags", { name: "One" });
	const [d] = await until("a delivery", async () => { const all = await deliveriesOf(hook.id); return all.length && all; });
	await attempted(d.id, 1);
	took(await mine.owner.patch(`/webhooks/${hook.id}`, { active: false }));
	await hurry(d.id);
	const after = await until("its end", async () => { const x = await deliveryOf(d.id); return x.state !== "waiting" && x; });
	assert.deepEqual([after.state, after.attempts, after.last_status, there.calls.length], ["cancelled", 1, 500, 1]);
	await there.close();
});

test("deliveries_that_only_fail_switch_the_endpoint_off", async () => {
	for (const worn of ["failing_since = now() - interval '5 days 1 minute'", "failed_in_a_row = 99"]) {
		const mine = await organization({ roles: ["owner"] });
		const there = await receiver(() => ({ status: 500 }));
		const hook = await mine.owner.made("/webhooks", { url: there.url, events: ["tag.*"] });
		await rows(`UPDATE data.webhook_states SET ${worn} WHERE webhook_id = $1`, hook.id);
		const { id } = await mine.owner.made(`/webhooks/${hook.id}/ping`, undefined, 200);
		await attempted(id, 1);
		if (worn.startsWith("failed")) {
			assert.equal((await mine.owner.read(`/webhooks/${hook.id}`)).active, true, "a delivery that is tried again has not failed");
			await rows("UPDATE jobs.jobs SET attempts = max_attempts - 1 WHERE args ->> 'delivery_id' = $1", id);
			await hurry(id);
			assert.equal((await attempted(id, 2)).state, "failed");
		}
		const now = await mine.owner.read(`/webhooks/${hook.id}`);
		assert.deepEqual([now.active, now.disabled_reason], [false, "failing"], worn);
		const told = await one("SELECT about FROM data.notifications WHERE organization_id = $1 AND kind = 'webhook_disabled'", mine.id);
		assert.equal(told.about.gone, false);
		await there.close();
	}
});

// The worker's children, by their parent. They are this test stack's own.
function workerChildren() {
	const [master] = fs.readFileSync(path.join(process.env.STINT_RUN, "worker.pid"), "utf8").split(" ");
	return fs.readdirSync("/proc").filter((pid) => /^\d+$/.test(pid)).filter((pid) => {
		try {
			return fs.readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /s, "").split(" ")[1] === master;
		} catch {
			return false;
		}
	}).map(Number);
}

test("deliveries_are_one_for_each_event_in_order_whoever_writes_and_whoever_dies", async () => {
	const mine = await organization({ roles: ["owner", "manager"] });
	const [all, some] = [await receiver(), await receiver()];
	const everything = await mine.owner.made("/webhooks", { url: all.url, events: ["tag.*", "project.*"] });
	const projects = await mine.owner.made("/webhooks", { url: some.url, events: ["project.create"] });
	const began = (await one("SELECT coalesce(max(position), 0) AS at FROM data.events WHERE organization_id = $1", mine.id)).at;
	let writing = 4;
	const writers = Array.from({ length: 4 }, async (_, n) => {
		const who = n % 2 ? mine.owner : mine.manager;
		for (let i = 0; i < 15; i++) await who.made(n < 3 ? "/tags" : "/projects", { name: `${n} ${i} ${uuid()}` });
		writing--;
	});
	const killer = (async () => {
		for (let turn = 0; writing && turn < 6; turn++) {
			for (const pid of workerChildren()) process.kill(pid, "SIGKILL");
			await new Promise((resolve) => setTimeout(resolve, 300));
		}
	})();
	await Promise.all([...writers, killer]);
	await until("no job is left", async () => !(await rows("SELECT 1 FROM data.events WHERE organization_id = $1 AND position IS NULL", mine.id)).length
		&& !(await rows("SELECT 1 FROM jobs.jobs WHERE organization_id = $1 AND kind LIKE 'webhook.%' AND state IN ('waiting', 'running')", mine.id)).length);
	for (const [hook, there, wanted] of [[everything, all, "noun IN ('tag', 'project')"], [projects, some, "noun = 'project' AND action = 'create'"]]) {
		const events = (await rows(`SELECT position FROM data.events WHERE organization_id = $1 AND position > $2 AND ${wanted} ORDER BY position`, mine.id, began)).map((e) => e.position);
		const deliveries = await rows("SELECT id, position, state FROM data.webhook_deliveries WHERE webhook_id = $1 ORDER BY created_at, id", hook.id);
		assert.equal(events.length, wanted.includes("tag") ? 60 : 15);
		assert.deepEqual(deliveries.map((d) => d.position).sort((a, b) => a - b), events, "each event once");
		assert.ok(deliveries.every((d) => d.state === "delivered"));
		assert.deepEqual(new Set(there.calls.map((c) => c.headers["webhook-id"])), new Set(deliveries.map((d) => d.id)), "each was received, under its own id");
		for (const call of there.calls) assert.equal(signedBy(hook.secret, call), 1);
		const { cursor } = await one("SELECT cursor FROM data.webhook_states WHERE webhook_id = $1", hook.id);
		assert.ok(cursor >= events.at(-1));
		took(await mine.owner.delete(`/webhooks/${hook.id}`), 204);
	}
	await Promise.all([all.close(), some.close()]);
});

test("deliveries_are_listed_newest_first_by_state_and_type", async () => {
	const there = await receiver((_, n) => ({ status: n % 2 ? 200 : 500 }));
	const hook = await hookAt(there.url);
	const ids = [];
	for (let i = 0; i < 4; i++) {
		ids.push((await ping(hook)).id);
		await attempted(ids.at(-1), 1);
	}
	const list = async (query) => (await owner.read(`/webhooks/${hook.id}/deliveries${query}`)).data.map((d) => d.id);
	assert.deepEqual(await list(""), ids.toReversed());
	assert.deepEqual(await list("?state=delivered"), [ids[2], ids[0]]);
	assert.deepEqual(await list("?state=waiting&type=ping&limit=1"), [ids[3]]);
	assert.deepEqual(await list("?type=tag.create"), []);
	const first = await owner.read(`/webhooks/${hook.id}/deliveries?limit=3`);
	assert.deepEqual(await list(`?cursor=${encodeURIComponent(first.next_cursor)}`), [ids[0]]);
	refused(await owner.get(`/webhooks/${hook.id}/deliveries?state=lost`), 422, "choice", "state");
	refused(await owner.get(`/webhooks/${hook.id}/deliveries?cursor=x`), 400, "bad_cursor");
	await there.close();
});

test("deliveries_leave_no_secret_in_the_logs", async () => {
	const there = await receiver((_, n) => ({ status: n % 2 ? 500 : 200, body: "canary" }));
	const hook = await hookAt(there.url);
	for (let i = 0; i < 2; i++) await attempted((await ping(hook)).id, 1);
	const key = Buffer.from(hook.secret.slice(6), "base64");
	for (const file of fs.readdirSync(process.env.STINT_LOG_DIR).filter((f) => /^(web|worker|nginx|postgres|redis|dev)\.log/.test(f))) {
		const text = fs.readFileSync(path.join(process.env.STINT_LOG_DIR, file), "latin1");
		for (const secret of [hook.secret, hook.secret.slice(6), key.toString("hex"), key.toString("base64url")]) assert.ok(!text.includes(secret), file);
		for (const call of there.calls) assert.ok(!text.includes(call.headers["webhook-signature"]), file);
	}
	await there.close();
});

// The ten lines of docs/api.md are run as they stand there.
const blocks = (language) => [...fs.readFileSync(path.join(root, "docs/api.md"), "utf8").matchAll(new RegExp("```" + language + "\\n([^]*?)```", "g"))].map(([, text]) => text).filter((text) => text.includes("webhook-signature"));

test("deliveries_pass_the_checks_that_the_documentation_shows", async () => {
	const there = await receiver();
	const hook = await hookAt(there.url);
	const next = took(await owner.post(`/webhooks/${hook.id}/rotate-secret`, {})).body;
	await attempted((await ping(hook)).id, 1);
	const [call] = there.calls;
	const python = (secret, headers, body) => execFileSync("python3", ["-c", `${blocks("python")[0]}\nimport json, sys\ngiven = json.load(sys.stdin)\nprint(is_from_stint(given["secret"], given["headers"], given["body"].encode()))`],
		{ input: JSON.stringify({ secret, headers, body }), encoding: "utf8" }).trim() === "True";
	const { isFromStint } = await import(`data:text/javascript,${encodeURIComponent(blocks("js")[0])}`);
	const node = (secret, headers, body) => isFromStint(secret, headers, Buffer.from(body));
	for (const check of [python, node]) {
		assert.equal(check(hook.secret, call.headers, call.text), true);
		assert.equal(check(next.secret, call.headers, call.text), true);
		assert.equal(check(hook.secret, call.headers, `${call.text} `), false);
		assert.equal(check(`whsec_${"A".repeat(43)}=`, call.headers, call.text), false);
		assert.equal(check(hook.secret, { ...call.headers, "webhook-id": uuid() }, call.text), false);
		assert.equal(check(hook.secret, { ...call.headers, "webhook-timestamp": "1700000000" }, call.text), false);
	}
	await there.close();
});
