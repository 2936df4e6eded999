// Settings, Background work: what failed is dropped and taken back by its owner, with and without JavaScript.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { demo, done, newcomer } from "./support.js";

after(done);

for (const javaScriptEnabled of [true, false])
	test(`a job that failed for good is dropped, and the drop is undone${javaScriptEnabled ? "" : ", without JavaScript"}`, async () => {
		const { page, finish } = await demo("owner", { javaScriptEnabled });
		await page.goto("/settings/profile");
		await page.getByRole("link", { name: "Background work" }).click();
		await page.waitForURL("**/settings/jobs");
		const failed = page.getByRole("region", { name: "Failed for good" });
		const job = failed.getByRole("listitem").filter({ hasText: "552 5.2.2 <ines@demo.test>: mailbox full" });
		await job.waitFor();
		assert.match(await job.innerText(), /tried 10 times/);
		await job.locator("summary").click();
		assert.match(await job.locator("pre").innerText(), /"member_id"/);
		await job.getByRole("button", { name: "Drop" }).click();
		await page.locator("#flash").getByText("Job dropped.").waitFor();
		assert.equal(await job.count(), 0);
		await page.locator("#flash").getByRole("button", { name: "Undo" }).click();
		await page.locator("#flash").getByText("Job restored.").waitFor();
		await job.waitFor();
		assert.equal(new URL(page.url()).pathname, "/settings/jobs");
		await finish();
	});

test("where nothing was done yet the page says what will be here, and who works", async () => {
	const { page, finish } = await newcomer();
	await page.goto("/settings/jobs");
	await page.getByText("will be listed here").waitFor();
	await page.getByRole("region", { name: "Workers" }).getByText("default").first().waitFor();
	assert.match(await page.getByRole("region", { name: "By the clock" }).innerText(), /housekeeping[^]*next /);
	await finish();
});
