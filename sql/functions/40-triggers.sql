-- What every change goes through: versions, events, and the rules no caller can walk around.

SET LOCAL ROLE stint_owner;

-- The version is the ETag, so it rises when something changed and only then: saving what is already there is no change.
CREATE OR REPLACE FUNCTION app.on_touch() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
	IF NEW IS DISTINCT FROM OLD THEN
		NEW.version := OLD.version + 1;
		NEW.updated_at := now();
	END IF;
	RETURN NEW;
END
$$;

-- Time entries -------------------------------------------------------------------------------------------------------

-- Everything that writes time of one member takes turns here, so that a check sees what the other one did. Taken before
-- looking: a statement that begins after the lock is given has a snapshot with all of it.
CREATE OR REPLACE FUNCTION app.lock_time(member_id uuid) RETURNS void
LANGUAGE sql VOLATILE
RETURN pg_advisory_xact_lock(hashtextextended(member_id::text, 7316));

-- Refuses when another entry of the member covers part of [started_at, ended_at), and says which. The exclusion constraint
-- guarantees it; this names the entry, and also looks at rows from a time when overlaps were allowed.
CREATE OR REPLACE FUNCTION app.refuse_overlap(org uuid, who uuid, entry uuid, start_at timestamptz, end_at timestamptz)
	RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
	other record;
BEGIN
	SELECT e.id, e.started_at, e.ended_at INTO other FROM (
		-- No entry is longer than 31 days but one that still runs: two short index ranges.
		SELECT id, started_at, ended_at FROM data.time_entries
		WHERE organization_id = org AND member_id = who AND deleted_at IS NULL AND id <> entry
			AND started_at < coalesce(end_at, 'infinity') AND started_at >= start_at - interval '32 days'
			AND ended_at > start_at
		UNION ALL
		SELECT id, started_at, ended_at FROM data.time_entries
		WHERE organization_id = org AND member_id = who AND deleted_at IS NULL AND id <> entry
			AND ended_at IS NULL AND started_at < coalesce(end_at, 'infinity')
		LIMIT 1) AS e;
	IF FOUND THEN
		PERFORM app.refuse('entry_overlap',
			CASE WHEN start_at < other.started_at AND end_at IS NOT NULL THEN 'ended_at' ELSE 'started_at' END,
			jsonb_build_object('entry_id', other.id));
	END IF;
END
$$;

CREATE OR REPLACE FUNCTION app.on_time_entry() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
	moved boolean := true;
BEGIN
	IF TG_OP <> 'INSERT' THEN
		-- Approved is approved, for every role but the one that owns the listed amending functions.
		IF OLD.status IN ('approved', 'locked', 'invoiced') AND current_user <> 'stint_amender' THEN
			PERFORM app.refuse('entry_locked');
		ELSIF TG_OP = 'DELETE' THEN
			RETURN OLD;
		ELSIF NEW IS NOT DISTINCT FROM OLD THEN
			RETURN NEW;
		END IF;
		NEW.version := OLD.version + 1;
		NEW.updated_at := now();
		moved := (NEW.started_at, NEW.ended_at, NEW.member_id, NEW.zone) IS DISTINCT FROM
			(OLD.started_at, OLD.ended_at, OLD.member_id, OLD.zone)
			OR (OLD.deleted_at IS NOT NULL AND NEW.deleted_at IS NULL);
	END IF;
	IF moved THEN
		NEW.started_at := date_trunc('second', NEW.started_at);
		NEW.ended_at := date_trunc('second', NEW.ended_at);
		IF NEW.ended_at <= NEW.started_at THEN
			PERFORM app.refuse('end_before_start', 'ended_at');
		END IF;
		NEW.first_day := (NEW.started_at AT TIME ZONE NEW.zone)::date;
		NEW.last_day := ((NEW.ended_at - interval '1 second') AT TIME ZONE NEW.zone)::date;
		NEW.exclusive := false;
		IF NEW.deleted_at IS NULL THEN
			NEW.exclusive := (SELECT o.overlap_policy = 'forbid' FROM data.organizations AS o WHERE o.id = NEW.organization_id);
		END IF;
		IF NEW.exclusive THEN
			PERFORM app.lock_time(NEW.member_id);
		END IF;
	ELSIF NEW.deleted_at IS NOT NULL THEN
		NEW.exclusive := false;
	END IF;
	RETURN NEW;
END
$$;

-- After the whole statement, so that neighbours may be moved by one; the lock was taken before it.
CREATE OR REPLACE FUNCTION app.on_time_entry_moved() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM app.refuse_overlap(NEW.organization_id, NEW.member_id, NEW.id, NEW.started_at, NEW.ended_at);
	RETURN NULL;
END
$$;

-- The next three run as stint_definer: nobody who asks for a change may write events, links or sessions by hand.
RESET ROLE;
SET LOCAL ROLE stint_definer;

-- Mirrors tag_ids into time_entry_tags, where foreign keys and the index by tag are.
CREATE OR REPLACE FUNCTION app.on_time_entry_tags() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF TG_OP = 'UPDATE' THEN
		DELETE FROM data.time_entry_tags AS t
		WHERE t.organization_id = NEW.organization_id AND t.time_entry_id = NEW.id AND t.tag_id <> ALL (NEW.tag_ids);
	END IF;
	INSERT INTO data.time_entry_tags (organization_id, time_entry_id, tag_id)
	SELECT NEW.organization_id, NEW.id, tag_id FROM unnest(NEW.tag_ids) AS tag_id
	ON CONFLICT DO NOTHING;
	RETURN NULL;
END
$$;

-- Writes the event of a change. TG_ARGV[0] is the noun. Columns that only keep books are left out of what changed, and a
-- change of nothing else is no event.
CREATE OR REPLACE FUNCTION app.on_event() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	old_row jsonb;
	new_row jsonb;
	action text;
	before jsonb;
	after jsonb;
	org uuid;
BEGIN
	IF TG_OP = 'INSERT' THEN
		action := 'create';
		after := to_jsonb(NEW);
		new_row := after;
	ELSIF TG_OP = 'DELETE' THEN
		action := 'purge';
		before := to_jsonb(OLD);
		new_row := before;
	ELSE
		old_row := to_jsonb(OLD);
		new_row := to_jsonb(NEW);
		SELECT jsonb_object_agg(o.key, o.value), jsonb_object_agg(o.key, new_row -> o.key) INTO before, after
		FROM jsonb_each(old_row) AS o
		WHERE o.value IS DISTINCT FROM new_row -> o.key AND o.key NOT IN ('version', 'updated_at', 'exclusive');
		IF before IS NULL THEN
			RETURN NULL;
		END IF;
		action := CASE
			WHEN NEW.deleted_at IS NOT NULL AND OLD.deleted_at IS NULL THEN 'delete'
			WHEN NEW.deleted_at IS NULL AND OLD.deleted_at IS NOT NULL THEN 'restore'
			ELSE 'update'
		END;
	END IF;
	org := coalesce(new_row ->> 'organization_id', new_row ->> 'id')::uuid;
	INSERT INTO data.events (organization_id, member_id, noun, row_id, action, before, after)
	VALUES (org, app.member(), TG_ARGV[0], (new_row ->> 'id')::uuid, action, before, after);
	RETURN NULL;
END
$$;

-- Keeps the rows that app.enter reads true. A changed role or a deactivation ends what the member holds in this
-- organization; a changed profile is carried over.
CREATE OR REPLACE FUNCTION app.on_member_credentials() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF NEW.role <> OLD.role OR NOT NEW.active OR NEW.deleted_at IS NOT NULL OR NEW.user_id IS DISTINCT FROM OLD.user_id THEN
		DELETE FROM data.credentials AS c WHERE c.organization_id = NEW.organization_id AND c.member_id = NEW.id;
	ELSE
		UPDATE data.credentials AS c SET zone = NEW.zone, language = NEW.language, week_start = NEW.week_start
		WHERE c.organization_id = NEW.organization_id AND c.member_id = NEW.id;
	END IF;
	RETURN NULL;
END
$$;

-- What a signed-out browser still has open closes within a moment. One that has run out was closed at its hour.
CREATE OR REPLACE FUNCTION app.on_credential_gone() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM jobs.enqueue('live.close', jsonb_build_object('credential', OLD.id));
	RETURN NULL;
END
$$;

GRANT EXECUTE ON FUNCTION app.on_credential_gone(), app.on_time_entry_tags(), app.on_event(), app.on_member_credentials() TO stint_owner;

RESET ROLE;
SET LOCAL ROLE stint_owner;

-- An organization keeps at least one owner who can sign in. Two owners who demote each other at the same moment take turns.
CREATE OR REPLACE FUNCTION app.on_member_owner() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM pg_advisory_xact_lock(hashtextextended(NEW.organization_id::text, 7317));
	IF NOT EXISTS (
		SELECT FROM data.members AS m
		WHERE m.organization_id = NEW.organization_id AND m.id <> NEW.id
			AND m.role = 'owner' AND m.active AND m.user_id IS NOT NULL AND m.deleted_at IS NULL
	) THEN
		PERFORM app.refuse('last_owner', CASE WHEN NEW.role <> 'owner' THEN 'role' ELSE 'active' END);
	END IF;
	RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION app.on_zone() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM app.is_zone(NEW.zone);
	RETURN NEW;
END
$$;

-- Which trigger sits where. Names sort in the order they fire.
DO $$
DECLARE
	t record;
BEGIN
	FOR t IN SELECT * FROM (VALUES
		('organizations', 'organization'), ('members', 'member'), ('clients', 'client'),
		('projects', 'project'), ('tags', 'tag'), ('time_entries', 'time_entry'), ('webhooks', 'webhook')) AS nouns (tab, noun)
	LOOP
		IF t.tab <> 'time_entries' THEN
			EXECUTE format('CREATE OR REPLACE TRIGGER a_touch BEFORE UPDATE ON data.%I
				FOR EACH ROW EXECUTE FUNCTION app.on_touch()', t.tab);
		END IF;
		EXECUTE format('CREATE OR REPLACE TRIGGER z_event AFTER INSERT OR UPDATE OR DELETE ON data.%I
			FOR EACH ROW EXECUTE FUNCTION app.on_event(%L)', t.tab, t.noun);
	END LOOP;
END
$$;

CREATE OR REPLACE TRIGGER b_entry BEFORE INSERT OR UPDATE OR DELETE ON data.time_entries
	FOR EACH ROW EXECUTE FUNCTION app.on_time_entry();
-- Capitals sort before the constraint's own trigger, so that people are told which entry is in the way.
CREATE OR REPLACE TRIGGER "A_overlap_added" AFTER INSERT ON data.time_entries
	FOR EACH ROW WHEN (NEW.exclusive) EXECUTE FUNCTION app.on_time_entry_moved();
CREATE OR REPLACE TRIGGER "A_overlap_moved" AFTER UPDATE ON data.time_entries
	FOR EACH ROW WHEN (NEW.exclusive AND (NEW.started_at, NEW.ended_at, NEW.member_id, OLD.deleted_at IS NULL)
		IS DISTINCT FROM (OLD.started_at, OLD.ended_at, OLD.member_id, true))
	EXECUTE FUNCTION app.on_time_entry_moved();
CREATE OR REPLACE TRIGGER y_tags_added AFTER INSERT ON data.time_entries
	FOR EACH ROW WHEN (NEW.tag_ids <> '{}') EXECUTE FUNCTION app.on_time_entry_tags();
CREATE OR REPLACE TRIGGER y_tags_changed AFTER UPDATE ON data.time_entries
	FOR EACH ROW WHEN (NEW.tag_ids <> OLD.tag_ids) EXECUTE FUNCTION app.on_time_entry_tags();

CREATE OR REPLACE TRIGGER b_owner BEFORE UPDATE ON data.members
	FOR EACH ROW WHEN (OLD.role = 'owner' AND OLD.active AND OLD.deleted_at IS NULL
		AND (NEW.role <> 'owner' OR NOT NEW.active OR NEW.deleted_at IS NOT NULL))
	EXECUTE FUNCTION app.on_member_owner();
CREATE OR REPLACE TRIGGER y_credentials AFTER UPDATE ON data.members
	FOR EACH ROW WHEN ((OLD.role, OLD.active, OLD.deleted_at, OLD.user_id, OLD.zone, OLD.language, OLD.week_start)
		IS DISTINCT FROM (NEW.role, NEW.active, NEW.deleted_at, NEW.user_id, NEW.zone, NEW.language, NEW.week_start))
	EXECUTE FUNCTION app.on_member_credentials();
CREATE OR REPLACE TRIGGER z_gone AFTER DELETE ON data.credentials
	FOR EACH ROW WHEN (OLD.expires_at > now()) EXECUTE FUNCTION app.on_credential_gone();
CREATE OR REPLACE TRIGGER b_zone_added BEFORE INSERT ON data.members FOR EACH ROW EXECUTE FUNCTION app.on_zone();
CREATE OR REPLACE TRIGGER b_zone_changed BEFORE UPDATE ON data.members
	FOR EACH ROW WHEN (NEW.zone <> OLD.zone) EXECUTE FUNCTION app.on_zone();
CREATE OR REPLACE TRIGGER b_zone_added BEFORE INSERT ON data.organizations FOR EACH ROW EXECUTE FUNCTION app.on_zone();
CREATE OR REPLACE TRIGGER b_zone_changed BEFORE UPDATE ON data.organizations
	FOR EACH ROW WHEN (NEW.zone <> OLD.zone) EXECUTE FUNCTION app.on_zone();

RESET ROLE;
