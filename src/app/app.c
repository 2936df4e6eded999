/* What the master makes once and what each worker makes for itself; see app.h. */
#include "app/app.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "view/i18n.h"

#define SIGNIN_PER_MINUTE 20
#define SIGNIN_BURST 100

struct app *app_new(void *mem, const struct conf *conf, const struct route *const *tables,
	const struct app *before, const char **why)
{
	struct app *app = mem_new(mem, struct app);
	const char *fault = redis_fault(app, conf->redis_url, conf->redis_password);

	if (fault) {
		*why = mem_printf(app, "redis_url: %s", fault);
		return NULL;
	}
	i18n_init(conf->locale_dir);
	app->conf = conf;
	app->routes = routes_new(app, tables);
	app->views = views_load(app, conf->templates_dir, conf->assets_file, conf->strict_templates,
		why);
	if (!app->views)
		return NULL;
	/* What was counted stays counted over a reload. */
	app->limits = before ? before->limits : limits_new(conf->rate_per_minute, conf->rate_burst);
	app->signin_limits = before ? before->signin_limits : limits_new(SIGNIN_PER_MINUTE, SIGNIN_BURST);
	app->enter = query_find("enter");
	return app;
}

struct worker *worker_new(void *mem, struct app *app, const char *pool)
{
	struct worker *w = mem_new(mem, struct worker);

	w->app = app;
	w->db = db_new(w, app->conf->database_url, mem_printf(w, "stint-web %s", pool));
	w->redis = redis_new(w, app->conf->redis_url, app->conf->redis_password);
	return w;
}
