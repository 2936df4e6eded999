// Notifications, as the person they are for: told, opened, read, and asked not to come by mail.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { demo, done, newcomer } from "./support.js";

after(done);

for (const javaScriptEnabled of [true, false])
	test(`what others did is told, and read${javaScriptEnabled ? "" : ", without JavaScript"}`, async () => {
		const { page, finish } = await demo("member", { javaScriptEnabled });
		await page.goto("/notifications");
		const note = page.getByRole("listitem").filter({ hasText: "changed your entry" }).first();
		await note.waitFor();
		if (await note.getByRole("button", { name: "Mark as unread" }).count()) await note.getByRole("button", { name: "Mark as unread" }).click();
		await note.getByRole("button", { name: "Mark as read" }).waitFor();
		const count = page.locator(".nav .count");
		const before = Number(await count.locator("[aria-hidden]").innerText());
		assert.ok(before >= 1);
		await note.getByRole("button", { name: "Mark as read" }).click();
		await note.getByRole("button", { name: "Mark as unread" }).waitFor();
		assert.equal(await count.count() ? Number(await count.locator("[aria-hidden]").innerText()) : 0, before - 1);
		await note.getByRole("button", { name: "Mark as unread" }).click();
		await note.getByRole("button", { name: "Mark as read" }).waitFor();
		await note.getByRole("link").click();
		await page.waitForURL("**/time-entries/*");
		await finish();
	});

for (const javaScriptEnabled of [true, false])
	test(`a person chooses how to hear of what${javaScriptEnabled ? "" : ", without JavaScript"}`, async () => {
		const { page, finish } = javaScriptEnabled ? await newcomer() : await demo("manager", { javaScriptEnabled });
		await page.goto("/settings/notifications");
		const form = page.locator("form.prefer-form").filter({ hasText: "Somebody else changed my time" });
		const other = (await form.getByLabel("By mail").inputValue()) === "off" ? "daily" : "off";
		await form.getByLabel("By mail").selectOption(other);
		if (!javaScriptEnabled) await form.getByRole("button", { name: "Save" }).click();
		await page.locator("#flash").getByText("Saved.").waitFor();
		await page.reload();
		assert.equal(await form.getByLabel("By mail").inputValue(), other);
		const box = form.getByLabel("In the list");
		const was = await box.isChecked();
		await box.click();
		if (!javaScriptEnabled) await form.getByRole("button", { name: "Save" }).click();
		await page.locator("#flash").getByText("Saved.").waitFor();
		await page.reload();
		assert.equal(await box.isChecked(), !was);
		await box.click();
		if (!javaScriptEnabled) await form.getByRole("button", { name: "Save" }).click();
		await page.locator("#flash").getByText("Saved.").waitFor();
		await finish();
	});

test("an empty list says what will be here", async () => {
	const { page, finish } = await newcomer();
	await page.goto("/notifications");
	await page.getByText("Here you hear when somebody changes your time").waitFor();
	await page.getByRole("link", { name: "Choose what you hear of" }).click();
	await page.waitForURL("**/settings/notifications");
	await finish();
});
