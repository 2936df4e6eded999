// Every route, in the name of every role and of nobody, with another organization's ids in every place that takes one:
// nothing of it is told, nothing of it changes, and it is as if it were not there. Generated from the route table.
import { test } from "node:test";
import { until } from "../wait.js";
import { ago, assert, one, organization, rows, uuid } from "./support.js";
import { ask, filled, isAllowed, pathIds, routes, stored, Things, title } from "./routes.js";

const canary = `Canary${uuid().replaceAll("-", "")}`;
const ours = await organization({ policy: "allow" });
const theirs = await organization({ policy: "allow", name: `${canary} organization`, roles: ["owner", "member"] });
const things = new Things(theirs.owner, canary);
const callers = [ours.owner, ours.manager, ours.member];

// Theirs: one of each, a running timer among them, and one of each that was deleted.
const foreign = { organization_id: theirs.id, member_id: theirs.member.member_id };
const foreignGone = {};
for (const name of ["tag_id", "client_id", "project_id", "time_entry_id", "job_id", "webhook_id"]) {
	foreign[name] = await things[name]();
	foreignGone[name] = await things[name]();
	await things.gone(name, foreignGone[name]);
}
foreign.notification_id = await things.notification_id(theirs.member);
foreign.webhook_id = await things.webhook_id();
foreign.delivery_id = await things.delivery_id();
foreign.session_id = await things.session_id(theirs.member);
foreign.tags = foreign.tag_id;
foreign.kind = await things.kind();
const foreignId = await things.tag_id();
await theirs.owner.made("/timer/start", { description: `${canary} running`, started_at: ago(600) });
// What the stack would do about it by itself (a mail) waits until tomorrow.
await rows("UPDATE jobs.jobs SET due_at = now() + interval '1 day' WHERE organization_id = $1 AND state = 'waiting'", theirs.id);
await until("nothing of it runs", async () => !(await one("SELECT FROM jobs.jobs WHERE organization_id = $1 AND state = 'running'", theirs.id)));
const before = await stored(theirs.id);

function isSilent(reply) {
	const said = reply.text + [...reply.headers].join("\n");
	assert.ok(!said.includes(canary), `${reply.method} ${reply.target} tells of another organization: ${reply.text.slice(0, 2000)}`);
	for (const who of [theirs.owner, theirs.member])
		for (const secret of [who.email, who.user.id, who.member_id])
			assert.ok(!said.replaceAll(reply.target, "").includes(secret) || secret === foreign.member_id, `${reply.target} tells ${secret}`);
}

// The message of a page says the same as the code of a program.
function isRefused(reply, route, role, statuses) {
	const allowed = isAllowed(route, role);
	assert.ok(
		(allowed ? statuses : [403]).includes(reply.status),
		`${role}, ${route.method} ${reply.target}: ${reply.status}, wanted ${allowed ? statuses : 403}\n${reply.text.slice(0, 800)}`,
	);
}

const idFields = (route) => {
	const found = route.fields.filter((f) => f.type === "uuid" || f.type === "uuids");
	for (const { name } of found) assert.ok(name === "id" || foreign[name], `${route.name}: the walk does not know what ${name} points to`);
	return found;
};

for (const route of routes) {
	const open = route.need === "public";
	// The mailbox of the development stack shows everybody's mail, to everybody; it is in no other stack.
	if (route.name.startsWith("system.mail")) continue;

	if (!open)
		test(`${title(route)}: nobody`, async () => {
			const reply = await ask(route, null, foreign, filled(route));
			isSilent(reply);
			if (!route.page) assert.equal(reply.status, 401, reply.text);
			else {
				assert.equal(reply.status, 303, reply.text.slice(0, 500));
				assert.match(reply.headers.get("location"), /^\/login/);
			}
		});

	if (pathIds(route).some((name) => name.endsWith("_id")))
		for (const who of callers)
			test(`${title(route)}: ${who.role}, another organization's id in the path`, async () => {
				for (const name of pathIds(route)) assert.ok(foreign[name], `the walk does not know what {${name}} is`);
				for (const ids of [foreign, { ...foreign, ...foreignGone }, Object.fromEntries(Object.keys(foreign).map((k) => [k, uuid()]))]) {
					const reply = await ask(route, who, ids, filled(route));
					isSilent(reply);
					isRefused(reply, route, who.role, [404]);
				}
			});

	for (const field of open ? [] : idFields(route)) {
		for (const who of callers)
			test(`${title(route)}: ${who.role}, another organization's ${field.name}`, async () => {
				const own = new Things(ours.owner);
				const ids = {};
				for (const name of pathIds(route)) ids[name] = await own.of(name, route, who);
				if (field.name === "id") {
					// An id is unique in its organization: what another one holds is free here, and tells nothing.
					const reply = await ask(route, who, ids, filled(route, { id: foreignId }));
					isSilent(reply);
					if (isAllowed(route, who.role)) assert.ok([200, 201, 303, 409, 422].includes(reply.status), `${reply.status} ${reply.text.slice(0, 300)}`);
					return;
				}
				const value = foreign[field.name];
				const given = filled(route, { [field.name]: field.type === "uuids" && !route.page ? [value] : value });
				const reply = await ask(route, who, ids, given);
				isSilent(reply);
				if (route.method === "GET") {
					// A filter by what is not there finds nothing.
					isRefused(reply, route, who.role, [200, 404]);
					if (reply.status === 200 && reply.body?.data) assert.deepEqual(reply.body.data, []);
					return;
				}
				isRefused(reply, route, who.role, [404, 422]);
				if (reply.status === 422 && !route.page) assert.deepEqual(reply.body.errors.map((e) => [e.field, e.code]), [[field.name, "reference"]]);
			});
	}

	if (!open && route.method === "GET" && !pathIds(route).length)
		for (const who of callers)
			test(`${title(route)}: ${who.role} sees nothing of another organization`, async () => {
				const searches = route.fields.some((f) => f.name === "q") ? [{}, { q: canary }, { q: "Canary" }] : [{}];
				for (const given of searches) {
					const reply = await ask(route, who, {}, given);
					if (given.q) {
						if (!route.page) assert.deepEqual(reply.body.data, []);
						assert.ok(!reply.text.replaceAll(canary, "").includes(`${canary} `));
					} else isSilent(reply);
					isRefused(reply, route, who.role, [200, 204]);
				}
			});
}

test("walk_left_everything_of_the_other_organization_as_it_was", async () => {
	assert.deepEqual(await stored(theirs.id), before);
	assert.ok(before.tags.length >= 2 && before.time_entries.length >= 3, "there was something to leave");
});

test("walk_of_the_other_organization_itself_finds_what_was_looked_for", async () => {
	// The canary is there for those whose it is: or else none of the above could have failed.
	for (const path of ["/tags", "/clients", "/projects", "/time-entries", "/members", "/organization", "/timer", "/dashboard", "/jobs", "/webhooks"]) {
		const reply = await theirs.owner.get(path);
		const marked = path === "/members" ? theirs.owner.email : canary;
		assert.ok(reply.text.includes(marked), `${path}: ${reply.text.slice(0, 300)}`);
	}
});
