-- The person who asks: profile, organizations, sessions.

-- name: me_get
SELECT doc, etag FROM seen.profile;

-- For all of one's organizations at once, by app.profile_change; the answer is made after it.
-- name: me_update
SELECT a.doc, a.etag FROM app.profile_update(:credential::bytea, :input::jsonb, :if_match::bigint) AS a;

-- name: me_memberships
SELECT json_build_object('data', coalesce(json_agg(json_build_object('organization_id', o.organization_id,
		'organization_name', o.organization_name, 'member_id', o.member_id, 'role', o.role,
		'current', o.organization_id = app.org()) ORDER BY lower(o.organization_name), o.organization_id), '[]'),
	'next_cursor', NULL) AS doc
FROM app.memberships_of(app.user()) AS o;

-- Those used last come first.
-- name: me_sessions
SELECT json_build_object('data', coalesce(json_agg(json_build_object('id', s.id, 'kind', s.kind,
		'user_agent', s.user_agent, 'ip', s.ip, 'created_at', app.instant(s.created_at),
		'last_seen_at', app.instant(s.last_seen_at), 'expires_at', app.instant(s.expires_at), 'current', s.current)
		ORDER BY s.last_seen_at DESC, s.id), '[]'),
	'next_cursor', NULL) AS doc
FROM app.sessions_of(:credential::bytea) AS s;

-- name: me_session_end
SELECT json_build_object('id', :session_id::uuid) AS doc
WHERE app.session_end(:credential::bytea, :session_id::uuid);
