// Accounts as a person meets them: signing up, in and out, a forgotten password, sessions, organizations.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { confirm, demo, demo_password, done, fresh_email, newcomer, open_mail, password, register, sign_in, visitor } from "./support.js";

after(done);

// The page goes by itself, since it hears of the end of its session; and there is no way back in.
async function signed_out(page) {
	await page.waitForURL("**/login**");
	await page.goto("/timer");
	assert.match(page.url(), /\/login/);
}

test("who registers confirms the address by mail, signs in and can begin", async () => {
	const { page, finish } = await visitor();
	const email = fresh_email();
	await register(page, email);
	await page.goto("/login");
	await page.getByLabel("Email").fill(email);
	await page.getByLabel("Password").fill(password);
	await page.getByRole("button", { name: "Sign in" }).click();
	await page.getByRole("alert").waitFor();
	assert.equal(new URL(page.url()).pathname, "/login", "an address nobody proved does not sign in");
	await confirm(page, email);
	await page.getByText("Email confirmed").waitFor();
	await sign_in(page, email, password);
	await page.goto("/timer");
	await page.getByText("Your time will be listed here").waitFor();
	assert.match(await page.locator(".org-now").innerText(), /Example Works/);
	await page.goto("/settings/profile");
	assert.equal(await page.getByLabel("Time zone").inputValue(), "Europe/Berlin", "the zone is the browser's");
	assert.equal(await page.evaluate(() => localStorage.length + document.cookie.length), 0, "nothing readable is kept in the browser");
	await finish();
});

test("a registration with mistakes says what to do and keeps what was typed", async () => {
	const { page, finish } = await visitor({ javaScriptEnabled: true });
	await page.goto("/register");
	await page.getByLabel("Your name").fill("Ada");
	await page.getByLabel("Email").fill("not@an@address");
	await page.getByLabel("Password").fill("short");
	await page.getByLabel("Organization").fill("Works");
	await page.locator("form").evaluate((form) => { form.noValidate = true; });
	await page.getByRole("button", { name: "Create account" }).click();
	await page.locator("#password-error").waitFor();
	assert.equal(await page.getByLabel("Your name").inputValue(), "Ada");
	assert.equal(await page.getByLabel("Email").inputValue(), "not@an@address");
	assert.equal(await page.getByLabel("Password").inputValue(), "", "a password is never sent back");
	assert.equal(await page.locator("#email").getAttribute("aria-invalid"), "true");
	await finish();
});

test("a wrong password and an unknown address are answered alike", async () => {
	const { page, finish } = await visitor();
	const said = [];
	for (const email of ["owner@demo.test", fresh_email("nobody")]) {
		await page.goto("/login");
		await page.getByLabel("Email").fill(email);
		await page.getByLabel("Password").fill("canary-not-the-password");
		await page.getByRole("button", { name: "Sign in" }).click();
		said.push(await page.getByRole("alert").innerText());
		assert.equal(await page.getByLabel("Email").inputValue(), email);
	}
	assert.equal(said[0], said[1]);
	await finish();
});

test("who was sent to sign in goes on where they wanted", async () => {
	const { page, finish } = await visitor();
	await page.goto("/week");
	await page.waitForURL("**/login?next=*");
	await page.getByLabel("Email").fill("member@demo.test");
	await page.getByLabel("Password").fill(demo_password);
	await page.getByRole("button", { name: "Sign in" }).click();
	await page.waitForURL("**/week");
	await page.goto("/login?next=https://elsewhere.test/");
	await page.getByLabel("Email").fill("member@demo.test");
	await page.getByLabel("Password").fill(demo_password);
	await page.getByRole("button", { name: "Sign in" }).click();
	await page.waitForURL((to) => to.pathname === "/" && to.hostname === "localhost");
	await finish();
});

test("a forgotten password is chosen anew by a link that works once", async () => {
	const { page, as, finish } = await newcomer();
	const other = await visitor();
	await sign_in(other.page, as, password);
	await page.goto("/forgot");
	await page.getByLabel("Email").fill(as);
	await page.getByRole("button", { name: "Send the link" }).click();
	await page.waitForURL("**/forgot/sent");
	await open_mail(page, as, "Choose a new password");
	const link = await page.locator("article.letter a").first().getAttribute("href");
	const fresh = "canary-another long one";
	await page.goto(link);
	await page.getByLabel("New password").fill(fresh);
	await page.getByRole("button", { name: "Save password" }).click();
	await page.waitForURL("**/login");
	await sign_in(page, as, fresh);
	await signed_out(other.page);
	await page.goto(link);
	await page.getByLabel("New password").fill("canary-a third long one");
	await page.getByRole("button", { name: "Save password" }).click();
	await page.locator(".note.bad").waitFor();
	await other.finish();
	await finish();
});

test("the password is changed by who knows it; others are signed out", async () => {
	const { page, as, finish } = await newcomer();
	const other = await visitor();
	await sign_in(other.page, as, password);
	await page.goto("/settings/profile");
	await page.getByLabel("Current password").fill("canary-wrong one");
	await page.getByLabel("New password").fill("canary-quite new words");
	await page.getByRole("button", { name: "Change password" }).click();
	await page.locator("#current-password-error").waitFor();
	await page.getByLabel("Current password").fill(password);
	await page.getByLabel("New password").fill("canary-quite new words");
	await page.getByRole("button", { name: "Change password" }).click();
	await page.getByText("Password changed").waitFor();
	await page.goto("/timer");
	assert.equal(new URL(page.url()).pathname, "/timer", "here one stays signed in");
	await signed_out(other.page);
	await other.finish();
	await finish();
});

test("a session elsewhere can be ended", async () => {
	const { page, as, finish } = await newcomer();
	const other = await visitor({ userAgent: "Another browser" });
	await sign_in(other.page, as, password);
	await page.goto("/settings/sessions");
	await page.locator("li", { hasText: "Another browser" }).getByRole("button", { name: "End" }).click();
	await page.getByText("Signed out there.").waitFor();
	assert.equal(await page.locator("li", { hasText: "Another browser" }).count(), 0);
	await signed_out(other.page);
	await other.finish();
	await finish();
});

test("profile: zone and clock change how times are written", async () => {
	const { page, finish } = await newcomer();
	await page.goto("/settings/profile");
	await page.getByLabel("Time zone").selectOption("Asia/Kolkata");
	await page.getByLabel("12-hour clock").check();
	await page.getByLabel("Name").fill("Ada Renamed");
	await page.getByRole("button", { name: "Save", exact: true }).click();
	await page.getByText("Profile saved.").waitFor();
	await page.reload();
	assert.equal(await page.getByLabel("Time zone").inputValue(), "Asia/Kolkata");
	assert.ok(await page.getByLabel("12-hour clock").isChecked());
	assert.match(await page.locator(".who-now").innerText(), /Ada Renamed/);
	await page.goto("/timer");
	await page.locator("#bar-description").fill("Times");
	await page.locator("#start .go").click();
	await page.locator("#stop").waitFor();
	assert.match(await page.locator(".entry .e-span").first().innerText(), /\d{1,2}:\d\d ?(am|pm)/i);
	await finish();
});

test("one goes from one organization to another and back", async () => {
	const { page, finish } = await demo("owner");
	const names = [];
	for (let i = 0; i < 2; i++) {
		names.push((await page.locator(".org-now").innerText()).trim());
		await page.locator(".org-now").click();
		await Promise.all([page.waitForNavigation(), page.locator('.org form[action="/switch"] button').click()]);
	}
	assert.notEqual(names[0], names[1]);
	assert.equal((await page.locator(".org-now").innerText()).trim(), names[0]);
	await finish();
});

test("Back after signing out shows nothing private", async () => {
	const { page, finish } = await demo("member");
	await page.goto("/timer");
	await page.locator(".side").getByRole("link", { name: "Week" }).click();
	await page.waitForURL("**/week");
	await page.locator(".who-now").click();
	await page.locator(".who .pop").getByRole("button", { name: "Sign out" }).click();
	await page.waitForURL("**/login");
	for (let i = 0; i < 2; i++) {
		await page.goBack().catch(() => {});
		await page.waitForLoadState();
		await page.waitForURL("**/login**");
		assert.equal(await page.locator("#bar").count(), 0);
	}
	await finish();
});
