/*
 * Memory by lifetime, over talloc. What the house gains by wrapping it: no caller ever checks for NULL.
 * A process out of memory cannot answer anybody well; it says so in one line that needs no
 * memory and aborts, and the master starts another.
 *
 * Must not log through log.c, which allocates.
 */
#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Enough for nearly every request, and small enough that malloc keeps it for the next one. */
#define ROOT_POOL_BYTES ((size_t)64 * 1024)

static void out_of_memory(void) __attribute__((noreturn));

static void out_of_memory(void)
{
	static const char line[] = "{\"level\":\"error\",\"msg\":\"out of memory\"}\n";

	if (write(STDERR_FILENO, line, sizeof(line) - 1) < 0)
		_exit(EXIT_FAILURE);
	abort();
}

static void *sure(void *ptr)
{
	if (!ptr)
		out_of_memory();
	return ptr;
}

void *mem_root(const char *name)
{
#if defined(STINT_SANITIZERS) || defined(__SANITIZE_ADDRESS__)
	void *root = sure(talloc_new(NULL));
#else
	void *root = sure(talloc_pool(NULL, ROOT_POOL_BYTES));
#endif
	talloc_set_name_const(root, name);
	return root;
}

void *mem_zalloc(const void *ctx, size_t size, const char *name)
{
	return sure(_talloc_zero(ctx, size, name));
}

/* talloc counts elements in an unsigned int and refuses the rest only in part. */
static unsigned int countable(size_t size, size_t n)
{
	if (n > UINT32_MAX || (size && n > SIZE_MAX / size))
		out_of_memory();
	return (unsigned int)n;
}

void *mem_zalloc_array(const void *ctx, size_t size, size_t n, const char *name)
{
	return sure(_talloc_zero_array(ctx, size, countable(size, n), name));
}

void *mem_realloc_array(const void *ctx, void *ptr, size_t size, size_t n, const char *name)
{
	/* To talloc a size of nothing means free. */
	return sure(_talloc_realloc_array(ctx, ptr, size, countable(size, n ? n : 1), name));
}

char *mem_strdup(const void *ctx, const char *s)
{
	return sure(talloc_strdup(ctx, s));
}

char *mem_strndup(const void *ctx, const char *s, size_t n)
{
	return sure(talloc_strndup(ctx, s, n));
}

char *mem_printf(const void *ctx, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = mem_vprintf(ctx, fmt, ap);
	va_end(ap);
	return s;
}

char *mem_vprintf(const void *ctx, const char *fmt, va_list ap)
{
	return sure(talloc_vasprintf(ctx, fmt, ap));
}

void mem_free(void *ptr)
{
	if (ptr)
		talloc_free(ptr);
}
