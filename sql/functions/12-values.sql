-- Small values everybody needs: ids, instants as text, cursors.

SET LOCAL ROLE stint_owner;

-- RFC 9562 version 7: 48 bits of milliseconds, so that ids grow with time and new rows land on the same index page.
-- A random UUID gives the rest; overlay puts the time over its head, set_bit turns version 4 into 7.
CREATE OR REPLACE FUNCTION app.uuidv7() RETURNS uuid
LANGUAGE sql VOLATILE PARALLEL SAFE
RETURN encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
		PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
		FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid;

-- RFC 3339 in UTC with Z, whole seconds: the form of every instant in a document.
CREATE OR REPLACE FUNCTION app.instant(at timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"');

-- A cursor is the sort key of the last row, as a base64url JSON array: opaque to clients, and no position in a list that
-- may move meanwhile.
CREATE OR REPLACE FUNCTION app.cursor(VARIADIC keys text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN translate(encode(convert_to(to_json(keys)::text, 'UTF8'), 'base64'), E'+/=\n', '-_');

-- The nth key of a cursor, NULL without one. What is no cursor of ours is refused and not guessed at. Catching an error begins
-- a subtransaction, which a parallel plan must not: these are not PARALLEL SAFE.
CREATE OR REPLACE FUNCTION app.cursor_at(cursor text, n integer) RETURNS text
LANGUAGE plpgsql STABLE
AS $$
DECLARE
	keys json;
	key text;
BEGIN
	IF cursor IS NULL OR cursor = '' THEN
		RETURN NULL;
	END IF;
	BEGIN
		keys := convert_from(decode(translate(cursor, '-_', '+/') || repeat('=', (4 - length(cursor) % 4) % 4),
			'base64'), 'UTF8')::json;
		key := keys ->> (n - 1);
	EXCEPTION WHEN data_exception THEN
		key := NULL;
	END;
	IF key IS NULL THEN
		PERFORM app.refuse('bad_cursor', 'cursor');
	END IF;
	RETURN key;
END
$$;

-- The same, typed. A well-formed cursor of another list fails here.
CREATE OR REPLACE FUNCTION app.cursor_uuid(cursor text, n integer) RETURNS uuid
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN app.cursor_at(cursor, n)::uuid;
EXCEPTION WHEN data_exception THEN
	PERFORM app.refuse('bad_cursor', 'cursor');
	RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION app.cursor_instant(cursor text, n integer) RETURNS timestamptz
LANGUAGE plpgsql STABLE
AS $$
BEGIN
	RETURN app.cursor_at(cursor, n)::timestamptz;
EXCEPTION WHEN data_exception THEN
	PERFORM app.refuse('bad_cursor', 'cursor');
	RETURN NULL;
END
$$;

-- For the end of a list's statement, which is reached even when no row was: a cursor that is none is refused there too, and
-- not only where a row happens to be held against it.
CREATE OR REPLACE FUNCTION app.is_cursor(cursor text) RETURNS boolean
LANGUAGE sql STABLE
RETURN cursor IS NULL OR cursor = '' OR (app.cursor_at(cursor, 1) IS NOT NULL AND app.cursor_uuid(cursor, 2) IS NOT NULL);

-- Text as people search: case does not matter, and % _ \ are characters like others.
CREATE OR REPLACE FUNCTION app.contains(haystack text, needle text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN strpos(lower(haystack), lower(needle)) > 0;

-- "Ada Keller" -> "AK", "Northwind" -> "N".
CREATE OR REPLACE FUNCTION app.initials(name text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN upper(left(name, 1) || CASE WHEN name ~ '\s' THEN left(substring(name FROM '\S+\s*$'), 1) ELSE '' END);

-- Secrets in text for people: what follows token= and the like in links and forms.
CREATE OR REPLACE FUNCTION app.masked_text(given text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN regexp_replace(given, '((?:token|password|secret)["'']?\s*[=:]\s*["'']?|[?&](?:code|key|hash|signature)=)[^\s&"'',;}]+',
	'\1***', 'gi');

-- What programs gave each other, shown to people: values whose names say that they are secret are left out, at any depth.
CREATE OR REPLACE FUNCTION app.masked(given jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
BEGIN
	CASE jsonb_typeof(given)
	WHEN 'object' THEN
		RETURN (SELECT coalesce(jsonb_object_agg(key, CASE
				WHEN value <> 'null' AND key ~* '(^|[_-])(token|tokens|password|passwords|secret|secrets|hash|credential|credentials|sealed)$|(^|_)(api|secret|private|signing)_?key$'
				THEN '"***"' ELSE app.masked(value) END), '{}')
			FROM jsonb_each(given));
	WHEN 'array' THEN
		RETURN (SELECT coalesce(jsonb_agg(app.masked(value) ORDER BY n), '[]')
			FROM jsonb_array_elements(given) WITH ORDINALITY AS v (value, n));
	WHEN 'string' THEN
		RETURN to_jsonb(app.masked_text(given #>> '{}'));
	ELSE
		RETURN given;
	END CASE;
END
$$;

RESET ROLE;
