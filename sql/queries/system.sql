-- What every request begins with, and what the program asks for itself.

-- The caller, in the same pipeline before the route's own query. The frame of a page is made here, after entering and so
-- under the caller's row level security.
-- name: enter
SELECT e.organization_id, e.member_id, e.user_id, e.zone, e.language,
	CASE WHEN :flags::integer & 2 <> 0 THEN app.frame() END AS frame
FROM app.enter(:credential::bytea, :need::bigint, :flags::integer) AS e;

-- Raises idempotency_replay, with the stored answer, when this was answered before.
-- name: idempotency_begin
SELECT app.idempotency_begin(:key, :route, :body_hash::bytea) AS claimed;

-- name: idempotency_store
SELECT app.idempotency_store(:key, :route, :status::integer, :doc, :etag, :location) AS stored;

-- name: ready
SELECT app.schema_version() AS schema_version;

-- For monitoring: lines of Prometheus' text format about background work.
-- name: system_metrics
SELECT family, series, value FROM jobs.metrics();

-- name: system_workers
SELECT count(*) > 0 AS alive FROM jobs.workers_alive();
