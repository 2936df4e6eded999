/* Errors, log lines and the process itself. */
#include "unit.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/proc.h"

/* What is written to stderr meanwhile. */
static int stderr_before;
static int pipe_end;

static void capture(void)
{
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	stderr_before = dup(STDERR_FILENO);
	dup2(fds[1], STDERR_FILENO);
	close(fds[1]);
	pipe_end = fds[0];
}

static char *captured(void)
{
	char *text = mem_array(unit_mem, char, 65536);
	size_t len = 0;
	ssize_t n;

	dup2(stderr_before, STDERR_FILENO); /* the last writer, so reading ends */
	close(stderr_before);
	while ((n = read(pipe_end, text + len, 65535 - len)) > 0)
		len += (size_t)n;
	close(pipe_end);
	return text;
}

START_TEST(a_line_is_one_json_object)
{
	char *line;

	clock_set_us(INT64_C(1793612400500000));
	log_init("stint-web", LOG_INFO_);
	log_set_request("r-1");
	capture();
	log_info("worker \"started\"\n", "pid", "42", "why", NULL, "raw", "\xFF</", NULL);
	line = captured();
	ck_assert_str_eq(line, "{\"ts\":\"2026-11-02T09:40:00.5Z\",\"level\":\"info\",\"program\":\"stint-web\","
			       "\"msg\":\"worker \\\"started\\\"\\n\",\"request_id\":\"r-1\",\"pid\":\"42\",\"why\":null,"
			       "\"raw\":\"\xEF\xBF\xBD<\\/\"}\n");
}
END_TEST

START_TEST(what_is_below_the_level_is_left_out)
{
	char *lines;

	log_init("stint", LOG_WARN_);
	capture();
	log_debug("no", NULL);
	log_info("no", NULL);
	log_warn("one", NULL);
	log_error("two", NULL);
	lines = captured();
	ck_assert_ptr_null(strstr(lines, "\"no\""));
	ck_assert_ptr_nonnull(strstr(lines, "\"level\":\"warn\""));
	ck_assert_ptr_nonnull(strstr(lines, "\"level\":\"error\""));
}
END_TEST

START_TEST(a_line_fits_one_write_and_stays_json)
{
	char *big = mem_array(unit_mem, char, 100001);
	struct json_object *out;
	const char *where;
	char *line;

	for (int i = 0; i < 50000; i++)
		memcpy(big + (size_t)i * 2, "\xC3\xBC", 2);
	memset(big, 'x', 1); /* characters now straddle every cut */
	memset(big + 1, 'x', 2);
	log_init("stint", LOG_INFO_);
	capture();
	log_info(big, "a", big, "b", big, "c", big, "d", big, "e", "small", NULL);
	line = captured();
	ck_assert_uint_le(strlen(line), PIPE_BUF);
	ck_assert_int_eq(json_parse(unit_mem, line, strlen(line), &out, &where), OK);
	ck_assert_ptr_nonnull(strstr(line, "\xE2\x80\xA6"));
	ck_assert(json_object_get_boolean(json_object_object_get(out, "cut")));
	ck_assert_ptr_null(strstr(line, "small"));
}
END_TEST

START_TEST(logging_leaves_errno_alone)
{
	capture();
	errno = ENOENT;
	log_info("x", NULL);
	ck_assert_int_eq(errno, ENOENT);
	captured();
}
END_TEST

START_TEST(every_error_says_what_to_do)
{
	for (int e = OK + 1; e < ERR_COUNT; e++) {
		const struct err_info *info = err_info((enum err)e);

		/* A replayed answer is raised like an error, but is none to the client. */
		if (e != ERR_IDEMPOTENCY_REPLAY)
			ck_assert_msg(info->status >= 400 && info->status <= 599, "%s", info->code);
		ck_assert_ptr_nonnull(info->code);
		ck_assert_uint_gt(strlen(info->title), 2);
		ck_assert_uint_gt(strlen(info->detail), 10);
		ck_assert_msg(err_by_code(info->code) == (enum err)e, "%s is there twice", info->code);
	}
	ck_assert_int_eq(err_by_code("unheard_of"), ERR_INTERNAL);
	ck_assert_int_eq(err_by_code("ok"), ERR_INTERNAL);
	ck_assert_int_eq(err_by_code(NULL), ERR_INTERNAL);
	ck_assert_ptr_eq(err_info(ERR_COUNT), err_info(ERR_INTERNAL));
	ck_assert_int_eq(err_info(OK)->status, 200);
}
END_TEST

static const struct {
	const char *name;
	enum err err;
	const char *field;
} constraints[] = {
#define ERR(name, status, code, title, detail)
#define CONSTRAINT(text, error, blamed) { .name = (text), .err = ERR_##error, .field = (blamed) },
#include "base/errors.def"
	{ .name = NULL },
};

START_TEST(constraints_map_to_errors)
{
	const char *field = "before";

	ck_assert_int_eq(err_by_constraint("unheard_of", &field), ERR_INTERNAL);
	ck_assert_ptr_null(field);
	ck_assert_int_eq(err_by_constraint(NULL, &field), ERR_INTERNAL);
	for (int i = 0; constraints[i].name; i++) {
		ck_assert_msg(err_by_constraint(constraints[i].name, &field) == constraints[i].err, "%s", constraints[i].name);
		ck_assert_msg(field == constraints[i].field || (field && !strcmp(field, constraints[i].field)), "%s",
			constraints[i].name);
	}
}
END_TEST

START_TEST(a_hardened_process_keeps_its_secrets)
{
	struct rlimit core = { .rlim_cur = 1 };
	mode_t mask;

	close(STDIN_FILENO);
	proc_harden();
	mask = umask(0);
	ck_assert_int_eq(mask, 027);
	ck_assert_int_eq(getrlimit(RLIMIT_CORE, &core), 0);
	ck_assert_uint_eq(core.rlim_cur, 0);
	ck_assert_int_ge(dup(STDIN_FILENO), 3); /* 0 is taken again, so nothing of ours becomes it */
	ck_assert_int_ge(proc_cores(), 1);
}
END_TEST

START_TEST(systemd_is_told)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	char text[32] = "";
	socklen_t len = (socklen_t)sizeof(sa_family_t);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr, len), 0); /* the kernel chooses an abstract name */
	len = sizeof(addr);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	setenv("NOTIFY_SOCKET", mem_printf(unit_mem, "@%s", addr.sun_path + 1), 1);
	proc_notify("READY=1");
	ck_assert_int_eq(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT), 7);
	ck_assert_str_eq(text, "READY=1");
	unsetenv("NOTIFY_SOCKET");
	proc_notify("STOPPING=1");
	ck_assert_int_lt(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT), 0);
	close(fd);
}
END_TEST

UNIT_MAIN("base_log", a_line_is_one_json_object, what_is_below_the_level_is_left_out, a_line_fits_one_write_and_stays_json,
	logging_leaves_errno_alone, every_error_says_what_to_do, constraints_map_to_errors,
	a_hardened_process_keeps_its_secrets, systemd_is_told)
