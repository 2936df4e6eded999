// The organization's own settings.
import { test } from "node:test";
import { assert, one, organization, refused, took } from "./support.js";

const { id, name, owner, manager, member } = await organization();
const stored = () => one("SELECT name, zone, currency, overlap_policy, weekly_target_s, version FROM data.organizations WHERE id = $1", id);

test("organization_get_is_for_everybody_in_it", async () => {
	for (const who of [owner, manager, member]) {
		const reply = took(await who.get("/organization"));
		assert.deepEqual([reply.body.id, reply.body.name, reply.body.zone], [id, name, "Europe/Berlin"]);
		assert.equal(reply.headers.get("etag"), `"${reply.body.version}"`);
	}
});

test("organization_update_changes_what_was_sent", async () => {
	const was = await stored();
	const reply = took(await owner.patch("/organization", { zone: "Asia/Kolkata", weekly_target_s: 72000 }));
	assert.deepEqual([reply.body.zone, reply.body.weekly_target_s, reply.body.name], ["Asia/Kolkata", 72000, name]);
	assert.deepEqual(await stored(), { ...was, zone: "Asia/Kolkata", weekly_target_s: 72000, version: was.version + 1 });
	took(await owner.patch("/organization", { weekly_target_s: "37:30", currency: "USD", overlap_policy: "allow" }));
	const now = await stored();
	assert.deepEqual([now.weekly_target_s, now.currency, now.overlap_policy], [135000, "USD", "allow"]);
});

test("organization_update_refuses_what_cannot_be_and_stores_none_of_it", async () => {
	const was = await stored();
	const bad = async (input, code, field) => refused(await owner.patch("/organization", { name: "Other", ...input }), 422, code, field);
	await bad({ zone: "Europe/Atlantis" }, "zone_unknown", "zone");
	await bad({ zone: "../../etc/passwd" }, "zone_unknown", "zone");
	await bad({ currency: "euro" }, "too_long", "currency");
	await bad({ currency: "eu" }, "too_short", "currency");
	await bad({ currency: "e1r" }, "format", "currency");
	await bad({ overlap_policy: "sometimes" }, "choice", "overlap_policy");
	await bad({ weekly_target_s: 168 * 3600 + 1 }, "range", "weekly_target_s");
	await bad({ weekly_target_s: -1 }, "range", "weekly_target_s");
	await bad({ name: " " }, "required", "name");
	await bad({ name: "x".repeat(101) }, "too_long", "name");
	await bad({ id }, "unknown_field", "id");
	assert.deepEqual(await stored(), was);
});

test("organization_update_is_for_owners_and_honours_if_match", async () => {
	const was = await stored();
	refused(await manager.patch("/organization", { name: "Mine" }), 403, "forbidden");
	refused(await member.patch("/organization", { name: "Mine" }), 403, "forbidden");
	refused(await owner.patch("/organization", { name: "Mine" }, { "if-match": `"${was.version + 1}"` }), 412, "version_conflict");
	assert.deepEqual(await stored(), was);
	took(await owner.patch("/organization", { name: "Mine" }, { "if-match": `"${was.version}"` }));
	assert.equal((await stored()).name, "Mine");
});

test("organization_update_of_the_overlap_policy_counts_from_then_on", async () => {
	const { owner: alone } = await organization({ roles: ["owner"] });
	const times = { started_at: "2026-03-02T09:00:00Z", ended_at: "2026-03-02T10:00:00Z" };
	await alone.made("/time-entries", times);
	refused(await alone.post("/time-entries", times), 409, "entry_overlap", "started_at");
	took(await alone.patch("/organization", { overlap_policy: "allow" }));
	const second = await alone.made("/time-entries", times);
	took(await alone.patch("/organization", { overlap_policy: "forbid" }));
	assert.deepEqual((await alone.read(`/time-entries/${second.id}`)).started_at, times.started_at);
	refused(await alone.post("/time-entries", times), 409, "entry_overlap", "started_at");
});
