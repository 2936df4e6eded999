// What each role may: 403 exactly where the permissions say so, and never for lack of anything else. Each route of the API
// is called with things of the caller's own organization, so that a permitted call is a call that works.
import { test } from "node:test";
import { ago, assert, organization, signedIn } from "./support.js";
import { ask, filled, isAllowed, pathIds, routes, session, stored, Things, title } from "./routes.js";

const org = await organization({ policy: "allow" });
const things = new Things(org.owner);
// What a permitted call answers where it is not 2xx, and why that is still one.
const answers = {
	"me.password": 422, // not the current password
};
// These end what the caller is signed in with.
const ending = new Set(["auth.logout", "auth.switch"]);

async function readied(route, who) {
	if (route.name === "timer.stop") await ask(routes.find((r) => r.name === "timer.start" && !r.page), who, {}, { switch: true, started_at: ago(60) });
	if (route.page) await session(who);
	const ids = {};
	for (const name of pathIds(route)) ids[name] = await things.of(name, route, who);
	return ids;
}

for (const route of routes.filter((r) => !r.page && r.need !== "public"))
	for (const role of ["owner", "manager", "member"])
		test(`${title(route)}: ${role}${isAllowed(route, role) ? "" : " may not"}`, async () => {
			const who = ending.has(route.name) ? await signedIn(org[role]) : org[role];
			const ids = await readied(route, who);
			const given = filled(route);
			if (route.name === "auth.switch") given.organization_id = org.id;
			if (route.name === "organization.update") given.name = org.name;
			if (isAllowed(route, role)) {
				const reply = await ask(route, who, ids, given);
				if (answers[route.name]) assert.equal(reply.status, answers[route.name], reply.text);
				else assert.ok(reply.status >= 200 && reply.status < 300, `${reply.status} ${reply.text}`);
				return;
			}
			const before = await stored(org.id);
			const reply = await ask(route, who, ids, given);
			assert.equal(reply.status, 403, reply.text);
			assert.equal(reply.body.code, "forbidden");
			assert.deepEqual(await stored(org.id), before);
		});

for (const route of routes.filter((r) => r.page && r.need !== "public"))
	for (const role of ["owner", "manager", "member"]) {
		if (isAllowed(route, role)) continue;
		test(`${title(route)}: ${role} may not`, async () => {
			const ids = await readied(route, org[role]);
			const before = await stored(org.id);
			const reply = await ask(route, org[role], ids, filled(route));
			assert.equal(reply.status, 403, `${reply.status} ${reply.text.slice(0, 500)}`);
			assert.deepEqual(await stored(org.id), before);
		});
	}

test("roles_are_the_only_thing_in_the_way_of_the_unsaid_permissions", async () => {
	// time_edit_all and time_view_all open no route of their own, but others' time.
	const mine = await things.time_entry_id(org.owner);
	const shared = await things.time_entry_id(org.member);
	for (const [role, status] of [["owner", 200], ["manager", 200], ["member", 404]]) {
		assert.equal((await org[role].get(`/time-entries/${mine}`)).status, status);
		assert.equal((await org[role].patch(`/time-entries/${mine}`, { description: role })).status, status);
		assert.equal((await org[role].get(`/week?member_id=${org.owner.member_id}`)).status, status);
		assert.equal((await org[role].get(`/time-entries/${shared}`)).status, 200);
	}
});
