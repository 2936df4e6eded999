-- What is old is looked for over all organizations, so its indexes begin with the time.

SET LOCAL lock_timeout = '5s';
SET LOCAL ROLE stint_owner;

CREATE INDEX time_entries_deleted ON data.time_entries (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX notifications_by_age ON data.notifications (created_at);
DROP INDEX data.idempotency_keys_by_age, data.webhook_deliveries_by_age;
CREATE INDEX idempotency_keys_by_age ON data.idempotency_keys (created_at);
CREATE INDEX webhook_deliveries_by_age ON data.webhook_deliveries (created_at);

RESET ROLE;
