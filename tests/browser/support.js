// What the browser tests share: one Chromium, people to be, and an eye on what no page may do: say errors in the console, break its
// own content policy, run what somebody typed.
//
// The stack is told by STINT_URL. Tests make accounts of their own through the pages; the demo's people are only looked over
// the shoulder of, so that the tests run beside one another and again.
import assert from "node:assert/strict";
import crypto from "node:crypto";
import { chromium } from "playwright-core";

const url = process.env.STINT_URL ?? "http://localhost:8080";
const password = "canary-correct horse battery";
const demo_password = "stint-demo-2026";

let browser;

async function launch() {
	browser ??= await chromium.launch({
		executablePath: process.env.STINT_CHROMIUM || "/usr/bin/chromium-headless-shell",
		args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-dev-shm-usage"],
	});
	return browser;
}

async function done() {
	await browser?.close();
	browser = undefined;
}

// What a refusal logs by itself (a 422 is an answer, not a fault).
const is_answer = (text) => /Failed to load resource: the server responded with a status of (401|403|404|409|412|422|429)/.test(text);

/*
 * A browser of one's own. faults collects what went wrong on any of its pages; finish() closes it and fails when
 * there was something.
 */
async function visitor(options = {}) {
	const context = await (await launch()).newContext({ baseURL: url, viewport: { width: 1280, height: 800 }, locale: "en-GB", timezoneId: "Europe/Berlin", reducedMotion: "reduce", ...options });
	const faults = [];
	context.setDefaultTimeout(30000);
	context.on("page", (page) => {
		page.on("console", (message) => {
			if (["error", "warning"].includes(message.type()) && !is_answer(message.text())) faults.push(`${page.url()}: ${message.text()}`);
		});
		page.on("pageerror", (error) => faults.push(`${page.url()}: ${error.stack}`));
		page.on("response", (answer) => { if (answer.status() >= 500) faults.push(`${answer.status()} ${answer.url()}`); });
		page.on("dialog", (dialog) => { faults.push(`a dialog: ${dialog.message()}`); dialog.dismiss(); });
	});
	if (options.javaScriptEnabled !== false) {
		await context.addInitScript(() => {
			document.addEventListener("securitypolicyviolation", (event) => console.error(`policy broken: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
		});
	}
	const page = await context.newPage();
	return {
		context, page, faults,
		async finish() {
			await context.close();
			assert.deepEqual(faults, []);
		},
	};
}

async function sign_in(page, email, secret) {
	await page.goto("/login");
	await page.getByLabel("Email").fill(email);
	await page.getByLabel("Password").fill(secret);
	await Promise.all([page.waitForURL((to) => !to.pathname.startsWith("/login")), page.getByRole("button", { name: "Sign in" }).click()]);
}

// One of the demo's: "owner", "manager", "member". Only to look.
async function demo(who, options) {
	const person = await visitor(options);
	await sign_in(person.page, `${who}@demo.test`, demo_password);
	return person;
}

function fresh_email(name = "ada") {
	return `${name}-${crypto.randomBytes(6).toString("hex")}@example.test`;
}

// The newest mail to an address with this in its subject, as the development stack shows it: its page.
async function open_mail(page, email, subject) {
	const mail = page.locator("li", { hasText: email }).filter({ hasText: subject }).first();
	// It is written after the answer that promised it.
	do await page.goto("/dev/mail"); while (!(await mail.count()) && (await page.waitForTimeout(100), true));
	await mail.getByRole("link").click();
	await page.locator("article.letter").waitFor();
}

async function register(page, email, { name = "Ada Example", organization = "Example Works" } = {}) {
	await page.goto("/register");
	await page.getByLabel("Your name").fill(name);
	await page.getByLabel("Email").fill(email);
	await page.getByLabel("Password").fill(password);
	await page.getByLabel("Organization").fill(organization);
	await page.getByRole("button", { name: "Create account" }).click();
	await page.waitForURL("**/register/sent");
}

async function confirm(page, email) {
	await open_mail(page, email, "Confirm your email");
	await page.locator("article.letter a").first().click();
	await page.getByRole("button", { name: "Confirm email" }).click();
	await page.waitForURL("**/login");
}

// Somebody new, with an organization of their own, signed in; `as` is their address.
async function newcomer(options) {
	const person = await visitor(options);
	person.as = fresh_email();
	await register(person.page, person.as);
	await confirm(person.page, person.as);
	await sign_in(person.page, person.as, password);
	return person;
}

// The API as the person of this browser, for what a test needs to lie ready.
async function api(page, method, path, body) {
	const answer = await page.evaluate(async ([m, p, b]) => {
		const csrf = document.querySelector('meta[name="csrf-token"]').content;
		const headers = { "X-CSRF-Token": csrf, ...(b ? { "Content-Type": "application/json" } : {}) };
		const got = await fetch(`/api/v1${p}`, { method: m, headers, body: b && JSON.stringify(b) });
		return { status: got.status, text: await got.text() };
	}, [method, path, body]);
	assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.text}`);
	return answer.text ? JSON.parse(answer.text) : null;
}

// What is open to who has not signed in.
const outside = ["/login", "/register", "/register/sent", "/forgot", "/forgot/sent", "/reset?token=x", "/verify?token=x", "/unsubscribe?for=x", "/unsubscribe/done", "/dev/mail"];

const hour = 3600e3;

// An entry of so many hours that ended so many hours ago.
async function entry(page, { ago = 2, lasting = 1, ...rest } = {}) {
	const end = Date.now() - ago * hour;
	return api(page, "POST", "/time-entries", { started_at: new Date(end - lasting * hour).toISOString(), ended_at: new Date(end).toISOString(), ...rest });
}

// All the addresses a person can be at.
async function places(page) {
	const one = async (path) => (await api(page, "GET", `${path}?limit=1`)).data[0]?.id;
	const ids = { "time-entries": await one("/time-entries"), clients: await one("/clients"), projects: await one("/projects"), tags: await one("/tags"), team: await one("/members") };
	const about = [];
	const { permissions } = await api(page, "GET", "/me");
	if (permissions.includes("jobs_view")) about.push("/settings/jobs");
	if (permissions.includes("webhooks_edit")) {
		const hook = await one("/webhooks");
		const delivery = hook && await one(`/webhooks/${hook}/deliveries`);
		about.push("/settings/webhooks", "/settings/webhooks/new");
		if (hook) about.push(`/settings/webhooks/${hook}`, `/settings/webhooks/${hook}/deliveries`, `/settings/webhooks/${hook}/deliveries?state=cancelled`);
		if (delivery) about.push(`/settings/webhooks/${hook}/deliveries/${delivery}`);
	}
	return [...about, "/", "/timer", "/timer?before=2026-01-01", "/week", "/week?date=2026-10-28", "/clients", "/clients?archived=all", "/projects", "/projects?archived=true", "/projects?q=nothing-is-called-so",
		"/tags", "/team", "/settings/profile", "/settings/organization", "/settings/sessions", "/notifications", "/notifications?unread=true", "/settings/notifications", ...Object.entries(ids).filter(([, id]) => id).map(([name, id]) => `/${name}/${id}`)];
}

export { api, confirm, demo, demo_password, done, entry, fresh_email, launch, newcomer, open_mail, outside, password, places, register, sign_in, url, visitor };
