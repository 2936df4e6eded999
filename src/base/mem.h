#ifndef STINT_BASE_MEM_H
#define STINT_BASE_MEM_H
/*
 * Memory by lifetime: every allocation hangs below a talloc context (one per request, command or
 * process) and goes with it. Foreign handles (PGresult, json_object, descriptors) are tied to a
 * context by a destructor. There is no out-of-memory path: when memory is gone the process logs one
 * line and aborts, and the master starts another. All functions below never return NULL.
 */
#include <stdarg.h>
#include <stddef.h>
#include <talloc.h>

/* A root context for one request: a pool in production, plain under sanitizers so they see every block. */
void *mem_root(const char *name);

#define mem_new(ctx, type) ((type *)mem_zalloc((ctx), sizeof(type), #type))
#define mem_array(ctx, type, n) ((type *)mem_zalloc_array((ctx), sizeof(type), (n), #type))
/* Grow to n elements; new ones are NOT zeroed. */
#define mem_grow(ctx, ptr, type, n) ((type *)mem_realloc_array((ctx), (ptr), sizeof(type), (n), #type))

void *mem_zalloc(const void *ctx, size_t size, const char *name);
void *mem_zalloc_array(const void *ctx, size_t size, size_t n, const char *name);
void *mem_realloc_array(const void *ctx, void *ptr, size_t size, size_t n, const char *name);
char *mem_strdup(const void *ctx, const char *s);
char *mem_strndup(const void *ctx, const char *s, size_t n);
char *mem_printf(const void *ctx, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *mem_vprintf(const void *ctx, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
void mem_free(void *ptr); /* NULL is fine */

#endif
