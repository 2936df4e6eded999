-- What housekeeping clears away, a chunk at a time. See functions/91-housekeeping.sql.

-- name: purge (worker)
SELECT app.purge(:most::integer) AS gone;
