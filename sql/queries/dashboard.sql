-- The dashboard: today, this week, what it went to, and what to go on with.

-- name: dashboard_get
SELECT app.dashboard(app.member()) AS doc;
