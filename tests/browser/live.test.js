// What changes elsewhere shows here: in another tab, in another browser, from a program, and from colleagues; and what is said when
// nothing comes through. The whole way, with the worker's sealer, Redis and stint-live in between.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import { pause } from "../wait.js";
import { demoPassword, organization } from "../api/support.js";
import { redis } from "../live/support.js";
import { done, visitor } from "./support.js";

after(() => { redis.close(); return done(); });

async function enter(who, options) {
	const visit = await visitor(options);
	await visit.page.goto("/login");
	await visit.page.fill('[name="email"]', who.email);
	await visit.page.fill('[name="password"]', demoPassword);
	await visit.page.press('[name="password"]', "Enter");
	await visit.page.waitForSelector("#bar");
	return visit;
}
const connected = (page) => page.waitForFunction(() => stint.live.connected?.());
const running = (page, text) => page.waitForFunction((want) => document.querySelector("#running #bar-description")?.value === want, text);
const idle = (page) => page.waitForSelector('[data-bar="idle"]');
const hold = (name) => path.join(process.env.STINT_RUN, "hold", name);

test("a start in one tab shows in the other, and so does the stop; another browser and a program are tabs too", async () => {
	const { member } = await organization({ roles: ["owner", "member"] });
	const one = await enter(member), other = await enter(member);
	const two = await one.context.newPage();
	await two.goto("/timer");
	await other.page.goto("/week");
	await one.page.goto("/timer");
	for (const page of [one.page, two, other.page]) await connected(page);
	await one.page.fill('[data-bar="idle"] #bar-description', "Kick-off");
	await one.page.press('[data-bar="idle"] #bar-description', "Enter");
	await running(two, "Kick-off");
	await running(other.page, "Kick-off");
	await two.waitForSelector("main .is-running");
	await member.made("/timer/stop", {}, 200);
	for (const page of [one.page, two, other.page]) await idle(page);
	await one.finish();
	await other.finish();
});

test("what is typed, focused, open and where one has scrolled stay when the page fetches itself", async () => {
	const { member } = await organization({ roles: ["owner", "member"] });
	for (let i = 0; i < 30; i++) await member.made("/time-entries", { description: `Entry ${i}`, started_at: new Date(Date.now() - (90 + i * 20) * 60000).toISOString().replace(/\.\d+/, ""), duration_s: 600 });
	const visit = await enter(member, { viewport: { width: 1000, height: 500 } }), page = visit.page;
	await page.goto("/timer");
	await connected(page);
	await page.click(".who-now");
	await page.fill('[data-bar="idle"] #bar-description', "Half a thought");
	await page.evaluate(() => { document.querySelector(".side .who").open = true; scrollTo(0, 300); });
	await member.made("/timer/start", { description: "From elsewhere" });
	await running(page, "From elsewhere");
	assert.equal(await page.inputValue("#switch-description"), "Half a thought");
	assert.equal(await page.evaluate(() => document.querySelector(".side .who").open), true);
	assert.equal(await page.evaluate(() => Math.round(scrollY)), 300);
	await page.fill("#bar-description", "From elsewhere, bet");
	await member.made("/time-entries", { description: "Another", started_at: "2026-01-05T08:00:00Z", duration_s: 600 });
	await member.made("/tags", { name: "New tag" }).catch(() => {});
	await pause(1500);
	assert.equal(await page.inputValue("#bar-description"), "From elsewhere, bet");
	assert.equal(await page.evaluate(() => document.activeElement.id), "bar-description");
	await visit.finish();
});

test("a choice that is not saved yet stays when the page changes elsewhere, whatever has the focus", async () => {
	const { owner, member } = await organization({ roles: ["owner", "member"] });
	const visit = await enter(owner), page = visit.page;
	await page.goto(`/team/${member.member_id}`);
	await connected(page);
	await page.getByLabel("Role").selectOption("manager");
	await page.getByRole("button", { name: "Save" }).focus();
	await owner.made("/timer/start", { description: "Meanwhile" });
	await running(page, "Meanwhile");
	assert.equal(await page.getByLabel("Role").inputValue(), "manager");
	await page.getByRole("button", { name: "Save" }).click();
	await page.waitForURL("**/team");
	assert.equal((await owner.read("/members")).data.find((m) => m.id === member.member_id).role, "manager");
	await visit.finish();
});

test("who works now: a lead sees it come and go, a member sees nobody", async () => {
	const { owner, member } = await organization({ roles: ["owner", "member"] });
	const lead = await enter(owner), self = await enter(member);
	await lead.page.goto("/");
	await self.page.goto("/");
	await connected(lead.page);
	assert.equal(await self.page.locator("#working").count(), 0);
	await lead.page.waitForSelector("#working .none");
	await member.made("/timer/start", { description: "Deep work" });
	await lead.page.waitForSelector(`#working [data-member="${member.member_id}"]:has-text("Deep work")`);
	await member.made("/timer/stop", {}, 200);
	await lead.page.waitForSelector("#working .none");
	await lead.finish();
	await self.finish();
});

test("a hidden page catches up when it is shown", async () => {
	const { member } = await organization({ roles: ["owner", "member"] });
	const visit = await enter(member), page = visit.page;
	await page.goto("/timer");
	await connected(page);
	const show = (hidden) => page.evaluate((value) => {
		Object.defineProperty(document, "hidden", { value, configurable: true });
		document.dispatchEvent(new Event("visibilitychange"));
	}, hidden);
	await show(true);
	await member.made("/timer/start", { description: "While nobody looked" });
	await pause(1000);
	assert.equal(await page.locator("#running").count(), 0);
	await show(false);
	await running(page, "While nobody looked");
	await visit.finish();
});

test("without a connection it says so, and is up to date when it is back", async () => {
	const { member } = await organization({ roles: ["owner", "member"] });
	const visit = await enter(member), page = visit.page;
	await page.goto("/timer");
	await connected(page);
	await visit.context.setOffline(true);
	await page.waitForSelector("#live:not(:empty)");
	assert.equal(await page.getAttribute("#live", "aria-live"), "polite");
	await member.made("/timer/start", { description: "Meanwhile" });
	await visit.context.setOffline(false);
	await running(page, "Meanwhile");
	await page.waitForSelector("#live", { state: "hidden" });
	visit.faults.splice(0, visit.faults.length, ...visit.faults.filter((fault) => !/ERR_INTERNET_DISCONNECTED|ERR_NETWORK/.test(fault)));
	await visit.finish();
});

test("where WebSockets do not come through the page asks now and then, without a word", async () => {
	const { member } = await organization({ roles: ["owner", "member"] });
	const visit = await enter(member), page = visit.page;
	let tried = 0;
	await page.routeWebSocket(/live/, (socket) => { tried++; socket.close(); });
	await page.clock.install();
	await page.goto("/timer");
	const passes = async (ms, enough) => { while (!(await enough())) { await page.clock.runFor(ms); await pause(20); } };
	await passes(2000, () => tried >= 3);
	await member.made("/timer/start", { description: "Asked for" });
	const before = tried;
	await passes(10000, () => page.evaluate(() => document.querySelector("#running #bar-description")?.value === "Asked for"));
	assert.ok(tried - before <= 2, "once in half a minute or more, and not all the time");
	assert.equal(await page.locator("#live").textContent(), "");
	await visit.finish();
});

test("signed out elsewhere: the page goes to the sign-in page", async () => {
	const { member } = await organization({ roles: ["owner", "member"] });
	const visit = await enter(member), page = visit.page;
	await page.goto("/timer");
	await connected(page);
	const { data } = await member.read("/me/sessions");
	const began = Date.now();
	const { id } = data.find((s) => s.kind === "session");
	await member.delete(`/me/sessions/${id}`);
	await page.waitForURL("**/login**");
	assert.ok(Date.now() - began < 5000);
	await visit.finish();
});

test("the daemon gone and back: pages come back by themselves", { skip: process.env.STINT_TEST_DATABASE_URL ? false : "services are taken away on the test stack alone" }, async () => {
	const { member } = await organization({ roles: ["owner", "member"] });
	const visit = await enter(member), page = visit.page;
	await page.goto("/timer");
	await connected(page);
	fs.writeFileSync(hold("live"), "");
	try {
		process.kill(Number(fs.readFileSync(path.join(process.env.STINT_RUN, "live.pid"), "utf8").split(/\s/)[0]));
		await page.waitForFunction(() => !stint.live.connected());
		await member.made("/timer/start", { description: "In between" });
	} finally {
		fs.rmSync(hold("live"), { force: true });
	}
	await running(page, "In between");
	await page.waitForFunction(() => stint.live.connected(), undefined, { timeout: 60000 });
	visit.faults.splice(0, visit.faults.length, ...visit.faults.filter((fault) => !/WebSocket|503/.test(fault)));
	await visit.finish();
});
