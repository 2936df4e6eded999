// How to call every route there is: from `stint routes --json`, with values by the type of each field and ids by the name
// of what they point to. What is not known here fails its test, so that a new route or field cannot slip by.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { ago, assert, Client, demoPassword, http, one, root, rows, signIn, uuid, uuidv7 } from "./support.js";

function program() {
	const built = process.env.STINT_BIN ?? path.join(root, "_build");
	return fs.statSync(built).isDirectory() ? path.join(built, "stint") : built;
}
const routes = JSON.parse(execFileSync(program(), ["routes", "--json"], { encoding: "utf8" }));
assert.ok(routes.length > 50);

// Which roles hold a permission, from the list that the program is made of.
const holders = { signed_in: ["owner", "manager", "member"] };
for (const [, name, ...bits] of fs
	.readFileSync(path.join(root, "src/app/permissions.def"), "utf8")
	.matchAll(/^PERMISSION\(\w+, "(\w+)", ([01]), ([01]), ([01])/gm))
	holders[name] = ["owner", "manager", "member"].filter((role, i) => bits[i] === "1");
const isAllowed = (route, role) => {
	assert.ok(holders[route.need], `${route.name} needs ${route.need}, which permissions.def does not know`);
	return holders[route.need].includes(role);
};

const pathIds = (route) => [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);

// Fresh things of an organization, made by its owner; `mark` is in every text of them.
class Things {
	constructor(owner, mark = "") {
		this.owner = owner;
		this.mark = mark;
	}
	async tag_id() {
		return (await this.owner.made("/tags", { name: `${this.mark} tag ${uuid()}` })).id;
	}
	async client_id() {
		return (await this.owner.made("/clients", { name: `${this.mark} client ${uuid()}` })).id;
	}
	async project_id() {
		return (await this.owner.made("/projects", { name: `${this.mark} project ${uuid()}` })).id;
	}
	async member_id(who = this.owner) {
		return who.member_id;
	}
	async organization_id() {
		return this.owner.organization_id;
	}
	async time_entry_id(who = this.owner) {
		const entry = await this.owner.made("/time-entries", { member_id: who.member_id, started_at: ago(7200), ended_at: ago(3600), description: `${this.mark} entry` });
		return entry.id;
	}
	// Of a queue that no worker serves, so that none comes first.
	async job_id() {
		const id = uuidv7();
		await rows(
			`INSERT INTO jobs.jobs (id, organization_id, kind, queue, priority, quick, rated, args, due_at, max_attempts)
			VALUES ($1, $2, 'stint.ping', 'nobody.serves.this', 6, false, false, $3, now() + interval '1 day', 3)`,
			id,
			this.owner.organization_id,
			{ mark: `${this.mark} job` },
		);
		return id;
	}
	// Nothing is sent there; the delivery belongs to the endpoint that was asked for last.
	async webhook_id() {
		this.webhook = (await this.owner.made("/webhooks", { url: `https://hooks.invalid/${uuid()}`, description: `${this.mark} webhook`, events: ["webhook.purge"], active: false })).id;
		return this.webhook;
	}
	async delivery_id() {
		const id = uuid();
		await rows(
			"INSERT INTO data.webhook_deliveries (organization_id, id, webhook_id, type, at, state, request) VALUES ($1, $2, $3, 'ping', now(), 'delivered', $4)",
			this.owner.organization_id, id, this.webhook ?? (await this.webhook_id()), `${this.mark} request`,
		);
		return id;
	}
	async session_id(who = this.owner) {
		const token = await signIn(who.email);
		const { data } = await new Client(token).read("/me/sessions");
		return data.find((s) => s.current).id;
	}
	async notification_id(who = this.owner) {
		const about = { who: `${this.mark} somebody`, role: "manager", was: "member" };
		return (await one("SELECT app.notify($1, $2, 'role_changed', $3, '/settings/profile') AS id", this.owner.organization_id, who.member_id, about)).id;
	}
	// A word that is the same everywhere, and no id.
	async kind() {
		return "entry_changed";
	}
	// Someone whose role may change without ending anybody's test.
	async spare_member_id() {
		const id = uuid();
		await rows(
			"INSERT INTO data.members (organization_id, id, name, email, role, zone) VALUES ($1, $2, $3, $4, 'member', 'UTC')",
			this.owner.organization_id,
			id,
			`${this.mark} spare`,
			`${id}@api.test`,
		);
		return id;
	}
	async of(name, route, who) {
		assert.equal(typeof this[name], "function", `${route.name}: the walk does not know what {${name}} is`);
		const id = route.name === "members.update" && name === "member_id" ? await this.spare_member_id() : await this[name](who);
		if (route.name.endsWith(".restore")) await this.gone(name, id);
		return id;
	}
	async gone(name, id) {
		const noun = { tag_id: "tags", client_id: "clients", project_id: "projects", time_entry_id: "time-entries", job_id: "jobs", webhook_id: "webhooks" }[name];
		assert.ok(noun, `the walk does not know how to delete a ${name}`);
		assert.equal((await this.owner.delete(`/${noun}/${id}`)).status, 204);
	}
}

const byType = {
	text: (name) => `Walk ${name} ${uuid()}`,
	email: () => `${uuid()}@api.test`,
	password: () => `canary-${uuid()}`,
	zone: () => "Europe/Berlin",
	bool: () => true,
	date: () => "2026-03-02",
	clock: () => "09:40",
	uuid: () => uuid(),
};
const byName = {
	currency: () => "EUR",
	events: () => ["webhook.purge"], // which does not happen here
	started_at: () => ago(5400),
	url: () => `https://hooks.invalid/${uuid()}`,
	switch: () => true,
};
// Fields that say when, of entries: one way of saying it is enough.
const whole = { "timer.start": { switch: true }, "time_entries.create": { started_at: true, ended_at: true } };

// The least that a route takes, with no id in it.
function input(route) {
	const out = {};
	for (const field of route.fields) {
		if (!field.required && !whole[route.name]?.[field.name]) continue;
		if (field.name === "ended_at") out.ended_at = ago(60);
		else if (byName[field.name]) out[field.name] = byName[field.name](field.name);
		else {
			assert.ok(byType[field.type], `${route.name}: the walk has no value for ${field.name} (${field.type})`);
			out[field.name] = byType[field.type](field.name);
		}
	}
	return out;
}

// A change needs something to change, and a page's form of an entry day and clock times.
function filled(route, more = {}) {
	const out = { ...input(route), ...more };
	if (route.page && route.name === "time_entries.create") {
		delete out.ended_at;
		Object.assign(out, { day: "2026-03-02", start: "09:00", end: "10:00" });
	}
	if (route.page) delete out.started_at;
	return out;
}

const pathWith = (route, ids) => route.path.replace(/\{(\w+)\}/g, (_, name) => ids[name] ?? assert.fail(`${route.name}: no ${name}`));

const cookies = new Map();
// A browser's session: its cookie and the token its forms carry.
async function session(who) {
	if (!cookies.has(who.email))
		cookies.set(
			who.email,
			(async () => {
				const form = new URLSearchParams({ email: who.email, password: demoPassword });
				const reply = await http("POST", "/login", { body: form });
				assert.equal(reply.status, 303, reply.text);
				const cookie = reply.headers.get("set-cookie").split(";")[0];
				const page = await http("GET", "/settings/profile", { headers: { cookie } });
				const [, csrf] = /name="csrf" value="([^"]+)"/.exec(page.text) ?? assert.fail("no csrf on the page");
				return { cookie, csrf };
			})(),
		);
	return cookies.get(who.email);
}

// Calls a route in somebody's name (null: nobody) with these ids in its path and this input.
async function ask(route, who, ids = {}, given = {}) {
	const target = pathWith(route, ids);
	if (!route.page) {
		const below = target.replace("/api/v1", "");
		const client = who ?? new Client(null);
		if (route.method !== "GET") return client.send(route.method, below, route.method === "DELETE" || !route.fields.length ? undefined : given);
		const query = new URLSearchParams(given).toString();
		return client.get(below + (query && `?${query}`));
	}
	const { cookie, csrf } = who ? await session(who) : { csrf: "" };
	const headers = cookie ? { cookie } : {};
	if (route.method === "GET") {
		const query = new URLSearchParams(given).toString();
		return http("GET", target + (query && `?${query}`), { headers });
	}
	const form = new URLSearchParams({ csrf });
	for (const [name, value] of Object.entries(given)) for (const v of [value].flat()) form.append(name, v);
	return http(route.method, target, { headers, body: form });
}

// What stands still in tables that background work moves: events get their places, deliveries and mails go out.
const standing = {
	events: "(seq, at, member_id, noun, row_id, action, reason, before, after)",
	notifications: "(id, member_id, kind, about, read_at)",
	webhook_states: "(webhook_id, secret, old_secret)",
	webhook_deliveries: "(id, webhook_id)",
};

// Everything that is stored of an organization, as text; what reading itself changes is left out.
async function stored(organizationId) {
	const tables = await rows(
		"SELECT table_name AS name FROM information_schema.columns WHERE table_schema = 'data' AND column_name = 'organization_id' ORDER BY 1",
	);
	const out = {};
	for (const { name } of tables) {
		if (["credentials", "idempotency_keys", "event_heads"].includes(name)) continue;
		out[name] = (await rows(`SELECT ${standing[name] ?? "t"}::text AS row FROM data.${name} AS t WHERE organization_id = $1 ORDER BY 1`, organizationId)).map((r) => r.row);
	}
	out.organization = await one("SELECT o::text AS row FROM data.organizations AS o WHERE id = $1", organizationId);
	// What the sealer enqueues comes and goes by itself.
	out.jobs = (await rows("SELECT j::text AS row FROM jobs.jobs AS j WHERE organization_id = $1 AND kind NOT LIKE 'webhook.%' ORDER BY 1", organizationId)).map((r) => r.row);
	out.credentials = (await one("SELECT count(*) FROM data.credentials WHERE organization_id = $1", organizationId)).count;
	return out;
}

const title = (route) => `${route.name.replace(".", "_")}${route.page ? "_page" : ""} (${route.method} ${route.path})`;

export { ask, filled, isAllowed, pathIds, routes, session, stored, Things, title };
