-- The ledger of mails; see functions/92-mails.sql.

-- name: mail_begin (worker)
SELECT jobs.mail_begin(:job_id::uuid, :template, :recipient) AS was;

-- name: mail_end (worker)
SELECT jobs.mail_end(:job_id::uuid, :state, :code::integer, :words);
