// Enqueueing in the name of somebody who has entered: the job is the organization's, named or not, and never another's.
import { after, test } from "node:test";
import { assert, done, organization, run, web } from "./support.js";

after(done);

// Enqueues as a request would, and takes it back.
async function enqueued(caller, options) {
	const client = await web.connect();
	try {
		await client.query("BEGIN");
		await run(client, "enter", { credential: caller.hash, need: "-1", flags: "1" });
		const { rows } = await client.query("SELECT jobs.enqueue('stint.ping', '{}', $1) AS id", [JSON.stringify(options)]);
		return (await client.query("SELECT organization_id, member_id FROM jobs.jobs WHERE id = $1", [rows[0].id])).rows[0];
	} finally {
		await client.query("ROLLBACK");
		client.release();
	}
}

test("a job enqueued by a member is of the member's organization, whether that is said or not", async () => {
	const { id, owner } = await organization({ roles: ["owner"] });
	for (const options of [{}, { organization: id }])
		assert.deepEqual(await enqueued(owner, options), { organization_id: id, member_id: owner.member });
});

test("a job for another organization is refused", async () => {
	const [ours, theirs] = [await organization({ roles: ["owner"] }), await organization({ roles: ["owner"] })];
	await assert.rejects(enqueued(ours.owner, { organization: theirs.id }), /another organization/);
});
