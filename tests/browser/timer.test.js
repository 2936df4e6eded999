// The timer and the list of days, as somebody uses them all day: by mouse, by keyboard, in two tabs, and without JavaScript.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { api, done, entry, newcomer } from "./support.js";

after(done);

const rows = (page) => page.locator(".day .entries > .entry:not(.fold), .day .nested > .entry");
const row = (page, text) => page.locator("li.entry", { hasText: text });
const said = (page) => page.locator("#flash");

async function start(page, text) {
	await page.locator("#bar-description").fill(text);
	await page.locator("#start .go").click();
	await page.locator("#stop").waitFor();
}

async function edit(page, cell, value) {
	await cell.click();
	const field = page.locator("[data-editing] input");
	await field.fill(value);
	await field.press("Enter");
	await page.locator("[data-editing]").waitFor({ state: "detached" });
	await said(page).getByText("Saved").waitFor();
}

test("an entry is started with all it carries in one line, and stopped", async () => {
	const { page, finish } = await newcomer();
	const client = await api(page, "POST", "/clients", { name: "Aurora" });
	await api(page, "POST", "/projects", { name: "Website", client_id: client.id, billable: true });
	await api(page, "POST", "/tags", { name: "design" });
	await page.goto("/timer");
	const field = page.locator("#bar-description");
	await field.pressSequentially("Sketching @web");
	await page.locator("#offer").getByRole("option", { name: /Website/ }).waitFor();
	await field.press("Enter");
	assert.equal(await page.locator("#bar-project option:checked").innerText(), "Website");
	assert.ok(await page.locator("[data-billable-box]").isChecked(), "the project says whether it is billable");
	await field.pressSequentially(" #des");
	await page.locator("#offer").getByRole("option", { name: "design" }).waitFor();
	await field.press("Tab");
	assert.equal(await page.locator("[data-count]").innerText(), "1");
	await field.press("Enter");
	await page.locator("#stop").waitFor();
	const line = row(page, "Sketching").first();
	assert.match(await line.innerText(), /Website\s*Aurora[\s\S]*design/);
	assert.equal((await line.locator(".e-what").innerText()).trim(), "Sketching");
	assert.equal(await line.locator(".e-bill").getAttribute("aria-pressed"), "true");
	await page.waitForFunction(() => /^0:\d\d:\d\d · /.test(document.title) && !document.title.startsWith("0:00:00"));
	assert.match(await page.locator("#favicon").getAttribute("href"), /running/);
	await page.locator("#stop").click();
	await page.locator("#start").waitFor();
	assert.equal(await page.locator(".is-running").count(), 0);
	assert.match(await page.title(), /^Timer/);
	await finish();
});

test("starting something else stops what runs; continuing starts it again", async () => {
	const { page, finish } = await newcomer();
	await page.goto("/timer");
	await start(page, "First");
	await page.locator(".bar-next summary").click();
	await page.getByLabel("What now?").fill("Second");
	await page.getByRole("button", { name: "Stop and start this" }).click();
	await row(page, "Second").first().waitFor();
	assert.equal(await page.locator(".is-running").count(), 1);
	assert.match(await page.locator(".is-running").innerText(), /Second/);
	await row(page, "First").first().getByRole("button", { name: /^Continue/ }).click();
	await page.locator(".is-running", { hasText: "First" }).waitFor();
	assert.equal(await page.locator(".is-running").count(), 1);
	assert.equal(await page.locator("#bar-description").inputValue(), "First");
	await finish();
});

test("time typed as a duration is a finished entry", async () => {
	const { page, finish } = await newcomer();
	await page.goto("/timer");
	await page.locator("#bar-description").fill("Called a client 1h30");
	await page.getByText(/lasting 1:30/).waitFor();
	await page.locator("#start .go").click();
	await row(page, "Called a client").waitFor();
	assert.equal(await page.locator("#start").count(), 1, "a finished entry starts nothing");
	assert.match(await row(page, "Called a client").locator(".e-dur").innerText(), /1:30/);
	await finish();
});

test("a start in the past", async () => {
	const { page, finish } = await newcomer();
	await page.goto("/timer");
	await page.locator("#bar-description").fill("Since a while");
	await page.locator(".bar-when summary").click();
	const began = new Date(Date.now() - 60e3).toLocaleTimeString("en-GB", { timeZone: "Europe/Berlin", hour: "2-digit", minute: "2-digit" });
	await page.getByLabel("Started at").fill(began);
	await page.locator("#start .go").click();
	await page.locator("#stop").waitFor();
	assert.match(await page.locator(".is-running .e-span").innerText(), new RegExp(began));
	await page.locator("#stop").click();
	await page.locator("#start").waitFor();
	await page.locator(".bar-when summary").click();
	await page.getByLabel("Started at").fill("half past ten-ish");
	await page.locator("#start .go").click();
	await page.locator("#bar-start-error").waitFor();
	assert.equal(await page.getByLabel("Started at").inputValue(), "half past ten-ish");
	await finish();
});

test("every field of an entry is edited where it stands, and can be undone", async () => {
	const { page, finish } = await newcomer();
	await api(page, "POST", "/projects", { name: "Garden" });
	await api(page, "POST", "/tags", { name: "outdoors" });
	const yesterday = new Date(Date.now() - 86400e3).toISOString().slice(0, 10);
	await api(page, "POST", "/time-entries", { description: "Digging", started_at: `${yesterday}T07:00:00Z`, ended_at: `${yesterday}T09:00:00Z` });
	await page.goto("/timer");
	const line = rows(page).first();
	const cell = (name) => line.locator(`[data-edit="${name}"]`);
	await edit(page, cell("description"), "Planting");
	assert.equal((await cell("description").innerText()).trim(), "Planting");
	await said(page).getByRole("button", { name: "Undo" }).click();
	await said(page).getByText("Undone").waitFor();
	assert.equal((await cell("description").innerText()).trim(), "Digging");
	await edit(page, cell("duration_s"), "1h 15m");
	assert.equal((await cell("duration_s").innerText()).trim(), "1:15");
	await edit(page, cell("start"), "08:30");
	assert.match(await cell("start").innerText(), /08:30/);
	await edit(page, cell("end"), "10:20");
	assert.equal((await cell("duration_s").innerText()).trim(), "1:50");
	assert.match(await page.locator(".day-total").first().innerText(), /1:50/, "the day's total follows");
	await cell("project_id").click();
	await page.locator("#offer").getByRole("option", { name: "Garden" }).click();
	await cell("project_id").filter({ hasText: "Garden" }).waitFor();
	await cell("tags").click();
	await page.locator("#offer").getByRole("option", { name: "outdoors" }).click();
	await page.keyboard.press("Escape");
	await page.keyboard.press("Escape");
	await line.locator(".chip", { hasText: "outdoors" }).waitFor();
	await line.locator(".e-bill").click();
	await page.waitForFunction(() => document.querySelector(".e-bill[aria-pressed=true]"));
	// What is refused stays in the field, with the reason beside it.
	await cell("end").click();
	await page.locator("[data-editing] input").fill("lunchtime");
	await page.locator("[data-editing] input").press("Enter");
	await page.locator("[data-editing] .error").waitFor();
	assert.equal(await page.locator("[data-editing] input").inputValue(), "lunchtime");
	await page.locator("[data-editing] input").press("Escape");
	assert.match(await cell("end").innerText(), /10:20/);
	await finish();
});

// The next answer is kept back until release() is called.
async function held(page, path) {
	let release;
	const gate = new Promise((go) => { release = go; });
	await page.route(path, async (route) => { await gate; await route.continue(); }, { times: 1 });
	return release;
}

test("undo of a time gives back the second, and the right one of two hours", async () => {
	const { page, finish } = await newcomer();
	// On the night clocks go back in Berlin: from the first 02:30 to the second 02:45.
	const times = { started_at: "2026-10-25T00:30:37Z", ended_at: "2026-10-25T01:45:12Z" };
	const { id } = await api(page, "POST", "/time-entries", { description: "Night watch", ...times });
	await page.goto("/timer");
	for (const [name, value] of [["start", "01:15"], ["end", "03:20"], ["duration_s", "0:20"]]) {
		await edit(page, rows(page).first().locator(`[data-edit="${name}"]`), value);
		await said(page).getByRole("button", { name: "Undo" }).click();
		await said(page).getByText("Undone").waitFor();
		const { started_at, ended_at } = await api(page, "GET", `/time-entries/${id}`);
		assert.deepEqual({ started_at, ended_at }, times, name);
	}
	await finish();
});

test("a number alone is what the person's durations say, and the page says so", async () => {
	const { page, finish } = await newcomer();
	await api(page, "PATCH", "/organization", { overlap_policy: "allow" });
	const form = page.locator("#add");
	for (const [decimal, help, shown, typed] of [[false, /A number alone is minutes/, "0:02", "0:03"], [true, /A number alone is hours/, "2.00", "3.00"]]) {
		await api(page, "PATCH", "/me", { decimal_durations: decimal });
		await page.goto("/timer");
		await page.locator("details.add summary").click();
		assert.match(await form.locator("#add-duration-help").innerText(), help);
		await form.getByLabel("Description").fill(`By form, ${decimal}`);
		await form.getByLabel("Or duration").fill("2");
		await form.getByRole("button", { name: "Add time" }).click();
		await row(page, `By form, ${decimal}`).locator(".e-dur", { hasText: shown }).waitFor();
		await page.locator("#bar-description").fill(`By bar, ${decimal}`);
		await page.locator(".bar-when summary").click();
		assert.match(await page.locator("#bar-duration-help").innerText(), help);
		await page.getByLabel("Or finished, lasting").fill("2");
		await page.locator("#start .go").click();
		await row(page, `By bar, ${decimal}`).locator(".e-dur", { hasText: shown }).waitFor();
		await edit(page, row(page, `By form, ${decimal}`).locator(".e-dur"), "3");
		await row(page, `By form, ${decimal}`).locator(".e-dur", { hasText: typed }).waitFor();
	}
	await page.locator("#bar-description").fill("Chapter 2 1h30");
	await page.getByText("lasting 1.50").waitFor();
	await page.goto("/settings/organization");
	for (const [text, seconds] of [["38", 38 * 3600], ["37.5", 37.5 * 3600]]) {
		await page.getByLabel("Weekly target for each person").fill(text);
		await page.getByRole("button", { name: "Save" }).click();
		await said(page).getByText("saved").waitFor();
		assert.equal((await api(page, "GET", "/organization")).weekly_target_s, seconds);
	}
	await finish();
});

test("while a choice is on its way it is shown, and nothing is said of an earlier one", async () => {
	const { page, finish } = await newcomer();
	await api(page, "POST", "/projects", { name: "Garden" });
	await entry(page, { description: "Digging" });
	await page.goto("/timer");
	const line = rows(page).first();
	await edit(page, line.locator('[data-edit="description"]'), "Planting");
	const release = await held(page, "**/time-entries/*");
	await line.locator('[data-edit="project_id"]').click();
	await page.locator("#offer").getByRole("option", { name: "Garden" }).click();
	await line.locator(".saving").waitFor();
	assert.equal(await line.locator(".saving input").inputValue(), "Garden");
	assert.equal(await said(page).innerText(), "", "no word of the edit before");
	release();
	await line.locator('[data-edit="project_id"]', { hasText: "Garden" }).waitFor();
	await said(page).getByText("Saved").waitFor();
	await finish();
});

test("what is typed while a form is on its way is not lost to its answer", async () => {
	const { page, finish } = await newcomer();
	await page.goto("/timer");
	await page.locator("details.add summary").click();
	const form = page.locator("#add");
	await form.getByLabel("Description").fill("Half");
	await form.getByLabel("Start").fill("soonish");
	const release = await held(page, "**/time-entries");
	await form.getByRole("button", { name: "Add time" }).click();
	await page.locator("#add[aria-busy]").waitFor();
	await form.getByLabel("Description").fill("Half a sentence");
	release();
	await form.locator(".error").first().waitFor();
	assert.equal(await form.getByLabel("Start").inputValue(), "soonish");
	assert.equal(await form.getByLabel("Description").inputValue(), "Half a sentence");
	await finish();
});

test("an entry is deleted, and brought back", async () => {
	const { page, finish } = await newcomer();
	await entry(page, { description: "Precious" });
	await page.goto("/timer");
	await row(page, "Precious").hover();
	await row(page, "Precious").locator(".e-more summary").click();
	await row(page, "Precious").getByRole("button", { name: "Delete" }).click();
	await said(page).getByText("Entry deleted.").waitFor();
	assert.equal(await row(page, "Precious").count(), 0);
	await said(page).getByRole("button", { name: "Undo" }).click();
	await row(page, "Precious").waitFor();
	await finish();
});

test("days have totals, and equal entries of a day are one line", async () => {
	const { page, finish } = await newcomer();
	for (const ago of [30, 28]) await entry(page, { description: "Same", ago, lasting: 1 });
	await entry(page, { description: "Other", ago: 52, lasting: 1.5 });
	await page.goto("/timer");
	const totals = await page.locator(".day-total").allInnerTexts();
	assert.equal(totals.map((t) => t.trim().split(":")).reduce((sum, [h, m]) => sum + Number(h) * 60 + Number(m), 0), 210);
	const fold = page.locator(".fold");
	if (await fold.count()) {
		assert.equal((await fold.locator("summary .e-dur").innerText()).trim(), "2:00");
		await fold.locator("summary").first().click();
		assert.equal(await fold.locator(".nested > .entry").count(), 2);
	}
	await finish();
});

test("time is added by hand, with mistakes answered in their place", async () => {
	const { page, finish } = await newcomer();
	await page.goto("/timer");
	await page.locator("details.add summary").click();
	const form = page.locator("#add");
	await form.getByLabel("Description").fill("By hand");
	await form.getByLabel("Day").fill("2026-03-10");
	await form.getByLabel("Start").fill("14:00");
	await form.getByLabel("End").fill("13:00");
	await form.getByRole("button", { name: "Add time" }).click();
	await form.locator(".error, .note.bad").first().waitFor();
	assert.equal(await form.getByLabel("Description").inputValue(), "By hand");
	await form.getByLabel("End").fill("15:30");
	await form.getByRole("button", { name: "Add time" }).click();
	await said(page).getByText("Entry added.").waitFor();
	assert.match(await row(page, "By hand").locator(".e-dur").innerText(), /1:30/);
	await finish();
});

test("an hour that happens twice is asked about, not guessed", async () => {
	const { page, finish } = await newcomer();
	await page.goto("/timer");
	await page.locator("details.add summary").click();
	const form = page.locator("#add");
	await form.getByLabel("Description").fill("Night watch");
	await form.getByLabel("Day").fill("2026-10-25");
	await form.getByLabel("Start").fill("02:30");
	await form.getByLabel("End").fill("04:00");
	await form.getByRole("button", { name: "Add time" }).click();
	await form.getByLabel("Which one").waitFor();
	await form.getByLabel("Which one").selectOption("first");
	await form.getByRole("button", { name: "Add time" }).click();
	await said(page).getByText("Entry added.").waitFor();
	assert.match(await row(page, "Night watch").locator(".e-dur").innerText(), /2:30/);
	await row(page, "Night watch").locator(".e-more summary").click();
	await row(page, "Night watch").getByRole("link", { name: "Edit" }).click();
	await page.waitForURL("**/time-entries/*");
	await page.locator("#edit").getByLabel("Start").fill("02:15");
	await page.locator("#edit").getByRole("button", { name: "Save" }).click();
	await page.locator("#edit").getByLabel("Which one").selectOption("second");
	await page.locator("#edit").getByRole("button", { name: "Save" }).click();
	await said(page).getByText("Entry saved.").waitFor();
	await page.waitForURL("**/timer");
	assert.match(await row(page, "Night watch").locator(".e-dur").innerText(), /1:45/);
	await finish();
});

test("the keyboard: n, s, /, ?, g t", async () => {
	const { page, finish } = await newcomer();
	await page.keyboard.press("n");
	assert.equal(await page.evaluate(() => document.activeElement.id), "bar-description");
	await page.keyboard.type("By keys");
	await page.keyboard.press("Escape");
	await page.keyboard.press("s");
	await page.locator("#stop").waitFor();
	await page.locator("#main").focus();
	await page.keyboard.press("s");
	await page.locator("#start").waitFor();
	await page.locator("#main").focus();
	await page.keyboard.press("?");
	await page.getByRole("heading", { name: "Keyboard shortcuts" }).waitFor();
	await page.keyboard.press("Escape");
	await page.keyboard.press("g");
	await page.keyboard.press("p");
	await page.getByRole("heading", { name: "Projects", level: 1 }).waitFor();
	await page.keyboard.press("/");
	assert.equal(await page.evaluate(() => document.activeElement.id), "q");
	await finish();
});

test("a form that is stale by another tab keeps what was typed", async () => {
	const { page, context, finish } = await newcomer();
	const made = await entry(page, { description: "Shared" });
	const other = await context.newPage();
	for (const tab of [page, other]) await tab.goto(`/time-entries/${made.id}`);
	await page.locator("#edit").getByLabel("Description").fill("Mine, typed for long");
	await other.locator("#edit").getByLabel("Description").fill("By the other tab");
	await other.locator("#edit").getByRole("button", { name: "Save" }).click();
	await other.waitForURL("**/timer");
	// What the other tab saved shows everywhere at once, but in no form that is being filled in.
	await page.waitForTimeout(1500);
	await page.locator("#edit").getByRole("button", { name: "Save" }).click();
	await page.locator(".note.bad").waitFor();
	assert.equal(await page.locator("#edit").getByLabel("Description").inputValue(), "Mine, typed for long");
	assert.equal((await api(page, "GET", `/time-entries/${made.id}`)).description, "By the other tab");
	await page.locator("#edit").getByRole("button", { name: "Save" }).click();
	await page.waitForURL("**/timer");
	assert.equal((await api(page, "GET", `/time-entries/${made.id}`)).description, "Mine, typed for long", "who has been told may insist");
	await finish();
});

test("a form sent twice makes one entry", async () => {
	const { page, finish } = await newcomer();
	await page.goto("/timer");
	await page.locator("details.add summary").click();
	await page.locator("#add").getByLabel("Description").fill("Once");
	await page.locator("#add").getByLabel("Or duration").fill("0:30");
	await page.locator("#add").getByLabel("Start").fill("00:00");
	const body = await page.locator("#add").evaluate((form) => new URLSearchParams(new FormData(form)).toString());
	const sent = await page.evaluate(async (text) => {
		const send = () => fetch("/time-entries", { method: "POST", headers: { "Content-Type": "application/x-www-form-urlencoded" }, body: text }).then((a) => a.status);
		return [await send(), ...(await Promise.all([send(), send()]))];
	}, body);
	assert.deepEqual(sent, [200, 200, 200]);
	assert.equal((await api(page, "GET", "/time-entries")).data.length, 1);
	await finish();
});

test("without JavaScript the timer does the same", async () => {
	const { page, finish } = await newcomer({ javaScriptEnabled: false });
	await page.goto("/timer");
	await start(page, "Plain");
	await row(page, "Plain").waitFor();
	await page.locator("#bar-description").fill("Plain, renamed");
	await page.locator("#running").getByRole("button", { name: "Save" }).first().click();
	await row(page, "Plain, renamed").waitFor();
	await page.locator("#stop").click();
	await page.locator("#start").waitFor();
	await row(page, "Plain, renamed").locator(".e-dur").click();
	await page.waitForURL("**/time-entries/*");
	await page.goto("/timer");
	await row(page, "Plain, renamed").locator(".e-what").click();
	await page.waitForURL("**/time-entries/*");
	await page.locator("#edit").getByLabel("Start").fill("nonsense");
	await page.locator("#edit").getByLabel("Description").fill("Kept");
	await page.locator("#edit").getByRole("button", { name: "Save" }).click();
	await page.locator("#start-error").waitFor();
	assert.equal(await page.locator("#edit").getByLabel("Description").inputValue(), "Kept");
	await page.goto("/timer");
	await row(page, "Plain, renamed").locator(".e-more summary").click();
	await row(page, "Plain, renamed").getByRole("button", { name: "Delete" }).click();
	await said(page).getByText("Entry deleted.").waitFor();
	await said(page).getByRole("button", { name: "Undo" }).click();
	await row(page, "Plain, renamed").waitFor();
	await finish();
});
