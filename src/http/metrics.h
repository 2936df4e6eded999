#ifndef STINT_HTTP_METRICS_H
#define STINT_HTTP_METRICS_H
/* Counters in shared memory (made before forking), written as Prometheus text: requests by status class and route, latency histogram,
 * workers by pool and state, respawns. */
#include "base/buf.h"
#include "http/request.h"
void metrics_init(const char *const *routes, int nroutes);
void metrics_request(const struct request *rq, int64_t took_us);
void metrics_count(const char *name); /* "worker_respawns", "db_reconnects", … a fixed list */
void metrics_write(struct buf *out);
#endif
