// What `make install` puts on a host: the layout, units that verify and are locked in, an nginx site that parses.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";

const build = process.env.STINT_BIN;
const root = fs.mkdtempSync(path.join(os.tmpdir(), "stint-host-"));
const at = (file) => path.join(root, "usr/local", file);
const run = (command, ...args) => {
	const out = spawnSync(command, args, { encoding: "utf8", env: { ...process.env, MAKEFLAGS: "", PATH: `${process.env.PATH}:/usr/sbin` } });
	assert.equal(out.error, undefined);
	return { status: out.status, text: out.stdout + out.stderr };
};

before(() => {
	const out = run("make", "-s", "-C", build, "install", `DESTDIR=${root}`);
	assert.equal(out.status, 0, out.text);
});
after(() => fs.rmSync(root, { recursive: true }));

test("install: everything lies where Debian's people look for it", () => {
	for (const file of [
		"sbin/stint-web", "sbin/stint-worker", "sbin/stint-live", "sbin/stint", "share/stint/templates/layouts/app.html", "share/stint/www/manifest.json",
		"share/stint/errors/away.json", "etc/stint/stint.conf", "etc/nginx/conf.d/stint.conf", "etc/nginx/sites-available/stint",
		"etc/nginx/snippets/stint-app.conf", "etc/nginx/snippets/stint-pools.map", "lib/systemd/system/stint-web.service",
		"lib/systemd/system/stint-web.socket", "lib/systemd/system/stint-auth.socket", "lib/systemd/system/stint-migrate.service",
		"lib/systemd/system/stint-live.service", "lib/systemd/system/stint-live.socket", "lib/systemd/system/stint-worker@.service", "lib/systemd/system/stint-worker@mail.service.d/network.conf",
		"lib/sysusers.d/stint.conf", "lib/tmpfiles.d/stint.conf",
	])
		assert.ok(fs.existsSync(at(file)), file);
});

test("install: no name of a folder was left to be filled in", () => {
	const out = run("grep", "-rnE", "@[a-z]+@", at("etc"), at("lib"));
	assert.equal(out.status, 1, out.text);
});

test("units: systemd-analyze verify says nothing", () => {
	const units = path.join(root, "units");
	fs.cpSync(at("lib/systemd/system"), units, { recursive: true });
	const files = fs.readdirSync(units).filter((name) => !name.endsWith(".d")).map((name) => path.join(units, name));
	for (const file of files) // the programs are not installed on this host
		fs.writeFileSync(file, fs.readFileSync(file, "utf8").replaceAll("/usr/local/sbin/", `${build}/`));
	for (const name of ["all", "default", "mail"]) {
		const instance = path.join(units, `stint-worker@${name}.service`);
		fs.copyFileSync(path.join(units, "stint-worker@.service"), instance);
		files.push(instance);
	}
	const out = run("systemd-analyze", "verify", "--man=no", ...files);
	// Units of the system itself are not ours to judge.
	const ours = out.text.split("\n").filter((line) => /stint/.test(line));
	assert.deepEqual(ours, []);
	assert.equal(out.status, 0, out.text);
});

for (const unit of ["stint-web.service", "stint-live.service", "stint-migrate.service"])
	test(`units: the exposure of ${unit} is at most 0.4`, () => {
		const out = run("systemd-analyze", "security", "--offline=true", "--no-pager", at(`lib/systemd/system/${unit}`));
		const level = /Overall exposure level for \S+: ([\d.]+)/.exec(out.text);
		assert.ok(level, out.text);
		assert.ok(Number(level[1]) <= 0.4, level[0]);
	});

// Instances as systemd puts them together: the template and the drop-ins of each name.
function instance(name) {
	const dir = fs.mkdtempSync(path.join(root, "instance-"));
	const unit = `stint-worker@${name}.service`;
	const own = at(`lib/systemd/system/${unit}.d`);
	let text = fs.readFileSync(at("lib/systemd/system/stint-worker@.service"), "utf8");
	if (fs.existsSync(own)) for (const file of fs.readdirSync(own)) text += fs.readFileSync(path.join(own, file), "utf8");
	fs.writeFileSync(path.join(dir, unit), text);
	return path.join(dir, unit);
}

for (const [name, most, outside] of [["default", 0.4, false], ["mail", 1.5, true], ["outside", 1.5, true], ["all", 1.5, true]])
	test(`units: the exposure of stint-worker@${name}.service is at most ${most}`, () => {
		const unit = instance(name);
		const network = fs.readFileSync(unit, "utf8").match(/^PrivateNetwork=.*$/gm).at(-1);
		assert.equal(network, `PrivateNetwork=${outside ? "no" : "yes"}`);
		const out = run("systemd-analyze", "security", "--offline=true", "--no-pager", unit);
		const level = /Overall exposure level for \S+: ([\d.]+)/.exec(out.text);
		assert.ok(level, out.text);
		assert.ok(Number(level[1]) <= most, level[0]);
	});

test("units: a worker has longer to stop than its jobs have to end, and is watched", () => {
	const text = fs.readFileSync(at("lib/systemd/system/stint-worker@.service"), "utf8");
	assert.ok(Number(/^TimeoutStopSec=(\d+)$/m.exec(text)[1]) > 30);
	assert.match(text, /^Type=notify$/m);
	assert.match(text, /^WatchdogSec=\d+$/m);
	assert.match(text, /^ExecReload=.*-HUP/m);
});

test("units: users and folders are understood", () => {
	const users = run("systemd-sysusers", "--dry-run", `--root=${root}`, at("lib/sysusers.d/stint.conf"));
	assert.equal(users.status, 0, users.text);
	const folders = run("systemd-tmpfiles", "--create", `--root=${root}`, at("lib/tmpfiles.d/stint.conf"));
	assert.equal(folders.status, 0, folders.text);
	assert.ok(fs.statSync(path.join(root, "run/stint")).isDirectory());
});

test("nginx: the installed site passes nginx -t, with TLS", () => {
	const tls = at("etc/stint/tls");
	fs.mkdirSync(tls, { recursive: true });
	execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=stint.example",
		"-keyout", `${tls}/site.key`, "-out", `${tls}/site.crt`], { stdio: "ignore" });
	const etc = path.join(root, "nginx");
	const copy = (from, to) => {
		const text = fs.readFileSync(from, "utf8").replaceAll("/usr/local/", `${root}/usr/local/`).replaceAll(/listen (\[::\]:)?(80|443)/g, "listen $11$2");
		fs.mkdirSync(path.dirname(to), { recursive: true });
		fs.writeFileSync(to, text);
	};
	for (const name of fs.readdirSync(at("etc/nginx/snippets")))
		copy(at(`etc/nginx/snippets/${name}`), at(`etc/nginx/snippets/${name}`));
	copy(at("etc/nginx/conf.d/stint.conf"), `${etc}/conf.d/stint.conf`);
	copy(at("etc/nginx/sites-available/stint"), `${etc}/sites-enabled/stint`);
	fs.writeFileSync(`${etc}/nginx.conf`, `pid ${etc}/pid;\nerror_log stderr;\nevents {}\nhttp {\n\tinclude /etc/nginx/mime.types;\n\taccess_log off;\n`
		+ ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((kind) => `\t${kind}_temp_path ${etc}/${kind};\n`).join("")
		+ `\tinclude ${etc}/conf.d/*.conf;\n\tinclude ${etc}/sites-enabled/*;\n}\n`);
	const out = run("nginx", "-t", "-e", "stderr", "-p", etc, "-c", `${etc}/nginx.conf`);
	assert.equal(out.status, 0, out.text);
	assert.doesNotMatch(out.text, /\[warn\]|\[emerg\]/);
});
