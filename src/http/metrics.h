#ifndef STINT_HTTP_METRICS_H
#define STINT_HTTP_METRICS_H
/*
 * Counters in shared memory (made before forking), written as Prometheus text: requests by status class and route, latency
 * histogram, workers by pool and state, and the events counted below. Without metrics_init nothing is counted.
 */
#include "base/buf.h"
#include "http/request.h"

/* The names are borrowed for good; requests find theirs by pointer first. */
void metrics_init(const char *const *routes, int nroutes);
void metrics_request(const struct request *rq, int64_t took_us);
/* One of: worker_respawns worker_crashes worker_timeouts requests_refused rate_limited db_reconnects db_retries
 * signin_throttled mails_sent. Anything else is a mistake and aborts. */
void metrics_count(const char *name);
void metrics_write(struct buf *out);

#endif
