#ifndef STINT_HTTP_PARSE_H
#define STINT_HTTP_PARSE_H
/* From FastCGI parameters to a request: everything a handler may rely on is decided here. */
#include "http/request.h"

/*
 * Fills rq from rq->params, but for the body; *body_len is how long that must be. On an error what could be read stands
 * all the same (id, method, path), for the answer and the log, and *why says more.
 */
enum err request_parse(struct request *rq, size_t body_max, size_t *body_len, const char **why);
/* What a request is before anything is known of it: no NULL among the texts that are logged or answered. */
void request_init(struct request *rq, void *mem);

#endif
