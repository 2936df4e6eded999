/* Configuration: where values come from, and that each refusal names place, key and remedy but no secret. */
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/mem.h"
#include "base/str.h"

#define KEY "Zk3vT9qLw8XbN2rYp7MfHc5DjGs1AuEo" /* 32 characters, for these tests alone */
#define OTHER "Pq8sLd2VnC6xKz4JmT0wRb9YhFe5GaUi"

static char *path_in(const char *dir, const char *name)
{
	return mem_printf(unit_mem, "%s/%s", dir, name);
}

static const char *scratch(void)
{
	char *dir = mem_strdup(unit_mem, "/tmp/stint-conf-XXXXXX");

	ck_assert_ptr_nonnull(mkdtemp(dir));
	return dir;
}

static const char *written(const char *path, const char *text, mode_t mode)
{
	FILE *file = fopen(path, "we");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	fclose(file);
	chmod(path, mode);
	return path;
}

/* Loads a file with this text; the file is gone again afterwards. */
static const struct conf *load(const char *text, const char **why)
{
	const char *dir = scratch();
	const char *path = written(path_in(dir, "stint.conf"), text, 0600);
	const struct conf *conf = conf_load(unit_mem, path, why);

	unlink(path);
	rmdir(dir);
	return conf;
}

static void refused(const char *text, const char *const *words)
{
	const char *why = NULL;

	ck_assert_msg(!load(text, &why), "%s", text);
	ck_assert_ptr_nonnull(why);
	for (; *words; words++)
		ck_assert_msg(strstr(why, *words), "\"%s\" does not say \"%s\"", why, *words);
}

#define REFUSED(text, ...) refused(text, (const char *const[]){ __VA_ARGS__, NULL })
#define WITH_KEY "secret_key = " KEY "\n"

START_TEST(defaults_stand_where_nothing_is_set)
{
	const char *why = NULL;
	const struct conf *conf = load(WITH_KEY, &why);

	ck_assert_msg(conf, "%s", why);
	ck_assert_str_eq(conf->secret_key, KEY);
	ck_assert_int_eq(conf->worker_requests, 20000);
	ck_assert_str_eq(conf->log_level, "info");
	ck_assert(!conf->dev);
}
END_TEST

START_TEST(the_file_is_read)
{
	unsetenv("STINT_DATABASE_URL"); /* ./dev test speaks of its stack by it */
	const char *why = NULL;
	const struct conf *conf = load("# a comment\n\n  database_url =  host=/x dbname=a#b user=c  \r\n\tweb_workers=12\n"
				       "dev = yes\nassets_file =\nlog_level = warn\n" WITH_KEY "mail_from = a = b",
		&why);

	ck_assert_msg(conf, "%s", why);
	ck_assert_str_eq(conf->database_url, "host=/x dbname=a#b user=c");
	ck_assert_int_eq(conf->web_workers, 12);
	ck_assert(conf->dev);
	ck_assert_str_eq(conf->assets_file, "");
	ck_assert_str_eq(conf->log_level, "warn");
	ck_assert_str_eq(conf->mail_from, "a = b");
}
END_TEST

START_TEST(the_environment_wins)
{
	const char *why = NULL;
	const struct conf *conf;

	setenv("STINT_WEB_WORKERS", "3", 1);
	setenv("STINT_DEV", "off", 1);
	setenv("STINT_SECRET_KEY", OTHER, 1);
	setenv("STINT_UNHEARD_OF", "x", 1);
	conf = load("web_workers = 12\ndev = true\n" WITH_KEY, &why);
	ck_assert_msg(conf, "%s", why);
	ck_assert_int_eq(conf->web_workers, 3);
	ck_assert(!conf->dev);
	ck_assert_str_eq(conf->secret_key, OTHER);
}
END_TEST

START_TEST(the_file_can_be_named_by_the_environment)
{
	const char *why = NULL;
	const char *dir = scratch();
	const char *path = written(path_in(dir, "other.conf"), "web_workers = 5\n" WITH_KEY, 0600);
	const struct conf *conf;

	setenv("STINT_CONF", path, 1);
	conf = conf_load(unit_mem, NULL, &why);
	unlink(path);
	rmdir(dir);
	ck_assert_msg(conf, "%s", why);
	ck_assert_int_eq(conf->web_workers, 5);
	ck_assert_ptr_null(conf_load(unit_mem, NULL, &why));
	ck_assert_ptr_nonnull(strstr(why, "other.conf: cannot be opened: No such file"));
}
END_TEST

START_TEST(mistakes_are_named_with_their_place)
{
	REFUSED(WITH_KEY "web_workers = many\n", "stint.conf:2: web_workers: \"many\"", "from 0 to 512");
	REFUSED(WITH_KEY "\nweb_workers = 513\n", ":3: web_workers", "0 to 512");
	REFUSED(WITH_KEY "web_workers = 4 # four\n", ":2: web_workers");
	REFUSED(WITH_KEY "web_workers =\n", ":2: web_workers");
	REFUSED(WITH_KEY "dev = maybe\n", ":2: dev", "Give true or false");
	REFUSED(WITH_KEY "log_level = loud\n", ":2: log_level", "debug|info|warn|error");
	REFUSED(WITH_KEY "log_level = info|warn\n", ":2: log_level");
	REFUSED(WITH_KEY "web_worker = 4\n", ":2: web_worker: no such option", "Did you mean web_workers?");
	REFUSED("secretkey = " KEY "\n", ":1: secretkey: no such option", "Did you mean secret_key?");
	REFUSED(WITH_KEY "xyz = 4\n", ":2: xyz: no such option", "stint config help");
	REFUSED(WITH_KEY "web_workers_file = /x\n", ":2: web_workers_file: no such option");
	REFUSED(WITH_KEY "dev = 1\n\ndev = 1\n", ":4: dev: already set in line 2");
	REFUSED(WITH_KEY "what is this\n", ":2: expected \"key = value\"");
	REFUSED(WITH_KEY "= 4\n", ":2: expected \"key = value\"");
	REFUSED(WITH_KEY "mail_from = a\tb\n", ":2: mail_from", "control characters");
	REFUSED(WITH_KEY "mail_from = \xFF\n", "is not UTF-8 text");
}
END_TEST

START_TEST(mistakes_of_the_environment_are_named_too)
{
	setenv("STINT_WEB_WORKERS", "-1", 1);
	REFUSED(WITH_KEY "web_workers = 12\n", "environment variable STINT_WEB_WORKERS: \"-1\"", "0 to 512");
}
END_TEST

START_TEST(a_secret_is_required)
{
	REFUSED("web_workers = 1\n", "secret_key: not set", "openssl rand", "STINT_SECRET_KEY_FILE");
	REFUSED("secret_key =\n", "secret_key: not set");
}
END_TEST

START_TEST(samples_are_no_secrets)
{
	static const char *const bad[] = {
		"Zk3",
		"Zk3vT9qLw8XbN2rYp7MfHc5DjGs1AuE",
		"change-me-change-me-change-me-change-me",
		"CHANGEME-Zk3vT9qLw8XbN2rYp7MfHc5DjGs1AuEo",
		"this-is-an-example-of-32-characters",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"abababababababababababababababababab",
		"0123456789abcdef0123456789abcdef",
		"stint-demo-2026-stint-demo-2026-xyz",
		"your_secret_key_of_32_characters!!",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		const char *why = NULL;

		ck_assert_msg(!load(mem_printf(unit_mem, "secret_key = %s\n", bad[i]), &why), "%s", bad[i]);
		ck_assert_ptr_nonnull(strstr(why, "stint.conf:1: secret_key: "));
		ck_assert_ptr_nonnull(strstr(why, "Use at least 32 random characters"));
		ck_assert_ptr_null(strstr(why, bad[i]));
	}
}
END_TEST

START_TEST(a_secret_may_lie_in_a_file_of_its_own)
{
	const char *dir = scratch();
	const char *secret = written(path_in(dir, "key"), KEY "\n", 0600);
	const char *text = mem_printf(unit_mem, "secret_key_file = %s\n", secret);
	const char *why = NULL;
	const struct conf *conf = load(text, &why);

	ck_assert_msg(conf, "%s", why);
	ck_assert_str_eq(conf->secret_key, KEY);
	REFUSED(mem_printf(unit_mem, "%s%s", text, WITH_KEY), "secret_key_file is set too", "Keep one");
	chmod(secret, 0644);
	REFUSED(text, ":1: secret_key_file: everybody may read", "chmod o-rwx");
	written(secret, "", 0600);
	REFUSED(text, "secret_key: not set");
	written(secret, "a\nb", 0600);
	REFUSED(text, "secret_key_file: holds control characters");
	unlink(secret);
	REFUSED(text, ":1: secret_key_file: the file", "cannot be opened: No such file");
	setenv("STINT_SECRET_KEY_FILE", written(secret, OTHER, 0600), 1);
	conf = load(WITH_KEY, &why);
	ck_assert_msg(conf, "%s", why);
	ck_assert_str_eq(conf->secret_key, OTHER);
	unlink(secret);
	rmdir(dir);
}
END_TEST

/* A password that somebody else gave us may be short and weak, or missing; how it is kept is judged all the same. */
START_TEST(a_password_given_to_us_is_not_judged)
{
	const char *why = NULL;
	const char *dir = scratch();
	const char *password = written(path_in(dir, "smtp"), "password\n", 0600);
	const struct conf *conf = load(WITH_KEY, &why);

	ck_assert_msg(conf, "%s", why);
	ck_assert_str_eq(conf->smtp_password, "");
	conf = load(WITH_KEY "smtp_password = abc\n", &why);
	ck_assert_msg(conf, "%s", why);
	ck_assert_str_eq(conf->smtp_password, "abc");
	conf = load(mem_printf(unit_mem, WITH_KEY "smtp_password_file = %s\n", password), &why);
	ck_assert_msg(conf, "%s", why);
	ck_assert_str_eq(conf->smtp_password, "password");
	chmod(password, 0644);
	REFUSED(mem_printf(unit_mem, WITH_KEY "smtp_password_file = %s\n", password), ":2: smtp_password_file: everybody may read");
	REFUSED(WITH_KEY "smtp_password = a\tb\n", ":2: smtp_password: holds control characters", "one line");
	unlink(password);
	rmdir(dir);
}
END_TEST

START_TEST(a_secret_may_be_a_credential)
{
	const char *dir = scratch();
	const char *secret = written(path_in(dir, "secret_key"), KEY, 0400);
	const char *why = NULL;
	const struct conf *conf;

	setenv("CREDENTIALS_DIRECTORY", dir, 1);
	conf = load("", &why);
	ck_assert_msg(conf, "%s", why);
	ck_assert_str_eq(conf->secret_key, KEY);
	conf = load("secret_key = " OTHER "\n", &why);
	ck_assert_msg(conf, "%s", why);
	ck_assert_str_eq(conf->secret_key, OTHER);
	unlink(secret);
	rmdir(dir);
	ck_assert_ptr_null(load("", &why));
}
END_TEST

START_TEST(somebody_elses_secret_may_be_missing_and_is_not_judged)
{
	const char *why = NULL;
	const struct conf *conf = load(WITH_KEY, &why);

	ck_assert_msg(conf, "%s", why);
	ck_assert_str_eq(conf->redis_password, "");
	conf = load(WITH_KEY "redis_password = password\n", &why);
	ck_assert_msg(conf, "%s", why);
	ck_assert_str_eq(conf->redis_password, "password");
	setenv("STINT_REDIS_PASSWORD", "other", 1);
	conf = load(WITH_KEY "redis_password = password\n", &why);
	ck_assert_msg(conf, "%s", why);
	ck_assert_str_eq(conf->redis_password, "other");
}
END_TEST

START_TEST(a_password_within_an_address_is_not_for_everybody)
{
	static const char *const lines[] = { "redis_url = redis://a:canary@h", "redis_url = unix:/s?password=canary",
		"database_url = host=h password=canary", "migrate_url = postgresql://u:canary@h/d" };
	const char *dir = scratch();

	unsetenv("STINT_DATABASE_URL"); /* ./dev test speaks of its stack by it */
	unsetenv("STINT_MIGRATE_URL");
	unsetenv("STINT_REDIS_URL");
	setenv("STINT_SECRET_KEY", KEY, 1);
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		const char *path = written(path_in(dir, "stint.conf"), lines[i], 0644);
		const char *why = NULL;

		ck_assert_msg(!conf_load(unit_mem, path, &why), "%s", lines[i]);
		ck_assert_msg(strstr(why, "everybody may read it. Run: chmod o-rwx"), "%s", why);
		ck_assert_msg(!strstr(why, "canary"), "%s", why);
		chmod(path, 0640);
		ck_assert_ptr_nonnull(conf_load(unit_mem, path, &why));
		unlink(path);
	}
	rmdir(dir);
}
END_TEST

START_TEST(a_secret_is_not_for_everybody)
{
	const char *dir = scratch();
	const char *path = written(path_in(dir, "stint.conf"), WITH_KEY, 0644);
	const char *why = NULL;

	ck_assert_ptr_null(conf_load(unit_mem, path, &why));
	ck_assert_ptr_nonnull(strstr(why, "everybody may read it. Run: chmod o-rwx"));
	ck_assert_ptr_null(strstr(why, KEY));
	chmod(path, 0640);
	ck_assert_ptr_nonnull(conf_load(unit_mem, path, &why));
	unlink(path);
	rmdir(dir);
}
END_TEST

START_TEST(files_of_absurd_size_are_refused)
{
	char *big = mem_array(unit_mem, char, 70000);

	memset(big, '#', 69999);
	REFUSED(big, "is larger than 65536 bytes");
}
END_TEST

START_TEST(help_tells_every_option)
{
	const char *help = conf_help(unit_mem);
	static const char *const keys[] = {
#define CONF_TEXT(key, dflt, text) #key, text,
#define CONF_CHOICE(key, dflt, choices, text) #key, text,
#define CONF_SECRET(key, least, text) #key, text,
#define CONF_INT(key, dflt, min, max, text) #key, text,
#define CONF_BOOL(key, dflt, text) #key, text,
#include "base/conf.def"
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		ck_assert_msg(strstr(help, keys[i]), "%s", keys[i]);
	ck_assert_ptr_nonnull(strstr(help, "0 to 512, default 0"));
	ck_assert_ptr_nonnull(strstr(help, "one of debug|info|warn|error, default info"));
	ck_assert_ptr_nonnull(strstr(help, "secret of at least 32 characters, required"));
}
END_TEST

UNIT_MAIN("base_conf", defaults_stand_where_nothing_is_set, the_file_is_read, the_environment_wins,
	the_file_can_be_named_by_the_environment, mistakes_are_named_with_their_place,
	mistakes_of_the_environment_are_named_too, a_secret_is_required, samples_are_no_secrets,
	a_secret_may_lie_in_a_file_of_its_own, a_secret_may_be_a_credential, a_password_given_to_us_is_not_judged, a_secret_is_not_for_everybody,
	somebody_elses_secret_may_be_missing_and_is_not_judged, a_password_within_an_address_is_not_for_everybody,
	files_of_absurd_size_are_refused, help_tells_every_option)
