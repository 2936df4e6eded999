// What time is tracked on and by whom: clients, projects, tags, team; and where it is seen: week and dashboard.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { api, demo, done, entry, newcomer } from "./support.js";

after(done);

const said = (page, text) => page.locator("#flash").getByText(text).waitFor();
const line = (page, name) => page.locator("tbody tr", { hasText: name });

for (const [noun, one, things] of [["client", "Client", "clients"], ["tag", "Tag", "tags"]]) {
	test(`a ${noun} is made, renamed, deleted and brought back`, async () => {
		const { page, finish } = await newcomer();
		await page.goto(`/${things}`);
		await page.getByLabel(`New ${noun}`).fill("Aurora");
		await page.getByRole("button", { name: `Add ${noun}` }).click();
		await line(page, "Aurora").waitFor();
		await page.getByLabel(`New ${noun}`).fill("aurora");
		await page.getByRole("button", { name: `Add ${noun}` }).click();
		await page.locator("#name-error").waitFor();
		assert.equal(await page.getByLabel(`New ${noun}`).inputValue(), "aurora", "what was typed stays");
		await line(page, "Aurora").getByRole("link").click();
		await page.locator("#edit").getByLabel("Name").fill("Borealis");
		await page.locator("#edit").getByRole("button", { name: "Save" }).click();
		await said(page, `${one} saved.`);
		await line(page, "Borealis").getByRole("link").click();
		await page.getByRole("button", { name: `Delete ${noun}` }).click();
		await said(page, `${one} deleted.`);
		assert.equal(await line(page, "Borealis").count(), 0);
		await page.locator("#flash").getByRole("button", { name: "Undo" }).click();
		await line(page, "Borealis").waitFor();
		await finish();
	});
}

test("a project is made with client and colour, archived and taken out again", async () => {
	const { page, finish } = await newcomer();
	await api(page, "POST", "/clients", { name: "Aurora" });
	await page.goto("/projects");
	await page.locator("details.add summary").click();
	await page.getByLabel("Name").fill("Website");
	await page.locator("details.add").getByLabel("Client").selectOption({ label: "Aurora" });
	await page.locator('input[name="color"][value="7"]').check({ force: true });
	await page.getByRole("button", { name: "Create project" }).click();
	assert.match(await line(page, "Website").innerText(), /Aurora/);
	await line(page, "Website").getByRole("link").first().click();
	assert.ok(await page.locator('#edit input[name="color"][value="7"]').isChecked());
	await page.getByRole("button", { name: "Archive", exact: true }).click();
	await page.getByRole("button", { name: "Take out of the archive" }).waitFor();
	await page.goto("/projects");
	assert.equal(await line(page, "Website").count(), 0);
	assert.equal(await page.locator("#bar-project option", { hasText: "Website" }).count(), 0, "no time goes on what is archived");
	await page.goto("/projects?archived=true");
	await line(page, "Website").getByRole("link").first().click();
	await page.getByRole("button", { name: "Take out of the archive" }).click();
	await page.getByRole("button", { name: "Archive", exact: true }).waitFor();
	await page.goto("/projects");
	await line(page, "Website").waitFor();
	await finish();
});

test("an owner gives somebody another role, and never takes the last owner away", async () => {
	const { page, finish } = await demo("owner");
	const person = (await api(page, "GET", "/members")).data.find((m) => m.role === "member" && m.email !== "member@demo.test");
	for (const role of ["manager", "member"]) {
		await page.goto(`/team/${person.id}`);
		await page.getByLabel("Role").selectOption(role);
		await page.getByRole("button", { name: "Save" }).click();
		await line(page, person.name).filter({ hasText: new RegExp(role, "i") }).waitFor();
	}
	await finish();
	const alone = await newcomer();
	const me = (await api(alone.page, "GET", "/members")).data[0];
	await alone.page.goto(`/team/${me.id}`);
	await alone.page.getByLabel("Role").selectOption("member");
	await alone.page.getByRole("button", { name: "Save" }).click();
	await alone.page.locator("main .error, main .note.bad").first().waitFor();
	assert.equal((await api(alone.page, "GET", "/members")).data[0].role, "owner");
	await alone.finish();
});

test("the week adds up, and one goes back and forth", async () => {
	const { page, finish } = await newcomer();
	const project = await api(page, "POST", "/projects", { name: "Garden" });
	await api(page, "POST", "/time-entries", { description: "Digging", project_id: project.id, started_at: "2026-11-10T08:00:00Z", ended_at: "2026-11-10T10:30:00Z" });
	await api(page, "POST", "/time-entries", { description: "Late", started_at: "2026-11-11T22:00:00Z", ended_at: "2026-11-12T00:00:00Z" });
	await page.goto("/week?date=2026-11-12");
	assert.equal((await page.locator(".week-total .figure-s").innerText()).trim(), "4:30");
	const cells = (await page.locator(".grid tfoot td").allInnerTexts()).map((t) => t.trim());
	assert.deepEqual([cells[1], cells[2], cells[3], cells[7]], ["2:30", "1:00", "1:00", "4:30"], "cut at midnight where the person lives");
	assert.match(await page.locator(".grid tbody tr", { hasText: "Garden" }).innerText(), /2:30/);
	await page.getByRole("link", { name: "Previous week" }).click();
	await page.waitForURL("**/week?date=2026-11-02");
	await page.getByText("Nothing tracked in this week.").waitFor();
	await page.getByRole("link", { name: "Next week" }).click();
	await page.waitForURL("**/week?date=2026-11-09");
	await page.locator(".slip", { hasText: "Digging" }).getByRole("link").click();
	await page.waitForURL("**/time-entries/*");
	await finish();
});

test("whose time it is is said wherever it is somebody else's", async () => {
	const { page, finish } = await demo("owner");
	const mira = (await api(page, "GET", "/members")).data.find((m) => m.email === "member@demo.test");
	const [theirs] = (await api(page, "GET", `/time-entries?limit=1&member_id=${mira.id}&to=2026-11-20T00:00:00Z`)).data;
	await page.goto("/team");
	await line(page, mira.name).getByRole("link", { name: `Week of ${mira.name}` }).click();
	await page.getByRole("heading", { name: `Week of ${mira.name}`, level: 1 }).waitFor();
	assert.match(await page.locator(".whose").innerText(), new RegExp(`time of ${mira.name}`));
	await page.getByRole("link", { name: "Previous week" }).click();
	await page.waitForURL(/\/week\?date=[-\d]+&member_id=/);
	await page.getByRole("heading", { name: `Week of ${mira.name}`, level: 1 }).waitFor();
	await page.goto(`/time-entries/${theirs.id}`);
	assert.match(await page.locator(".whose").innerText(), new RegExp(`time of ${mira.name}\\. What you change here is changed for them`));
	await page.getByRole("button", { name: "Start this on your own timer" }).waitFor();
	await page.locator("#edit").getByRole("button", { name: "Save" }).click();
	await page.getByRole("heading", { name: `Week of ${mira.name}`, level: 1 }).waitFor();
	await said(page, "Entry saved.");
	await finish();
	// One's own says nothing of it.
	const own = await newcomer();
	const mine = await entry(own.page);
	for (const path of ["/week", `/time-entries/${mine.id}`]) {
		await own.page.goto(path);
		assert.equal(await own.page.locator(".whose").count(), 0, path);
	}
	await own.page.goto("/week?date=2026-10-28");
	await own.page.locator("#start .go").click();
	await own.page.locator("#stop").waitFor();
	assert.match(own.page.url(), /\/week\?date=2026-10-28$/, "one stays where one was, to the week");
	await own.finish();
});

test("an empty list says why it is empty, and how to go on", async () => {
	const { page, finish } = await newcomer();
	await entry(page);
	for (const [path, sentence, way] of [
		["/projects", /Projects say what time was for/, "Create the first project"], ["/projects?archived=true", /No archived projects/, null],
		["/projects?q=zzz", /Nothing here has “zzz” in its name/, "Show all"], ["/clients?q=zzz", /Nothing here has “zzz” in its name/, "Show all"],
		["/clients?archived=true", /No archived clients/, null], ["/tags", /Tags cut across projects/, "Add the first tag"],
		["/tags?q=zzz", /Nothing here has “zzz” in its name/, "Show all"], ["/team?q=zzz", /Nobody here has “zzz” in their name/, "Show all"],
		["/timer?before=2020-01-01", /There is no time before this/, "The newest days"],
	]) {
		await page.goto(path);
		assert.match(await page.locator(".empty").innerText(), sentence, path);
		assert.equal(await page.locator(".empty .btn").count(), way ? 1 : 0, path);
		if (way) await page.locator(".empty").getByRole("link", { name: way }).click();
		if (way === "Create the first project") await page.getByLabel("Name").waitFor();
		if (way === "Show all") await page.locator(".empty", { hasText: "zzz" }).waitFor({ state: "detached" });
		if (way === "The newest days") await page.locator("li.entry").waitFor();
	}
	await finish();
});

test("the dashboard shows today, the week, the projects, and what to go on with", async () => {
	const { page, finish } = await newcomer();
	const project = await api(page, "POST", "/projects", { name: "Garden" });
	await entry(page, { description: "Weeding", project_id: project.id, ago: 0.1, lasting: 0.05 });
	await page.goto("/");
	assert.match(await page.locator(".by-project .chart").textContent(), /Garden/);
	assert.equal(await page.locator(".chart-bars a").count(), 7);
	assert.ok(await page.locator(".chart-timeline a").count() >= 1);
	await page.locator(".week-sum summary").click();
	assert.equal(await page.locator(".week-sum tbody tr").count(), 7, "a table stands behind the chart");
	await page.locator(".recent").getByRole("button", { name: /^Continue Weeding/ }).click();
	await page.locator("#stop").waitFor();
	assert.equal(await page.locator("#bar-description").inputValue(), "Weeding");
	assert.equal(new URL(page.url()).pathname, "/", "one stays where one was");
	await finish();
});
