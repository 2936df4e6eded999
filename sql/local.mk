# The schema, its functions, policies and queries are embedded at build (src/db/local.mk); they travel with the source.
EXTRA_DIST += \
	sql/bench.sql \
	sql/functions/10-context.sql \
	sql/functions/11-refuse.sql \
	sql/functions/12-values.sql \
	sql/functions/20-time.sql \
	sql/functions/30-enter.sql \
	sql/functions/40-triggers.sql \
	sql/functions/50-seen.sql \
	sql/functions/51-docs.sql \
	sql/functions/60-entry-input.sql \
	sql/functions/61-frame.sql \
	sql/functions/62-lists.sql \
	sql/functions/63-work.sql \
	sql/functions/64-week.sql \
	sql/functions/65-time-entries.sql \
	sql/functions/70-accounts.sql \
	sql/functions/72-live.sql \
	sql/functions/80-machinery.sql \
	sql/functions/90-jobs.sql \
	sql/functions/91-housekeeping.sql \
	sql/functions/92-mails.sql \
	sql/functions/93-celery.sql \
	sql/functions/93-notifications.sql \
	sql/functions/94-jobs-view.sql \
	sql/functions/94-webhooks.sql \
	sql/migrations/0001-foundation.sql \
	sql/migrations/0002-jobs.sql \
	sql/migrations/0003-celery.sql \
	sql/migrations/0004-jobs-view.sql \
	sql/migrations/0005-webhooks.sql \
	sql/migrations/0006-notifications.sql \
	sql/migrations/0007-mails.sql \
	sql/policies.sql \
	sql/queries/auth.sql \
	sql/queries/celery.sql \
	sql/queries/clients.sql \
	sql/queries/dashboard.sql \
	sql/queries/housekeeping.sql \
	sql/queries/jobs.sql \
	sql/queries/jobs_admin.sql \
	sql/queries/jobs_view.sql \
	sql/queries/live.sql \
	sql/queries/mails.sql \
	sql/queries/me.sql \
	sql/queries/members.sql \
	sql/queries/notifications.sql \
	sql/queries/organization.sql \
	sql/queries/projects.sql \
	sql/queries/system.sql \
	sql/queries/tags.sql \
	sql/queries/time_entries.sql \
	sql/queries/timer.sql \
	sql/queries/webhooks.sql \
	sql/queries/week.sql

nobase_dist_pkgdata_DATA += sql/demo.sql
