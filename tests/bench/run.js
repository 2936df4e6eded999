// Measures a running stack against the bare program beside it (bare.c). Started by ./dev bench, which says
// where everything is by environment.
//
// Numbers of one machine at one moment mean little, ratios of neighbours in time something: so every comparison alternates
// its sides, A B A B …, and the medians are divided. A target that is missed is shown as missed and is no failure;
// what could not be measured is.
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, readSync, rmSync, statSync, writeFileSync, existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { measureJobs } from './jobs.js';
import { measureLive } from './live.js';

const { STINT_URL: URL_, STINT_RUN: RUN, BENCH_STATE: STATE, BENCH_PSQL: PSQL, BENCH_JSON: JSON_FILE } = process.env;
const ROUNDS = Number(process.env.STINT_BENCH_ROUNDS ?? 5);
const SECONDS = Number(process.env.STINT_BENCH_SECONDS ?? 3);
const ONLY = process.env.STINT_BENCH_ONLY ?? '';
const CLIENTS = 32;
const WORKERS = 4 * availableParallelism();
const PASSWORD = 'stint-demo-2026';
const API = '/api/v1';
const LOAD = new URL('load.lua', import.meta.url).pathname;

const rows = []; // what was measured, in the shape of --json
const quit = (message) => {
	console.error(`✗ ${message}`);
	process.exit(1);
};
const note = (text) => console.log(`… ${text}`);
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const spread = (list) => `${Math.min(...list).toFixed(0)}–${Math.max(...list).toFixed(0)}`;

// --- asking

function sql(text) {
	const out = execFileSync(PSQL, ['-X', '-q', '-A', '-t', '-F', ' ', '-v', 'ON_ERROR_STOP=1', '-h', RUN, '-U', 'postgres', '-d', 'stint', '-c', text]);
	return out.toString().trim();
}

async function ask(method, path, { headers = {}, body } = {}) {
	const answer = await fetch(URL_ + path, { method, headers, body, redirect: 'manual' });
	return { status: answer.status, text: await answer.text(), cookies: answer.headers.getSetCookie() };
}

async function askJson(method, path, token, body) {
	const headers = { ...(token && { Authorization: `Bearer ${token}` }), ...(body && { 'Content-Type': 'application/json' }) };
	const answer = await ask(method, API + path, { headers, body: body && JSON.stringify(body) });
	if (answer.status >= 400 && answer.status !== 409) quit(`${method} ${path} answered ${answer.status}: ${answer.text}`);
	return answer.text ? JSON.parse(answer.text) : null;
}

const email = (n) => `bench-${n}@bench.test`;
const signIn = async (n) => (await askJson('POST', '/auth/login', null, { email: email(n), password: PASSWORD })).access_token;

async function signInByForm(n) {
	const body = new URLSearchParams({ email: email(n), password: PASSWORD }).toString();
	const answer = await ask('POST', '/login', { headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body });
	const cookie = answer.cookies.map((c) => c.split(';')[0]).find((c) => c.startsWith('__Host-stint='));
	if (!cookie) quit(`signing in by the form answered ${answer.status} and no cookie`);
	return cookie;
}

// --- load

let files = 0;
const step = (method, path, header = '', body = '') => [method, path, header, body].join('\t');
// Each client is a list of steps.
function clientsFile(clients) {
	const name = `${STATE}/clients-${++files}`;
	writeFileSync(name, clients.map((steps) => steps.join('|')).join('\n') + '\n');
	return name;
}

function wrkArguments(file, { clients = CLIENTS, threads = 2, seconds = SECONDS } = {}) {
	return ['-t', String(threads), '-c', String(clients), '-d', `${seconds}s`, '--timeout', '10s', '-s', LOAD, URL_, '--', file];
}

function wrkResult(name, out, { least = 1 } = {}) {
	const line = out.split('\n').find((l) => l.startsWith('BENCH '));
	if (!line) quit(`wrk said nothing usable about ${name}:\n${out}`);
	const result = JSON.parse(line.slice(6));
	if (result.requests < least || result.refused + result.broken > 2 + result.requests / 1000)
		quit(`${name}: ${result.refused} of ${result.requests} requests were refused and ${result.broken} broke; the numbers would mean nothing.`);
	return { ...result, rps: result.requests / result.seconds };
}

// Not spawnSync: nginx closes what this process keeps open meanwhile, and it must notice.
function wrk(file, options) {
	return new Promise((resolve, reject) => {
		const child = spawn('wrk', wrkArguments(file, options));
		let out = '';
		for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (out += data));
		child.on('error', reject);
		child.on('close', () => resolve(out));
	});
}

let served = 0; // by Stint's workers, all together

async function load(name, file, options) {
	const result = wrkResult(name, await wrk(file, options));
	if (!/^(bare|static)/.test(name)) served += result.requests;
	return result;
}

// sides: {name: () => result}; gives {name: [result, …]}.
async function alternate(title, sides, rounds = ROUNDS) {
	const results = Object.fromEntries(Object.keys(sides).map((name) => [name, []]));
	note(`${title}: ${rounds} rounds of ${Object.keys(sides).join(', ')}`);
	for (let round = 0; round < rounds; round++)
		for (const [name, side] of Object.entries(sides)) results[name].push(await side(round));
	return results;
}

const rate = (results) => results.map((r) => r.rps);

function row(name, value, unit, { baseline = null, ratio = null, target = null, ok = null, of, remark = '' } = {}) {
	rows.push({ json: { name, value, unit, baseline, ratio, target, ok }, of, remark });
}

function rowOfRates(name, results, baseline, target, unit = 'requests/s') {
	const value = median(rate(results));
	const floor = median(rate(baseline));
	const ratio = value / floor;
	row(name, value, unit, { baseline: floor, ratio, target, ok: ratio >= target, of: 'ratio',
		remark: `${spread(rate(results))} of ${spread(rate(baseline))}` });
}

// --- what is measured

async function measureStatic() {
	const file = clientsFile([[step('GET', '/bench/static')]]);
	const r = await alternate("nginx's own file", { static: () => load('static', file) }, Math.min(ROUNDS, 3));
	row('nginx, a file of 1 KB (ceiling)', median(rate(r.static)), 'requests/s');
}

async function measureTimer(who, barePaths) {
	const bare = clientsFile([[step('GET', barePaths.timer)]]);
	const cookie = clientsFile([[step('GET', `${API}/timer`, `Cookie: ${who.cookie}`)]]);
	const bearer = clientsFile([[step('GET', `${API}/timer`, `Authorization: Bearer ${who.token}`)]]);
	const r = await alternate('GET /timer', {
		bare: () => load('bare timer', bare),
		session: () => load('timer by session', cookie),
		bearer: () => load('timer by bearer', bearer),
	}, 2 * ROUNDS + 3); // its margin is less than what single rounds differ by
	row('bare libfcgi, one prepared SELECT by key', median(rate(r.bare)), 'requests/s');
	rowOfRates('GET /api/v1/timer by session', r.session, r.bare, 0.6);
	rowOfRates('GET /api/v1/timer by bearer token', r.bearer, r.bare, 0.6);
}

async function measureList(who, barePaths) {
	const bare = clientsFile([[step('GET', barePaths.list)]]);
	const ours = clientsFile([[step('GET', `${API}/time-entries?limit=50`, `Authorization: Bearer ${who.token}`)]]);
	const r = await alternate('list of 50 entries', { bare: () => load('bare list', bare), list: () => load('list', ours) });
	rowOfRates('GET /api/v1/time-entries, 50 of 100,000', r.list, r.bare, 0.8);
}

// One client a member: a member has one timer.
async function measurePairs() {
	const members = sql(`SELECT m.organization_id, m.id FROM generate_series(2, ${CLIENTS + 1}) AS n
		JOIN data.members AS m ON m.email = 'bench-' || n || '@bench.test' ORDER BY n`).split('\n').map((l) => l.split(' '));
	const tokens = [];
	for (let n = 2; n <= CLIENTS + 1; n++) tokens.push(await signIn(n));
	const bare = clientsFile(members.map(([org, member]) =>
		[step('POST', `/bench/bare/start/${org}/${member}`), step('POST', `/bench/bare/stop/${org}/${member}`)]));
	const ours = clientsFile(tokens.map((token) => [
		step('POST', `${API}/timer/start`, `Authorization: Bearer ${token}`, '{"description":"Bench"}'),
		step('POST', `${API}/timer/stop`, `Authorization: Bearer ${token}`, '{}')]));
	const options = { threads: CLIENTS };
	const fresh = () => sql(`SET session_replication_role = replica;
		DELETE FROM data.time_entries WHERE created_at > now() - interval '1 day' AND organization_id IN (
			SELECT m.organization_id FROM data.members AS m WHERE m.id = ANY ('{${members.map((m) => m[1])}}'))`);
	const r = await alternate('start and stop', {
		bare: () => (fresh(), load('bare start and stop', bare, options)),
		pairs: () => (fresh(), load('start and stop', ours, options)),
	});
	fresh();
	for (const side of Object.values(r)) for (const one of side) one.rps /= 2;
	rowOfRates('timer start and stop', r.pairs, r.bare, 0.6, 'pairs/s');
}

// What was logged from a place of the log on; it is turned when it grows too large, and then the round does not count.
function logged(log, from) {
	const length = statSync(log).size - from;
	if (length <= 0) return [];
	const text = Buffer.alloc(length);
	const fd = openSync(log);
	readSync(fd, text, 0, length, from);
	closeSync(fd);
	return text.toString().split('\n');
}

// Server time as the log tells it, asked one at a time. This is no ratio, and what else the machine does can only add to it: so the
// quietest of the rounds counts.
async function measureDashboard(who) {
	const file = clientsFile([[step('GET', '/', `Cookie: ${who.cookie}`)]]);
	const log = `${STATE}/log/web.log`;
	const options = { clients: 1, threads: 1, seconds: 1 };
	const page = async () => {
		const from = statSync(log).size;
		await load('dashboard', file, options);
		const ms = logged(log, from).filter((l) => l.includes('"path":"/"') && l.includes('"status":"200"')).map((l) => Number(JSON.parse(l).ms));
		return ms.length < 10 ? null : { p50: median(ms), pages: ms.length };
	};
	await load('dashboard', file, options);
	const rounds = (await alternate('dashboard page, one client', { page })).page.filter(Boolean);
	if (!rounds.length) quit(`no dashboards were found in ${log}`);
	const best = rounds.reduce((a, b) => (b.p50 < a.p50 ? b : a));
	row('dashboard page, server time p50', best.p50, 'ms', { target: 5, ok: best.p50 < 5, of: 'value',
		remark: `of ${best.pages} pages; rounds ${rounds.map((r) => r.p50.toFixed(1)).join(' ')}` });
}

async function measureStorm(who) {
	const timer = clientsFile([[step('GET', `${API}/timer`, `Authorization: Bearer ${who.token}`)]]);
	const people = Array.from({ length: 2 }, (_, part) => Array.from({ length: 100 }, (_, i) => step('POST', `${API}/auth/login`, '',
		JSON.stringify({ email: email(1000 + 100 * part + i), password: PASSWORD }))));
	const storm = clientsFile(people);
	const signIns = [];
	const stormy = async () => {
		const others = wrk(storm, { clients: 8, seconds: SECONDS + 2 });
		await sleep(1000);
		const result = await load('timer in the storm', timer);
		signIns.push(wrkResult('sign-ins', await others, { least: 0 }).rps); // hashing may get next to no time beside 32 clients
		return result;
	};
	const r = await alternate('GET /timer while others sign in', { quiet: () => load('timer, quiet', timer), storm: stormy });
	const quiet = median(r.quiet.map((x) => x.p99_ms));
	const value = median(r.storm.map((x) => x.p99_ms));
	row('GET /api/v1/timer p99 during sign-ins', value, 'ms', { baseline: quiet, ratio: value / quiet, target: 3, ok: value / quiet < 3, of: 'ratio-below',
		remark: `${median(signIns).toFixed(1)} sign-ins/s meanwhile` });
}

// Private bytes, not RSS: ICU's data alone are 31 MB that all share. Workers let nobody but root look into them; for others
// there is RssAnon, which also counts what is still shared with the master, and so is never too small.
function privateKiB(pid) {
	let text;
	try {
		text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
	} catch {
		return Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/^RssAnon:\s+(\d+) kB$/m)[1]);
	}
	return [...text.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB$/gm)].reduce((sum, m) => sum + Number(m[1]), 0);
}

function webWorkers() {
	return readdirSync('/proc').filter((p) => /^\d+$/.test(p)).filter((pid) => {
		try {
			return readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'stint web' &&
				readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`${STATE}/stint.conf`);
		} catch {
			return false;
		}
	});
}

// Workers stay for the whole run (worker_requests = 0), so each serves its share of all requests there were.
async function measureMemory(who) {
	const timer = step('GET', `${API}/timer`, `Authorization: Bearer ${who.token}`);
	const mixed = clientsFile([[timer, step('GET', '/', `Cookie: ${who.cookie}`),
		step('GET', `${API}/time-entries?limit=50`, `Authorization: Bearer ${who.token}`)]]);
	const file = clientsFile([[timer]]);
	note('memory: requests of each kind, up to 10,000 a worker');
	await load('mixed requests', mixed);
	while (served < 10000 * WORKERS) await load('timer', file);
	const workers = webWorkers();
	if (!workers.length) quit('no workers of this stack were found in /proc');
	const sizes = workers.map((pid) => privateKiB(pid) / 1024);
	const most = Math.max(...sizes);
	row('private memory of the largest worker', most, 'MiB', { target: 12, ok: most <= 12, of: 'value', remark: `${workers.length} workers, ${Math.floor(served / workers.length)} requests each` });
}

// --- telling

function number(value, unit) {
	return unit.endsWith('/s') ? value.toFixed(0) : value.toFixed(2);
}

function table() {
	const head = ['', 'measured', 'baseline', 'ratio', 'target', '', ''];
	const lines = rows.map(({ json: r, of, remark }) => [
		r.name, `${number(r.value, r.unit)} ${r.unit}`, r.baseline === null ? '' : number(r.baseline, r.unit), r.ratio === null ? '' : r.ratio.toFixed(2),
		r.target === null ? '' : of === 'ratio' ? `≥ ${r.target.toFixed(2)}` : of === 'ratio-below' ? `< ${r.target} ×` : `< ${r.target} ${r.unit}`,
		r.ok === null ? '' : r.ok ? 'ok' : 'MISSED', remark]);
	const widths = head.map((_, i) => Math.max(...[head, ...lines].map((l) => l[i].length)));
	const print = (l) => console.log(l.map((c, i) => (i === 0 || i > 4 ? c.padEnd(widths[i]) : c.padStart(widths[i]))).join('  ').trimEnd());
	console.log('');
	print(head);
	lines.forEach(print);
	console.log('');
}

function startBare(caller) {
	const socket = `${RUN}/bare.sock`;
	rmSync(socket, { force: true });
	const bare = spawn(`${STATE}/bare`, [socket, String(WORKERS), `host=${RUN} dbname=stint user=postgres`, `host=${RUN} dbname=stint user=stint_web`,
		caller.organization, caller.member, caller.caller], { stdio: ['ignore', 'inherit', 'inherit'] });
	bare.on('exit', (status) => status === null || quit(`the bare program ended with status ${status}`));
	process.on('exit', () => bare.kill());
	for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(130));
	return socket;
}

async function main() {
	const who = { token: await signIn(1), cookie: await signInByForm(1) };
	await askJson('POST', '/timer/start', who.token, { description: 'Bench', switch: true });
	const timer = await askJson('GET', '/timer', who.token);
	const [organization, member] = sql(`SELECT organization_id, id FROM data.members WHERE email = '${email(1)}'`).split(' ');
	const caller = sql(`SELECT caller FROM data.credentials WHERE member_id = '${member}' LIMIT 1`);
	const socket = startBare({ organization, member, caller });
	for (let i = 0; i < 100 && !existsSync(socket); i++) await sleep(50);
	const barePaths = { timer: `/bench/bare/timer/${organization}/${timer.id}`, list: '/bench/bare/list' };

	// Both sides must do what they are compared for.
	const bareTimer = await ask('GET', barePaths.timer);
	if (bareTimer.status !== 200 || JSON.parse(bareTimer.text).id !== timer.id) quit(`the bare program answered ${bareTimer.status}: ${bareTimer.text}`);
	const bareList = await ask('GET', barePaths.list);
	const ourList = await askJson('GET', '/time-entries?limit=50', who.token);
	if (bareList.status !== 200 || JSON.parse(bareList.text).data.length !== 50 || ourList.data.length !== 50)
		quit(`the list of the bare program answered ${bareList.status}: ${bareList.text.slice(0, 300)}`);

	const measures = {
		static: measureStatic,
		timer: () => measureTimer(who, barePaths),
		list: () => measureList(who, barePaths),
		pairs: measurePairs,
		dashboard: () => measureDashboard(who),
		storm: () => measureStorm(who),
		memory: () => measureMemory(who),
		jobs: () => measureJobs({ row, note, quit, privateKiB, rounds: Math.min(ROUNDS, 3) }),
		live: () => measureLive({ row, note }),
	};
	for (const [name, measure] of Object.entries(measures)) if (!ONLY || ONLY.split(',').includes(name)) await measure();
	table();
	if (JSON_FILE) writeFileSync(JSON_FILE, JSON.stringify(rows.map((r) => r.json), null, '\t') + '\n');
	process.exit(0);
}

main().catch((error) => quit(error.stack));
