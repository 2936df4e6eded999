// Webhooks in the browser: added with ticks, the secret shown once, a ping and what became of it, sent again, switched off and on;
// with and without scripts.
import assert from "node:assert/strict";
import fs from "node:fs";
import http from "node:http";
import { createRequire } from "node:module";
import { after, test } from "node:test";
import { api, done, newcomer, url } from "./support.js";

const axe = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

// A receiver on loopback, which the stack allows.
let status = 200;
const calls = [];
const server = http.createServer((request, response) => {
	request.resume();
	request.on("end", () => {
		calls.push(request.headers);
		response.writeHead(status);
		response.end("<b>thanks</b>");
	});
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const there = `http://127.0.0.1:${server.address().port}/hook`;

after(async () => {
	server.close();
	await done();
});

const tick = (page, group, name) => page.locator("fieldset.group", { hasText: group }).getByLabel(name, { exact: true });
const arrived = async (n) => {
	for (let turn = 0; turn < 400 && calls.length < n; turn++) await new Promise((r) => setTimeout(r, 50));
	assert.ok(calls.length >= n);
};
const shown = async (page, text) => {
	for (let turn = 0; turn < 200 && !(await page.locator("main").innerText()).includes(text); turn++) await page.waitForTimeout(100).then(() => page.reload());
	assert.ok((await page.locator("main").innerText()).includes(text), text);
};

for (const javaScriptEnabled of [true, false])
	test(`a webhook from its first tick to its end, ${javaScriptEnabled ? "with" : "without"} scripts`, async () => {
		// Accounts are made with scripts on; the same person then looks with another browser.
		const first = await newcomer();
		let { page } = first;
		if (!javaScriptEnabled) {
			const context = await first.context.browser().newContext({ baseURL: url, javaScriptEnabled: false, storageState: await first.context.storageState() });
			page = await context.newPage();
		}
		await page.goto("/settings/profile");
		await page.getByRole("link", { name: "Webhooks" }).click();
		await page.getByText("Each call is signed.").waitFor();
		await page.getByRole("link", { name: "Add the first webhook" }).click();
		await page.waitForURL("**/settings/webhooks/new");

		// Refused: what was typed and ticked stays, and each message stands in its place.
		await page.getByLabel("Address").fill("https://10.0.0.1/hook");
		await page.getByLabel("What it is for").fill("Invoicing");
		await tick(page, "Tags", "Added").check();
		await tick(page, "Projects", "All of it").check();
		await page.getByRole("button", { name: "Add webhook" }).click();
		await page.locator("#url-error").waitFor();
		assert.match(await page.locator("#url-error").innerText(), /private network/);
		assert.ok(await tick(page, "Tags", "Added").isChecked() && await tick(page, "Projects", "All of it").isChecked());
		assert.ok(!await tick(page, "Tags", "Changed").isChecked());
		await page.getByLabel("Address").fill(there);
		await tick(page, "Tags", "Added").uncheck();
		await tick(page, "Projects", "All of it").uncheck();
		await page.getByRole("button", { name: "Add webhook" }).click();
		assert.equal(await page.locator("#events-error").innerText(), "Choose at least one event.");
		await tick(page, "Projects", "Added").check();
		await page.getByRole("button", { name: "Add webhook" }).click();

		// The secret, once.
		const secret = await page.locator("#the-secret").inputValue();
		assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
		assert.equal(await page.getByRole("button", { name: "Copy" }).isVisible(), javaScriptEnabled);
		await page.getByRole("link", { name: "Done" }).click();
		await page.waitForURL(/\/settings\/webhooks\/[0-9a-f-]{36}$/);
		assert.ok(!(await page.content()).includes(secret));
		assert.ok(await tick(page, "Projects", "Added").isChecked());
		assert.equal(await page.getByLabel("What it is for").inputValue(), "Invoicing");

		// A ping, its answer, and again.
		const before = calls.length;
		status = 500;
		await page.getByRole("button", { name: "Send a ping" }).click();
		await page.waitForURL("**/deliveries/*");
		await arrived(before + 1);
		await shown(page, "<b>thanks</b>");
		assert.equal(await page.locator("main b").count(), 0, "what came back is text");
		assert.match(await page.locator("main").innerText(), /Waiting[^]*"type" : "ping"/);
		assert.equal(await page.getByRole("button", { name: "Send again" }).count(), 0, "it is tried again by itself");
		await page.goto("/settings/webhooks");
		assert.match(await page.locator("tbody tr").innerText(), /Failing/);

		// The receiver says that it is gone: that switches it off, and sending by hand goes on.
		status = 410;
		await page.getByRole("link", { name: there, exact: true }).click();
		await page.getByRole("button", { name: "Send a ping" }).click();
		await page.waitForURL("**/deliveries/*");
		await shown(page, "Failed");
		status = 200;
		await page.getByRole("button", { name: "Send again" }).click();
		await shown(page, "Delivered");

		// On again, deleted, brought back.
		await page.goto("/settings/webhooks");
		assert.match(await page.locator("tbody tr").innerText(), /Off/);
		await page.getByRole("link", { name: there, exact: true }).click();
		await page.getByText("gone for good").waitFor();
		await page.getByRole("button", { name: "Switch on" }).click();
		await page.getByRole("button", { name: "Switch off" }).waitFor();
		await page.getByLabel("The old one").selectOption("0");
		await page.getByRole("button", { name: "Replace the secret" }).click();
		assert.notEqual(await page.locator("#the-secret").inputValue(), secret);
		await page.getByRole("link", { name: "Done" }).click();
		await page.getByRole("button", { name: "Delete webhook" }).click();
		await page.waitForURL("**/settings/webhooks");
		await page.getByRole("button", { name: "Undo" }).click();
		await page.locator("tbody tr", { hasText: there }).waitFor();
		if (!javaScriptEnabled) await page.context().close();
		await first.finish();
	});

test("the secret is copied by its button, and the page that shows it is clean", async () => {
	const { page, context, finish } = await newcomer({ bypassCSP: true });
	await context.grantPermissions(["clipboard-read", "clipboard-write"]);
	await page.goto("/settings/webhooks/new");
	await page.getByLabel("Address").fill(there);
	await page.getByLabel("Everything").check();
	await page.getByRole("button", { name: "Add webhook" }).click();
	const secret = await page.locator("#the-secret").inputValue();
	await page.getByRole("button", { name: "Copy" }).click();
	await page.locator("#flash").getByText("Copied").waitFor();
	assert.equal(await page.evaluate(() => navigator.clipboard.readText()), secret);
	await page.evaluate(axe);
	assert.deepEqual(await page.evaluate(async () => (await axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] })).violations.map((v) => `${v.id} ${v.nodes[0].html}`)), []);
	const [hook] = (await api(page, "GET", "/webhooks")).data;
	await api(page, "PATCH", `/webhooks/${hook.id}`, { active: false });
	await finish();
});
