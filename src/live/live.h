#ifndef STINT_LIVE_LIVE_H
#define STINT_LIVE_LIVE_H
/* stint-live as a whole: what its parts share. One process, one event loop, no threads: nothing here is locked. */
#include <stdint.h>

#include "base/buf.h"
#include "base/conf.h"

struct event_base;

/* What is counted; written as Prometheus text by GET /metrics. */
struct live_stats {
	int64_t connections;    /* open WebSockets, now */
	int64_t opened, closed; /* so far */
	int64_t refused;        /* handshakes */
	int64_t dropped;        /* slow readers */
	int64_t lost;           /* did not answer a ping */
	int64_t signed_out, expired;
	int64_t events, frames, resyncs;
	int64_t feed_losses;           /* Redis went away */
	int64_t lag_us, lag_count, lag_most_us; /* from Redis saying that a stream grew to the last of its frames being handed over */
};

struct live {
	void *mem;
	const struct conf *conf;
	const char *conf_file;
	const char *origin; /* the one pages may come from */
	struct event_base *base;
	struct clients *clients;
	struct rooms *rooms;
	struct feed *feed;
	struct live_stats stats;
	bool feed_up, stopping;
};

/* Reads the configuration and serves until SIGTERM or SIGINT; the exit status. conf_file NULL: the usual one. */
int live_run(const char *conf_file);

int64_t live_now_s(void); /* monotonic */
void live_metrics(const struct live *live, struct buf *out);

#endif
