// Waiting, in every test: for what must come, however long the machine takes, and never for a time in the hope that it came.
import assert from "node:assert/strict";

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Looks again and again until the answer is truthy, and gives it.
export async function until(what, look, { every = 30, most = 60000 } = {}) {
	const end = Date.now() + most;
	for (;;) {
		const answer = await look();
		if (answer) return answer;
		assert.ok(Date.now() < end, `still waiting for this after ${most / 1000} s: ${what}`);
		await pause(every);
	}
}
