// Whatever lies on an intake list that is no call becomes a letter that says why, its sender is answered where that can be, and the
// worker goes on.
import { after, before, test } from "node:test";
import { until } from "../wait.js";
import { Lab, assert, uuid } from "./celery.js";

let lab, client;
before(async () => {
	lab = await Lab.open("letters");
	lab.stint(["celery", "intake", "add", "acme", "--organization", lab.organizations[0].id]);
	await lab.worker();
	client = await lab.client();
});
after(() => lab.close());

const base64 = (text) => Buffer.from(text).toString("base64");
const embed = { callbacks: null, errbacks: null, chain: null, chord: null };

// A good message, with something changed in it: change gets the whole of it and may give something else instead.
function message(change = (m) => m) {
	const id = uuid();
	const m = {
		body: base64(JSON.stringify([[], {}, embed])),
		"content-encoding": "utf-8",
		"content-type": "application/json",
		headers: { lang: "py", task: "stint.ping", id, root_id: id, parent_id: null, group: null, eta: null, expires: null, retries: 0, timelimit: [null, null], argsrepr: "canary-args", kwargsrepr: "{}", origin: "test" },
		properties: { correlation_id: id, reply_to: uuid(), delivery_mode: 2, delivery_info: { exchange: "", routing_key: "acme" }, priority: 0, body_encoding: "base64", delivery_tag: uuid() },
	};
	const changed = change(m) ?? m;
	return { id, bytes: Buffer.isBuffer(changed) ? changed : Buffer.from(typeof changed === "string" ? changed : JSON.stringify(changed)) };
}
const headers = (more) => (m) => void Object.assign(m.headers, more);
const properties = (more) => (m) => void Object.assign(m.properties, more);
const body = (value) => (m) => void (m.body = base64(typeof value === "string" ? value : JSON.stringify(value)));
const without = (...keys) => (m) => {
	const last = keys.pop();
	delete keys.reduce((o, k) => o[k], m)[last];
};
const deep = (n) => `${"[".repeat(n)}${"]".repeat(n)}`;

// [what, how, why, the exception its sender gets; none: nobody can be answered]
const corpus = [
	["nothing", () => Buffer.from(" "), /no JSON/],
	["a word", () => "hello", /no JSON/],
	["a cut one", (m) => JSON.stringify(m).slice(0, -20), /no JSON/],
	["bytes", () => Buffer.from([0xff, 0xfe, 0, 1, 2, 0x80]), /no JSON/],
	["a NUL inside", (m) => Buffer.from(JSON.stringify(m).replace("stint.ping", "stint\0.ping")), /no JSON/],
	["an escaped NUL", (m) => JSON.stringify(m).replace("stint.ping", "stint\\u0000.ping"), /no JSON/],
	["half a surrogate", (m) => JSON.stringify(m).replace("stint.ping", "\\ud800"), /no JSON/],
	["bad UTF-8", (m) => Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xc3, 0x28]), Buffer.from(`",${JSON.stringify(m).slice(1)}`)]), /no JSON/],
	["a pickle", () => Buffer.from("80049526000000000000008c0a", "hex"), /no JSON/],
	["a key twice", (m) => JSON.stringify(m).replace("{", '{"body":"x",'), /no JSON/],
	["NaN", (m) => JSON.stringify(m).replace('"retries":0', '"retries":NaN'), /no JSON/],
	["two of them", (m) => JSON.stringify(m) + JSON.stringify(m), /no JSON/],
	["too deep", (m) => JSON.stringify({ ...m, x: 1 }).replace('"x":1', `"x":${deep(40)}`), /no JSON/],
	["null", () => "null", /no object/],
	["a list", () => "[]", /no object/],
	["a number", () => "42", /no object/],
	["a text", () => '"x"', /no object/],
	["an empty object", () => "{}", /no headers/],
	["protocol 1", (m) => ({ ...m, headers: {}, body: base64(JSON.stringify({ task: "stint.ping", id: uuid(), args: [], kwargs: {} })) }), /protocol 2/],
	["headers that are a list", (m) => void (m.headers = []), /no headers/],
	["no task", without("headers", "task"), /no headers with task/, "InvalidTaskError"],
	["a task that is a number", headers({ task: 5 }), /no headers with task/, "InvalidTaskError"],
	["an empty task", headers({ task: "" }), /name of its task is empty/, "InvalidTaskError"],
	["a task without end", headers({ task: "t".repeat(5000) }), /longer than 100/, "InvalidTaskError"],
	["no properties", without("properties"), /no properties/, "InvalidTaskError"],
	["no id", without("headers", "id"), /no UUID/],
	["an id that is a list", headers({ id: [1] }), /no UUID/],
	["an id that is another key", headers({ id: "x\r\nSET a b" }), /no UUID/],
	["an id without end", headers({ id: "a".repeat(4000) }), /no UUID/],
	["no content type", without("content-type"), /content-type is not given/, "InvalidTaskError"],
	["pickle", (m) => void (m["content-type"] = "application/x-python-serialize"), /content-type is application\/x-python/, "InvalidTaskError"],
	["latin1", (m) => void (m["content-encoding"] = "latin1"), /content-encoding is latin1/, "InvalidTaskError"],
	["compressed", headers({ compression: "application/x-gzip" }), /compressed/, "InvalidTaskError"],
	["a plain body", properties({ body_encoding: null }), /body_encoding/, "InvalidTaskError"],
	["no body", without("body"), /body is no text/, "InvalidTaskError"],
	["a body that is an object", (m) => void (m.body = {}), /body is no text/, "InvalidTaskError"],
	["no base64", (m) => void (m.body = "***"), /no base64/, "InvalidTaskError"],
	["base64 for URLs", (m) => void (m.body = "-_-_"), /no base64/, "InvalidTaskError"],
	["base64 cut off", (m) => void (m.body = m.body.slice(0, -3)), /no base64/, "InvalidTaskError"],
	["a body that is no JSON", body("[[], {}"), /body is no JSON/, "InvalidTaskError"],
	["a body that is deep", body(`[[${deep(60)}], {}, {}]`), /body is no JSON/, "InvalidTaskError"],
	["a body of an object", body({}), /not \[args, kwargs, embed\]/, "InvalidTaskError"],
	["a body of two", body([[], {}]), /not \[args, kwargs, embed\]/, "InvalidTaskError"],
	["args that are an object", body([{}, {}, embed]), /args are no list/, "InvalidTaskError"],
	["kwargs that are a list", body([[], [], embed]), /kwargs are no object/, "InvalidTaskError"],
	["a body of 2 MiB", body(`[["${"x".repeat(2 << 20)}"], {}, {}]`), /more than 1048576 bytes/, "InvalidTaskError"],
	["17 MiB", (m) => JSON.stringify({ ...m, body: "A".repeat(17 << 20) }), /bytes; at most/],
	["a chain", body([[], {}, { ...embed, chain: [{ task: "x" }] }]), /carries chain/, "NotImplementedError"],
	["a chord", body([[], {}, { ...embed, chord: { task: "x" } }]), /carries chord/, "NotImplementedError"],
	["a callback", body([[], {}, { ...embed, callbacks: [{ task: "x" }] }]), /carries callbacks/, "NotImplementedError"],
	["an error callback", body([[], {}, { ...embed, errbacks: [{ task: "x" }] }]), /carries errbacks/, "NotImplementedError"],
	["an unknown task", headers({ task: "os.system" }), /no public task named os\.system/, "NotRegistered"],
	["a private task", headers({ task: "housekeeping" }), /no public task named housekeeping/, "NotRegistered"],
	["an ETA in words", headers({ eta: "tomorrow" }), /eta is no instant/, "ValueError"],
	["an ETA as a number", headers({ eta: 12 }), /eta is no instant/, "ValueError"],
	["an ETA on the 30th of February", headers({ eta: "2026-02-30T00:00:00+00:00" }), /eta is no instant/, "ValueError"],
	["an expiry in words", headers({ expires: "never" }), /expires is no instant/, "ValueError"],
	["negative retries", headers({ retries: -1 }), /retries is not/, "InvalidTaskError"],
	["retries in words", headers({ retries: "many" }), /retries is not/, "InvalidTaskError"],
	["a priority in words", properties({ priority: "high" }), /priority is not/, "InvalidTaskError"],
	["too many args", body([[1], {}, embed]), /takes 0 positional/, "TypeError"],
	["an unknown argument", body([[], { canary_arg: "canary-value" }, embed]), /no argument canary_arg/, "TypeError"],
];

const letters = () => lab.rows("SELECT * FROM jobs.letters ORDER BY at");

test("the message that all of these begin with is a good one", async () => {
	const good = message();
	lab.run("LPUSH", "acme", good.bytes);
	assert.equal((await client.get(good.id)).result, "pong");
	assert.deepEqual(await letters(), []);
});

for (const [what, change, why, type] of corpus)
	test(`${what}: a letter`, async () => {
		const before = (await letters()).length;
		const sent = message(change);
		lab.run("LPUSH", "acme", sent.bytes);
		const letter = await until("the letter", async () => (await letters())[before]);
		assert.match(letter.reason, why);
		assert.equal(letter.queue, "acme");
		assert.ok(letter.head.length <= 1024);
		assert.doesNotMatch(letter.head, /canary|XX/, "no arguments are kept");
		await until("it is off the list", () => lab.run("LLEN", "intake:acme") === "0");
		if (type) {
			const answer = await client.get(sent.id);
			assert.equal(answer.type, type, JSON.stringify(answer));
			assert.match(answer.message, why);
		} else assert.equal(lab.run("EXISTS", `celery-task-meta-${sent.id}`), "0");
		assert.deepEqual(await lab.rows("SELECT id FROM jobs.jobs WHERE id = $1", sent.id), []);
	});

test("there were more than forty, each is one letter, the same bytes again are no other, and good ones still get through", async () => {
	assert.ok(corpus.length >= 40);
	const before = await letters();
	assert.equal(before.length, corpus.length);
	for (let i = 0; i < 3; i++) lab.run("LPUSH", "acme", Buffer.from("hello"));
	assert.equal((await client.call("stint.ping")).result, "pong");
	assert.equal((await letters()).length, before.length);
	assert.match(lab.stint(["celery", "letters"]), /no public task named os\.system\n {2}task os\.system, id /);
	assert.match(lab.stint(["celery", "intake", "list"]), new RegExp(`letters: ${corpus.length}$`, "m"));
});

test("an id that is no UUID is told so, where it can be", async () => {
	const { type, message: said } = await client.call("stint.ping", { task_id: "my-own-id" });
	assert.deepEqual([type, said], ["InvalidTaskError", "its id is no UUID"]);
});

test("a letter to the id of a job that is there does not answer for it", async () => {
	const id = await client.send("stint.ping", { countdown: 3600 });
	await until("the job", () => lab.one("SELECT id FROM jobs.jobs WHERE id = $1", id));
	const before = (await letters()).length;
	lab.run("LPUSH", "acme", message(headers({ id, task: "no.such" })).bytes);
	await until("the letter", async () => (await letters())[before]);
	assert.equal((await client.call("stint.ping")).result, "pong");
	assert.equal(lab.run("EXISTS", `celery-task-meta-${id}`), "0");
});
