-- The data that measurements run on: 200 organizations, 10,000 people, a million entries, 100,000 of them in one
-- organization. Loaded by a superuser into a migrated database; in about half a minute, since the triggers and key checks
-- that guard single rows are off (rows made here keep to them: no overlaps, right days, no references astray).
--
-- People are bench-1@bench.test … with the password stint-demo-2026; bench-1 is owner of the large organization (number 1).
-- Overlaps are forbidden in organization 1 and allowed in the others: an entry lasts a second at least, so starting and
-- stopping one person's timer many times a second runs ahead of the clock, which only where they are allowed can go on for long.
-- Sizes may be set before: SET bench.organizations, bench.members, bench.entries, bench.large.

DO $bench$
DECLARE
	organizations integer := coalesce(nullif(current_setting('bench.organizations', true), '')::integer, 200);
	members integer := coalesce(nullif(current_setting('bench.members', true), '')::integer, 10000);
	entries integer := coalesce(nullif(current_setting('bench.entries', true), '')::integer, 1000000);
	large integer := coalesce(nullif(current_setting('bench.large', true), '')::integer, 100000);
	hash CONSTANT text := '$argon2id$v=19$m=65536,t=2,p=1$I1QmwMPqbIS63KCoPKLQbQ$hs+Ks6p3+fez5ecc86Tlo4pDBSjg5v2Hr9CAy8GMXG8';
	per_organization integer := members / organizations;
	-- An hour and a quarter from one entry to the next, eight a day, from yesterday back.
	per_day CONSTANT integer := 8;
BEGIN
	IF EXISTS (SELECT FROM data.users WHERE email = 'bench-1@bench.test') THEN
		RAISE NOTICE 'The bench data is there already.';
		RETURN;
	END IF;
	SET LOCAL session_replication_role = replica;
	SET LOCAL synchronous_commit = off;

	CREATE TEMPORARY TABLE bench_org ON COMMIT DROP AS
	SELECT o, gen_random_uuid() AS id FROM generate_series(1, organizations) AS o;
	CREATE TEMPORARY TABLE bench_member ON COMMIT DROP AS
	SELECT m, 1 + (m - 1) % organizations AS o, (m - 1) / organizations AS place, gen_random_uuid() AS id,
		gen_random_uuid() AS user_id
	FROM generate_series(1, members) AS m;
	CREATE TEMPORARY TABLE bench_project ON COMMIT DROP AS
	SELECT o, p, gen_random_uuid() AS id FROM generate_series(1, organizations) AS o, generate_series(0, 19) AS p;
	ANALYZE bench_org, bench_member, bench_project;

	INSERT INTO data.organizations (id, name, zone, overlap_policy)
	SELECT id, 'Bench ' || o, 'Europe/Berlin', CASE o WHEN 1 THEN 'forbid' ELSE 'allow' END FROM bench_org;
	INSERT INTO data.users (id, email, name, password_hash, verified_at, last_organization_id)
	SELECT m.user_id, 'bench-' || m.m || '@bench.test', 'Bench ' || m.m, hash, now(), o.id
	FROM bench_member AS m JOIN bench_org AS o USING (o);
	INSERT INTO data.members (organization_id, id, user_id, name, email, role, zone)
	SELECT o.id, m.id, m.user_id, 'Bench ' || m.m, 'bench-' || m.m || '@bench.test',
		CASE WHEN m.place = 0 THEN 'owner' WHEN m.place = 1 THEN 'manager' ELSE 'member' END, 'Europe/Berlin'
	FROM bench_member AS m JOIN bench_org AS o USING (o);
	INSERT INTO data.clients (organization_id, id, name)
	SELECT o.id, o.id, 'Client' FROM bench_org AS o;
	INSERT INTO data.projects (organization_id, id, client_id, name, color, billable)
	SELECT o.id, p.id, o.id, 'Project ' || p.p, 1 + p.p % 12, p.p % 2 = 0
	FROM bench_project AS p JOIN bench_org AS o USING (o);

	-- exclusive is false here: the exclusion index is the slowest part of loading and nothing that is measured reads it.
	INSERT INTO data.time_entries (organization_id, id, member_id, project_id, description, billable, started_at, ended_at,
		zone, first_day, last_day, exclusive, created_by, created_at, updated_at)
	SELECT o.id, gen_random_uuid(), m.id, p.id, 'Work on part ' || e.n % 40, p.p % 2 = 0, t.at, t.at + interval '1 hour',
		'Europe/Berlin', (t.at AT TIME ZONE 'Europe/Berlin')::date, (t.at AT TIME ZONE 'Europe/Berlin')::date, false, m.id,
		t.at, t.at
	FROM bench_member AS m
	JOIN bench_org AS o USING (o)
	CROSS JOIN LATERAL generate_series(0, CASE WHEN m.o = 1 THEN large / per_organization
		ELSE (entries - large) / (members - per_organization) END - 1) AS e (n)
	CROSS JOIN LATERAL (SELECT (now()::date - 1 - e.n / per_day) + interval '7 hours'
		+ e.n % per_day * interval '75 minutes' AS at) AS t
	JOIN bench_project AS p ON p.o = m.o AND p.p = (m.m + e.n) % 20;
END
$bench$;

ANALYZE data.users, data.organizations, data.members, data.clients, data.projects, data.time_entries;
