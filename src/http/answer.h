#ifndef STINT_HTTP_ANSWER_H
#define STINT_HTTP_ANSWER_H
/* What every answer has, whoever made it: status line, headers that are always there, and the problem document of last resort. */
#include <stdbool.h>
#include "http/request.h"

/* An RFC 9457 problem, for what went wrong before or outside of a handler. Replaces what was built so far. */
void answer_problem(struct request *rq, enum err e);
/* The head as CGI has it. Fills in X-Request-Id, Cache-Control and Content-Length. *with_body: whether the body is sent. */
void answer_head(struct request *rq, struct buf *head, bool *with_body);

#endif
