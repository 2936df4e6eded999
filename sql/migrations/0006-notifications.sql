-- Notifications: what a person should know of without having looked for it, one row each, and how they want to hear of which kind.
--
-- about holds what its words need (names, numbers) as they were then; the words themselves are the page's. mail: none, pending
-- (the mail is being gathered), sent. A person's own rows alone are seen (seen.notifications).

SET LOCAL lock_timeout = '5s';
SET LOCAL ROLE stint_owner;

CREATE TABLE data.notifications (
	organization_id uuid NOT NULL CONSTRAINT notifications_organization REFERENCES data.organizations,
	id uuid NOT NULL,
	member_id uuid NOT NULL,
	kind text NOT NULL CONSTRAINT notifications_kind_choice CHECK (kind IN ('entry_changed', 'role_changed', 'timer_long',
		'job_dead', 'webhook_disabled')),
	about jsonb NOT NULL,
	link text CONSTRAINT notifications_link_form CHECK (link ~ '^/[^/]' AND char_length(link) <= 300),
	in_app boolean NOT NULL,
	mail text NOT NULL CONSTRAINT notifications_mail_choice CHECK (mail IN ('none', 'pending', 'sent')),
	created_at timestamptz NOT NULL DEFAULT now(),
	read_at timestamptz,
	PRIMARY KEY (organization_id, id),
	CONSTRAINT notifications_member FOREIGN KEY (organization_id, member_id) REFERENCES data.members ON DELETE CASCADE
);
CREATE INDEX notifications_by_member ON data.notifications (organization_id, member_id, created_at DESC, id DESC) WHERE in_app;
CREATE INDEX notifications_unread ON data.notifications (organization_id, member_id) WHERE in_app AND read_at IS NULL;
CREATE INDEX notifications_pending ON data.notifications (organization_id, member_id) WHERE mail = 'pending';

-- What a person has decided; what has no row is as the kind has it (app.notification_kinds).
CREATE TABLE data.notification_preferences (
	organization_id uuid NOT NULL CONSTRAINT notification_preferences_organization REFERENCES data.organizations,
	member_id uuid NOT NULL,
	kind text NOT NULL,
	in_app boolean NOT NULL,
	mail text NOT NULL CONSTRAINT notification_preferences_mail_choice CHECK (mail IN ('off', 'at_once', 'daily')),
	PRIMARY KEY (organization_id, member_id, kind),
	CONSTRAINT notification_preferences_member FOREIGN KEY (organization_id, member_id)
		REFERENCES data.members ON DELETE CASCADE
);

DO $$
DECLARE
	t regclass;
BEGIN
	FOREACH t IN ARRAY ARRAY['data.notifications', 'data.notification_preferences']::regclass[] LOOP
		EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', t);
		EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', t);
	END LOOP;
END
$$;

RESET ROLE;
