-- Time entries. Writing is in sql/functions/65-time-entries.sql, since it waits for its turn first and must look again
-- after that; the document is made by the view seen.time_entry_docs, the line of a page by seen.time_entry_rows.

-- Newest first. from and to bound what an entry touches. Whose: the member asked for; else one's own for those who see no
-- others, else everybody's. Two branches, one of which never runs, so that each has its index; the page is cut before
-- documents are made.
-- name: time_entries_list
WITH asked AS MATERIALIZED (
	SELECT f.*, CASE WHEN app.can('time_view_all') THEN :member_id::uuid ELSE coalesce(:member_id::uuid, app.member()) END AS who
	FROM app.list_filter(:from, :to, :project_id::uuid, :client_id::uuid, :tag_id::uuid, :cursor) AS f
), page AS (
	(SELECT e.id, e.started_at, e.doc FROM seen.time_entry_docs AS e
	WHERE e.member_id = (SELECT who FROM asked)
		AND (e.started_at, e.id) < ((SELECT before_at FROM asked), (SELECT before_id FROM asked))
		AND e.started_at >= (SELECT oldest_at FROM asked)
		AND app.is_listed(e.ended_at, e.project_id, e.tag_ids, e.billable, e.description, (SELECT from_at FROM asked),
			(SELECT projects FROM asked), (SELECT tag FROM asked), :billable::boolean, :q)
	ORDER BY e.started_at DESC, e.id DESC LIMIT :limit::integer + 1)
	UNION ALL
	(SELECT e.id, e.started_at, e.doc FROM seen.time_entry_docs AS e
	WHERE (SELECT who IS NULL FROM asked)
		AND (e.started_at, e.id) < ((SELECT before_at FROM asked), (SELECT before_id FROM asked))
		AND e.started_at >= (SELECT oldest_at FROM asked)
		AND app.is_listed(e.ended_at, e.project_id, e.tag_ids, e.billable, e.description, (SELECT from_at FROM asked),
			(SELECT projects FROM asked), (SELECT tag FROM asked), :billable::boolean, :q)
	ORDER BY e.started_at DESC, e.id DESC LIMIT :limit::integer + 1)
), numbered AS (
	SELECT row_number() OVER (ORDER BY started_at DESC, id DESC) AS n, id, started_at, doc FROM page
)
SELECT json_build_object(
	'data', coalesce(json_agg(doc ORDER BY n) FILTER (WHERE n <= :limit::integer), '[]'),
	'next_cursor', CASE WHEN count(*) > :limit::integer
		THEN max(app.cursor(app.instant(started_at), id::text)) FILTER (WHERE n = :limit::integer) END) AS doc
FROM numbered;

-- name: time_entries_create
SELECT 201 AS status, a.doc, a.etag, '/api/v1/time-entries/' || made.id AS location
FROM app.entry_create(:input::jsonb) AS made (id), app.entry_answer(made.id) AS a;

-- name: time_entries_get
SELECT d.doc, d.version::text AS etag FROM seen.time_entry_docs AS d WHERE d.id = :time_entry_id::uuid;

-- name: time_entries_update
SELECT a.doc, a.etag
FROM app.entry_update(:time_entry_id::uuid, :input::jsonb, :if_match::bigint) AS changed (id),
	app.entry_answer(changed.id) AS a;

-- name: time_entries_delete
SELECT json_build_object('id', gone.id) AS doc
FROM app.entry_delete(:time_entry_id::uuid, :if_match::bigint) AS gone (id) WHERE gone.id IS NOT NULL;

-- name: time_entries_restore
SELECT a.doc, a.etag
FROM app.entry_restore(:time_entry_id::uuid) AS back (id), app.entry_answer(back.id) AS a;

-- name: time_entries_continue
SELECT 201 AS status, a.doc, a.etag, '/api/v1/time-entries/' || started.id AS location
FROM app.entry_continue(:time_entry_id::uuid, :input::jsonb) AS started (id), app.entry_answer(started.id) AS a;

-- name: time_entries_duplicate
SELECT 201 AS status, a.doc, a.etag, '/api/v1/time-entries/' || made.id AS location
FROM app.entry_duplicate(:time_entry_id::uuid, :input::jsonb) AS made (id), app.entry_answer(made.id) AS a;

-- What was done to it, oldest first. before and after hold what changed; of what was created, everything.
-- name: time_entries_history
SELECT json_build_object('data', (
		SELECT coalesce(json_agg(json_build_object('id', v.seq, 'at', app.instant(v.at), 'member_id', v.member_id, 'who', v.who,
			'action', v.action, 'before', v.before, 'after', v.after) ORDER BY v.seq), '[]')
		FROM seen.time_entry_events AS v WHERE v.time_entry_id = e.id),
	'next_cursor', NULL) AS doc
FROM seen.time_entries AS e WHERE e.id = :time_entry_id::uuid;

-- The page of one entry: its line with what its form shows (tags as ids, the projects it may go to, its day and clock times
-- where the reader is), and what was done to it, newest first.
-- name: time_entries_edit
SELECT e.row_doc || jsonb_build_object(
	'project_id', e.project_id, 'tags', app.entry_tags(e.tag_ids),
	'projects', app.project_choices(e.project_id),
	'day', app.day_of(e.started_at, app.zone()), 'start', to_char(e.started_at AT TIME ZONE app.zone(), 'HH24:MI'),
	'end_day', app.day_of(e.ended_at, app.zone()), 'end', to_char(e.ended_at AT TIME ZONE app.zone(), 'HH24:MI'),
	'editable', e.status NOT IN ('approved', 'locked', 'invoiced'),
	'who', (SELECT m.name FROM seen.members AS m WHERE m.id = e.member_id), 'own', e.member_id = app.member(),
	'history', (
		SELECT coalesce(jsonb_agg(jsonb_build_object('at', app.instant(v.at), 'who', v.who, 'what', v.action,
			'changes', app.changes(v.before, v.after)) ORDER BY v.seq DESC), '[]')
		FROM seen.time_entry_events AS v WHERE v.time_entry_id = e.id)) AS doc, e.version::text AS etag
FROM seen.time_entry_rows AS e WHERE e.id = :time_entry_id::uuid;
