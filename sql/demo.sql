-- Demo data: two organizations with believable people and three months of their time up to now. Loaded by `stint demo` as a
-- role that bypasses row level security. What is made depends on today's date alone, so a bug seen in it can be seen again;
-- an organization that is there already is left alone, so it may be run twice.
--
-- Everybody's password is stint-demo-2026.

CREATE TEMPORARY TABLE demo_person (
	org text, email text, name text, role text, zone text, day_begins time, work text[], PRIMARY KEY (org, email)
) ON COMMIT DROP;
INSERT INTO demo_person VALUES
	('Northwind Studio', 'owner@demo.test', 'Ada Keller', 'owner', 'Europe/Berlin', '08:45',
		'{Studio,Brand refresh,Design system,Pitch}'),
	('Northwind Studio', 'manager@demo.test', 'Jonas Weber', 'manager', 'Europe/Berlin', '09:00',
		'{Patient portal,Studio,Fleet dashboard,Hiring}'),
	('Northwind Studio', 'member@demo.test', 'Mira Sommer', 'member', 'Europe/Berlin', '09:15',
		'{Online shop,Design system,Patient portal,Studio}'),
	('Northwind Studio', 'ethan@demo.test', 'Ethan Brooks', 'member', 'America/New_York', '09:00',
		'{Mobile banking,Fleet dashboard,Studio}'),
	('Northwind Studio', 'ines@demo.test', 'Inês Duarte', 'member', 'Europe/Lisbon', '09:30',
		'{Brand refresh,Campaign autumn,Online shop,Studio}'),
	('Northwind Studio', 'priya@demo.test', 'Priya Nair', 'member', 'Asia/Kolkata', '10:00',
		'{Mobile banking,Patient portal,Booking engine,Studio}'),
	('Northwind Studio', 'tomas@demo.test', 'Tomáš Novák', 'member', 'Europe/Prague', '08:30',
		'{Trail guide app,Fleet dashboard,Booking engine,Studio}'),
	('Harbor Collective', 'noor@harbor.test', 'Noor Haddad', 'owner', 'Europe/Amsterdam', '09:00',
		'{Annual report,Collective}'),
	('Harbor Collective', 'sam@harbor.test', 'Sam Visser', 'member', 'Europe/Amsterdam', '09:30',
		'{Annual report,Quay exhibition,Collective}'),
	('Harbor Collective', 'owner@demo.test', 'Ada Keller', 'member', 'Europe/Berlin', NULL, '{Collective}');

CREATE TEMPORARY TABLE demo_project (
	org text, client text, name text, color smallint, billable boolean, archived boolean, works text[], PRIMARY KEY (org, name)
) ON COMMIT DROP;
INSERT INTO demo_project VALUES
	('Northwind Studio', 'Aurora Coffee', 'Online shop', 2, true, false,
		'{Checkout flow,Product page,Fix cart on small screens,Payment errors,Accessibility pass}'),
	('Northwind Studio', 'Aurora Coffee', 'Brand refresh', 11, true, false,
		'{Logo sketches,Colour studies,Packaging labels,Style guide,Photo direction}'),
	('Northwind Studio', 'Fjord Outdoor', 'Trail guide app', 5, true, false,
		'{Offline maps,Route import,Elevation chart,Crash on start,Beta feedback}'),
	('Northwind Studio', 'Fjord Outdoor', 'Campaign autumn', 9, true, false,
		'{Landing page,Newsletter,Banner set,Copy edits}'),
	('Northwind Studio', 'Lumen Health', 'Patient portal', 7, true, false,
		'{Appointment booking,Consent forms,User interviews,Sign-in by card,Usability test}'),
	('Northwind Studio', 'Lumen Health', 'Design system', 8, true, false,
		'{Tokens,Form components,Icon set,Documentation,Contrast review}'),
	('Northwind Studio', 'Kestrel Mobility', 'Fleet dashboard', 3, true, false,
		'{Live map,Report export,Driver list,Alert rules,Load test}'),
	('Northwind Studio', 'Kestrel Mobility', 'Booking engine', 4, true, false,
		'{Availability search,Price rules,Calendar sync,API review}'),
	('Northwind Studio', 'Tandem Bank', 'Mobile banking', 6, true, false,
		'{Transfer screen,Push messages,Card freeze,Security review,Release notes}'),
	('Northwind Studio', 'Tandem Bank', 'Pitch', 12, false, true, '{Proposal,Prototype,Slides}'),
	('Northwind Studio', NULL, 'Studio', 1, false, false,
		'{Stand-up,Weekly planning,Retrospective,Mail and messages,One-on-one}'),
	('Northwind Studio', NULL, 'Hiring', 10, false, false, '{Interview,Reading applications,Trial day}'),
	('Harbor Collective', 'Port Museum', 'Quay exhibition', 5, true, false, '{Floor plan,Captions,Lighting}'),
	('Harbor Collective', 'Tidal Fund', 'Annual report', 8, true, false, '{Interviews,Layout,Figures,Proofs}'),
	('Harbor Collective', NULL, 'Collective', 1, false, false, '{Assembly,Bookkeeping,Studio upkeep}');

CREATE TEMPORARY TABLE demo_tag (org text, name text) ON COMMIT DROP;
INSERT INTO demo_tag
SELECT 'Northwind Studio', unnest('{design,development,meeting,research,review,support,urgent,writing}'::text[])
UNION ALL
SELECT 'Harbor Collective', unnest('{drawing,meeting,writing}'::text[]);

-- Chance that is the same each time: a number from 0 to n - 1 out of a text.
CREATE OR REPLACE FUNCTION pg_temp.dice(seed text, n integer) RETURNS integer
LANGUAGE sql IMMUTABLE RETURN ('x' || left(md5(seed), 7))::bit(28)::integer % n;

-- An id of version 7 that is the same each time.
CREATE OR REPLACE FUNCTION pg_temp.demo_id(seed text, at timestamptz DEFAULT '2026-01-01Z') RETURNS uuid
LANGUAGE sql STABLE RETURN overlay(overlay(overlay(md5('stint-demo ' || seed)
		PLACING lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') FROM 1 FOR 12)
	PLACING '7' FROM 13 FOR 1) PLACING 'a' FROM 17 FOR 1)::uuid;

-- What a member did on a day: blocks one after another from the morning on, a lunch break of up to an hour, fewer on a
-- Friday, none on weekends and days off. Clock times of the member's own zone.
CREATE OR REPLACE FUNCTION pg_temp.demo_day(email text, day date, day_begins time, work text[])
	RETURNS TABLE (slot integer, project text, starts timestamp, ends timestamp, is_break boolean)
LANGUAGE plpgsql AS $$
DECLARE
	seed text := email || day;
	clock timestamp := day + day_begins + make_interval(mins => pg_temp.dice(seed || 'begin', 8) * 5);
	friday boolean := extract(isodow FROM day) = 5;
	blocks integer := CASE WHEN friday THEN 4 ELSE 5 + pg_temp.dice(seed || 'blocks', 2) END;
	minutes integer;
BEGIN
	FOR block IN 1 .. blocks LOOP
		minutes := CASE
			WHEN block = 1 THEN 15 + pg_temp.dice(seed || 'standup', 3) * 5
			WHEN friday AND block = blocks THEN 30 + pg_temp.dice(seed || 'last', 4) * 5
			ELSE 55 + pg_temp.dice(seed || block, 16) * 5
		END;
		slot := block;
		project := CASE WHEN block = 1 THEN work[cardinality(work)]
			ELSE work[1 + pg_temp.dice(seed || block || 'work', cardinality(work))] END;
		starts := clock;
		ends := clock + make_interval(mins => minutes);
		is_break := false;
		RETURN NEXT;
		clock := ends;
		IF block = 3 THEN
			slot := 100;
			project := NULL;
			starts := clock;
			ends := clock + make_interval(mins => 30 + pg_temp.dice(seed || 'lunch', 7) * 5);
			is_break := true;
			RETURN NEXT;
			clock := ends;
		ELSIF pg_temp.dice(seed || block || 'pause', 3) = 0 THEN
			clock := clock + make_interval(mins => 5 + pg_temp.dice(seed || block || 'long', 3) * 5);
		END IF;
	END LOOP;
END
$$;

DO $demo$
DECLARE
	hash CONSTANT text := '$argon2id$v=19$m=65536,t=2,p=1$I1QmwMPqbIS63KCoPKLQbQ$hs+Ks6p3+fez5ecc86Tlo4pDBSjg5v2Hr9CAy8GMXG8';
	began CONSTANT timestamptz := date_trunc('day', now()) - interval '100 days';
	-- Priya is at work right now, and has been for so long.
	running_since CONSTANT timestamptz := date_trunc('minute', now()) - interval '47 minutes';
BEGIN
	IF EXISTS (SELECT FROM data.organizations WHERE id = pg_temp.demo_id('Northwind Studio')) THEN
		RAISE NOTICE 'The demo data is there already.';
		RETURN;
	END IF;

	INSERT INTO data.organizations (id, name, zone, currency, weekly_target_s, created_at) VALUES
		(pg_temp.demo_id('Northwind Studio'), 'Northwind Studio', 'Europe/Berlin', 'EUR', 144000, began),
		(pg_temp.demo_id('Harbor Collective'), 'Harbor Collective', 'Europe/Amsterdam', 'EUR', 115200, began);
	INSERT INTO data.users (id, email, name, password_hash, verified_at, last_organization_id, created_at)
	SELECT DISTINCT ON (p.email) pg_temp.demo_id(p.email), p.email, p.name, hash, began, pg_temp.demo_id(p.org), began
	FROM demo_person AS p ORDER BY p.email, p.day_begins;
	INSERT INTO data.members (organization_id, id, user_id, name, email, role, zone, created_at)
	SELECT pg_temp.demo_id(p.org), pg_temp.demo_id(p.org || p.email), pg_temp.demo_id(p.email), p.name, p.email, p.role,
		p.zone, began
	FROM demo_person AS p;

	INSERT INTO data.clients (organization_id, id, name, created_at)
	SELECT DISTINCT pg_temp.demo_id(p.org), pg_temp.demo_id(p.org || p.client), p.client, began
	FROM demo_project AS p WHERE p.client IS NOT NULL;
	INSERT INTO data.projects (organization_id, id, client_id, name, color, billable, archived, created_at)
	SELECT pg_temp.demo_id(p.org), pg_temp.demo_id(p.org || p.name), pg_temp.demo_id(p.org || p.client), p.name, p.color,
		p.billable, p.archived, began
	FROM demo_project AS p;
	INSERT INTO data.tags (organization_id, id, name, created_at)
	SELECT pg_temp.demo_id(t.org), pg_temp.demo_id(t.org || '#' || t.name), t.name, began FROM demo_tag AS t;

	INSERT INTO data.time_entries (organization_id, id, member_id, project_id, description, tag_ids, billable, type,
		started_at, ended_at, zone, first_day, exclusive, created_by, created_at, updated_at)
	SELECT pg_temp.demo_id(p.org), pg_temp.demo_id(p.org || p.email || d.day || b.slot, e.started_at), m.id,
		CASE WHEN NOT b.is_break THEN pg_temp.demo_id(w.org || w.name) END,
		CASE WHEN b.is_break THEN 'Lunch' WHEN b.slot = 1 THEN w.works[1]
			ELSE w.works[1 + pg_temp.dice(p.email || d.day || b.slot || 'what', cardinality(w.works))] END,
		-- About half of the entries have a tag.
		ARRAY(SELECT pg_temp.demo_id(t.org || '#' || t.name) FROM demo_tag AS t
			WHERE t.org = p.org AND NOT b.is_break AND t.name = CASE WHEN b.slot = 1 THEN 'meeting'
				ELSE (ARRAY['design', 'development', 'research', 'review', 'writing', 'drawing'])
					[1 + pg_temp.dice(p.email || d.day || b.slot || 'tag', 12)] END),
		coalesce(w.billable, false), CASE WHEN b.is_break THEN 'break' ELSE 'work' END,
		e.started_at, e.ended_at, p.zone, d.day, false, m.id, e.ended_at, e.ended_at
	FROM demo_person AS p
	JOIN data.members AS m ON m.organization_id = pg_temp.demo_id(p.org) AND m.id = pg_temp.demo_id(p.org || p.email)
	CROSS JOIN LATERAL (SELECT g::date AS day FROM generate_series(now() - interval '92 days', now() + interval '1 day',
		interval '1 day') AS g) AS d
	CROSS JOIN LATERAL pg_temp.demo_day(p.email, d.day, p.day_begins, p.work) AS b
	-- The pitch was lost two months ago; its people went on with the design system.
	LEFT JOIN demo_project AS w ON w.org = p.org AND w.name =
		CASE WHEN b.project = 'Pitch' AND d.day > now()::date - 55 THEN 'Design system' ELSE b.project END
	CROSS JOIN LATERAL (SELECT b.starts AT TIME ZONE p.zone AS started_at, b.ends AT TIME ZONE p.zone AS ended_at) AS e
	WHERE p.day_begins IS NOT NULL AND extract(isodow FROM d.day) < 6
		-- A day off now and then, and a week of holidays each.
		AND (pg_temp.dice(p.email || d.day || 'off', 25) > 0 OR d.day > now()::date - 8)
		AND d.day - (now()::date - 80) NOT BETWEEN pg_temp.dice(p.email || 'holiday', 60)
			AND pg_temp.dice(p.email || 'holiday', 60) + 6
		AND e.ended_at <= CASE WHEN p.email = 'priya@demo.test' THEN running_since ELSE now() END
	ORDER BY e.started_at;

	INSERT INTO data.time_entries (organization_id, id, member_id, project_id, description, billable, started_at, zone,
		first_day, exclusive, created_by, created_at, updated_at)
	SELECT m.organization_id, pg_temp.demo_id('running', running_since), m.id,
		pg_temp.demo_id('Northwind StudioMobile banking'), 'Card freeze', true, running_since, m.zone, running_since::date, false,
		m.id, running_since, running_since
	FROM data.members AS m WHERE m.id = pg_temp.demo_id('Northwind Studiopriya@demo.test');

	-- An endpoint that went wrong and was switched off. Nobody was ever shown its secret: replacing it makes it usable.
	INSERT INTO data.webhooks (organization_id, id, url, description, events, active, disabled_reason, created_by, created_at,
		updated_at, secret_changed_at)
	SELECT o.id, pg_temp.demo_id('webhook'), 'https://hooks.northwind.example/stint', 'Invoicing', '{time_entry.*,project.*}', false,
		'failing', pg_temp.demo_id('Northwind Studioowner@demo.test'), began, began, began
	FROM data.organizations AS o WHERE o.id = pg_temp.demo_id('Northwind Studio');
	INSERT INTO data.webhook_states (organization_id, webhook_id, secret, cursor, succeeded_at, failing_since, failed_in_a_row)
	VALUES (pg_temp.demo_id('Northwind Studio'), pg_temp.demo_id('webhook'), 'never shown', 0, now() - interval '8 days',
		now() - interval '7 days', 3);
	INSERT INTO data.webhook_deliveries (organization_id, id, webhook_id, type, noun, row_id, action, position, at, state, attempts,
		last_status, last_error, took_ms, request, answer, created_at, finished_at)
	SELECT pg_temp.demo_id('Northwind Studio'), pg_temp.demo_id('delivery' || d.n, d.at), pg_temp.demo_id('webhook'), 'project.update',
		'project', pg_temp.demo_id('Northwind StudioOnline shop'), 'update', d.n, d.at, d.state, d.attempts, d.status, d.error, d.took,
		json_build_object('type', 'project.update', 'timestamp', app.instant(d.at), 'data', json_build_object('noun', 'project',
			'id', pg_temp.demo_id('Northwind StudioOnline shop'), 'action', 'update', 'position', d.n,
			'organization_id', pg_temp.demo_id('Northwind Studio'), 'document', NULL)), d.answer, d.at,
		d.at + make_interval(days => CASE WHEN d.attempts > 1 THEN 3 ELSE 0 END)
	FROM (VALUES (1, now() - interval '9 days', 'delivered', 1, 200, NULL, 84, 'ok'),
		(2, now() - interval '8 days', 'delivered', 1, 204, NULL, 61, ''),
		(3, now() - interval '7 days', 'failed', 13, 502, 'status', 30, 'Bad gateway'),
		(4, now() - interval '6 days', 'failed', 13, NULL, 'connect', 3, NULL),
		(5, now() - interval '5 days', 'failed', 13, NULL, 'timeout', 10000, NULL))
		AS d (n, at, state, attempts, status, error, took, answer);

	-- Nobody entered here, so the events do not know who did it. Entries were made by those whose they are.
	UPDATE data.events AS v SET member_id = (v.after ->> 'member_id')::uuid, at = (v.after ->> 'created_at')::timestamptz
	WHERE v.position IS NULL AND v.noun = 'time_entry'
		AND v.organization_id IN (pg_temp.demo_id('Northwind Studio'), pg_temp.demo_id('Harbor Collective'));
END
$demo$;

-- What was done for Northwind in the background: mails of the last day, and one that could not be delivered.
DO $jobs$
DECLARE
	org CONSTANT uuid := pg_temp.demo_id('Northwind Studio');
	ids CONSTANT uuid[] := ARRAY(SELECT pg_temp.demo_id('job' || n) FROM generate_series(1, 6) AS n ORDER BY n);
	people CONSTANT uuid[] := ARRAY(SELECT pg_temp.demo_id('Northwind Studio' || email)
		FROM unnest('{owner@demo.test,manager@demo.test,member@demo.test,priya@demo.test,tomas@demo.test,ines@demo.test}'::text[])
			WITH ORDINALITY AS p (email, n) ORDER BY n);
BEGIN
	SET LOCAL ROLE stint_definer;
	INSERT INTO jobs.jobs (id, organization_id, kind, queue, priority, quick, rated, state, args, due_at, attempts, max_attempts,
		created_at, started_at, finished_at, purge_at, error)
	SELECT ids[n], org, 'notification.mail', 'mail', 6, false, false, state, jsonb_build_object('member_id', people[n]), at,
		CASE state WHEN 'dead' THEN 10 ELSE 0 END, 10, at - interval '5 minutes', at, at + interval '1 second',
		now() + interval '30 days', error
	FROM (VALUES
		(1, 'done', now() - interval '25 minutes', NULL),
		(2, 'done', now() - interval '50 minutes', NULL),
		(3, 'done', now() - interval '3 hours', NULL),
		(4, 'done', now() - interval '5 hours', NULL),
		(5, 'done', now() - interval '19 hours', NULL),
		(6, 'dead', now() - interval '7 hours', '552 5.2.2 <ines@demo.test>: mailbox full')) AS v (n, state, at, error)
	ON CONFLICT DO NOTHING;
	IF FOUND THEN
		INSERT INTO jobs.tallies (lane, minute, shard, done, failed, dead)
		SELECT j.lane, date_trunc('minute', j.finished_at), 0, (j.state = 'done')::integer, j.attempts, (j.state = 'dead')::integer
		FROM jobs.jobs AS j WHERE j.id = ANY (ids) AND j.finished_at IS NOT NULL
		ON CONFLICT DO NOTHING;
	END IF;
	RESET ROLE;
END
$jobs$;

-- What people were told: the manager corrected an entry of the member's, and the owner hears of the mail that failed.
DO $notes$
DECLARE
	org CONSTANT uuid := pg_temp.demo_id('Northwind Studio');
	who CONSTANT uuid := pg_temp.demo_id('Northwind Studiomember@demo.test');
	manager text;
BEGIN
	SET LOCAL ROLE stint_definer;
	SELECT m.name INTO manager FROM data.members AS m
	WHERE m.organization_id = org AND m.id = pg_temp.demo_id('Northwind Studiomanager@demo.test');
	INSERT INTO data.notifications (organization_id, id, member_id, kind, about, link, in_app, mail, created_at, read_at)
	SELECT org, pg_temp.demo_id('note' || e.n), who, 'entry_changed', jsonb_build_object('entry_id', e.id, 'who', manager,
			'description', e.description, 'day', e.first_day, 'added', false, 'deleted', false),
		'/time-entries/' || e.id, true, 'none', least(e.ended_at + interval '20 hours', now() - interval '40 minutes'),
		CASE WHEN e.n > 1 THEN e.ended_at + interval '2 days' END
	FROM (
		SELECT row_number() OVER (ORDER BY t.started_at DESC) AS n, t.* FROM data.time_entries AS t
		WHERE t.organization_id = org AND t.member_id = who AND t.ended_at < now() - interval '1 day' AND t.type = 'work' AND t.deleted_at IS NULL
		ORDER BY t.started_at DESC LIMIT 20) AS e
	WHERE e.n IN (1, 12)
	ON CONFLICT DO NOTHING;
	INSERT INTO data.notifications (organization_id, id, member_id, kind, about, link, in_app, mail, created_at)
	VALUES (org, pg_temp.demo_id('note job'), pg_temp.demo_id('Northwind Studioowner@demo.test'), 'job_dead',
		'{"kind": "notification.mail"}', '/settings/jobs', true, 'none', now() - interval '7 hours')
	ON CONFLICT DO NOTHING;
	RESET ROLE;
END
$notes$;
