// docs/jobs.md as it stands: its Python runs, its ACL lets that through and nothing else.
import { execFileSync, spawnSync } from "node:child_process";
import path from "node:path";
import { after, before, test } from "node:test";
import { until } from "../wait.js";
import { Lab, assert, fs, python, root, uuid } from "./celery.js";

const text = fs.readFileSync(path.join(root, "docs", "jobs.md"), "utf8");
const block = (language) => new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, "m").exec(text)[1];

let lab, member;
before(async () => {
	lab = await Lab.open("docs");
	const [org] = lab.organizations;
	lab.stint(["celery", "intake", "add", "acme", "--organization", org.id]);
	await lab.rows("UPDATE data.time_entries SET ended_at = date_trunc('second', now()) + interval '1 second' WHERE ended_at IS NULL");
	member = (await lab.one("SELECT member_id FROM data.time_entries WHERE organization_id = $1 LIMIT 1", org.id)).member_id;
	await lab.worker();
	// The line of the document, said to this Redis.
	execFileSync("bash", ["-c", block("sh").replace("redis-cli", `redis-cli -s ${lab.socket}`)]);
});
after(() => lab.close());

const url = () => `redis://acme:a-long-random-password@127.0.0.1:${lab.port}/0`;
const env = () => ({ ...process.env, CELERY_BROKER: url(), PYTHONDONTWRITEBYTECODE: "1" });

test("the ten lines of Python", async () => {
	const lines = block("python");
	assert.ok(lines.trim().split("\n").length <= 10);
	const { first, last } = await lab.one("SELECT (min(started_at)::date + 3)::text AS first, (max(ended_at)::date - 3)::text AS last FROM data.time_entries WHERE member_id = $1", member);
	const out = spawnSync(python, ["-", member, first, last], { input: lines, encoding: "utf8", env: env() });
	assert.equal(out.status, 0, out.stderr);
	const { s } = await lab.one(
		`SELECT sum(extract(epoch FROM least(ended_at, upper(r)) - greatest(started_at, lower(r))))::bigint AS s
		FROM data.time_entries, (SELECT tstzrange($2::date::timestamp AT TIME ZONE 'UTC', ($3::date + 1)::timestamp AT TIME ZONE 'UTC') AS r) AS b
		WHERE member_id = $1 AND deleted_at IS NULL AND type = 'work'
			AND tstzrange(started_at, ended_at) && r`,
		member, first, last,
	);
	assert.ok(s > 0);
	assert.equal(out.stdout, `pong\n${s}\n`);
});

test("under that ACL all that a client may do works, with priorities and late answers too", async () => {
	const client = await lab.client({ CELERY_BROKER: url() });
	for (const priority of [0, 3, 6, 9]) assert.equal((await client.call("stint.ping", { priority })).result, "pong");
	const id = await client.send("stint.ping", { countdown: 1 });
	assert.equal((await client.get(id)).result, "pong");
	assert.equal((await client.ask("state", { id })).state, "SUCCESS");
	assert.equal(lab.run("ACL", "LOG"), "", "nothing was refused");
});

test("and nothing else", () => {
	lab.run("SET", "celery-task-meta-somebody", "{}");
	lab.run("LPUSH", "other", "x");
	const may = (...words) => execFileSync("redis-cli", ["-u", url(), ...words], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
	assert.match(may("GET", `celery-task-meta-${uuid()}`), /^\n?$/);
	for (const words of [
		["LPUSH", "other", "x"],
		["LPUSH", "other\x06\x163", "x"],
		["LPUSH", "acme\x06\x160", "x"],
		["LPUSH", "acme2", "x"],
		["LPUSH", "jobs:default:0", "x"],
		["LPUSH", "intake:acme", "x"],
		["LPUSH", "ai", "x"],
		["LLEN", "other"],
		["LRANGE", "acme", "0", "-1"],
		["LPOP", "acme"],
		["RPOP", "acme"],
		["DEL", "acme"],
		["SET", "acme", "x"],
		["SET", "celery-task-meta-somebody", "x"],
		["DEL", "celery-task-meta-somebody"],
		["LPUSH", "celery-task-meta-new", "x"],
		["SADD", "celery-task-meta-new", "x"],
		["SADD", "_kombu.binding.other", "x"],
		["PUBLISH", "celery-task-meta-somebody", "x"],
		["PSUBSCRIBE", "celery-task-meta-*"],
		["SUBSCRIBE", "live:x"],
		["KEYS", "*"],
		["SCAN", "0"],
		["MONITOR"],
		["CONFIG", "GET", "*"],
		["ACL", "LIST"],
		["EVAL", "return 1", "0"],
		["FLUSHALL"],
		["CLIENT", "LIST"],
		["INFO"],
	])
		assert.match(may(...words), /NOPERM|no permissions/, words.join(" "));
});

test("the line of SQL hands its task over", async () => {
	const { id } = await lab.one(block("sql").replace(/;\s*$/, " AS id"));
	const row = await until("it was pushed", async () => {
		const r = await lab.one("SELECT state, memo, error FROM jobs.jobs WHERE id = $1", id);
		return (r.memo || r.error) && r;
	});
	assert.equal(row.error, null);
	assert.equal(JSON.parse(lab.run("LINDEX", "ai", "0")).headers.task, "model.classify");
});
