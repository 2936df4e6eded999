// The jobs' measurements: Stint's worker beside Celery and Sidekiq on the same Redis, and beside a bare loop of the same statements.
//
// The stack's own worker is away meanwhile. The work is enqueued beforehand; a rate is what was drained between the first tenth
// and the last twentieth, so nobody's start counts.
import { spawn, execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { availableParallelism } from 'node:os';
import pg from 'pg';

const { STINT_RUN: RUN, STINT_BIN: BIN, STINT_CONF: CONF, BENCH_STATE: STATE } = process.env;
const HERE = import.meta.dirname;
const REDIS = `${RUN}/redis.sock`;
const CORES = availableParallelism();
const QUICK = 60000;
const EFFECTS = 6000;
const CELERY = 6000; // a tenth of the others: it takes as long
const MIB = 1024;

const redis = (...words) => execFileSync('redis-cli', ['-s', REDIS, ...words]).toString().trim();
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const quantile = (list, q) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * q))];

// Rate of a drain, from how much is left at times.
function rateOf(samples, n) {
	const from = samples.find((s) => s.left <= 0.9 * n);
	const to = samples.filter((s) => s.left >= 0.05 * n).at(-1);
	if (!from || !to || to.at <= from.at) return n / ((samples.at(-1).at - samples[0].at) / 1000);
	return (from.left - to.left) / ((to.at - from.at) / 1000);
}

// Whoever is measured ends with the bench, also when that ends badly: or they would work on beside the next one.
const measured = new Set();
process.on('exit', () => measured.forEach((child) => child.kill('SIGTERM')));
function start(command, words, options) {
	const child = spawn(command, words, options);
	measured.add(child);
	child.on('exit', () => measured.delete(child));
	return child;
}

async function drain(name, n, child, left, quit) {
	const samples = [];
	for (const end = Date.now() + 120000; ; await sleep(50)) {
		samples.push({ at: performance.now(), left: await left() });
		if (samples.at(-1).left === 0) break;
		if (child.exitCode !== null || Date.now() > end) quit(`${name} did not drain its jobs: ${samples.at(-1).left} of ${n} are left`);
	}
	return rateOf(samples, n);
}

async function gone(child) {
	if (child.exitCode !== null) return;
	const done = new Promise((resolve) => child.on('exit', resolve));
	child.kill('SIGTERM');
	await done;
}

export async function measureJobs({ row, note, quit, privateKiB, rounds }) {
	const db = new pg.Client({ host: RUN, user: 'postgres', database: 'stint' });
	await db.connect();
	const one = async (text, ...values) => Object.values((await db.query(text, values)).rows[0])[0];
	const env = { ...process.env, BENCH_REDIS: REDIS, RUBYOPT: '-W0' };
	const quietly = { cwd: HERE, env, stdio: 'ignore' };

	// The stack's own worker, away and back.
	const hold = `${RUN}/hold/worker`;
	writeFileSync(hold, '');
	process.on('exit', () => rmSync(hold, { force: true }));
	process.kill(Number(readFileSync(`${RUN}/worker.pid`, 'utf8').split(' ')[0]), 'SIGTERM');
	for (let i = 0; i < 100 && (await one('SELECT count(*)::integer FROM pg_stat_activity WHERE usename = $1', 'stint_worker')) > 0; i++) await sleep(100);
	await db.query(`CREATE SCHEMA IF NOT EXISTS scratch; CREATE TABLE IF NOT EXISTS scratch.effects (job_id uuid, kind text, n integer);
		GRANT USAGE ON SCHEMA scratch TO stint_worker; GRANT INSERT ON scratch.effects TO stint_worker`);

	const worker = (children = CORES) =>
		start(`${BIN}/tests/jobs/stint-test-worker`, ['-c', CONF, '--queues', `default:${children}`], { stdio: ['ignore', 'ignore', 'ignore'], env });
	const waiting = (kind) => one("SELECT count(*)::integer FROM jobs.jobs WHERE state IN ('waiting', 'running') AND kind = $1", kind);
	const clear = async () => {
		await db.query("DELETE FROM jobs.jobs WHERE kind LIKE 'test.%'");
		await db.query('TRUNCATE scratch.effects');
		await db.query('VACUUM jobs.jobs');
	};
	// Kinds are declared by the worker that has them.
	const first = worker();
	for (let i = 0; i < 100 && !(await one("SELECT count(*)::integer FROM jobs.kinds WHERE kind = 'test.noop'")); i++) await sleep(100);
	await gone(first);

	const enqueue = async (kind, n) => {
		await clear();
		await db.query("SELECT jobs.enqueue_all($1, array_agg('{}'::jsonb)) FROM generate_series(1, $2)", [kind, n]);
	};
	const stint = async (kind, n) => {
		await enqueue(kind, n);
		const child = worker();
		const rate = await drain(`stint-worker, ${kind}`, n, child, () => waiting(kind), quit);
		await gone(child);
		return rate;
	};
	const bare = async (mode, kind, n) => {
		await enqueue(kind, n);
		redis('DEL', 'bench:ids');
		const { rows } = await db.query('SELECT id FROM jobs.jobs WHERE kind = $1', [kind]);
		for (let i = 0; i < rows.length; i += 5000) redis('RPUSH', 'bench:ids', ...rows.slice(i, i + 5000).map((r) => r.id));
		const child = start(`${STATE}/bare-jobs`, [mode, `host=${RUN} dbname=stint user=stint_worker`, REDIS, String(CORES), 'bench:ids'], { stdio: ['ignore', 'inherit', 'inherit'] });
		const rate = await drain(`the bare loop, ${mode}`, n, child, async () => Number(redis('LLEN', 'bench:ids')), quit);
		await gone(child);
		return rate;
	};
	const celery = async () => {
		redis('-n', '5', 'FLUSHDB');
		execFileSync('/usr/bin/python3', ['celery_noop.py', 'fill', String(CELERY)], quietly);
		const child = start('/usr/bin/python3', ['-m', 'celery', '-A', 'celery_noop', 'worker', '-c', String(CORES), '-l', 'error', '-Q', 'noop',
			'--without-gossip', '--without-mingle', '--without-heartbeat'], quietly);
		const rate = await drain('Celery', CELERY, child, async () => Number(redis('-n', '5', 'LLEN', 'noop')), quit);
		await gone(child);
		return rate;
	};
	const sidekiq = async () => {
		redis('-n', '6', 'FLUSHDB');
		execFileSync('ruby', ['sidekiq_noop.rb', 'fill', String(QUICK)], quietly);
		const child = start('sidekiq', ['-r', './sidekiq_noop.rb', '-q', 'noop', '-c', '10'], quietly);
		const rate = await drain('Sidekiq', QUICK, child, async () => Number(redis('-n', '6', 'LLEN', 'queue:noop')), quit);
		await gone(child);
		return rate;
	};

	note(`jobs: ${rounds} rounds of Stint, a bare loop, Celery and Sidekiq`);
	const r = { stint: [], bare: [], celery: [], sidekiq: [], effect: [], bareEffect: [] };
	for (let i = 0; i < rounds; i++) {
		// A second each, which is short, and their ratio has little margin: three of each for one of the others.
		for (let turn = 0; turn < 3; turn++) {
			r.stint.push(await stint('test.noop', QUICK));
			r.bare.push(await bare('quick', 'test.noop', QUICK));
		}
		r.celery.push(await celery());
		r.sidekiq.push(await sidekiq());
		r.effect.push(await stint('test.effect', EFFECTS));
		r.bareEffect.push(await bare('effect', 'test.effect', EFFECTS));
	}
	const ours = median(r.stint);
	const against = (name, side, target, unit = 'jobs/s') => {
		const floor = median(side);
		row(name, ours, unit, { baseline: floor, ratio: ours / floor, target, ok: ours / floor >= target, of: 'ratio' });
	};
	against('quick jobs drained, against Celery 5.2', r.celery, 10);
	against('quick jobs drained, against Sidekiq 6.4', r.sidekiq, 1);
	against('quick jobs drained, against a bare loop', r.bare, 0.6);
	const effects = median(r.effect);
	row('jobs with an effect and a commit each', effects, 'jobs/s', { baseline: median(r.bareEffect), ratio: effects / median(r.bareEffect),
		target: 0.7, ok: effects / median(r.bareEffect) >= 0.7, of: 'ratio' });

	// From the beginning of the transaction that enqueues to the claim: commit and NOTIFY are in it.
	const child = worker();
	await sleep(1500);
	const lateness = async (n, pause) => {
		const ids = [];
		const began = performance.now();
		for (let i = 0; i < n; i++) {
			const behind = began + i * pause - performance.now();
			if (behind > 0) await sleep(behind);
			ids.push(db.query("SELECT jobs.enqueue('test.effect', '{}', jsonb_build_object('once', gen_random_uuid())) AS id"));
		}
		const list = (await Promise.all(ids)).map((a) => a.rows[0].id);
		for (let i = 0; i < 200 && (await one("SELECT count(*)::integer FROM jobs.jobs WHERE id = ANY ($1) AND state <> 'done'", list)) > 0; i++) await sleep(50);
		const { rows } = await db.query('SELECT extract(epoch FROM started_at - created_at) * 1000 AS ms FROM jobs.jobs WHERE id = ANY ($1)', [list]);
		return rows.map((a) => Number(a.ms));
	};
	note('jobs: from enqueueing to the handler, idle and at half load');
	const idle = quantile(await lateness(200, 25), 0.5);
	row('enqueued to started, idle, p50', idle, 'ms', { target: 5, ok: idle < 5, of: 'value' });
	const half = await lateness(Math.round(effects / 2) * 4, 2000 / effects);
	row('enqueued to started, half load, p99', quantile(half, 0.99), 'ms', { target: 50, ok: quantile(half, 0.99) < 50, of: 'value', remark: `${(effects / 2).toFixed(0)} jobs/s` });

	const sizes = execFileSync('pgrep', ['-P', String(child.pid)]).toString().trim().split('\n').map((pid) => privateKiB(pid) / MIB);
	row("private memory of the worker's largest child", Math.max(...sizes), 'MiB', { target: 10, ok: Math.max(...sizes) <= 10, of: 'value', remark: `${sizes.length} children` });
	await gone(child);
	await clear();
	await db.end();
	rmSync(hold, { force: true });
}
