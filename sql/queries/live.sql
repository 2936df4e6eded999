-- Live updates.

-- name: live_ticket
SELECT app.live_ticket(:credential::bytea, coalesce(:own::boolean, false)) AS doc;
