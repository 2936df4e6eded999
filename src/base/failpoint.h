#ifndef STINT_BASE_FAILPOINT_H
#define STINT_BASE_FAILPOINT_H
/*
 * Places at which a test can make a process die, as if the power had gone: fail_point("claim.after") kills it when
 * STINT_FAIL_POINT is "claim.after", or "claim.after:3" for the third time it comes there; once in all processes together, which
 * the file STINT_FAIL_MARK keeps book of. Compiled only into builds with sanitizers, which is what tests run.
 */
#ifdef STINT_SANITIZERS
void fail_point(const char *name);
#else
#define fail_point(name) ((void)0)
#endif
#endif
