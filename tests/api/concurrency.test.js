// Two hundred starts at once, from four places, for one member: exactly one runs, and the others are told which.
import { test } from "node:test";
import { assert, organization, one, refused, rows, signedIn, took, uuidv7 } from "./support.js";

const { owner, manager } = await organization({ roles: ["owner", "manager"] });
const clients = [owner, await signedIn(owner), await signedIn(owner), await signedIn(owner)];
const entries = () => rows("SELECT id, ended_at FROM data.time_entries WHERE member_id = $1 AND deleted_at IS NULL", owner.member_id);
const clear = () => rows("UPDATE data.time_entries SET deleted_at = now() WHERE member_id = $1", owner.member_id);

for (const round of [1, 2, 3, 4])
	test(`timer_start_200_times_at_once_runs_one_timer (round ${round})`, async () => {
		await clear();
		const replies = await Promise.all(
			Array.from({ length: 200 }, (_, i) => clients[i % 4].post("/timer/start", { description: `round ${round}, ${i}` })),
		);
		const won = replies.filter((r) => r.status === 201);
		assert.equal(won.length, 1);
		const [{ body }] = won;
		for (const reply of replies) if (reply !== won[0]) assert.equal(refused(reply, 409, "timer_running").running_id, body.id);
		assert.deepEqual((await entries()).map((e) => [e.id, e.ended_at]), [[body.id, null]]);
		assert.equal((await owner.read("/timer")).id, body.id);
	});

test("timer_start_with_switch_at_once_leaves_one_running_and_no_overlap", async () => {
	await clear();
	const replies = await Promise.all(Array.from({ length: 40 }, (_, i) => clients[i % 4].post("/timer/start", { switch: true })));
	for (const reply of replies) took(reply, 201);
	const overlaps = await one(
		"SELECT count(*) FROM data.time_entries AS a JOIN data.time_entries AS b ON a.member_id = b.member_id AND a.id < b.id AND tstzrange(a.started_at, a.ended_at) && tstzrange(b.started_at, b.ended_at) WHERE a.member_id = $1 AND a.deleted_at IS NULL AND b.deleted_at IS NULL",
		owner.member_id,
	);
	assert.equal(overlaps.count, 0);
	const all = await entries();
	assert.equal(all.filter((e) => !e.ended_at).length, 1);
	assert.equal(all.length, 40);
});

test("timer_stop_at_once_stops_once", async () => {
	await clear();
	const started = await owner.made("/timer/start", {});
	const replies = await Promise.all(Array.from({ length: 20 }, (_, i) => clients[i % 4].post("/timer/stop")));
	assert.equal(replies.filter((r) => r.status === 200).length, 1);
	for (const reply of replies) if (reply.status !== 200) refused(reply, 409, "timer_not_running");
	const { version } = await one("SELECT version FROM data.time_entries WHERE id = $1", started.id);
	assert.equal(version, 2);
});

test("time_entries_create_of_one_id_at_once_makes_one", async () => {
	await clear();
	const input = { id: uuidv7(), started_at: "2026-02-02T09:00:00Z", ended_at: "2026-02-02T10:00:00Z", description: "once" };
	const replies = await Promise.all(Array.from({ length: 20 }, (_, i) => clients[i % 4].post("/time-entries", input)));
	for (const reply of replies) assert.deepEqual(took(reply, 201).body, replies[0].body);
	assert.equal((await rows("SELECT 1 FROM data.events WHERE row_id = $1", input.id)).length, 1);
});

// As often as it takes to make them meet: each round both are under way before either is answered.
for (const [noun, more] of [
	["tags", () => ({ name: `Twin ${uuidv7()}` })],
	["clients", () => ({ name: `Twin ${uuidv7()}` })],
	["projects", () => ({ name: `Twin ${uuidv7()}` })],
	["time-entries", () => ({ started_at: "2026-02-02T09:00:00Z", ended_at: "2026-02-02T10:00:00Z" })],
])
	test(`${noun.replace("-", "_")}_create_of_one_id_at_once_gives_the_same_answer_to_all`, async () => {
		const other = await organization({ roles: ["owner"] });
		for (let round = 0; round < 10; round++) {
			await clear();
			const input = { id: uuidv7(), ...more() };
			const replies = await Promise.all(Array.from({ length: 12 }, (_, i) => clients[i % 4].post(`/${noun}`, input)));
			for (const reply of replies) {
				assert.deepEqual(took(reply, 201).body, replies[0].body);
				assert.equal(reply.headers.get("location"), `/api/v1/${noun}/${input.id}`);
			}
			assert.equal((await rows("SELECT 1 FROM data.events WHERE row_id = $1", input.id)).length, 1);
			if (round) continue;
			refused(await manager.post(`/${noun}`, { ...input, ...more() }), 409, "id_taken");
			took(await other.owner.post(`/${noun}`, input), 201);
		}
	});

test("time_entries_create_onto_the_same_time_at_once_keeps_one", async () => {
	await clear();
	const times = { started_at: "2026-02-03T09:00:00Z", ended_at: "2026-02-03T10:00:00Z" };
	const replies = await Promise.all(Array.from({ length: 20 }, (_, i) => clients[i % 4].post("/time-entries", times)));
	assert.equal(replies.filter((r) => r.status === 201).length, 1);
	for (const reply of replies) if (reply.status !== 201) refused(reply, 409, "entry_overlap", "started_at");
	assert.equal((await entries()).length, 1);
});

test("time_entries_update_with_one_version_at_once_changes_once", async () => {
	await clear();
	const { id } = await owner.made("/time-entries", { started_at: "2026-02-04T09:00:00Z", ended_at: "2026-02-04T10:00:00Z" });
	const replies = await Promise.all(
		Array.from({ length: 12 }, (_, i) => clients[i % 4].patch(`/time-entries/${id}`, { description: `edit ${i}` }, { "if-match": '"1"' })),
	);
	const won = replies.filter((r) => r.status === 200);
	assert.equal(won.length, 1);
	for (const reply of replies) if (reply.status !== 200) refused(reply, 412, "version_conflict");
	assert.equal((await owner.read(`/time-entries/${id}`)).description, won[0].body.description);
});

test("tags_create_of_one_name_at_once_makes_one", async () => {
	const name = `Race ${uuidv7()}`;
	const replies = await Promise.all(Array.from({ length: 12 }, (_, i) => clients[i % 4].post("/tags", { name: i % 2 ? name : name.toUpperCase() })));
	assert.equal(replies.filter((r) => r.status === 201).length, 1);
	for (const reply of replies) if (reply.status !== 201) refused(reply, 409, "name_taken", "name");
});
