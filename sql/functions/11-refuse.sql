-- Saying no. A refusal is an error with SQLSTATE ST001 whose message is a code of src/base/errors.def: it ends the
-- transaction and, in a pipeline, keeps every later statement from running. DETAIL is the field to blame, HINT a JSON object
-- for the client. They give boolean, so that they can stand in a WHERE or a CASE; their high cost makes the planner ask
-- them last, after the conditions that decide whether a row is there to be refused at all.

SET LOCAL ROLE stint_owner;

CREATE OR REPLACE FUNCTION app.refuse(code text, field text DEFAULT NULL, extra jsonb DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql VOLATILE COST 100000
AS $$
BEGIN
	-- RAISE takes no NULL for an option.
	IF field IS NULL AND extra IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'ST001', MESSAGE = code;
	ELSIF extra IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'ST001', MESSAGE = code, DETAIL = field;
	ELSIF field IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'ST001', MESSAGE = code, HINT = extra::text;
	END IF;
	RAISE EXCEPTION USING ERRCODE = 'ST001', MESSAGE = code, DETAIL = field, HINT = extra::text;
END
$$;

-- True when the caller's copy is the current one, or the caller did not say which copy it has.
CREATE OR REPLACE FUNCTION app.is_version(version bigint, if_match bigint) RETURNS boolean
LANGUAGE plpgsql VOLATILE COST 10000
AS $$
BEGIN
	IF version <> if_match THEN
		PERFORM app.refuse('version_conflict', NULL, jsonb_build_object('version', version));
	END IF;
	RETURN true;
END
$$;

-- True when the caller may change time of this member; asked only of rows the caller can see.
CREATE OR REPLACE FUNCTION app.may_edit_time(member_id uuid) RETURNS boolean
LANGUAGE plpgsql STABLE COST 10000
AS $$
BEGIN
	IF member_id <> app.member() AND NOT app.can('time_edit_all') THEN
		PERFORM app.refuse('forbidden');
	END IF;
	RETURN true;
END
$$;

RESET ROLE;
