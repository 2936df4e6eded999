// WCAG 2.2 AA as far as axe-core can tell, on every page, light and dark, phone and desk; and nothing wider than the phone.
import assert from "node:assert/strict";
import fs from "node:fs";
import { createRequire } from "node:module";
import { after, test } from "node:test";
import { demo, done, newcomer, outside, places } from "./support.js";

const axe = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

after(done);

async function audit(page, where, found) {
	const problems = await page.evaluate(async () => {
		const result = await axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] });
		return result.violations.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(" | ")}`);
	});
	for (const problem of problems) found.push(`${where} ${problem}`);
}

for (const colorScheme of ["light", "dark"]) {
	for (const width of [390, 1280]) {
		test(`axe-core finds nothing, ${colorScheme}, ${width} px`, async () => {
			const { page, finish } = await demo("owner", { colorScheme, viewport: { width, height: 900 }, bypassCSP: true });
			const found = [];
			for (const path of [...await places(page), ...outside, "/nothing-here"]) {
				await page.goto(path);
				await page.evaluate(axe);
				await audit(page, path, found);
				const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
				if (over > 0) found.push(`${path} is ${over} px too wide`);
			}
			assert.deepEqual(found, []);
			await finish();
		});
	}
}

test("axe-core finds nothing in open menus and forms with errors", async () => {
	const { page, finish } = await newcomer({ bypassCSP: true });
	const found = [];
	await page.evaluate(axe);
	for (const path of ["/", "/timer", "/week", "/clients", "/projects", "/tags"]) {
		await page.goto(path);
		await page.evaluate(axe);
		await audit(page, `${path}, empty`, found);
	}
	await page.goto("/timer");
	await page.evaluate(axe);
	await page.locator("details.add summary").click();
	await page.locator("#add").getByLabel("Start").fill("soon");
	await page.locator("#add").getByRole("button", { name: "Add time" }).click();
	await page.locator("#add .error").first().waitFor();
	await audit(page, "adding with an error", found);
	await page.locator(".who-now").click();
	await audit(page, "the person's menu", found);
	await page.keyboard.press("Escape");
	await page.locator("#main").focus();
	await page.keyboard.press("?");
	await audit(page, "the keys", found);
	assert.deepEqual(found, []);
	await finish();
});
