#ifndef STINT_APP_APP_H
#define STINT_APP_APP_H
/*
 * What stint-web holds: the parts made in the master and shared by all workers (struct app), and what
 * each worker has of its own (struct worker).
 */
#include "app/routes.h"
#include "base/conf.h"
#include "db/db.h"
#include "http/limits.h"
#include "http/request.h"
#include "redis/redis.h"
#include "view/view.h"

struct app {
	const struct conf *conf;
	const struct routes *routes;
	const struct views *views;
	struct limits *limits;        /* API, by credential or address */
	struct limits *signin_limits; /* sign-in, where Redis is away */
	const struct query *enter;    /* app.enter */
};

struct worker {
	struct app *app;
	struct db *db;
	struct redis *redis;
};

/* NULL, *why says what is wrong: templates that cannot be read stop the start. before: the one a reload replaces, whose shared counters
 * go on; else NULL. */
struct app *app_new(void *mem, const struct conf *conf, const struct route *const *tables,
	const struct app *before, const char **why);
struct worker *worker_new(void *mem, struct app *app, const char *pool);
/* One request from gate to answer. */
void app_handle(struct worker *w, struct request *rq);

#endif
