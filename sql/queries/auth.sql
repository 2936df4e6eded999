-- Signing up, in and out. One definer function a step (sql/functions/70-accounts.sql); tokens and passwords come hashed.

-- name: auth_register (worker)
SELECT app.register(:email, :name, :organization_name, :zone, :password_hash, :token_hash::bytea) AS doc;

-- name: auth_account
SELECT user_id, password_hash, verified, active_memberships, email, name FROM app.account(:email);

-- name: auth_session_create
SELECT app.session_create(:user_id::uuid, :organization_id::uuid, :kind, :hash::bytea, :user_agent, :ip,
	:days::integer) AS doc;

-- name: auth_verify_email
SELECT app.verify_email(:token_hash::bytea) AS user_id;

-- name: auth_verify_again (worker)
SELECT app.verify_again(:email, :token_hash::bytea) AS doc;

-- name: auth_forgot (worker)
SELECT app.forgot(:email, :token_hash::bytea) AS doc;

-- name: auth_reset
SELECT app.reset(:token_hash::bytea, :password_hash) AS user_id;

-- name: auth_logout
SELECT app.logout(:credential::bytea) AS ended;

-- name: auth_switch
SELECT app.switch(:credential::bytea, :organization_id::uuid, :new_hash::bytea) AS doc;

-- name: auth_rehash
SELECT app.rehash(:user_id::uuid, :password_hash) AS done;

-- name: auth_password_of
SELECT user_id, password_hash FROM app.password_of(:credential::bytea);

-- name: auth_password_change
SELECT app.password_change(:credential::bytea, :password_hash) AS user_id;
