// A program that webhooks tell: a server on loopback that keeps what came and answers as it is told. And Standard Webhooks'
// check of a signature, written against its text and not against ours.
import crypto from "node:crypto";
import http from "node:http";
import { until } from "../wait.js";
import { assert, rows } from "./support.js";

// answer: (call, n) -> {status, headers, body}, or "hang" (no answer), or "cut" (the line is cut).
async function receiver(answer = () => ({ status: 204 })) {
	const calls = [];
	const server = http.createServer((request, response) => {
		const chunks = [];
		request.on("data", (chunk) => chunks.push(chunk));
		request.on("end", () => {
			const text = Buffer.concat(chunks).toString("utf8");
			const call = { method: request.method, path: request.url, headers: request.headers, text };
			calls.push(call);
			const said = self.answer(call, calls.length);
			if (said === "hang") return;
			if (said === "cut") return void request.socket.destroy();
			response.writeHead(said.status ?? 200, said.headers ?? {});
			response.end(said.body ?? "");
		});
	});
	await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
	server.unref();
	const self = {
		calls, answer, port: server.address().port,
		url: `http://127.0.0.1:${server.address().port}/hook`,
		close: () => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); }),
	};
	return self;
}

// How many of the signatures of a call are right for this secret.
function signedBy(secret, call) {
	assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
	const key = Buffer.from(secret.slice("whsec_".length), "base64");
	const said = `${call.headers["webhook-id"]}.${call.headers["webhook-timestamp"]}.${call.text}`;
	const right = crypto.createHmac("sha256", key).update(said, "utf8").digest("base64");
	return call.headers["webhook-signature"].split(" ").filter((s) => s === `v1,${right}`).length;
}

const deliveryOf = async (id) => (await rows("SELECT * FROM data.webhook_deliveries WHERE id = $1", id))[0];
const deliveriesOf = (webhook) => rows("SELECT * FROM data.webhook_deliveries WHERE webhook_id = $1 ORDER BY position", webhook);
const jobOf = async (delivery) => (await rows("SELECT * FROM jobs.jobs WHERE kind = 'webhook.deliver' AND args ->> 'delivery_id' = $1", delivery))[0];

// Waits for an attempt to be noted and, when there is to be another, for its job to wait again.
async function attempted(delivery, n) {
	return until(`attempt ${n} of ${delivery}`, async () => {
		const d = await deliveryOf(delivery);
		if (!d || d.attempts < n) return null;
		const job = await jobOf(delivery);
		return d.state === "waiting" ? (job?.state === "waiting" && job.attempts >= n ? d : null) : job ? null : d;
	});
}

// The next attempt's time comes.
async function hurry(delivery) {
	const moved = await rows("UPDATE jobs.jobs SET due_at = now() WHERE kind = 'webhook.deliver' AND args ->> 'delivery_id' = $1 AND state = 'waiting' RETURNING 1", delivery);
	assert.equal(moved.length, 1, `no job waits for ${delivery}`);
	await rows("SELECT pg_notify('jobs', '')");
}

export { attempted, deliveriesOf, deliveryOf, hurry, jobOf, receiver, signedBy };
