#ifndef STINT_APP_PROBLEM_H
#define STINT_APP_PROBLEM_H
/* A failure as RFC 9457 problem document: what programs get. */
#include "app/call.h"
void problem_answer(struct call *c);
/* What the failure says: the handler's own words, else the error's. Translated. */
const char *problem_detail(const struct call *c);
#endif
