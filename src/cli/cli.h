#ifndef STINT_CLI_CLI_H
#define STINT_CLI_CLI_H
/* The operator's commands. Each returns the exit status and prints what it did. */
#include "base/conf.h"

int cli_routes(void *mem, const char *how); /* NULL: a table; --json, --nginx, --openapi */
int cli_explain(void *mem, const struct conf *conf, const char *route, const char *email);
int cli_check_queries(void *mem, const struct conf *conf);
int cli_doctor(void *mem, const struct conf *conf);
/* argv begins behind "jobs". */
int cli_jobs(void *mem, const struct conf *conf, int argc, char **argv);
int cli_celery(void *mem, const struct conf *conf, int argc, char **argv); /* the words behind "celery" */
#endif
