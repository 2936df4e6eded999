// stint-live's measurements: memory of idle connections, one event to many watchers, and frames a second against a bare epoll writer.
// The work is done by live.c, which is all receivers at once; here it is started and judged.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const { STINT_RUN: RUN, STINT_BIN: BIN } = process.env;
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

function run(clients, events, rounds) {
	const pid = readFileSync(`${RUN}/live.pid`, 'utf8').split(' ')[0];
	const out = execFileSync(`${BIN}/tests/bench/live`, [`${RUN}/live.sock`, `${RUN}/redis.sock`, pid, String(clients), String(events), String(rounds)], { maxBuffer: 1 << 24 });
	return JSON.parse(out.toString());
}

export function measureLive({ row, note }) {
	note('live: 10,000 idle connections');
	const idle = run(10000, 1, 1);
	row('stint-live, private memory of 10,000 idle connections', idle.private_kb / 1024, 'MiB', { target: 60, ok: idle.private_kb / 1024 <= 60, of: 'value' });
	note('live: events to 5,000 watchers, and a bare writer of the same frames');
	const many = [1, 2, 3].map(() => run(5000, 200, 3));
	const p99 = median(many.map((m) => m.fanout_p99_ms));
	row('one event to 5,000 watchers, p99', p99, 'ms', { target: 250, ok: p99 < 250, of: 'value' });
	const ratio = median(many.map((m) => m.frames_per_s / m.bare_frames_per_s));
	row('frames to 5,000 watchers', median(many.map((m) => m.frames_per_s)), 'frames/s', { baseline: median(many.map((m) => m.bare_frames_per_s)), ratio, target: 0.8, ok: ratio >= 0.8, of: 'ratio' });
}
