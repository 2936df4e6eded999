#ifndef STINT_REDIS_REDIS_PRIVATE_H
#define STINT_REDIS_REDIS_PRIVATE_H
/* The connection below redis.h: for the files of this folder alone. */
#include <hiredis/hiredis.h>

#include "redis/address.h"
#include "redis/redis.h"

enum { REPLIES_MAX = 8 };

struct redis {
	struct redis_address address;
	const char *fault; /* of the address; NULL: none */
	redisContext *link; /* NULL while there is none */
	int64_t timeout_ms; /* for an exchange, from first to last */
	int64_t rest_until_us;
	bool away; /* and said so */
	int64_t generation;
};

/* One command as its words: the short ones in place, the long ones elsewhere. */
struct redis_words {
	int count;
	const char *word[6];
	const char *const *words; /* instead of word */
	const size_t *lens;       /* of words; NULL: they end with NUL */
};

/* Sends all and reads an answer to each into replies[n]; wait_ms is added to the time-out, for a command that waits itself.
 * False when Redis is away or says no to any of them. Either way replies are the caller's to free. */
bool redis_run(struct redis *r, const struct redis_words *commands, int n, int64_t wait_ms, redisReply **replies);
void redis_replies_free(redisReply **replies, int n);

#endif
