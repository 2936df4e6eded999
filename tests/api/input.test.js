// Bad input: each kind has its own clear answer, names the field, and leaves nothing behind.
import { test } from "node:test";
import { ago, assert, base, bytes, http, nobody, one, organization, refused, rows, took, url, uuid, uuidv7 } from "./support.js";
import { stored } from "./routes.js";

const org = await organization();
const { owner, member } = org;
const other = await organization({ roles: ["owner"] });
const project = await owner.made("/projects", { name: "Here" });
const tag = await owner.made("/tags", { name: "Here" });
const entry = await owner.made("/time-entries", { started_at: ago(7200), ended_at: ago(3600) });
const theirs = {
	project: await other.owner.made("/projects", { name: "There" }),
	client: await other.owner.made("/clients", { name: "There" }),
	tag: await other.owner.made("/tags", { name: "There" }),
};

// What is asked for here is refused and changes nothing.
function refusal(name, ask, ...wanted) {
	test(name, async () => {
		const before = await stored(org.id);
		const reply = await ask();
		refused(reply, ...wanted);
		assert.deepEqual(await stored(org.id), before, "nothing is stored");
	});
}
const raw = (text, headers) => () => owner.post("/tags", text, headers);

for (const [name, text] of [
	["an_open_object", '{"name":"x"'],
	["a_trailing_comma", '{"name":"x",}'],
	["single_quotes", "{'name':'x'}"],
	["a_comment", '{"name":"x"/* y */}'],
	["more_behind", '{"name":"x"} {"name":"y"}'],
	["a_bare_word", '{"name":x}'],
	["NaN", '{"name":NaN}'],
	["a_list", '[{"name":"x"}]'],
	["a_string", '"name"'],
	["null", "null"],
	["a_raw_newline_in_text", '{"name":"a\nb"}'],
	["a_thousand_brackets", `{"name":${"[".repeat(1000)}${"]".repeat(1000)}}`],
])
	refusal(`tags_create_refuses_malformed_json_${name}`, raw(text), 400, "json_syntax");

refusal("tags_create_refuses_duplicate_keys", raw('{"name":"one","name":"two"}'), 400, "json_duplicate");
refusal("tags_create_refuses_duplicate_keys_however_escaped", raw('{"name":"one","n\\u0061me":"two"}'), 400, "json_duplicate");
refusal("tags_create_refuses_invalid_utf8", raw(Buffer.concat([Buffer.from('{"name":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')])), 400, "encoding");
refusal("tags_create_refuses_overlong_utf8", raw(Buffer.concat([Buffer.from('{"name":"'), Buffer.from([0xc0, 0xaf]), Buffer.from('"}')])), 400, "encoding");
refusal("tags_create_refuses_half_a_surrogate_pair", raw('{"name":"\\ud800"}'), 400, "encoding");
refusal("tags_create_refuses_an_escaped_nul", raw('{"name":"a\\u0000b"}'), 400, "encoding");
refusal("tags_create_refuses_a_nul_byte", raw(Buffer.from('{"name":"a\0b"}')), 400, "encoding");

for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/xml", "multipart/form-data; boundary=x"])
	refusal(`tags_create_refuses_content_of_${type.split(";")[0].replace(/\W/g, "_")}`, raw('{"name":"x"}', { "content-type": type }), 415, "media_type");
test("tags_create_takes_json_with_a_charset", async () => {
	took(await owner.post("/tags", { name: uuid() }, { "content-type": "application/json; charset=utf-8" }), 201);
	took(await owner.post("/tags", { name: uuid() }, { "content-type": "Application/JSON" }), 201);
});

test("tags_create_refuses_a_body_that_is_too_large", async () => {
	const before = await stored(org.id);
	const reply = await http("POST", `${base}/tags`, {
		headers: { authorization: `Bearer ${owner.token}`, "content-type": "application/json" },
		body: JSON.stringify({ name: "x".repeat(1024 * 1024) }),
	});
	assert.equal(reply.status, 413);
	assert.match(reply.headers.get("content-type"), /^application\/problem\+json/);
	assert.equal(reply.body.code, "too_large");
	assert.deepEqual(await stored(org.id), before);
	// Just below the limit it is read, and judged by its fields.
	refused(await owner.post("/tags", { name: "x".repeat(1024 * 1024 - 200) }), 422, "too_long", "name");
});

for (const [field, value, code] of [
	["description", 7, "type"],
	["description", null, "required"],
	["description", "x".repeat(501), "too_long"],
	["description", "a\u0007b", "format"],
	["billable", "true", "type"],
	["billable", 1, "type"],
	["tags", "x", "type"],
	["tags", [1], "type"],
	["tags", ["x"], "format"],
	["tags", Array.from({ length: 51 }, () => uuidv7()), "too_long"],
	["tags", {}, "type"],
	["project_id", 5, "type"],
	["project_id", "5", "format"],
	["type", "holiday", "choice"],
	["started_at", 1767225600, "type"],
	["started_at", "yesterday", "format"],
	["started_at", "2026-02-30T09:00:00Z", "format"],
	["started_at", "2026-02-03 09:00", "format"],
	["started_at", "2026-02-03T09:00:00", "format"],
	["ended_at", "2026-02-03", "format"],
	["duration_s", -5, "range"],
	["duration_s", 31 * 86400 + 1, "range"],
	["duration_s", 1.5, "type"],
	["duration_s", 1e300, "type"],
	["id", "not-an-id", "format"],
	["day", "2026-02-03", "unknown_field"],
	["status", "approved", "unknown_field"],
	["organization_id", uuid(), "unknown_field"],
	["__proto__x", {}, "unknown_field"],
])
	refusal(
		`time_entries_create_refuses_${field}_${code}_${JSON.stringify(value).slice(0, 24)}`,
		() => owner.post("/time-entries", { started_at: "2026-01-05T09:00:00Z", ended_at: "2026-01-05T10:00:00Z", [field]: value }),
		422,
		code,
		field,
	);

const times = { started_at: "2026-01-05T09:00:00Z", ended_at: "2026-01-05T10:00:00Z" };
refusal("time_entries_create_refuses_an_end_before_the_start", () => owner.post("/time-entries", { started_at: times.ended_at, ended_at: times.started_at }), 422, "end_before_start", "ended_at");
refusal("time_entries_create_refuses_an_end_at_the_start", () => owner.post("/time-entries", { started_at: times.started_at, ended_at: times.started_at }), 422, "end_before_start", "ended_at");
refusal("time_entries_create_refuses_a_running_start_in_the_future", () => owner.post("/time-entries", { started_at: ago(-600) }), 422, "start_in_future", "started_at");
refusal("time_entries_create_refuses_nothing_at_all", () => owner.post("/time-entries", {}), 422, "required", "started_at");
refusal("time_entries_create_refuses_an_absent_body", () => owner.post("/time-entries"), 422, "required", "started_at");
refusal("timer_start_refuses_a_start_in_the_future", () => owner.post("/timer/start", { started_at: ago(-600) }), 422, "start_in_future", "started_at");
refusal("me_update_refuses_an_unknown_zone", () => owner.patch("/me", { zone: "Europe/Berlinn" }), 422, "zone_unknown", "zone");
refusal("me_update_refuses_a_zone_that_is_a_path", () => owner.patch("/me", { zone: "../Europe/Berlin" }), 422, "zone_unknown", "zone");

refusal("time_entries_create_refuses_somebody_elses_project", () => owner.post("/time-entries", { ...times, project_id: theirs.project.id }), 422, "reference", "project_id");
refusal("time_entries_create_refuses_somebody_elses_tag", () => owner.post("/time-entries", { ...times, tags: [tag.id, theirs.tag.id] }), 422, "reference", "tags");
refusal("time_entries_create_refuses_somebody_elses_member", () => owner.post("/time-entries", { ...times, member_id: other.owner.member_id }), 422, "reference", "member_id");
refusal("projects_create_refuses_somebody_elses_client", () => owner.post("/projects", { name: uuid(), client_id: theirs.client.id }), 422, "reference", "client_id");
refusal("projects_update_refuses_somebody_elses_client", () => owner.patch(`/projects/${project.id}`, { client_id: theirs.client.id }), 422, "reference", "client_id");
refusal("tags_update_of_somebody_elses_tag_is_not_there", () => owner.patch(`/tags/${theirs.tag.id}`, { name: "Mine" }), 404, "not_found");

for (const stale of ['"99"', '"0"', '"-1"', "W/\"1\"", '"1", "2"', "x"])
	refusal(`time_entries_update_refuses_the_version_${stale}`, () => owner.patch(`/time-entries/${entry.id}`, { description: "stale" }, { "if-match": stale }), 412, "version_conflict");

test("several_mistakes_are_told_at_once", async () => {
	const problem = refused(await owner.post("/time-entries", { started_at: "x", billable: 2, tags: "y", nonsense: 1 }), 422, "invalid");
	assert.deepEqual(Object.fromEntries(problem.errors.map((e) => [e.field, e.code])), {
		started_at: "format",
		billable: "type",
		tags: "type",
		nonsense: "unknown_field",
	});
});

// ---- query strings

for (const [target, code, field] of [
	["/tags?colour=red", "unknown_field", "colour"],
	["/timer?x=1", "unknown_field", "x"],
	["/me?fields=name", "unknown_field", "fields"],
	["/time-entries?limit=0", "range", "limit"],
	["/time-entries?limit=201", "range", "limit"],
	["/time-entries?limit=ten", "type", "limit"],
	["/time-entries?limit=5&limit=6", "duplicate_field", "limit"],
	["/time-entries?member_id=me", "format", "member_id"],
	["/time-entries?billable=perhaps", "type", "billable"],
	["/week?date=tomorrow", "format", "date"],
])
	test(`query_${target.replace(/\W+/g, "_")}_is_refused`, async () => {
		refused(await owner.get(target), 422, code, field);
	});
refusal("query_parameters_of_a_write_are_refused", () => owner.post("/tags?name=x", { name: uuid() }), 422, "unknown_field", "name");

for (const cursor of ["x", "bm9uc2Vuc2U", Buffer.from('["a"]').toString("base64url"), Buffer.from('{"a":1}').toString("base64url"), Buffer.from('["a","b","c"]').toString("base64url"), "a".repeat(3000)])
	for (const list of ["/tags", "/clients", "/projects", "/members", "/time-entries"])
		test(`cursor_${cursor.slice(0, 12)}_of${list.replace("/", "_")}_is_refused`, async () => {
			const reply = await owner.get(`${list}?cursor=${cursor}`);
			assert.ok([400, 422].includes(reply.status), `${reply.status} ${reply.text}`);
			if (cursor.length < 1000) refused(reply, 400, "bad_cursor", "cursor");
		});

for (const [name, query] of [
	["nul", "q=%00"],
	["invalid_utf8", "q=%ff"],
	["half_an_escape", "q=%4"],
])
	test(`query_with_${name}_is_refused`, async () => {
		const reply = await http("GET", `${base}/tags?${query}`, { headers: { authorization: `Bearer ${owner.token}` } });
		assert.equal(reply.status, 400, reply.text);
		assert.match(reply.headers.get("content-type"), /^application\/problem\+json/);
		assert.ok(["encoding", "malformed"].includes(reply.body.code), reply.text);
	});

// ---- repeats

test("the_same_create_twice_makes_one_and_answers_the_same", async () => {
	for (const [path, input] of [
		["/tags", { name: uuid() }],
		["/clients", { name: uuid() }],
		["/projects", { name: uuid() }],
		["/time-entries", times],
	]) {
		const id = uuidv7();
		const [first, second] = [took(await owner.post(path, { id, ...input }), 201), took(await owner.post(path, { id, ...input }), 201)];
		assert.deepEqual(second.body, first.body, path);
		assert.equal((await rows("SELECT 1 FROM data.events WHERE row_id = $1", id)).length, 1, path);
	}
});

const key = (value) => ({ "idempotency-key": value });

test("idempotency_key_gives_the_first_answer_again", async () => {
	const k = uuid();
	const name = uuid();
	const first = took(await owner.post("/tags", { name }, key(k)), 201);
	const second = took(await owner.post("/tags", { name }, key(k)), 201);
	assert.deepEqual(second.body, first.body);
	for (const header of ["location", "etag"]) assert.equal(second.headers.get(header), first.headers.get(header));
	assert.equal(second.headers.get("idempotency-replayed"), "true");
	assert.equal(first.headers.get("idempotency-replayed"), null);
	assert.equal((await rows("SELECT 1 FROM data.tags WHERE name = $1", name)).length, 1);
});

test("idempotency_key_with_another_body_is_refused", async () => {
	const k = uuid();
	took(await owner.post("/tags", { name: uuid() }, key(k)), 201);
	const name = uuid();
	refused(await owner.post("/tags", { name }, key(k)), 422, "idempotency_reuse");
	assert.equal(await one("SELECT 1 FROM data.tags WHERE name = $1", name), undefined);
});

test("idempotency_keys_belong_to_member_and_route", async () => {
	const k = uuid();
	const name = uuid();
	took(await owner.post("/tags", { name }, key(k)), 201);
	took(await owner.post("/clients", { name }, key(k)), 201);
	took(await other.owner.post("/tags", { name }, key(k)), 201);
	refused(await org.manager.post("/tags", { name }, key(k)), 409, "name_taken", "name");
});

test("idempotency_key_of_a_failure_runs_again", async () => {
	const k = uuid();
	const name = uuid();
	const blocking = await owner.made("/tags", { name });
	refused(await owner.post("/tags", { name }, key(k)), 409, "name_taken", "name");
	took(await owner.delete(`/tags/${blocking.id}`), 204);
	took(await owner.post("/tags", { name }, key(k)), 201);
	refused(await owner.post(`/tags/${uuid()}/restore`, undefined, key(k)), 404, "not_found");
});

test("idempotency_key_of_concurrent_twins_does_it_once", async () => {
	for (let round = 0; round < 3; round++) {
		const k = uuid();
		const name = uuid();
		const replies = await Promise.all(Array.from({ length: 8 }, () => owner.post("/tags", { name }, key(k))));
		for (const reply of replies) assert.deepEqual(took(reply, 201).body, replies[0].body);
		assert.equal(replies.filter((r) => r.headers.get("idempotency-replayed")).length, 7);
		assert.equal((await rows("SELECT 1 FROM data.tags WHERE name = $1", name)).length, 1);
	}
});

test("idempotency_key_of_a_timer_start_and_stop", async () => {
	const [start, stop] = [uuid(), uuid()];
	const first = took(await member.post("/timer/start", {}, key(start)), 201);
	assert.equal(took(await member.post("/timer/start", {}, key(start)), 201).body.id, first.body.id);
	took(await member.post("/timer/stop", undefined, key(stop)));
	took(await member.post("/timer/stop", undefined, key(stop)));
	refused(await member.post("/timer/stop", undefined, key(uuid())), 409, "timer_not_running");
});

refusal("idempotency_key_that_is_too_long_is_refused", () => owner.post("/tags", { name: uuid() }, key("k".repeat(201))), 400, "malformed");

// ---- addresses and methods

test("unknown_addresses_and_methods_are_told", async () => {
	for (const path of ["/nothing", "/tags/x/y/z", "/tags/", "/Tags", "/timer/pause"]) refused(await owner.get(path), 404, "not_found");
	const reply = await owner.send("PUT", "/tags", { name: "x" });
	refused(reply, 405, "method_not_allowed");
	assert.deepEqual(reply.headers.get("allow").split(", ").sort().filter((m) => m !== "HEAD" && m !== "OPTIONS"), ["GET", "POST"]);
	refused(await owner.delete("/me"), 405, "method_not_allowed");
	refused(await nobody.get("/nothing"), 404, "not_found");
});

test("ids_of_a_path_that_are_no_ids_are_not_there", async () => {
	for (const id of ["1", "%00", "..%2f..", `${tag.id}x`, "%F0%9F%92%A9", "'; DROP TABLE data.tags; --", "0".repeat(500)])
		assert.ok([400, 404].includes((await http("GET", `${base}/tags/${encodeURI(id).replaceAll("%25", "%")}`, { headers: { authorization: `Bearer ${owner.token}` } })).status), id);
	assert.equal((await owner.read(`/tags/${tag.id.toUpperCase()}`)).id, tag.id, "hexadecimal digits have no case");
});

test("bytes_that_are_no_request_are_refused_and_the_next_one_is_served", async () => {
	const host = new URL(url).host;
	const head = (length) =>
		`POST ${base}/tags HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${owner.token}\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: ${length}\r\n\r\n`;
	for (const chunks of [
		"NONSENSE\r\n\r\n",
		`GET ${base}/tags HTTP/1.1\r\n\r\n`,
		`GET ${base}/tags HTTP/1.1\r\nHost: ${host}\r\nHost: other\r\n\r\n`,
		head("-1"),
		head("5x"),
	])
		assert.equal((await bytes(chunks)).status, 400, JSON.stringify(chunks));
	const before = await stored(org.id);
	const partial = await bytes([head(11), '{"name":"x"'.slice(0, 11)]);
	assert.equal(partial.status, 400);
	assert.deepEqual(await stored(org.id), before);
	took(await owner.get("/me"));
});

test("sql_and_markup_in_text_are_text", async () => {
	for (const name of ["'; DROP TABLE data.tags; --", "<script>alert(1)</script>", "{{name}}", "%s%n", "\\", '"', "🕰️ اردو"]) {
		const marked = `${name} ${uuid().slice(0, 8)}`;
		const made = await owner.made("/tags", { name: marked });
		assert.equal((await one("SELECT name FROM data.tags WHERE id = $1", made.id)).name, marked);
		assert.deepEqual((await owner.read(`/tags?q=${encodeURIComponent(marked)}`)).data.map((t) => t.id), [made.id]);
	}
});

test("the_limit_of_requests_is_told_on_every_answer", async () => {
	for (const reply of [await member.get("/me"), await member.get("/tags?x=1"), await nobody.get("/me")]) {
		const [limit, left, reset] = ["limit", "remaining", "reset"].map((name) => Number(reply.headers.get(`ratelimit-${name}`)));
		assert.ok(limit > 0 && left >= 0 && left < limit && reset >= 0, `${limit} ${left} ${reset}`);
	}
});
