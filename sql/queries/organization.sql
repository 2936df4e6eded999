-- The organization the caller acts in.

-- name: organization_get
SELECT app.organization_doc(id, version, name, zone, currency, overlap_policy, weekly_target_s, created_at) AS doc,
	version::text AS etag
FROM seen.organizations;

-- A changed overlap policy is for entries that are made or moved from now on; those that are there stay.
-- name: organization_update
UPDATE seen.organizations AS o SET name = coalesce(:input::jsonb ->> 'name', o.name),
	zone = coalesce(:input::jsonb ->> 'zone', o.zone), currency = coalesce(:input::jsonb ->> 'currency', o.currency),
	overlap_policy = coalesce(:input::jsonb ->> 'overlap_policy', o.overlap_policy),
	weekly_target_s = coalesce((:input::jsonb ->> 'weekly_target_s')::integer, o.weekly_target_s)
WHERE app.is_version(o.version, :if_match::bigint)
RETURNING app.organization_doc(id, version, name, zone, currency, overlap_policy, weekly_target_s, created_at) AS doc,
	version::text AS etag;
