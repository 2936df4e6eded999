#ifndef STINT_APP_GATE_H
#define STINT_APP_GATE_H
/*
 * The checks every call passes, in fixed order, before input is read: who calls (cookie or bearer token),
 * how often, from where (cross-site and CSRF), and in which content type. None of them asks the database.
 */
#include "app/call.h"

enum err gate_pass(struct call *c);
/* What forms of this session carry. Below mem. */
const char *gate_csrf(struct call *c);

#endif
