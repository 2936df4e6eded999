// The mailbox of the development stack: what was sent, read by people and as a mail client would.
import { test } from "node:test";
import { assert, http, linkToken, mailTo, nobody, took, uuid } from "./support.js";

const secret = "canary-a-long-password";

async function registered(name) {
	const email = `${uuid()}@api.test`;
	took(await nobody.post("/auth/register", { name, email, password: secret, organization_name: "Mail & Söhne", zone: "Europe/Berlin" }), 202);
	const mail = await mailTo(email);
	const list = await (await http("GET", "/dev/mail")).text;
	const [, id] = new RegExp(`href="/dev/mail/([0-9a-f-]{36})"[^>]*>[^<]*</a></p><p[^>]*>[^<]*${email}`).exec(list) ?? assert.fail(`${email} is not listed`);
	return { email, mail, id };
}

test("mail_is_one_message_with_text_and_html", async () => {
	const { email, mail } = await registered("Zoë <Łódź>");
	assert.match(mail, /^From: Stint <stint@localhost>\r$/m);
	assert.match(mail, /^Subject: Confirm your email for Stint\r$/m);
	assert.match(mail, /^Auto-Submitted: auto-generated\r$/m);
	assert.match(mail, /^Message-ID: <job\.[0-9a-f-]{36}@localhost>\r$/m);
	assert.match(mail, /^Content-Type: multipart\/alternative;\r$/m);
	assert.match(mail, /^Hello Zoë <Łódź>,\r$/m);
	assert.match(mail, /<p>Hello Zoë &lt;Łódź&gt;,<\/p>/);
	// Both parts lead to the same place.
	const tokens = [...mail.matchAll(/[?&]token=([\w-]+)/g)].map(([, token]) => token);
	assert.equal(tokens.length, 4);
	assert.deepEqual(new Set(tokens), new Set([linkToken(mail)]));
	assert.ok(mail.includes(` <${email}>\r\n`));
});

test("mailbox_shows_the_text_and_leads_to_the_html", async () => {
	const { email, mail, id } = await registered("Zoë");
	const page = await http("GET", `/dev/mail/${id}`);
	assert.equal(page.status, 200);
	assert.match(page.text, /Hello Zoë,/);
	assert.match(page.text, new RegExp(`To: [^<]*&lt;${email}&gt;`));
	assert.ok(page.text.includes(`token=${linkToken(mail)}`));
	assert.ok(page.text.includes(`href="/dev/mail/${id}/html"`));
	const letter = await http("GET", `/dev/mail/${id}/html`);
	assert.equal(letter.status, 200);
	assert.equal(letter.headers.get("content-type"), "text/html; charset=utf-8");
	assert.match(letter.text, /^<!doctype html>/);
	assert.match(letter.text, /<p>Hello Zoë,<\/p>/);
	// A page of its own: nothing runs, loads or is asked there, and it is not of our origin.
	const policy = letter.headers.get("content-security-policy");
	assert.equal(policy, "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox");
	// Everywhere else the policy is as strict as ever.
	assert.doesNotMatch(page.headers.get("content-security-policy"), /unsafe/);
});

test("mailbox_has_no_other_files", async () => {
	for (const id of [uuid(), "..%2f..%2fstint.conf", "x", "%2e%2e"]) {
		for (const end of ["", "/html"]) {
			const reply = await http("GET", `/dev/mail/${id}${end}`);
			assert.ok([400, 404].includes(reply.status), `${id}${end}: ${reply.status}`);
			assert.doesNotMatch(reply.headers.get("content-security-policy"), /unsafe/);
		}
	}
});
