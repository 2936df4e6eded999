#ifndef STINT_BASE_LOG_H
#define STINT_BASE_LOG_H
/*
 * One JSON object a line on stderr: ts, level, program, msg, then the given pairs. Secrets and
 * personal data never go in; ids do. Values are text; the pairs end with NULL.
 *
 *	log_info("worker started", "pool", pool->name, "pid", pid_text, NULL);
 */
enum log_level { LOG_DEBUG_, LOG_INFO_, LOG_WARN_, LOG_ERROR_ };

enum log_level log_level_of(const char *name); /* "debug", "info", "warn", "error"; else LOG_INFO_ */
void log_init(const char *program, enum log_level least);
void log_set_request(const char *request_id); /* added to every line until set to NULL; borrowed */
void log_write(enum log_level level, const char *msg, ...) __attribute__((sentinel));

#define log_debug(...) log_write(LOG_DEBUG_, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO_, __VA_ARGS__)
#define log_warn(...) log_write(LOG_WARN_, __VA_ARGS__)
#define log_error(...) log_write(LOG_ERROR_, __VA_ARGS__)

#endif
