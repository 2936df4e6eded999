#ifndef STINT_REDIS_ADDRESS_H
#define STINT_REDIS_ADDRESS_H
/* Where a Redis is and as whom one comes, read from redis_url and redis_password. Private to src/redis. */
struct redis_address {
	const char *path; /* of its socket; NULL: host and port */
	const char *host;
	int port;
	const char *user, *password; /* NULL: none */
	int db;
};

/* NULL, or what is wrong, in words that repeat nothing of a secret. All of it lies below mem. */
const char *redis_address_read(
	void *mem, const char *url, const char *password, struct redis_address *out);

#endif
