/*
 * One JSON object a line on stderr, whatever stderr is: journald, a file or a terminal keep lines, and programs
 * read them (`dev` shows them to people in a friendlier form).
 *
 * A line goes out in a single write and is at most PIPE_BUF long, because many workers share one
 * pipe and longer writes would be mixed. Long values are cut; what then still does not fit is left out and said so.
 */
#include "base/log.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/iso8601.h"
#include "base/mem.h"
#include "base/str.h"

#define VALUE_MAX 1024
#define CUT ",\"cut\":true"

static const char *program_name = "stint";
static enum log_level least_level = LOG_INFO_;
static const char *current_request;

enum log_level log_level_of(const char *name)
{
	static const char *const names[] = { [LOG_DEBUG_] = "debug", [LOG_INFO_] = "info", [LOG_WARN_] = "warn", [LOG_ERROR_] = "error" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (str_eq(name, names[i]))
			return (enum log_level)i;
	return LOG_INFO_;
}

void log_init(const char *program, enum log_level least)
{
	program_name = program;
	least_level = least;
}

void log_set_request(const char *request_id)
{
	current_request = request_id;
}

static void add_text(struct buf *line, const char *s)
{
	size_t len = strnlen(s, VALUE_MAX + 1);

	if (len <= VALUE_MAX) {
		buf_json_str(line, s, len);
		return;
	}
	/* Not in the middle of a character. */
	len = VALUE_MAX;
	while (len && ((unsigned char)s[len] & 0xC0) == 0x80)
		len--;
	buf_json_str(line, s, len);
	line->len--; /* reopen */
	buf_puts(line, "\xE2\x80\xA6\"");
}

/* False when the line was full, and is now as it was. */
static bool add_pair(struct buf *line, const char *key, const char *value)
{
	size_t before = line->len;

	buf_putc(line, line->len ? ',' : '{');
	add_text(line, key);
	buf_putc(line, ':');
	if (value)
		add_text(line, value);
	else
		buf_puts(line, "null");
	if (line->len + sizeof(CUT "}\n") <= PIPE_BUF)
		return true;
	line->len = before;
	line->data[before] = '\0';
	return false;
}

static void begin(struct buf *line, enum log_level level, const char *msg)
{
	static const char *const names[] = { "debug", "info", "warn", "error" };
	char ts[ISO8601_MAX];

	iso8601_format(clock_now_us(), ts);
	add_pair(line, "ts", ts);
	add_pair(line, "level", names[level]);
	add_pair(line, "program", program_name);
	add_pair(line, "msg", msg);
	if (current_request)
		add_pair(line, "request_id", current_request);
}

static void send_line(const struct buf *line)
{
	size_t at = 0;

	while (at < line->len) {
		ssize_t n = write(STDERR_FILENO, line->data + at, line->len - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return; /* nowhere to complain to */
		at += (size_t)n;
	}
}

void log_write(enum log_level level, const char *msg, ...)
{
	int saved_errno = errno;
	struct buf line;
	const char *key;
	va_list ap;

	if (level < least_level)
		return;
	buf_init(&line, NULL);
	begin(&line, level, msg);
	va_start(ap, msg);
	while ((key = va_arg(ap, const char *))) {
		if (!add_pair(&line, key, va_arg(ap, const char *))) {
			buf_puts(&line, CUT);
			break;
		}
	}
	va_end(ap);
	buf_puts(&line, "}\n");
	send_line(&line);
	mem_free(line.data);
	errno = saved_errno;
}
