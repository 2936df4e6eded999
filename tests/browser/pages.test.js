// Every page, whoever looks: no error, no broken policy, no control for who may not use it; and what people type is shown and
// never run.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { api, demo, done, entry, newcomer, outside, places } from "./support.js";

after(done);

for (const who of ["owner", "manager", "member"]) {
	test(`every page opens for the ${who}`, async () => {
		const { page, finish } = await demo(who);
		for (const path of [...await places(page), ...outside]) {
			const answer = await page.goto(path);
			assert.equal(answer.status(), 200, path);
			assert.ok((await page.title()).length > 3, path);
			assert.equal(await page.locator("h1").count(), 1, `${path} has one heading of the first order`);
			assert.match(answer.headers()["content-security-policy"], /default-src 'none'/);
			assert.equal(answer.headers()["cache-control"], "no-store");
		}
		for (const [path, status] of [["/nothing-here", 404], ["/clients/00000000-0000-7000-8000-000000000000", 404], ["/week?date=someday", 422]]) {
			assert.equal((await page.goto(path)).status(), status, path);
			await page.getByRole("link", { name: "Go to the timer" }).waitFor();
		}
		await finish();
	});
}

test("who may only look sees no controls to change", async () => {
	const { page, finish } = await demo("member");
	for (const path of await places(page)) {
		if (/^\/(clients|projects|tags|team|settings\/organization)/.test(path)) {
			await page.goto(path);
			assert.equal(await page.locator('main form[method="post"], main [formaction]').count(), 0, path);
			assert.equal(await page.locator('main a[href^="/team/"], main a[href^="/tags/"], main a[href^="/clients/"]').count(), 0, path);
		}
	}
	await finish();
});

const payloads = [
	"<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' autofocus onfocus=alert(1) x='", "<svg onload=alert(1)>", "{{constructor.constructor('alert(1)')()}}", "{{{csrf}}}", "javascript:alert(1)",
	"</title><script>alert(1)</script>", "--><script>alert(1)</script>", "\u202etxt.exe", "&lt;script&gt;alert(1)&lt;/script&gt;", "${alert(1)}", "</textarea><script>alert(1)</script>", "<a href=javascript:alert(1)>x</a>", "%3Cscript%3Ealert(1)%3C/script%3E",
];

test("what somebody types is shown as it is, and never run", async () => {
	const { page, finish } = await newcomer();
	for (const [i, text] of payloads.entries()) {
		const client = await api(page, "POST", "/clients", { name: text });
		const project = await api(page, "POST", "/projects", { name: text, client_id: client.id, color: (i % 12) + 1 });
		const tag = await api(page, "POST", "/tags", { name: text });
		await entry(page, { description: text, project_id: project.id, tags: [tag.id], ago: 1 + i, lasting: 0.5 });
	}
	await api(page, "PATCH", "/me", { name: payloads[1] });
	await api(page, "PATCH", "/organization", { name: payloads[0] });
	for (const path of await places(page)) {
		await page.goto(path);
		assert.equal(await page.locator("script:not([src])").count(), 0, `${path} has a script nobody wrote`);
		assert.equal(await page.locator("img[src=x], [onload], [onerror], [onfocus], a[href^='javascript:']").count(), 0, path);
	}
	await page.goto("/tags");
	const names = await page.locator("tbody th").allInnerTexts();
	for (const text of payloads) assert.ok(names.map((n) => n.trim()).includes(text.trim()), `${text} is shown as typed`);
	// Reflected: back in the field after a refusal, and in what a search looked for.
	for (const text of payloads) {
		for (const [path, name] of [["/clients", "q"], ["/week", "date"], ["/login", "next"]]) {
			await page.goto(`${path}?${new URLSearchParams({ [name]: text })}`);
			assert.equal(await page.locator("script:not([src]), img[src=x]").count(), 0, `${path} ${text}`);
		}
	}
	await page.goto("/timer");
	await page.locator(".bar-when summary").click();
	for (const text of payloads.slice(0, 6)) {
		await page.locator("#bar-description").fill(text);
		await page.locator("#bar-start").fill(text);
		await page.locator("#start .go").click();
		// The attribute is the answer's, the field's text may still be what was typed.
		await page.waitForFunction((typed) => document.getElementById("bar-start").getAttribute("value") === typed, text);
		assert.equal(await page.locator("#bar-start").inputValue(), text);
	}
	await finish();
});

test("a page of long days stays small, and the other days are on the next", async () => {
	const { page, finish } = await newcomer();
	const client = await api(page, "POST", "/clients", { name: "Aurora Coffee" });
	const project = await api(page, "POST", "/projects", { name: "Brand refresh", client_id: client.id });
	const tag = await api(page, "POST", "/tags", { name: "meeting" });
	const noon = Math.floor(Date.now() / 86400e3) * 86400e3 + 12 * 3600e3;
	for (const day of [1, 2, 3]) {
		for (let i = 0; i < 20; i++) {
			const at = noon - day * 86400e3 + (i - 10) * 600e3;
			await api(page, "POST", "/time-entries", { description: `Step ${day}.${i}`, project_id: project.id, tags: [tag.id], started_at: new Date(at).toISOString(), ended_at: new Date(at + 540e3).toISOString() });
		}
	}
	const size = (await (await page.goto("/timer")).body()).length;
	assert.ok(size < 100e3, `/timer has ${size} bytes`);
	assert.equal(await page.locator(".day").count(), 2);
	assert.equal(await page.locator("li.entry").count(), 40);
	await page.getByRole("link", { name: "Earlier days" }).click();
	await page.getByText("Step 3.0").waitFor();
	assert.equal(await page.locator("li.entry").count(), 20);
	assert.equal(await page.getByRole("link", { name: "Earlier days" }).count(), 0);
	await finish();
});

test("a page of one's day stays small", async () => {
	const { page, finish } = await demo("owner");
	for (const [path, most] of [["/", 50e3], ["/timer", 100e3], ["/week", 75e3], ["/projects", 50e3]]) {
		const size = (await (await page.goto(path)).body()).length;
		assert.ok(size < most, `${path} has ${size} bytes`);
	}
	await finish();
});
