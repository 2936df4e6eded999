-- One week of a person.

-- Seven local days of the member, from the start of their week: entries cut at midnights, a running one up to now, and
-- totals by day and project. Another member's week is for those who see everybody's time.
-- name: week_get
SELECT app.week(coalesce(:member_id::uuid, app.member()), :date::date) AS doc
WHERE EXISTS (SELECT FROM seen.members AS m WHERE m.id = coalesce(:member_id::uuid, app.member()))
	AND (coalesce(:member_id::uuid, app.member()) = app.member() OR app.can('time_view_all'));
