-- The ledger of mails. A mail is begun before the server is asked and ended after it has answered; a crash in between leaves it
-- "sending": nobody knows, so it is sent again, under the same Message-ID, by which the receiving side can tell.

SET LOCAL ROLE stint_definer;

-- Gives the state in which the mail was found: NULL for a new one; when it is "sent" or "refused" nothing is to be done.
CREATE OR REPLACE FUNCTION jobs.mail_begin(job uuid, given_template text, given_recipient text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	was text;
BEGIN
	SELECT m.state INTO was FROM jobs.mails AS m WHERE m.id = job FOR UPDATE;
	IF NOT FOUND THEN
		INSERT INTO jobs.mails (id, organization_id, template, recipient, state)
		VALUES (job, app.org(), given_template, given_recipient, 'sending');
	ELSIF was NOT IN ('sent', 'refused') THEN
		UPDATE jobs.mails AS m SET state = 'sending', tries = m.tries + 1, updated_at = now() WHERE m.id = job;
	END IF;
	RETURN was;
END
$$;

CREATE OR REPLACE FUNCTION jobs.mail_end(job uuid, ending text, given_code integer, given_words text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	UPDATE jobs.mails AS m SET state = ending, code = given_code, words = left(given_words, 500), updated_at = now()
	WHERE m.id = job;
$$;

GRANT EXECUTE ON FUNCTION jobs.mail_begin(uuid, text, text), jobs.mail_end(uuid, text, integer, text) TO stint_worker;

RESET ROLE;
