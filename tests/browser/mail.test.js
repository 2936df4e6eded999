// A mail as its reader sees it: readable in light and dark and on a phone, and its button leads on.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { done, fresh_email, open_mail, register, visitor } from "./support.js";

after(done);

// How far two colours are apart, by WCAG 2.
function contrast(a, b) {
	const light = (color) => {
		const [r, g, b] = color.match(/[\d.]+/g).map((n) => (n /= 255) <= 0.04045 ? n / 12.92 : ((n + 0.055) / 1.055) ** 2.4);
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const [more, less] = [light(a), light(b)].sort((x, y) => y - x);
	return (more + 0.05) / (less + 0.05);
}

// Chromium says so when it keeps a test's own scripts from the letter's page; every other fault counts as ever.
async function finish_reading({ context, faults, finish }) {
	await context.close();
	const others = faults.filter((text) => !/\/html: Blocked script execution in .* because the document's frame is sandboxed/.test(text));
	faults.splice(0, faults.length, ...others);
	await finish();
}

for (const colorScheme of ["light", "dark"])
	test(`a mail is read in ${colorScheme} on a phone, and its button leads on`, async () => {
		const person = await visitor({ colorScheme, viewport: { width: 360, height: 700 } });
		const { page } = person;
		const email = fresh_email("a-rather-long-name-before-the-at-sign");
		await register(page, email);
		await open_mail(page, email, "Confirm your email");
		await page.getByRole("link", { name: "As HTML" }).click();
		await page.getByText("Hello Ada Example,").waitFor();
		assert.equal(await page.title(), "Confirm your email for Stint");
		const colour = (selector, property) => page.locator(selector).first().evaluate((node, name) => getComputedStyle(node)[name], property);
		assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "nothing is wider than the phone");
		const sheet = await colour(".sheet", "backgroundColor"), ground = await colour("body", "backgroundColor");
		assert.ok(contrast(sheet, colorScheme === "dark" ? "rgb(0,0,0)" : "rgb(255,255,255)") < 1.3, sheet);
		assert.ok(contrast(await colour(".sheet", "color"), sheet) > 7);
		assert.ok(contrast(await colour(".sheet .quiet", "color"), sheet) > 4.5);
		assert.ok(contrast(await colour(".sheet .quiet a", "color"), sheet) > 4.5);
		assert.ok(contrast(await colour(".action a", "color"), await colour(".action", "backgroundColor")) > 4.5);
		assert.ok(contrast(await colour("td.quiet", "color"), ground) > 4.5);
		await page.getByRole("link", { name: "Confirm email" }).click();
		await page.getByRole("button", { name: "Confirm email" }).click();
		await page.waitForURL("**/login");
		await finish_reading(person);
	});

// Clients that know no CSS: the letter is whole and in order all the same.
test("a mail without any style still says everything in order", async () => {
	const person = await visitor();
	const { page } = person;
	const email = fresh_email();
	await register(page, email);
	await open_mail(page, email, "Confirm your email");
	await page.getByRole("link", { name: "As HTML" }).click();
	await page.getByText("Hello Ada Example,").waitFor();
	await page.evaluate(() => {
		document.querySelector("style").remove();
		for (const node of document.querySelectorAll("[style]")) node.removeAttribute("style");
	});
	const text = await page.locator("body").innerText();
	const order = ["Stint", "Hello Ada Example,", "Confirm email", "If the button does not work", "http://", "The link works for", "You get this mail because"];
	let from = 0;
	for (const words of order) {
		const at = text.indexOf(words, from);
		assert.ok(at >= from, `${words} is missing or in the wrong place:\n${text}`);
		from = at;
	}
	await finish_reading(person);
});
