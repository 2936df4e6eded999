-- What housekeeping clears away, a chunk at a time. See functions/91-housekeeping.sql.

-- name: purge_credentials (worker)
SELECT app.purge_credentials(:most::integer) AS n;

-- name: purge_links (worker)
SELECT app.purge_links(:most::integer) AS n;

-- name: purge_idempotency_keys (worker)
SELECT app.purge_idempotency_keys(:most::integer) AS n;

-- name: purge_deleted (worker)
SELECT app.purge_deleted(:most::integer) AS n;

-- name: purge_webhooks (worker)
SELECT app.purge_webhooks(:most::integer) AS n;

-- name: purge_jobs (worker)
SELECT jobs.purge(:most::integer) AS n;
